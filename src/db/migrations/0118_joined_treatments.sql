-- Who joins the treatment of somebody else's patient gives a reason and is reviewed; a stay is confirmed by others (src/desk).

alter table visit
  -- the person of the staff who began it; null = software of the hospital, or begun before this was kept
  add column started_by uuid,
  -- what says that the patient is here, beyond a click of who began it; null = nothing
  add column presence text check (presence in ('desk', 'software', 'counter', 'registered')),
  -- when somebody other than who began it last said that the patient is still here
  add column confirmed_at timestamptz;
-- Stays that are open at this moment are counted from here.
update visit set confirmed_at = now() where kind = 'inpatient' and status = 'open';
create index visit_stays on visit (id) where status = 'open' and kind = 'inpatient';

-- the person of the staff who named the attendant; null as above
alter table visit_attendant add column added_by uuid;

create table joined_treatment (
  bucket smallint not null,
  id uuid not null,
  patient_reference text not null check (patient_reference like 'pt1.%'),
  visit uuid not null,
  -- the person of the staff who joined
  staff uuid not null,
  role text not null,
  status text not null check (status in ('waiting', 'reviewed')),
  joined_at timestamptz not null,
  review_by timestamptz not null,
  -- name of the person and her reason in her words, sealed under the patient's key
  account bytea not null,
  outcome text check (outcome in ('justified', 'not-justified', 'needs-follow-up')),
  -- the words of the review, sealed under the patient's key
  review bytea,
  reviewer uuid,
  reviewed_at timestamptz,
  primary key (bucket, id),
  foreign key (bucket, visit) references visit (bucket, id),
  check ((status = 'reviewed') = (outcome is not null and reviewer is not null and reviewed_at is not null))
);
comment on table joined_treatment is 'by patient: who added herself to those who attend a patient, why, and the review';
create index joined_treatment_review on joined_treatment (review_by) where status = 'waiting';
