-- Text messages that a party without a gateway for them would have sent: shown in the sandbox in place of a phone.

create table text_message (
  id uuid primary key,
  mobile text not null,
  words text not null,
  sent_at timestamptz not null
);
comment on table text_message is 'local: text messages kept for the sandbox in place of a phone';
create index text_message_sent_at on text_message (sent_at);
