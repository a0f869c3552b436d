-- The facility as provider of records (HIP): links, consent artefacts held, health information requests served (src/hip).

create table hip_link (
  bucket smallint not null,
  patient_reference text not null,
  care_context_reference text not null,
  abha_address text not null,
  linked_at timestamptz not null,
  primary key (bucket, patient_reference, care_context_reference)
);
comment on table hip_link is 'by patient: care contexts that the exchange knows';

create table hip_link_token (
  bucket smallint not null,
  patient_reference text not null,
  abha_address text not null,
  sealed bytea not null,
  expires_at timestamptz not null,
  primary key (bucket, patient_reference)
);
comment on table hip_link_token is 'by patient: link tokens of the exchange, sealed under the patient''s key';

create table hip_link_call (
  bucket smallint not null,
  -- REQUEST-ID of our call, which the answer repeats
  request_id uuid not null,
  kind text not null check (kind in ('token', 'contexts', 'notify')),
  patient_reference text not null,
  abha_address text not null,
  status text not null check (status in ('waiting', 'done', 'failed')),
  -- care context references that the call is about
  care_contexts jsonb not null,
  hi_types jsonb not null,
  tries integer not null,
  error text,
  asked_at timestamptz not null,
  ended_at timestamptz,
  primary key (bucket, request_id)
);
comment on table hip_link_call is 'by patient: our linking calls that wait for the exchange''s answer';
create index hip_link_call_patient on hip_link_call (bucket, patient_reference, asked_at);

create table hip_discovery (
  bucket smallint not null,
  transaction_id uuid not null,
  abha_address text not null,
  patient_reference text not null,
  -- what we offered: [{reference, hiType, display}]
  offered jsonb not null,
  at timestamptz not null,
  primary key (bucket, transaction_id)
);
comment on table hip_discovery is 'by patient: discoveries that found a patient, until they are linked';

create table hip_link_otp (
  bucket smallint not null,
  link_ref uuid not null,
  abha_address text not null,
  patient_reference text not null,
  chosen jsonb not null,
  -- HMAC of the one-time password under the facility's index key
  otp_hash bytea not null,
  wrong_tries integer not null,
  status text not null check (status in ('waiting', 'confirmed', 'spent')),
  asked_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (bucket, link_ref)
);
comment on table hip_link_otp is 'by patient: link requests of patients that wait for their one-time password';
create index hip_link_otp_patient on hip_link_otp (bucket, abha_address, asked_at);

create table hip_share (
  bucket smallint not null,
  id uuid not null,
  abha_address text not null,
  counter text not null,
  day date not null,
  token_number integer not null,
  -- the profile that the patient showed, sealed under the patient's key
  profile bytea not null,
  shared_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (bucket, id)
);
comment on table hip_share is 'by patient: profiles shared at a counter, with their place in the queue';
create index hip_share_patient on hip_share (bucket, abha_address, expires_at);

create table hip_queue (
  counter text not null,
  day date not null,
  last_number integer not null,
  primary key (counter, day)
);
comment on table hip_queue is 'local: the last queue number given out at each counter, by day';

create table hip_artefact (
  bucket smallint not null,
  consent_id uuid not null,
  -- null = only its end was told
  abha_address text,
  hiu text,
  status text not null check (status in ('GRANTED', 'REVOKED', 'EXPIRED')),
  -- consentDetail as it was signed, sealed under the patient's key; null = only its end was told
  detail bytea,
  signature text,
  -- dataEraseAt: nothing is sent from then on; null = only its end was told
  erase_at timestamptz,
  received_at timestamptz not null,
  ended_at timestamptz,
  primary key (bucket, consent_id),
  check ((status = 'GRANTED') = (ended_at is null)),
  check (status <> 'GRANTED' or (abha_address is not null and hiu is not null and detail is not null and erase_at is not null))
);
comment on table hip_artefact is 'by patient: copies of consent artefacts under which we share';
create index hip_artefact_due on hip_artefact (bucket, erase_at) where status = 'GRANTED';

create table hip_request (
  -- of the consent, so that all its transfers lie together
  bucket smallint not null,
  transaction_id uuid not null,
  consent_id uuid not null,
  abha_address text not null,
  hiu text not null,
  status text not null check (status in ('collecting', 'sending', 'ended', 'refused')),
  range_from timestamptz not null,
  range_to timestamptz not null,
  push_url text not null,
  -- public half of the requester's keys
  key_material jsonb not null,
  received_at timestamptz not null,
  -- the transfer must be finished by then
  deadline timestamptz not null,
  page_count integer,
  -- per care context: why nothing came of it, where nothing did
  omissions jsonb,
  outcome text check (outcome in ('TRANSFERRED', 'FAILED')),
  refusal text,
  ended_at timestamptz,
  primary key (bucket, transaction_id)
);
comment on table hip_request is 'by patient: health information requests that we serve';
create index hip_request_consent on hip_request (bucket, consent_id);

create table hip_page (
  bucket smallint not null,
  transaction_id uuid not null,
  page_number integer not null,
  care_context_reference text not null,
  hi_type text not null,
  status text not null check (status in ('waiting', 'sending', 'sent', 'failed', 'withheld')),
  -- the whole push body, sealed for the requester; gone when the page is settled
  body bytea,
  -- SHA-256 of the document that is in it
  document_hash bytea not null,
  narrowed boolean not null,
  error text,
  settled_at timestamptz,
  event uuid,
  primary key (bucket, transaction_id, page_number),
  foreign key (bucket, transaction_id) references hip_request (bucket, transaction_id),
  check ((status in ('waiting', 'sending')) = (settled_at is null)),
  check ((status in ('waiting', 'sending')) = (body is not null))
);
comment on table hip_page is 'by patient: pages of a transfer, one document each';
create index hip_page_settled on hip_page (bucket, settled_at) where settled_at is not null;
