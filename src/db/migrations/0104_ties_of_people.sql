-- Who may write in this database cannot make herself a session, a passkey or an account: each row by which a person proves who she is
-- carries a tie, made with a key that is not here (src/db/tie.ts). Rows that stand here now get theirs at the next start, once.
alter table web_session add column tie text not null default '';
alter table passkey add column tie text not null default '';
alter table sign_in_code add column tie text not null default '';
alter table step_up add column tie text not null default '';
alter table staff add column tie text not null default '';
alter table staff_invitation add column tie text not null default '';
alter table staff_sign_in add column tie text not null default '';
alter table staff_identity add column tie text not null default '';
alter table staff_sso_permit add column tie text not null default '';
alter table sso_sign_in add column tie text not null default '';

alter table web_session alter column tie drop default;
alter table passkey alter column tie drop default;
alter table sign_in_code alter column tie drop default;
alter table step_up alter column tie drop default;
alter table staff alter column tie drop default;
alter table staff_invitation alter column tie drop default;
alter table staff_sign_in alter column tie drop default;
alter table staff_identity alter column tie drop default;
alter table staff_sso_permit alter column tie drop default;
alter table sso_sign_in alter column tie drop default;
