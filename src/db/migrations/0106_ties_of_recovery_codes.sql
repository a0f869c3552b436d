-- As 0104: a code on paper that was used stays used.
alter table staff_recovery_code add column tie text not null default '';
alter table staff_recovery_code alter column tie drop default;
