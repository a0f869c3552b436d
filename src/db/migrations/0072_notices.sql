-- The DPDP notice (DPDP Act s.5, Rule 3): what a person was shown before a decision, word for word (s.6(10): the burden of proof is ours).

create table shown_notice (
  bucket smallint not null,
  id uuid not null,
  patient text not null,
  -- who read it: the patient, or the guardian of a child
  reader text not null,
  -- the consent request that it is about
  request uuid not null,
  -- the language that was asked for, and the one that the words are in
  language text not null,
  words_language text not null,
  version text not null,
  channel text not null,
  -- canonical JSON of the notice, sealed under the patient's key; its SHA-256 stands in the log too
  sealed_notice bytea not null,
  sha256 bytea not null,
  shown_at timestamptz not null,
  primary key (bucket, id)
);
comment on table shown_notice is 'by patient: notices as they were shown before a decision, word for word';
create index shown_notice_request on shown_notice (bucket, request, reader);
