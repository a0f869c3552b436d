-- Consent at the exchange: requests, signed artefacts, what the parties were told and answered, and standing approvals.

create table consent_request (
  bucket smallint not null,
  id uuid not null,
  patient text not null,
  hiu text not null,
  status text not null check (status in ('REQUESTED', 'GRANTED', 'DENIED', 'REVOKED', 'EXPIRED')),
  -- what was asked for, as in the body of consent/request/init
  asked jsonb not null,
  created_at timestamptz not null,
  -- end of the time in which the patient may decide
  decide_by timestamptz not null,
  changed_at timestamptz not null,
  -- the patient's words on a denial
  reason text,
  -- the standing approval that decided in the patient's name, if one did
  policy uuid,
  primary key (bucket, id)
);
comment on table consent_request is 'by patient: what facilities asked for, and what the patient decided';
create index consent_request_patient on consent_request (bucket, patient, created_at desc, id desc);
create index consent_request_due on consent_request (bucket, decide_by) where status = 'REQUESTED';

create table consent_artefact (
  bucket smallint not null,
  id uuid not null,
  request uuid not null,
  patient text not null,
  hip text not null,
  hiu text not null,
  status text not null check (status in ('GRANTED', 'REVOKED', 'EXPIRED')),
  -- canonical JSON of consentDetail: exactly the bytes that are signed (docs/artefact.md)
  detail text not null,
  signature text not null,
  created_at timestamptz not null,
  changed_at timestamptz not null,
  data_erase_at timestamptz not null,
  -- the HIU attested that its copy is gone
  erased_at timestamptz,
  primary key (bucket, id),
  foreign key (bucket, request) references consent_request (bucket, id)
);
comment on table consent_artefact is 'by patient: signed consents, one for each provider';
create index consent_artefact_request on consent_artefact (bucket, request);
create index consent_artefact_patient on consent_artefact (bucket, patient, created_at desc, id desc);
create index consent_artefact_due on consent_artefact (bucket, data_erase_at) where status = 'GRANTED';

create table consent_notice (
  bucket smallint not null,
  id uuid not null,
  -- REQUEST-ID of the notification, which the acknowledgement repeats; one message to the HIU may tell of several artefacts
  message uuid not null,
  request uuid not null,
  -- null: about the request as a whole (denied, window over)
  artefact uuid,
  party text not null check (party in ('hip', 'hiu')),
  facility text not null,
  status text not null check (status in ('GRANTED', 'DENIED', 'REVOKED', 'EXPIRED')),
  created_at timestamptz not null,
  acknowledged_at timestamptz,
  -- why there will be no acknowledgement: the facility refused, or could not be reached
  failure text,
  primary key (bucket, id),
  foreign key (bucket, request) references consent_request (bucket, id)
);
comment on table consent_notice is 'by patient: what HIP and HIU were told of a consent, and when they acknowledged it';
create index consent_notice_artefact on consent_notice (bucket, artefact) where artefact is not null;
create index consent_notice_message on consent_notice (bucket, message);
create index consent_notice_request on consent_notice (bucket, request);

create table approval_policy (
  bucket smallint not null,
  id uuid not null,
  patient text not null,
  hiu text not null,
  enabled boolean not null,
  -- sources, as in the body of consent/auto/approve
  terms jsonb not null,
  created_at timestamptz not null,
  changed_at timestamptz not null,
  primary key (bucket, id)
);
comment on table approval_policy is 'by patient: standing decisions to grant what one HIU asks for';
create index approval_policy_patient on approval_policy (bucket, patient, hiu);
