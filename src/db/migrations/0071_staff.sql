-- The staff of a facility: accounts, invitations, sign-ins under way, and how fast may be guessed.

create table staff (
  id uuid primary key,
  -- lower case
  login text not null unique,
  name text not null,
  role text not null check (role in ('front-desk', 'doctor', 'nurse', 'lab', 'pharmacy', 'billing', 'records-officer', 'dpo', 'administrator')),
  -- number in a register of professionals
  registration text,
  status text not null check (status in ('invited', 'active', 'suspended', 'left')),
  -- Argon2id, self-describing; none for who signs in by passkey alone
  password_hash text,
  -- data key of the secret of the one-time codes, wrapped, and the secret sealed under it
  code_key bytea,
  sealed_code_secret bytea,
  -- the newest 30-second step whose code was used: a code is good once
  code_step_used bigint not null,
  added_at timestamptz not null,
  changed_at timestamptz not null,
  check ((code_key is null) = (sealed_code_secret is null))
);
comment on table staff is 'reference: who works at this facility, in which role, and how they prove who they are';

create table staff_invitation (
  -- SHA-256 of the code in the link
  digest bytea primary key,
  staff uuid not null references staff (id),
  -- the secret that was shown as a QR code and is not confirmed by a first code yet
  code_key bytea,
  sealed_code_secret bytea,
  status text not null check (status in ('open', 'used', 'replaced')),
  made_at timestamptz not null,
  expires_at timestamptz not null
);
comment on table staff_invitation is 'local: one-time codes with which invited staff set up how they sign in';
create index staff_invitation_staff on staff_invitation (staff);
create index staff_invitation_expires on staff_invitation (expires_at);

create table staff_sign_in (
  -- SHA-256 of the ticket that a right password gave
  digest bytea primary key,
  staff uuid not null references staff (id),
  wrong_tries integer not null,
  expires_at timestamptz not null
);
comment on table staff_sign_in is 'local: sign-ins whose password was right and whose second factor is awaited';
create index staff_sign_in_expires on staff_sign_in (expires_at);

create table sign_in_throttle (
  -- HMAC-SHA-256 of what is guessed at, under a key of this party: also of logins that nobody has
  digest bytea primary key,
  failed integer not null,
  wait_until timestamptz not null,
  changed_at timestamptz not null
);
comment on table sign_in_throttle is 'local: how long must be waited before the next guess';
create index sign_in_throttle_changed on sign_in_throttle (changed_at);

create table sample_staff (
  login text primary key,
  password text not null
);
comment on table sample_staff is 'local: invented staff of a sandbox, whose passwords are shown to whoever tries it out';
