-- A patient closes her account at the exchange: stopped, kept as long as a law demands, erased (DPDP Act s.6(4), s.8(7), Rules r.8(3)).

create table account_closing (
  bucket smallint not null,
  patient text not null,
  status text not null check (status in ('stopped', 'held')),
  closed_at timestamptz not null,
  -- why it is kept (src/people/closing.ts), and until when
  hold_reason text,
  hold_until timestamptz,
  changed_at timestamptz not null,
  primary key (bucket, patient),
  check ((status = 'held') = (hold_reason is not null and hold_until is not null))
);
comment on table account_closing is 'by patient: accounts that were closed, until they are opened again or erased';
create index account_closing_due on account_closing (hold_until) where status = 'held';

alter table patient drop constraint patient_status_check;
alter table patient add constraint patient_status_check check (status in ('active', 'deactivated', 'closed'));
-- Erasing finds the entries of a person whose profile no longer opens.
create index patient_index_address on patient_index (abha_address);
