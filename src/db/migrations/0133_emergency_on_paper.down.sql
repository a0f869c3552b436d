alter table emergency_access drop column on_paper;
