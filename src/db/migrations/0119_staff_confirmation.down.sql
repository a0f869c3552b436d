drop table staff_confirmation;
delete from setting where name = 'ties.confirmations';
