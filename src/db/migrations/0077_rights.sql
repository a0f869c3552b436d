-- Questions of patients about looks at their records: at the exchange where they ask, and at the facility that answers.

create table question (
  bucket smallint not null,
  id uuid not null,
  patient text not null,
  facility text not null,
  -- the look that it is about
  event uuid not null,
  -- what the patient says on the telephone
  number text not null,
  status text not null check (status in ('asked', 'delivered', 'undelivered', 'answered')),
  -- the patient's words, sealed under the patient's key
  body bytea not null,
  asked_at timestamptz not null,
  due_at timestamptz not null,
  changed_at timestamptz not null,
  -- the facility's answer, who gave it and when, sealed under the patient's key
  answer bytea,
  primary key (bucket, id)
);
comment on table question is 'by patient: what patients asked facilities about looks at their records';
create index question_patient on question (bucket, patient, asked_at desc);
create unique index question_open on question (bucket, patient, event) where status <> 'answered';

create table received_question (
  bucket smallint not null,
  -- as the exchange calls it
  id uuid not null,
  patient text not null,
  number text not null,
  status text not null check (status in ('open', 'answered')),
  -- the patient's words and the look that they are about, sealed under the patient's key
  body bytea not null,
  received_at timestamptz not null,
  due_at timestamptz not null,
  changed_at timestamptz not null,
  answer bytea,
  primary key (bucket, id)
);
comment on table received_question is 'by patient: questions of patients to this facility about looks at their records';
create index received_question_due on received_question (bucket, due_at) where status = 'open';
