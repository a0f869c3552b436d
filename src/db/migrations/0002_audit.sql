-- The tamper-evident log (docs/log.md): events, the queue between them and the tree, the tree in C2SP tiles, its checkpoints, and what
-- we witness for other logs.

create table audit_event (
  bucket smallint not null,
  id uuid not null,
  at timestamptz not null,
  type text not null,
  -- HMAC of the patient's address under the patient's key: without the key nobody can tell whom the row is about; null = about nobody
  patient_tag bytea,
  -- salt and canonical JSON, sealed under the patient's key, or plain when about nobody
  body bytea not null,
  primary key (bucket, id)
);
comment on table audit_event is 'by patient: what happened, one row per log entry';
create index audit_event_patient on audit_event (bucket, patient_tag, id) where patient_tag is not null;

create table log_queue (
  seq bigint generated always as identity primary key,
  event uuid not null unique,
  commitment bytea not null
);
comment on table log_queue is 'local: committed events that wait for their place in the tree';

create table log_leaf (
  leaf_index bigint primary key,
  event uuid not null unique
);
comment on table log_leaf is 'local: which leaf of the tree stands for which event';

create table log_tile (
  level smallint not null,
  tile_index bigint not null,
  -- up to 256 hashes of 32 bytes; grows at its end until it is full, then never changes
  hashes bytea not null,
  primary key (level, tile_index)
);
comment on table log_tile is 'local: hashes of the tree, as served';

create table log_bundle (
  bundle_index bigint primary key,
  entries bytea not null
);
comment on table log_bundle is 'local: entries of the tree, 256 in a bundle, as served';

create table log_checkpoint (
  size bigint primary key,
  root bytea not null,
  note text not null,
  signed_at timestamptz not null
);
comment on table log_checkpoint is 'local: every checkpoint that we signed';

create table log_cosignature (
  size bigint not null references log_checkpoint (size),
  witness text not null,
  line text not null,
  received_at timestamptz not null,
  primary key (size, witness)
);
comment on table log_cosignature is 'local: signature lines that witnesses added to our checkpoints';

create table log_witness (
  name text primary key,
  -- the size of ours that it last cosigned
  size bigint not null,
  -- why it does not cosign; null = all is well
  fault text,
  changed_at timestamptz not null
);
comment on table log_witness is 'local: how far each witness of our log has come';

create table witnessed_log (
  origin text primary key,
  size bigint not null,
  root bytea not null,
  note text not null,
  changed_at timestamptz not null
);
comment on table witnessed_log is 'local: the newest checkpoint of each log that we witness';
