-- Job queue, delivery log, idempotency, and the patients' data keys: what every role of the program stands on.

create table job (
  id uuid primary key,
  seq bigint generated always as identity,
  kind text not null,
  -- jobs of one lane leave in order; null = no order
  lane text,
  payload jsonb not null,
  status text not null check (status in ('waiting', 'done', 'dead')),
  attempts integer not null default 0,
  run_at timestamptz not null,
  claimed_until timestamptz,
  created_at timestamptz not null,
  ended_at timestamptz,
  last_error text
);
comment on table job is 'local: what leaves this party or waits for time';
create index job_waiting on job (run_at, seq) where status = 'waiting';
create index job_lane_waiting on job (lane, seq) where status = 'waiting' and lane is not null;
create index job_ended on job (ended_at) where status <> 'waiting';

create table message (
  id uuid primary key,
  -- where a reader goes on: in the order in which messages were written down, not in which they began
  seq bigint generated always as identity,
  at timestamptz not null,
  direction text not null check (direction in ('in', 'out')),
  peer text not null,
  method text not null,
  path text not null,
  request_id text,
  body jsonb,
  status integer,
  answer text,
  error text,
  took_ms integer not null,
  job uuid,
  attempt integer
);
comment on table message is 'local: delivery log, one row per HTTP message between parties, secrets and ciphertext cut out';
create index message_at on message (at);
create index message_seq on message (seq);
create index message_job on message (job) where job is not null;

create table seen_request (
  caller text not null,
  request_id text not null,
  body_hash bytea not null,
  status integer not null,
  answer jsonb,
  at timestamptz not null,
  primary key (caller, request_id)
);
comment on table seen_request is 'local: request ids already answered, so that a repeated message has its effect once';
create index seen_request_at on seen_request (at);

create table data_key (
  bucket smallint not null,
  patient text not null,
  -- 'patient' for what is ours about the patient; a consent artefact id for the copy received under it
  scope text not null,
  wrapped bytea,
  key_wrap_id text not null,
  created_at timestamptz not null,
  erased_at timestamptz,
  primary key (bucket, patient, scope),
  check ((wrapped is null) = (erased_at is not null))
);
comment on table data_key is 'by patient: data keys, wrapped; destroying one erases what it sealed';

create table setting (
  name text primary key,
  value jsonb not null,
  changed_at timestamptz not null
);
comment on table setting is 'local: facts about this installation, such as fingerprints of its keys';
