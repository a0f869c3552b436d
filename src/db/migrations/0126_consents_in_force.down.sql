drop index consent_artefact_shared;
drop index consent_artefact_live;
