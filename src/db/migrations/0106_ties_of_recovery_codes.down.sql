alter table staff_recovery_code drop column tie;
delete from setting where name = 'ties.recovery-codes';
