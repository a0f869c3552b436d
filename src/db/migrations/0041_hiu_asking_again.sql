-- Data requests that the exchange refuses for now are asked again by a new request; requests of one artefact have an order of their own.

alter table hiu_request
  -- 1, 2, 3 … under its artefact: times can be equal, and ids of one millisecond have no order
  add column ordinal integer,
  -- the request that the exchange refused and that this one asks again
  add column replaces uuid,
  -- when a postponed request is asked again
  add column again_at timestamptz;

update hiu_request set ordinal = numbered.ordinal
  from (select bucket, id, row_number() over (partition by bucket, artefact order by asked_at, id) as ordinal
        from hiu_request) as numbered
  where hiu_request.bucket = numbered.bucket and hiu_request.id = numbered.id;

alter table hiu_request
  alter column ordinal set not null,
  add unique (bucket, artefact, ordinal),
  drop constraint hiu_request_status_check,
  add constraint hiu_request_status_check check (status in
    ('asked', 'acknowledged', 'receiving', 'complete', 'incomplete', 'failed', 'erased', 'postponed', 'replaced')),
  add check ((status = 'postponed') = (again_at is not null));
drop index hiu_request_artefact;
