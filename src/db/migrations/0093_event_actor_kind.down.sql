alter table audit_event drop column actor_kind;
