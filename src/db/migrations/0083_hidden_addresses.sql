-- Addresses of patients become pseudonyms, everywhere at once; a client id may look like one, and its facilities follow it.
alter table facility
  drop constraint facility_bridge_fkey,
  add constraint facility_bridge_fkey foreign key (bridge) references bridge (client_id) on update cascade;

-- Only a value that is an address as a whole becomes a pseudonym.
update seen_request set caller = substr(caller, length('patient:') + 1) where caller like 'patient:%';
