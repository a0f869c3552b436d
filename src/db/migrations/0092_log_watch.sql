-- What we saw of the logs of our network, what was wrong with them, and how far the log was copied to other systems (docs/log.md).

create table seen_log (
  origin text primary key,
  size bigint not null,
  -- the newest checkpoint that continued what we had seen, signed by its log
  note text not null,
  grown_at timestamptz not null,
  -- when it last answered; it may answer and stand still
  answered_at timestamptz not null
);
comment on table seen_log is 'local: the newest checkpoint that we saw of each log of our network';

create table log_alarm (
  id uuid primary key,
  origin text not null,
  -- our own log: forks and rollbacks of it stop disclosures until they are acknowledged
  own boolean not null,
  -- 'fork', 'rollback' or 'stall'
  kind text not null,
  -- the same observation again is the same alarm, also after somebody acknowledged it
  fingerprint text not null unique,
  detail text not null,
  -- the two checkpoints that contradict each other, signed; null where there is one side only
  evidence jsonb,
  raised_at timestamptz not null,
  -- a stall ends by itself; forks and rollbacks do not
  ended_at timestamptz,
  acknowledged_at timestamptz,
  acknowledged_by text,
  reason text
);
comment on table log_alarm is 'local: logs of the network that forked, rolled back or stood still; kept as evidence';
create index log_alarm_open on log_alarm (own, kind) where acknowledged_at is null and ended_at is null;

create table log_export (
  target text primary key,
  -- the first leaf that was not taken yet
  next_leaf bigint not null,
  attempts integer not null,
  fault text,
  try_at timestamptz not null
);
comment on table log_export is 'local: how far the log was copied to each system that watches it, and why not further';

create table log_timestamp (
  size bigint primary key,
  authority text not null,
  -- RFC 3161 TimeStampToken over the checkpoint''s text
  token bytea not null,
  stamped_at timestamptz not null
);
comment on table log_timestamp is 'local: what time-stamp authorities said of our checkpoints';
