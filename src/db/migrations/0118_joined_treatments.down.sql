drop table joined_treatment;
alter table visit_attendant drop column added_by;
drop index visit_stays;
alter table visit drop column started_by, drop column presence, drop column confirmed_at;
