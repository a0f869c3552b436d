delete from sign_in_code;
alter table sign_in_code drop column source;
alter table sign_in_code drop column carried_by;
