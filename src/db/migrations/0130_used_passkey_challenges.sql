-- Challenges for passkeys are kept once they were answered, not when they are asked for: strangers who ask use up nothing (src/people).
drop table passkey_challenge;

create table used_passkey_challenge (
  id uuid primary key,
  expires_at timestamptz not null
);
comment on table used_passkey_challenge is 'local: challenges that a passkey has answered, until their time is over';
create index used_passkey_challenge_expires on used_passkey_challenge (expires_at);
