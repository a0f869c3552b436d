alter table consent_artefact drop column kept_until, drop column kept_reason;
