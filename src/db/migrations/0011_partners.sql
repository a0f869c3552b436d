-- The registry: bridges (one client id and callback URL each) and the facilities that they serve.

create table bridge (
  client_id text primary key,
  name text not null,
  url text not null,
  -- scrypt, self-describing
  secret_hash text not null,
  status text not null check (status in ('active', 'revoked')),
  -- sessions made before this moment are void (new secret, revocation)
  sessions_from timestamptz not null,
  registered_at timestamptz not null,
  changed_at timestamptz not null
);
comment on table bridge is 'reference: software that speaks for facilities';

create table facility (
  id text primary key,
  bridge text not null references bridge (client_id),
  name text not null,
  roles text[] not null check (roles <@ array['hip', 'hiu', 'health-locker', 'phr']),
  status text not null check (status in ('active', 'inactive')),
  is_government boolean not null,
  facility_types text[] not null,
  registered_at timestamptz not null,
  changed_at timestamptz not null
);
comment on table facility is 'reference: services of bridges: hospitals, laboratories, apps';
create index facility_bridge on facility (bridge);

create table refresh_token (
  digest bytea primary key,
  client_id text not null,
  -- all tokens that descend from one login; a token used twice voids them all
  family uuid not null,
  issued_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz
);
comment on table refresh_token is 'local: digests of tokens that renew a session, each good for one use';
create index refresh_token_family on refresh_token (family);
create index refresh_token_expires on refresh_token (expires_at);
