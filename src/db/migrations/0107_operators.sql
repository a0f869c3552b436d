-- Who may do grave acts as an operator of this party, beyond holding its operator token: by name, with the secret of an authenticator app.
create table party_operator (
  name text primary key check (name ~ '^[a-z0-9][a-z0-9._-]{1,38}[a-z0-9]$'),
  status text not null check (status in ('active', 'ended')),
  -- data key of the secret of the one-time codes, wrapped, and the secret sealed under it; gone when it has ended
  code_key bytea,
  sealed_code_secret bytea,
  -- the newest 30-second step whose code was used: a code is good once
  code_step_used bigint not null,
  enrolled_at timestamptz not null,
  changed_at timestamptz not null,
  -- who can only write in this database enrols nobody (src/db/tie.ts)
  tie text not null,
  check ((code_key is null) = (sealed_code_secret is null)),
  check ((status = 'active') = (code_key is not null))
);
comment on table party_operator is 'local: operators who prove by a one-time code that it is they';
