-- Who was not confirmed, or shut out, does not take part; such a row has a tie of its old standing, and is not believed until an operator
-- admits the facility again.
update facility set status = 'inactive' where status in ('unconfirmed', 'trial', 'shut-out');
alter table facility drop constraint facility_status_check;
alter table facility add constraint facility_status_check check (status in ('active', 'inactive'));
