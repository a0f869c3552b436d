-- How many text messages about emergencies a patient got because of one facility: beyond some a day one tells of all of an hour.
create table emergency_text (
  bucket smallint not null,
  patient text not null,
  hiu text not null,
  -- texts about one emergency each, since this time
  day_began timestamptz not null,
  sent integer not null,
  -- emergencies of which a text that is planned tells together
  held integer not null,
  -- when the newest such text went out
  together_at timestamptz,
  primary key (bucket, patient, hiu)
);
comment on table emergency_text is 'by patient: text messages about emergencies, of each facility';
