-- A data key opens with a share that lies outside the database and can be overwritten (decision 24).

-- Number of the share; null for keys made before there were shares, until they are wrapped again.
alter table data_key add column share bigint;
create unique index data_key_share on data_key (bucket, share) where share is not null;
create index data_key_wrap on data_key (key_wrap_id, bucket, patient, scope) where wrapped is not null;

-- Numbers of shares are taken in blocks; `first` is the block's first, and no number is ever given out twice.
create table key_share_block (
  first bigint generated always as identity (minvalue 0 start with 0 increment by 64) primary key,
  taken_at timestamptz not null
);
comment on table key_share_block is 'local: blocks of 64 numbers of shares that were given out to a running program';

create table key_share_end (
  share bigint primary key,
  ended_at timestamptz not null,
  -- when the overwritten share was forced to the disk; null: not yet
  destroyed_at timestamptz
);
comment on table key_share_end is 'local: shares of erased data keys: overwritten at once, and again at each start while the row is kept';
create index key_share_end_open on key_share_end (ended_at) where destroyed_at is null;
