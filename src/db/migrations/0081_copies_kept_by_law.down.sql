drop table hiu_copy;
