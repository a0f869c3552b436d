-- A partner lists the consents that name its own facilities, newest first.

create index consent_artefact_hiu on consent_artefact (hiu, id desc);
create index consent_artefact_hip on consent_artefact (hip, id desc);
create index hip_artefact_hiu on hip_artefact (hiu, consent_id desc);
