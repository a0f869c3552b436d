-- The provider of single sign-on says when somebody signed out there (OpenID Connect Back-Channel Logout 1.0): which sessions here began
-- with which sign-in there, and which tokens it has used up.
create table sso_session (
  session uuid primary key references web_session (id) on delete cascade,
  issuer text not null,
  subject text not null,
  sid text
);
comment on table sso_session is 'local: with which sign-in at the provider of single sign-on a session began';
create index sso_session_subject on sso_session (issuer, subject);
create index sso_session_sid on sso_session (issuer, sid);

create table sso_logout (
  digest bytea primary key,
  expires_at timestamptz not null
);
comment on table sso_logout is 'local: logout tokens of the provider that were used, until they are too old to be taken';
create index sso_logout_expires on sso_logout (expires_at);

-- A sign-in by the provider that waits for our own second factor.
alter table staff_sign_in add column sso_issuer text, add column sso_subject text, add column sso_sid text;
