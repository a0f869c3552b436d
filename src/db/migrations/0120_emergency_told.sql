-- By which way a patient is told that her records were opened in an emergency (src/incidents).
alter table emergency_access
  -- exchange: the exchange tells her; text: this facility sent a text message; letter: no mobile is known, somebody writes to her
  add column told text check (told in ('exchange', 'text', 'letter')),
  -- when this facility sent the text message, or somebody said that the letter went out
  add column told_at timestamptz;
update emergency_access set told = case when consent is null then 'letter' else 'exchange' end;
alter table emergency_access alter column told set not null;
-- whose telling was the exchange's, when it refused
create index emergency_access_consent on emergency_access (consent) where consent is not null;
