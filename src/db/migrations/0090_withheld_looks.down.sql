drop table withheld_look;
