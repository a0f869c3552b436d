drop index hip_artefact_hiu;
drop index consent_artefact_hip;
drop index consent_artefact_hiu;
