-- Ways back in for the staff: recovery codes, a new authenticator app, and sessions that say by what they were opened.

create table staff_recovery_code (
  staff uuid not null references staff (id),
  -- HMAC-SHA-256 of the code under a key of this party, bound to the person
  digest bytea not null,
  made_at timestamptz not null,
  used_at timestamptz,
  primary key (staff, digest)
);
comment on table staff_recovery_code is 'reference: codes on paper, each good once in place of a code of the authenticator app';

create table staff_code_setup (
  -- in which a new authenticator app is being set up
  session uuid primary key,
  staff uuid not null references staff (id),
  code_key bytea not null,
  sealed_code_secret bytea not null,
  expires_at timestamptz not null
);
comment on table staff_code_setup is 'local: secrets of authenticator apps that no first code has confirmed yet';
create index staff_code_setup_expires on staff_code_setup (expires_at);

alter table web_session drop constraint web_session_how_check;
alter table web_session add constraint web_session_how_check
  check (how in ('otp', 'passkey', 'password-totp', 'password-recovery', 'sso', 'sso-totp', 'sso-recovery'));

-- by what the first step of a sign-in was proved
alter table staff_sign_in add column proved_by text not null default 'password' check (proved_by in ('password', 'sso'));
