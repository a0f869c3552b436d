-- Whether something was left out is asked without opening what: nothing is no value, sealed or not.
update hip_request set omissions = null where omissions = '{}'::jsonb;
