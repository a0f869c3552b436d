-- Requests for health information at the exchange: who asked for which records under which consent, and how it ended at both sides.

create table data_request (
  bucket smallint not null,
  -- the transaction id that all three parties use
  id uuid not null,
  consent uuid not null,
  patient text not null,
  hip text not null,
  hiu text not null,
  date_from timestamptz not null,
  date_to timestamptz not null,
  asked_at timestamptz not null,
  -- REQUEST-ID of the HIU's call, which our later answers repeat
  hiu_request_id text not null,
  hip_status text not null check (hip_status in ('REQUESTED', 'ACKNOWLEDGED', 'REFUSED', 'TRANSFERRED', 'PARTIAL_TRANSFERRED', 'FAILED')),
  hip_at timestamptz not null,
  -- null until the HIU says how it ended
  hiu_status text check (hiu_status in ('RECEIVED', 'PARTIAL_RECEIVED', 'FAILED')),
  hiu_at timestamptz,
  -- one item for each care context, as each side reported it
  hip_responses jsonb not null,
  hiu_responses jsonb not null,
  error_code text,
  error_message text,
  primary key (bucket, id)
);
comment on table data_request is 'by patient: requests for health information under a consent, and how they ended';
create index data_request_consent on data_request (bucket, consent, asked_at);
create index data_request_patient on data_request (bucket, patient, asked_at desc);
