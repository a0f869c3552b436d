-- The daily work at a facility's desk (src/desk): visits, who asked for which consent, what was looked at; and what finding patients
-- by name needs.

-- names are found by keyed digests of the beginnings of their words, so that a search opens only what it shows
alter table patient_identifier drop constraint patient_identifier_kind_check;
alter table patient_identifier add constraint patient_identifier_kind_check
  check (kind in ('abha-address', 'abha-number', 'mobile', 'name'));

-- which way of cutting names the index of a patient was made by; 0 = not made yet
alter table facility_patient add column name_index smallint not null default 0;

-- a shared profile waits at its counter until the desk has taken it: whom of our patients it turned out to be
alter table hip_share add column taken_at timestamptz;
alter table hip_share add column patient_reference text;
create index hip_share_waiting on hip_share (expires_at) where taken_at is null;

create table visit (
  bucket smallint not null,
  id uuid not null,
  patient_reference text not null,
  kind text not null check (kind in ('outpatient', 'inpatient', 'emergency')),
  status text not null check (status in ('open', 'ended')),
  -- the place in the queue that the patient got at a counter, if any
  queue_number integer,
  started_at timestamptz not null,
  ended_at timestamptz,
  primary key (bucket, id),
  foreign key (bucket, patient_reference) references facility_patient (bucket, reference),
  check ((status = 'open') = (ended_at is null))
);
comment on table visit is 'by patient: visits to this facility';
create index visit_of_patient on visit (bucket, patient_reference, started_at);
-- today's list, across all buckets
create index visit_open on visit (started_at) where status = 'open';
create index visit_recent on visit (started_at);

create table visit_attendant (
  -- of the patient
  bucket smallint not null,
  visit uuid not null,
  -- the id of a person of the staff, or the name of a unit: lab, pharmacy, billing
  attendant text not null,
  from_at timestamptz not null,
  until_at timestamptz,
  primary key (bucket, visit, attendant),
  foreign key (bucket, visit) references visit (bucket, id)
);
comment on table visit_attendant is 'by patient: who attends a patient during a visit: the ground on which staff read records';
create index visit_attendant_open on visit_attendant (attendant) where until_at is null;

-- who of the staff asked, from which template, and when somebody first read what came under it
alter table hiu_consent add column asked_by uuid;
alter table hiu_consent add column asked_role text;
alter table hiu_consent add column template text;
alter table hiu_consent add column read_at timestamptz;

create table desk_look (
  -- of the patient who was looked at, or of the person who looked at a list
  bucket smallint not null,
  staff uuid not null,
  -- reference of the patient, or the name of a list
  what text not null,
  at timestamptz not null,
  primary key (bucket, staff, what)
);
comment on table desk_look is 'by patient: when a person of the staff last opened a patient or a list; looking again within minutes is one look';

create table desk_number (
  year smallint primary key,
  last_number integer not null
);
comment on table desk_number is 'local: the last number that the desk gave to a new patient, by year';
