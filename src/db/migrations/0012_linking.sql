-- Which facility holds which records of whom, and the conversations that lead there.

create table care_context (
  bucket smallint not null,
  patient text not null,
  hip text not null,
  patient_reference text not null,
  care_context_reference text not null,
  hi_type text not null,
  -- the words that the patient sees, sealed under the patient's key
  sealed_display bytea not null,
  linked_at timestamptz not null,
  changed_at timestamptz not null,
  primary key (bucket, patient, hip, patient_reference, care_context_reference, hi_type)
);
comment on table care_context is 'by patient: linked care contexts, one row for each HI type in them';

create table linking_attempt (
  bucket smallint not null,
  kind text not null check (kind in ('link-token', 'text-message')),
  -- an ABHA address, or a digest where there is none
  subject text not null,
  facility text not null,
  id uuid not null,
  at timestamptz not null,
  primary key (bucket, kind, subject, facility, id)
);
comment on table linking_attempt is 'by patient: what is limited to so many a day';
create index linking_attempt_at on linking_attempt (at);

create table linking_transaction (
  bucket smallint not null,
  id uuid not null,
  patient text not null,
  hip text not null,
  -- the PHR app that asked and is to be told; null = the patient reads the result here
  requester text,
  status text not null check (status in ('asked', 'found', 'init-asked', 'offered', 'confirm-asked', 'linked', 'failed')),
  -- REQUEST-ID of the patient's latest step, for the callback to the app
  asked_by_request text not null,
  -- REQUEST-ID that we sent to the HIP in the latest step, which its answer repeats
  sent_request uuid not null,
  link_reference text,
  answer_by timestamptz,
  -- identifiers, contexts found and chosen, error
  sealed_detail bytea not null,
  started_at timestamptz not null,
  changed_at timestamptz not null,
  primary key (bucket, id)
);
comment on table linking_transaction is 'by patient: discovery and user-initiated linking, one row for each conversation';
create index linking_transaction_sent on linking_transaction (bucket, sent_request);
create index linking_transaction_reference on linking_transaction (bucket, patient, link_reference) where link_reference is not null;

create table profile_share (
  bucket smallint not null,
  id uuid not null,
  patient text not null,
  hip text not null,
  requester text,
  status text not null check (status in ('sent', 'accepted', 'refused', 'failed')),
  asked_by_request text not null,
  sent_request uuid not null,
  counter text not null,
  token_number text,
  expires_at timestamptz,
  error_code text,
  error_message text,
  sent_at timestamptz not null,
  changed_at timestamptz not null,
  primary key (bucket, id)
);
comment on table profile_share is 'by patient: profiles shown to a facility by scan and share, and the queue tokens given for them';
create index profile_share_patient on profile_share (bucket, patient, sent_at);
create index profile_share_sent on profile_share (bucket, sent_request);

create table subscription (
  bucket smallint not null,
  -- id of the request; the same number is the id of the subscription once granted
  id uuid not null,
  patient text not null,
  hiu text not null,
  status text not null check (status in ('requested', 'granted', 'denied', 'revoked')),
  -- asked: purpose, hips, categories, period; granted: sources
  request jsonb not null,
  terms jsonb,
  reason text,
  requested_at timestamptz not null,
  decided_at timestamptz,
  acknowledged_at timestamptz,
  changed_at timestamptz not null,
  primary key (bucket, id)
);
comment on table subscription is 'by patient: who wants to be told of new links and new records';
create index subscription_patient on subscription (bucket, patient, status);

create table subscription_event (
  bucket smallint not null,
  id uuid not null,
  subscription uuid not null,
  patient text not null,
  category text not null check (category in ('LINK', 'DATA')),
  status text not null check (status in ('published', 'acknowledged', 'failed')),
  published_at timestamptz not null,
  changed_at timestamptz not null,
  primary key (bucket, id),
  foreign key (bucket, subscription) references subscription (bucket, id)
);
comment on table subscription_event is 'by patient: what subscribers were told, and whether they said that they heard it';
