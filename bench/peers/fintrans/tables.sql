CREATE EXTENSION fintrans;
SELECT fintrans_set_rule('default', 8000);
