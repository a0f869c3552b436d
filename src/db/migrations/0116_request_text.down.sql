drop table request_text;
