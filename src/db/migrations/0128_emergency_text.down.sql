drop table emergency_text;
