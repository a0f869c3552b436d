drop table sso_sign_in;
drop table staff_sso_permit;
drop table staff_identity;
