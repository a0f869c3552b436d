-- The facility as user of records (HIU): consents it asks for, artefacts, data requests, pages, documents, erasure (src/hiu).

create table hiu_known_id (
  -- of the id itself, since ids of a foreign exchange do not tell where the patient's rows are
  bucket smallint not null,
  kind text not null check (kind in ('consent-request', 'artefact', 'subscription-request', 'subscription')),
  id text not null,
  -- where the row is: its id among ours, in the bucket of the patient
  own_bucket smallint not null,
  own_id uuid not null,
  primary key (bucket, kind, id)
);
comment on table hiu_known_id is 'by patient: ids made by the exchange, placed by the hash of the id';

create table hiu_consent (
  bucket smallint not null,
  -- ours, and the REQUEST-ID of the call that asks
  id uuid not null,
  patient text not null,
  -- consentRequestId
  exchange_id uuid,
  status text not null check (status in ('asked', 'requested', 'granted', 'denied', 'expired', 'revoked', 'failed')),
  -- what we asked for, sealed under the patient's key
  asked bytea not null,
  reason text,
  asked_at timestamptz not null,
  changed_at timestamptz not null,
  primary key (bucket, id)
);
comment on table hiu_consent is 'by patient: consents that this facility asks for';
create index hiu_consent_patient on hiu_consent (bucket, patient, asked_at);

create table hiu_early_notice (
  -- of the consent request id
  bucket smallint not null,
  consent_request uuid not null,
  -- REQUEST-ID of the notification, which the acknowledgement repeats
  message uuid not null,
  notice jsonb not null,
  at timestamptz not null,
  primary key (bucket, consent_request, message)
);
comment on table hiu_early_notice is 'by patient: notifications that overtook the answer which names their consent request';

create table hiu_artefact (
  bucket smallint not null,
  -- consentId
  id uuid not null,
  consent uuid not null,
  patient text not null,
  status text not null check (status in ('told', 'checking', 'granted', 'refused', 'failed', 'revoked', 'expired')),
  -- REQUEST-ID of our fetch
  fetch_request uuid,
  -- consentDetail as it was signed, sealed under the patient's key
  detail bytea,
  signature text,
  -- dataEraseAt
  erase_at timestamptz,
  reason text,
  told_at timestamptz not null,
  changed_at timestamptz not null,
  erased_at timestamptz,
  primary key (bucket, id),
  foreign key (bucket, consent) references hiu_consent (bucket, id),
  check (status not in ('checking', 'granted') or (detail is not null and signature is not null)),
  check (status <> 'granted' or erase_at is not null)
);
comment on table hiu_artefact is 'by patient: consent artefacts under which this facility may ask for data';
create index hiu_artefact_consent on hiu_artefact (bucket, consent);
create index hiu_artefact_patient on hiu_artefact (bucket, patient);
create index hiu_artefact_fetch on hiu_artefact (bucket, fetch_request) where fetch_request is not null;
create index hiu_artefact_due on hiu_artefact (bucket, erase_at) where status = 'granted';

create table hiu_request (
  bucket smallint not null,
  -- ours, and the REQUEST-ID of the call
  id uuid not null,
  artefact uuid not null,
  patient text not null,
  status text not null
    check (status in ('asked', 'acknowledged', 'receiving', 'complete', 'incomplete', 'failed', 'erased')),
  transaction_id uuid,
  -- SHA-256 of the token in our dataPushUrl
  token_hash bytea not null,
  -- private key, nonce and push token, sealed under a key of this request alone; gone when complete or expired
  secret bytea,
  key_expires_at timestamptz not null,
  range_from timestamptz not null,
  range_to timestamptz not null,
  -- pages announced, as far as any page has said
  page_count integer,
  reason text,
  asked_at timestamptz not null,
  -- reported incomplete when it is not complete by then
  deadline timestamptz not null,
  ended_at timestamptz,
  primary key (bucket, id),
  foreign key (bucket, artefact) references hiu_artefact (bucket, id)
);
comment on table hiu_request is 'by patient: health information requests of this facility';
create index hiu_request_artefact on hiu_request (bucket, artefact, asked_at);
create index hiu_request_token on hiu_request (bucket, token_hash);
create index hiu_request_due on hiu_request (bucket, deadline) where status in ('asked', 'acknowledged', 'receiving');
create index hiu_request_key on hiu_request (bucket, key_expires_at) where secret is not null;

