alter table staff_sign_in drop column sso_sid, drop column sso_subject, drop column sso_issuer;
drop table sso_logout;
drop table sso_session;
