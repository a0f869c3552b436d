-- When a patient was last sent a text message about what somebody asks of her, or got by her standing approval: so that she gets few.
create table request_text (
  bucket smallint not null,
  patient text not null,
  -- empty in the row of a day on which so many asked that the rest is told together
  hiu text not null,
  kind text not null check (kind in ('waiting', 'granted', 'several')),
  told_at timestamptz not null,
  primary key (bucket, patient, hiu, kind)
);
comment on table request_text is 'by patient: the newest text message about each asker';
