-- What stood in plain about a patient is sealed: by bytes under the patient's key, which the program does at its next start
-- (src/vault/seal-existing.ts). Until then the bytes are the text that stood there; sealed ones begin with a byte 1, no text does.
alter table consent_request
  alter column asked type bytea using convert_to(asked::text, 'UTF8'),
  alter column reason type bytea using convert_to(reason, 'UTF8'),
  -- Six emergencies a day are counted without opening what was asked.
  add column is_emergency boolean not null default false;
update consent_request set is_emergency = true
  where convert_from(asked, 'UTF8')::jsonb -> 'purpose' ->> 'code' = 'BTG';

-- The detail and its signature together: a signature in plain would confirm a guess of the detail.
alter table consent_artefact
  alter column detail type bytea using convert_to(detail, 'UTF8'),
  alter column signature drop not null;

alter table approval_policy alter column terms type bytea using convert_to(terms::text, 'UTF8');

alter table subscription
  alter column request type bytea using convert_to(request::text, 'UTF8'),
  alter column terms type bytea using convert_to(terms::text, 'UTF8'),
  alter column reason type bytea using convert_to(reason, 'UTF8');

alter table data_request
  alter column hip_responses type bytea using convert_to(hip_responses::text, 'UTF8'),
  alter column hiu_responses type bytea using convert_to(hiu_responses::text, 'UTF8'),
  alter column error_message type bytea using convert_to(error_message, 'UTF8');

update hip_link_call set care_contexts = (
  select coalesce(jsonb_agg(context || jsonb_build_object('hiType', hi_types -> (place::int - 1)) order by place), '[]')
  from jsonb_array_elements(care_contexts) with ordinality as each (context, place));
alter table hip_link_call
  alter column care_contexts type bytea using convert_to(care_contexts::text, 'UTF8'),
  drop column hi_types;
