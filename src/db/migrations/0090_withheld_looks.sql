-- Looks of which the law forbids to tell the patient for now (DPDP Rules 2025, r.23(2)): ordered by one person, confirmed by another.

create table withheld_look (
  bucket smallint not null,
  id uuid not null,
  patient text not null,
  -- the look, as an event of the log
  event uuid not null,
  status text not null check (status in ('proposed', 'in-force', 'lifted')),
  -- authority, number and day of the order, and why; sealed under the patient's key
  sealed_order bytea not null,
  until timestamptz not null,
  proposed_by text not null,
  confirmed_by text,
  proposed_at timestamptz not null,
  changed_at timestamptz not null,
  primary key (bucket, id)
);
comment on table withheld_look is 'by patient: looks of which the law forbids to tell the patient for now';
create unique index withheld_look_event on withheld_look (bucket, patient, event) where status <> 'lifted';
