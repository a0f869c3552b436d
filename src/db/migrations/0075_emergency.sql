-- Breaking the glass at a facility: who opened which patient's records without consent, why, for how long, and what the review found
-- (src/incidents).

create table emergency_access (
  bucket smallint not null,
  id uuid not null,
  patient_reference text not null,
  -- the person of the staff who opened
  staff uuid not null,
  role text not null,
  reason text not null check (reason in ('unconscious', 'threat-to-life', 'threat-to-health', 'threat-to-another')),
  status text not null check (status in ('open', 'ended', 'reviewed')),
  opened_at timestamptz not null,
  -- it ends by itself then
  until timestamptz not null,
  ended_at timestamptz,
  review_by timestamptz not null,
  -- name of the person and what happened in their words, sealed under the patient's key
  account bytea not null,
  -- the request to the exchange for records of others; null = there is nothing to ask, or nobody
  consent uuid,
  outcome text check (outcome in ('justified', 'not-justified', 'needs-follow-up')),
  -- the words of the review, sealed under the patient's key
  review bytea,
  reviewer uuid,
  reviewed_at timestamptz,
  primary key (bucket, id),
  check ((status = 'open') = (ended_at is null)),
  check ((status = 'reviewed') = (outcome is not null and reviewer is not null and reviewed_at is not null))
);
comment on table emergency_access is 'by patient: records opened in an emergency, and their reviews';
create index emergency_access_of_patient on emergency_access (bucket, patient_reference, staff) where status = 'open';
-- what is due, across all buckets
create index emergency_access_due on emergency_access (until) where status = 'open';
create index emergency_access_review on emergency_access (review_by) where status <> 'reviewed';
