-- Patients of the exchange. What identifies a person is sealed under the patient's own key.

create table patient (
  bucket smallint not null,
  abha_address text not null,
  -- name, gender, date of birth, numbers, address, guardian, language
  sealed_profile bytea not null,
  status text not null check (status in ('active', 'deactivated')),
  enrolled_at timestamptz not null,
  changed_at timestamptz not null,
  primary key (bucket, abha_address)
);
comment on table patient is 'by patient: who has an account at this exchange; demographics sealed under the patient''s key';

create table patient_index (
  -- first byte of the digest, not of the patient: one shard answers a lookup
  bucket smallint not null,
  kind text not null check (kind in ('abha-number', 'mobile')),
  -- HMAC-SHA-256 of the value under a key of this party
  digest bytea not null,
  abha_address text not null,
  primary key (bucket, kind, digest, abha_address)
);
comment on table patient_index is 'by patient: finds patients by ABHA number or mobile without storing them; distributed by the digest';
create unique index patient_index_abha_number on patient_index (bucket, digest) where kind = 'abha-number';
