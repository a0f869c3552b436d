-- What the receiver of a copy told: it keeps it, sealed, because a law demands it.

alter table consent_artefact
  add column kept_until timestamptz,
  -- the reason, one of a list, and until when; the law's name goes with it
  add column kept_reason text,
  add check ((kept_until is null) = (kept_reason is null));
