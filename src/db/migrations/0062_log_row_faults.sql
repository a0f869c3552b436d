-- Rows of events that were found to differ from the log, so that the alarm outlives a restart.

create table log_row_fault (
  event uuid primary key,
  -- 'row is gone' or 'row was changed'
  what text not null,
  found_at timestamptz not null
);
comment on table log_row_fault is 'local: events whose row differs from its entry in the log, or is gone; an alarm stands until somebody deletes it';
