alter table clinical_record
  drop constraint clinical_record_covered,
  add constraint clinical_record_covered
    check (patient_reference like 'pt1.%' and care_context_reference like 'pt1.%') not valid;
alter table visit add constraint visit_covered check (patient_reference like 'pt1.%') not valid;
