-- The numbers under which facilities keep patients and visits become pseudonyms, as addresses did: the program covers at its next start
-- what stands there (src/db/cover-references.ts). From now on no program can write one in plain: old rows are not checked, new ones are.
alter table clinical_record
  drop constraint clinical_record_bucket_patient_reference_fkey,
  add constraint clinical_record_bucket_patient_reference_fkey
    foreign key (bucket, patient_reference) references facility_patient (bucket, reference) on update cascade,
  add constraint clinical_record_covered
    check (patient_reference like 'pt1.%' and care_context_reference like 'pt1.%') not valid;
alter table visit
  drop constraint visit_bucket_patient_reference_fkey,
  add constraint visit_bucket_patient_reference_fkey
    foreign key (bucket, patient_reference) references facility_patient (bucket, reference) on update cascade,
  add constraint visit_covered check (patient_reference like 'pt1.%') not valid;

alter table care_context
  add constraint care_context_covered check (patient_reference like 'pt1.%' and care_context_reference like 'pt1.%') not valid;
alter table linking_transaction add constraint linking_transaction_covered check (link_reference like 'pt1.%') not valid;

alter table facility_patient add constraint facility_patient_covered check (reference like 'pt1.%') not valid;
alter table patient_identifier add constraint patient_identifier_covered check (reference like 'pt1.%') not valid;
alter table emergency_access add constraint emergency_access_covered check (patient_reference like 'pt1.%') not valid;
alter table desk_look add constraint desk_look_covered check (what like 'pt1.%') not valid;
alter table step_up add constraint step_up_covered check (subject like 'pt1.%') not valid;
alter table hip_discovery add constraint hip_discovery_covered check (patient_reference like 'pt1.%') not valid;
alter table hip_link
  add constraint hip_link_covered check (patient_reference like 'pt1.%' and care_context_reference like 'pt1.%') not valid;
alter table hip_link_call add constraint hip_link_call_covered check (patient_reference like 'pt1.%') not valid;
alter table hip_link_otp add constraint hip_link_otp_covered check (patient_reference like 'pt1.%') not valid;
alter table hip_link_token add constraint hip_link_token_covered check (patient_reference like 'pt1.%') not valid;
alter table hip_page add constraint hip_page_covered check (care_context_reference like 'pt1.%') not valid;
alter table hip_share add constraint hip_share_covered check (patient_reference like 'pt1.%') not valid;
alter table hiu_document add constraint hiu_document_covered check (care_context_reference like 'pt1.%') not valid;
alter table hiu_entry add constraint hiu_entry_covered check (care_context_reference like 'pt1.%') not valid;

-- A key may belong to a patient by her address or by the facility's number for her.
alter table data_key add constraint data_key_covered check (patient like 'pt1.%') not valid;
