-- Indexes that measuring asked for (docs/benchmarks.md): lists across all buckets that staff page through, and what is looked at again
-- and again whatever else lies in the table.

-- metrics count open jobs at every scrape and operators list them; done ones stay for a month
create index job_open on job (seq) include (status) where status <> 'done';

-- newest first, for the lists of a facility
create index hip_artefact_newest on hip_artefact (consent_id);
create index hip_page_disclosed on hip_page (event) where settled_at is not null;
create index hip_request_patient on hip_request (abha_address);
create index hiu_consent_newest on hiu_consent (asked_at, id);
create index hiu_erasure_newest on hiu_erasure (erased_at);
