-- A service that only its bridge has named waits for an operator (in a sandbox it takes part on trial), and one may be shut out by itself.

alter table facility drop constraint facility_status_check;
alter table facility
  add constraint facility_status_check check (status in ('active', 'inactive', 'unconfirmed', 'trial', 'shut-out'));
