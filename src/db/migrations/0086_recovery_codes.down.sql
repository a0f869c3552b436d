alter table staff_sign_in drop column proved_by;
-- An older program does not know what these sessions were opened by: their people sign in again.
delete from web_session where how in ('password-recovery', 'sso', 'sso-totp', 'sso-recovery');
alter table web_session drop constraint web_session_how_check;
alter table web_session add constraint web_session_how_check check (how in ('otp', 'passkey', 'password-totp'));
drop table staff_code_setup;
drop table staff_recovery_code;
