drop table party_operator;
