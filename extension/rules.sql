-- Rules, and the alerts that a new or lowered one raises on what is already there; see rules.c.

CREATE OR REPLACE FUNCTION @extschema@.fintrans_rules_changing()
RETURNS trigger
AS 'MODULE_PATHNAME', 'fintrans_rules_changing'
LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION @extschema@.fintrans_rules_changing() IS
  'Statement trigger: a change of rules waits for the batches in flight, and new ones wait for it to commit.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_rule_stamped()
RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    NEW.changed_at := now();
    NEW.changed_by := session_user;
    IF NEW.name <> OLD.name THEN
      NEW.swept_threshold := NULL;
    END IF;
  END IF;
  IF NOT NEW.enabled THEN
    NEW.swept_threshold := NULL;
  ELSIF NEW.swept_threshold < NEW.threshold THEN
    NEW.swept_threshold := NEW.threshold;
  END IF;
  RETURN NEW;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_rule_stamped() IS
  'Row trigger: notes who changed a rule and when, and what that leaves of its sweep.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_rule_changed()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
BEGIN
  PERFORM @extschema@.fintrans_require_read_committed();
  INSERT INTO @extschema@.fintrans_alerts (rule, source_account, target_account,
                                           total, transactions, threshold)
  SELECT NEW.name, s.source_account, s.target_account,
         s.total, s.transactions, NEW.threshold
    FROM @extschema@.fintrans_suspects(NEW.threshold) s
      ON CONFLICT (rule, source_account, target_account) DO NOTHING;
  IF FOUND THEN
    PERFORM pg_notify('fintrans_alerts', '');
  END IF;
  UPDATE @extschema@.fintrans_rules r SET swept_threshold = NEW.threshold
   WHERE r.name = NEW.name;
  RETURN NULL;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_rule_changed() IS
  'Row trigger: a new, lowered or re-enabled rule alerts on the pairs already above it.';

REVOKE EXECUTE ON FUNCTION @extschema@.fintrans_rules_changing(),
                           @extschema@.fintrans_rule_stamped(),
                           @extschema@.fintrans_rule_changed()
  FROM PUBLIC;

CREATE OR REPLACE TRIGGER fintrans_rules_changing
  BEFORE INSERT OR UPDATE ON @extschema@.fintrans_rules
  FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.fintrans_rules_changing();

CREATE OR REPLACE TRIGGER fintrans_rule_stamped
  BEFORE INSERT OR UPDATE ON @extschema@.fintrans_rules
  FOR EACH ROW EXECUTE FUNCTION @extschema@.fintrans_rule_stamped();

-- a restored row has been swept already, and its alerts are restored too
CREATE OR REPLACE TRIGGER fintrans_rule_changed
  AFTER INSERT OR UPDATE ON @extschema@.fintrans_rules
  FOR EACH ROW
  WHEN (NEW.enabled AND (NEW.swept_threshold IS NULL
                         OR NEW.swept_threshold > NEW.threshold))
  EXECUTE FUNCTION @extschema@.fintrans_rule_changed();

CREATE OR REPLACE FUNCTION @extschema@.fintrans_set_rule(
  name text, threshold numeric, enabled boolean DEFAULT true)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = 0
AS $$
#variable_conflict use_column
BEGIN
  -- a look first: a change waits for every batch in flight
  PERFORM FROM @extschema@.fintrans_rules
    WHERE name = $1 AND threshold = $2 AND enabled = $3;
  IF FOUND THEN
    RETURN;
  END IF;
  -- While a change waits, so do the batches behind it: let those go on at
  -- times, and wait longer for the next chance.
  FOR attempt IN 0 .. 6 LOOP
    BEGIN
      PERFORM set_config('lock_timeout', format('%ss', 2 ^ attempt), true);
      INSERT INTO @extschema@.fintrans_rules AS r (name, threshold, enabled)
      VALUES ($1, $2, $3)
          ON CONFLICT (name) DO UPDATE
         SET threshold = excluded.threshold, enabled = excluded.enabled;
      RETURN;
    EXCEPTION WHEN lock_not_available THEN
      PERFORM pg_sleep(2 ^ attempt);
    END;
  END LOOP;
  RAISE EXCEPTION 'rule "%" could not be set: transactions that are still open hold the rules', $1
    USING ERRCODE = 'lock_not_available',
          HINT = 'pg_locks shows who holds the lock on the object "fintrans_rules".';
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_set_rule(text, numeric, boolean) IS
  'Makes the rule of that name, or gives it this threshold; pairs already above are alerted. Does nothing when the rule is so already. Waits for batches in flight, and gives up after four minutes.';
