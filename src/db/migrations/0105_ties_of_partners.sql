-- As 0104 for people: who may only write in this database admits no partner, and puts no key, secret or callback address of hers in
-- place of another's.
alter table bridge add column tie text not null default '';
alter table facility add column tie text not null default '';
alter table partner_client add column tie text not null default '';
alter table refresh_token add column tie text not null default '';

alter table bridge alter column tie drop default;
alter table facility alter column tie drop default;
alter table partner_client alter column tie drop default;
alter table refresh_token alter column tie drop default;