create table hiu_page (
  bucket smallint not null,
  request uuid not null,
  number integer not null,
  status text not null check (status in ('stored', 'opened', 'failed')),
  -- SHA-256 of entries and key, to tell a repetition from another page of the same number
  content_hash bytea not null,
  -- the page as it came, sealed under the consent's key; gone once it is opened
  sealed bytea,
  -- what was wrong with it
  findings jsonb not null,
  received_at timestamptz not null,
  settled_at timestamptz,
  primary key (bucket, request, number),
  foreign key (bucket, request) references hiu_request (bucket, id),
  check ((status = 'stored') = (sealed is not null))
);
comment on table hiu_page is 'by patient: pages of a data push';

create table hiu_entry (
  bucket smallint not null,
  request uuid not null,
  page integer not null,
  entry integer not null,
  care_context_reference text not null,
  status text not null check (status in ('held', 'quarantined', 'errored')),
  reason text,
  document uuid,
  primary key (bucket, request, page, entry),
  foreign key (bucket, request, page) references hiu_page (bucket, request, number)
);
comment on table hiu_entry is 'by patient: what came of each entry of a page';

create table hiu_document (
  bucket smallint not null,
  id uuid not null,
  artefact uuid not null,
  patient text not null,
  status text not null check (status in ('held', 'quarantined')),
  hip text not null,
  hi_type text not null,
  date timestamptz not null,
  care_context_reference text not null,
  sha256 bytea not null,
  -- the document byte for byte, and what the validator found: sealed under the consent's key
  sealed bytea not null,
  findings bytea not null,
  reason text,
  received_at timestamptz not null,
  primary key (bucket, id),
  foreign key (bucket, artefact) references hiu_artefact (bucket, id),
  unique (bucket, artefact, care_context_reference, sha256)
);
comment on table hiu_document is 'by patient: documents received under a consent';
create index hiu_document_patient on hiu_document (bucket, patient, date);

create table hiu_erasure (
  bucket smallint not null,
  artefact uuid not null,
  patient text not null,
  reason text not null check (reason in ('REVOKED', 'EXPIRED', 'DENIED')),
  documents integer not null,
  pages integer not null,
  -- SHA-256 of each erased document, hex
  hashes jsonb not null,
  erased_at timestamptz not null,
  -- why the exchange did not take the attestation
  attestation_refused text,
  primary key (bucket, artefact)
);
comment on table hiu_erasure is 'by patient: copies that were erased';

create table hiu_subscription (
  bucket smallint not null,
  -- ours, and the REQUEST-ID of the call that asks
  id uuid not null,
  patient text not null,
  exchange_id text,
  -- set when it is granted
  subscription_id text,
  status text not null check (status in ('asked', 'requested', 'granted', 'denied', 'revoked', 'failed')),
  -- sealed under the patient's key
  terms bytea not null,
  reason text,
  asked_at timestamptz not null,
  changed_at timestamptz not null,
  primary key (bucket, id)
);
comment on table hiu_subscription is 'by patient: subscriptions that this facility asks for';

create table hiu_subscription_event (
  bucket smallint not null,
  subscription uuid not null,
  event_id text not null,
  -- sealed under the patient's key
  content bytea not null,
  published_at timestamptz not null,
  received_at timestamptz not null,
  primary key (bucket, subscription, event_id),
  foreign key (bucket, subscription) references hiu_subscription (bucket, id)
);
comment on table hiu_subscription_event is 'by patient: news of records that subscriptions brought';
