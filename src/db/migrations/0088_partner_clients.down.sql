drop table partner_proof_used;
drop table partner_client;
