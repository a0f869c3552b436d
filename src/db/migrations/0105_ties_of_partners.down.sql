alter table bridge drop column tie;
alter table facility drop column tie;
alter table partner_client drop column tie;
alter table refresh_token drop column tie;
delete from setting where name = 'ties.partners';
