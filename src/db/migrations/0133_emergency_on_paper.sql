-- Why a patient must be told on paper that her records were opened in an emergency (src/incidents).
alter table emergency_access add column on_paper text
  -- no-mobile: no number is known; not-hers: the number that the exchange knows is somebody else’s; withheld-by-cap: she was sent so many text
  -- messages today already; undelivered: the text message did not go out
  check (on_paper in ('no-mobile', 'not-hers', 'withheld-by-cap', 'undelivered'));
update emergency_access set on_paper = 'no-mobile' where told = 'letter';
alter table emergency_access add check ((told = 'letter') = (on_paper is not null));
