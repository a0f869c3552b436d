drop index emergency_access_consent;
alter table emergency_access drop column told, drop column told_at;
