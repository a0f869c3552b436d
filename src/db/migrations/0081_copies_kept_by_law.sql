-- What becomes of a copy when its consent has ended: stopped, kept because a law says so, erased (DPDP Act s.8(7), Rules r.8(3)).

create table hiu_copy (
  bucket smallint not null,
  artefact uuid not null,
  patient text not null,
  status text not null check (status in ('active', 'stopped', 'held', 'erased')),
  -- how the consent ended; null while it lasts
  reason text check (reason in ('REVOKED', 'EXPIRED', 'DENIED')),
  -- why it is kept (src/hiu/copy.ts); a legal claim may be named before the consent ends
  hold_reason text,
  hold_until timestamptz,
  -- sealed pages that were deleted when it was stopped
  pages integer not null,
  stopped_at timestamptz,
  changed_at timestamptz not null,
  primary key (bucket, artefact),
  check (status <> 'held' or (hold_reason is not null and hold_until is not null)),
  check ((status = 'active') = (reason is null))
);
comment on table hiu_copy is 'by patient: copies received under a consent, from the end of the consent to their erasure';
create index hiu_copy_due on hiu_copy (hold_until) where status = 'held';
