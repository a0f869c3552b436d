-- What the sandbox console shows of a message beyond the delivery log. Written only by parties whose settings say "sandbox".

create table message_content (
  message uuid primary key,
  at timestamptz not null,
  -- tokens and secrets cut to their first characters, sealed content shortened
  headers jsonb not null,
  body text,
  answer_headers jsonb not null,
  answer text,
  -- at the party that sent it: everything to send it again but the token, which is made fresh
  resend jsonb,
  -- the message that this one repeats by hand
  replay_of uuid
);
comment on table message_content is 'local: only in the sandbox: headers, body and answer of messages, and what it takes to send them again';
create index message_content_at on message_content (at);
