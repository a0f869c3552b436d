-- A provider that sends nothing more says so to the exchange only: a silent transfer is asked for there, and ends with the provider's reasons.

alter table hiu_request
  -- when the exchange is asked how a silent transfer stands; null when it was asked often enough
  add column next_ask_at timestamptz,
  add column asks smallint not null default 0,
  -- what the provider told the exchange, sealed under the consent's key
  add column provider_report bytea;

create index hiu_request_silent on hiu_request (bucket, next_ask_at)
  where status in ('acknowledged', 'receiving') and next_ask_at is not null;
