drop index audit_event_standing;
