-- Single sign-on of the staff by a provider of the facility (OpenID Connect).

create table staff_identity (
  issuer text not null,
  -- what the provider calls the person, for ever
  subject text not null,
  staff uuid not null references staff (id),
  linked_at timestamptz not null,
  used_at timestamptz,
  primary key (issuer, subject)
);
comment on table staff_identity is 'reference: as whom the provider of single sign-on knows a person of the staff';
create unique index staff_identity_staff on staff_identity (staff, issuer);

create table staff_sso_permit (
  staff uuid primary key references staff (id),
  expires_at timestamptz not null
);
comment on table staff_sso_permit is 'reference: persons whose first single sign-on may link their account, as an administrator allowed';

create table sso_sign_in (
  -- SHA-256 of the state, which stands in the address that the provider answers to and in a cookie of the browser
  digest bytea primary key,
  -- where the browser was when it asked
  origin text not null,
  -- the session that links the account; none for a sign-in
  session uuid,
  expires_at timestamptz not null
);
comment on table sso_sign_in is 'local: single sign-ons under way, each good for one answer of the provider';
create index sso_sign_in_expires on sso_sign_in (expires_at);
