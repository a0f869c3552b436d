alter table approval_policy drop column tie;
delete from setting where name = 'ties.approvals';
