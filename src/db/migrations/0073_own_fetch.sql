-- A patient's own copy: what her page asked hospitals for, and the sealed pages that wait until that page collects them (src/transfer).
-- The exchange has no key for what lies here.

create table own_fetch (
  bucket smallint not null,
  id uuid not null,
  patient text not null,
  -- the public half of the page's key material, as every hospital gets it
  key_material jsonb not null,
  -- null = all that the consents cover
  date_from timestamptz,
  date_to timestamptz,
  started_at timestamptz not null,
  -- hospitals that sent nothing by then have failed
  deadline timestamptz not null,
  -- then everything of it is deleted
  expires_at timestamptz not null,
  -- the number of the newest page
  last_seq integer not null,
  primary key (bucket, id)
);
comment on table own_fetch is 'by patient: requests of patients for their own records';
create index own_fetch_patient on own_fetch (bucket, patient, started_at);
create index own_fetch_due on own_fetch (expires_at);

create table own_fetch_holder (
  bucket smallint not null,
  own_fetch uuid not null,
  hip text not null,
  status text not null check (status in
    ('asking', 'requested', 'preparing', 'receiving', 'complete', 'partial', 'empty', 'failed', 'stopped')),
  -- null when the hospital could not even be asked
  artefact uuid,
  transaction_id uuid,
  -- SHA-256 of the last part of the address to which this hospital pushes
  token_hash bytea,
  -- that last part, sealed under the patient's key
  sealed_token bytea,
  pages_announced integer,
  pages_received integer not null,
  entries_received integer not null,
  reason_code text,
  -- in the hospital's own words
  reason_says text,
  -- what the page could open, by care context; reported as the recipient's side of the transfer
  outcomes jsonb not null,
  reported_at timestamptz,
  changed_at timestamptz not null,
  primary key (bucket, own_fetch, hip),
  foreign key (bucket, own_fetch) references own_fetch (bucket, id) on delete cascade
);
comment on table own_fetch_holder is 'by patient: how far each hospital is with a patient''s own copy';
create index own_fetch_holder_artefact on own_fetch_holder (bucket, artefact) where artefact is not null;
create index own_fetch_holder_transaction on own_fetch_holder (bucket, transaction_id) where transaction_id is not null;
create index own_fetch_holder_token on own_fetch_holder (bucket, token_hash) where token_hash is not null;

create table own_fetch_page (
  bucket smallint not null,
  own_fetch uuid not null,
  -- in the order of arrival, over all hospitals
  seq integer not null,
  hip text not null,
  -- as the hospital numbers it
  number integer not null,
  -- tells a repetition from another page of the same number
  content_hash bytea not null,
  -- entries and key material as they came, sealed for the page's key; gone when it was opened
  body text,
  bytes integer not null,
  received_at timestamptz not null,
  primary key (bucket, own_fetch, seq),
  unique (bucket, own_fetch, hip, number),
  foreign key (bucket, own_fetch, hip) references own_fetch_holder (bucket, own_fetch, hip) on delete cascade
);
comment on table own_fetch_page is 'by patient: sealed pages on their way to the patient who asked for them';
