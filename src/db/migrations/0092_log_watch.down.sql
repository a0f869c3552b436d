drop table log_timestamp;
drop table log_export;
drop table log_alarm;
drop table seen_log;
