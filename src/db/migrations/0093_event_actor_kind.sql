-- Of what kind the actor of an event was, in plain like its type: what a SIEM is told of it, and what figures count.

alter table audit_event add column actor_kind text not null default 'unknown';
comment on column audit_event.actor_kind is 'patient, facility, exchange, operator or system; unknown for events from before this column';
