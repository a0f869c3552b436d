-- People who use the web apps: how they sign in, their sessions, their passkeys, and proofs anew before grave acts.

create table web_session (
  -- SHA-256 of the cookie's value
  digest bytea primary key,
  -- by what the person names it in the list of her sessions
  id uuid not null unique,
  kind text not null check (kind in ('patient', 'staff')),
  -- ABHA address, or id of the person of the staff
  person text not null,
  how text not null check (how in ('otp', 'passkey', 'password-totp')),
  -- what the browser says that it is, shortened
  device text not null,
  opened_at timestamptz not null,
  seen_at timestamptz not null,
  expires_at timestamptz not null,
  ended_at timestamptz
);
comment on table web_session is 'local: sessions of the web apps';
create index web_session_person on web_session (kind, person, opened_at);
create index web_session_expires on web_session (expires_at);

create table sign_in_code (
  id uuid primary key,
  -- as typed; a row for an address without account looks like any other, its code was never sent
  abha_address text not null,
  -- HMAC-SHA-256 of the code under a key of this party
  code_hash bytea not null,
  status text not null check (status in ('waiting', 'used', 'spent')),
  wrong_tries integer not null,
  asked_at timestamptz not null,
  expires_at timestamptz not null
);
comment on table sign_in_code is 'local: one-time codes of signing in';
create index sign_in_code_address on sign_in_code (abha_address, asked_at);
create index sign_in_code_asked on sign_in_code (asked_at);

create table passkey (
  -- stands in the user handle too, so that an assertion alone tells where the row is
  bucket smallint not null,
  credential_id bytea not null,
  kind text not null check (kind in ('patient', 'staff')),
  person text not null,
  -- what the person calls it
  name text not null,
  -- COSE
  public_key bytea not null,
  counter bigint not null,
  transports text[] not null,
  rp_id text not null,
  added_at timestamptz not null,
  used_at timestamptz,
  primary key (bucket, credential_id)
);
comment on table passkey is 'by patient: passkeys of patients, at a facility those of its staff';
create index passkey_person on passkey (bucket, kind, person);

create table passkey_challenge (
  id uuid primary key,
  purpose text not null check (purpose in ('sign-in', 'add')),
  -- the session that adds a passkey
  session uuid,
  challenge bytea not null,
  -- where the browser was when it asked: an answer from elsewhere is worth nothing
  origin text not null,
  expires_at timestamptz not null,
  used_at timestamptz
);
comment on table passkey_challenge is 'local: challenges for passkeys, each good for one use';
create index passkey_challenge_expires on passkey_challenge (expires_at);

create table step_up (
  id uuid primary key,
  session uuid not null,
  -- what it allows, and on what: good for nothing else
  act text not null,
  subject text not null,
  status text not null check (status in ('waiting', 'proved', 'spent')),
  code_hash bytea,
  challenge bytea,
  origin text,
  wrong_tries integer not null,
  asked_at timestamptz not null,
  expires_at timestamptz not null
);
comment on table step_up is 'local: proofs anew of who is there, each for one act on one thing';
create index step_up_session on step_up (session, asked_at);
create index step_up_expires on step_up (expires_at);

-- Children are found by who decides for them.
alter table patient_index drop constraint patient_index_kind_check;
alter table patient_index add constraint patient_index_kind_check check (kind in ('abha-number', 'mobile', 'guardian'));
