drop table used_passkey_challenge;

create table passkey_challenge (
  id uuid primary key,
  purpose text not null check (purpose in ('sign-in', 'add')),
  session uuid,
  challenge bytea not null,
  origin text not null,
  expires_at timestamptz not null,
  used_at timestamptz
);
comment on table passkey_challenge is 'local: challenges for passkeys, each good for one use';
create index passkey_challenge_expires on passkey_challenge (expires_at);
