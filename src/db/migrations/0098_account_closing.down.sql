drop index patient_index_address;
update patient set status = 'deactivated' where status = 'closed';
alter table patient drop constraint patient_status_check;
alter table patient add constraint patient_status_check check (status = any (array['active'::text, 'deactivated'::text]));
drop table account_closing;
