-- What a patient shares with others stands by itself: neither her own looks nor what is long over hide what she can stop.
create index consent_artefact_live on consent_artefact (bucket, patient, hiu, id) where status = 'GRANTED';
create index consent_artefact_shared on consent_artefact (bucket, patient, created_at desc, id desc)
  where hiu not like 'patient-app@%';
