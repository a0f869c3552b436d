-- Software of partners that proves itself by a key or certificate of its own (SMART Backend Services, RFC 8705), and what it used once.

create table partner_client (
  client_id text primary key,
  name text not null,
  -- the facilities that it speaks for, each as the recipient or provider of records
  facilities text[] not null,
  -- SMART scopes: system/Consent.rs
  scopes text[] not null,
  -- public keys (RFC 7517), here or where they are published
  jwks jsonb,
  jwks_uri text,
  -- SHA-256 of certificates (x5t#S256, base64url) that it may present without an authority
  certificates text[] not null,
  -- a host name that a certificate of a trusted authority must be for
  certificate_host text,
  -- tokens without a key of the client are given out only where somebody decided so
  bearer_allowed boolean not null,
  status text not null check (status in ('active', 'suspended')),
  -- tokens made before this moment are void (suspension, other keys)
  tokens_from timestamptz not null,
  registered_at timestamptz not null,
  changed_at timestamptz not null,
  check (jwks is null or jwks_uri is null),
  check (jwks is not null or jwks_uri is not null or cardinality(certificates) > 0 or certificate_host is not null)
);
comment on table partner_client is 'reference: software of partners that proves itself by keys or certificates';

create table partner_proof_used (
  -- SHA-256 of kind, holder and jti of an assertion or DPoP proof
  digest bytea primary key,
  expires_at timestamptz not null
);
comment on table partner_proof_used is 'local: proofs of partners that are good for one use, kept until they expire';
create index partner_proof_used_expires on partner_proof_used (expires_at);
