-- What a facility holds about its own patients: who they are, and their records (src/records).

create table facility_patient (
  bucket smallint not null,
  -- the facility's own number for the patient: patientReference on the wire, MRN in documents
  reference text not null,
  -- name, gender, birth date, ABHA address and number, mobile, address: sealed under the patient's key
  demographics bytea not null,
  created_at timestamptz not null,
  changed_at timestamptz not null,
  primary key (bucket, reference)
);
comment on table facility_patient is 'by patient: the patients of this facility';

create table patient_identifier (
  -- of the identifier's own hash, so that a look-up asks one place
  bucket smallint not null,
  kind text not null check (kind in ('abha-address', 'abha-number', 'mobile')),
  -- HMAC of the identifier under the facility's index key
  hash bytea not null,
  reference text not null,
  primary key (bucket, kind, hash, reference)
);
comment on table patient_identifier is 'by patient: blind index of identifiers, placed by the hash of the identifier';

create table clinical_record (
  bucket smallint not null,
  id uuid not null,
  patient_reference text not null,
  care_context_reference text not null,
  hi_type text not null,
  -- when it was made, as its document says
  date timestamptz not null,
  -- input: facts from which a document is built; document: the bytes of a FHIR document made by others
  form text not null check (form in ('input', 'document')),
  sealed bytea not null,
  created_at timestamptz not null,
  event uuid not null,
  primary key (bucket, id),
  foreign key (bucket, patient_reference) references facility_patient (bucket, reference)
);
comment on table clinical_record is 'by patient: records of this facility, sealed under the patient''s key';
create index clinical_record_patient on clinical_record (bucket, patient_reference, date);
