-- As 0104: who may only write in this database allows nobody anything beforehand in a patient's name, nor gives a standing approval of
-- hers to another user of records, nor switches one on again. Rows that stand here now are tied at the next start, once.
alter table approval_policy add column tie text not null default '';
alter table approval_policy alter column tie drop default;
