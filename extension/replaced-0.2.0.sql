-- What 0.2.0 replaces by something with other arguments; for updates only.

DROP FUNCTION @extschema@.fintrans_set_rule(text, numeric, boolean);
