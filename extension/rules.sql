-- Rules, and the alerts that a new or lowered one raises on what is already there; see rules.c.

CREATE OR REPLACE FUNCTION @extschema@.fintrans_rules_changing()
RETURNS trigger
AS 'MODULE_PATHNAME', 'fintrans_rules_changing'
LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION @extschema@.fintrans_rules_changing() IS
  'Statement trigger: a change of rules waits for the batches in flight, and new ones wait for it to commit.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_has_raised(rule text)
RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT EXISTS (SELECT FROM @extschema@.fintrans_alerts a WHERE a.rule = $1);
END;

COMMENT ON FUNCTION @extschema@.fintrans_has_raised(text) IS
  'Internal: whether there are alerts of a rule of that name.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_rule_stamped()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- 0.1.0 let rules be deleted whose alerts stay.  An INSERT may be of a rule
  -- that is there, ON CONFLICT, or of one that is restored, which was made before.
  IF NEW.name IS DISTINCT FROM OLD.name
     AND (TG_OP = 'UPDATE'
          OR NEW.created_at = now()
             AND NOT EXISTS (SELECT FROM @extschema@.fintrans_rules r WHERE r.name = NEW.name))
     AND @extschema@.fintrans_has_raised(NEW.name) THEN
    RAISE EXCEPTION 'another rule "%" has raised alerts', NEW.name
      USING ERRCODE = 'object_in_use',
            HINT = 'Give the rule a name that none has had.';
  END IF;
  IF TG_OP = 'UPDATE' THEN
    NEW.changed_at := now();
    NEW.changed_by := session_user;
    IF NEW.name <> OLD.name THEN
      NEW.swept_threshold := NULL;
    END IF;
    -- what those alerts say would keep the other kind from raising any, and so
    -- would another rule that takes the name
    IF (NEW.kind <> OLD.kind OR NEW.name <> OLD.name)
       AND @extschema@.fintrans_has_raised(OLD.name) THEN
      RAISE EXCEPTION 'rule "%" has raised alerts as one of kind %', OLD.name, OLD.kind
        USING ERRCODE = 'object_in_use',
              HINT = 'Make a rule of another name, and disable this one.';
    END IF;
    -- window states made for what the rule was are of no use for it now
    IF (NEW.kind, NEW.time_window, NEW.amount_from, NEW.amount_below, NEW.enabled,
        @extschema@.fintrans_rule_cap(NEW.kind, NEW.threshold))
       IS DISTINCT FROM
       (OLD.kind, OLD.time_window, OLD.amount_from, OLD.amount_below, OLD.enabled,
        @extschema@.fintrans_rule_cap(OLD.kind, OLD.threshold)) THEN
      NEW.generation := NULL;
    END IF;
  END IF;
  IF NEW.time_window IS NULL OR NOT NEW.enabled THEN
    NEW.generation := NULL;
  ELSIF NEW.generation IS NULL THEN
    NEW.generation := nextval('@extschema@.fintrans_rule_generations');
    NEW.swept_threshold := NULL;
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
  'Row trigger: notes who changed a rule and when, and what that leaves of its sweep and its window states.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_rule_deleting()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM @extschema@.fintrans_require_read_committed();
  -- a rule made in its place would find its own alerts raised, and reviewed
  IF @extschema@.fintrans_has_raised(OLD.name) THEN
    RAISE EXCEPTION 'rule "%" has raised alerts', OLD.name
      USING ERRCODE = 'object_in_use',
            HINT = 'Disable it.';
  END IF;
  RETURN OLD;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_rule_deleting() IS
  'Row trigger: a rule that has raised alerts stays, so that no other one takes its name.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_rules_truncated()
RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION 'cannot truncate table "%"', TG_TABLE_NAME
    USING ERRCODE = 'feature_not_supported',
          DETAIL = 'Rules that have raised alerts would go with the others, and window states would stay.',
          HINT = 'Use DELETE, and disable the rules that have raised alerts.';
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_rules_truncated() IS
  'Statement trigger: refuses TRUNCATE, which asks nothing of what a DELETE asks.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_rule_changed()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
  raised bigint;
BEGIN
  PERFORM @extschema@.fintrans_require_read_committed();
  IF NEW.time_window IS NULL THEN
    INSERT INTO @extschema@.fintrans_alerts (rule, source_account, target_account,
                                             total, transactions, threshold)
    SELECT NEW.name, s.source_account, s.target_account,
           s.total, s.transactions, NEW.threshold
      FROM @extschema@.fintrans_suspects(NEW.threshold) s
        ON CONFLICT (rule, source_account, target_account, account, window_start)
        DO NOTHING;
    GET DIAGNOSTICS raised = ROW_COUNT;
  ELSE
    IF TG_OP = 'INSERT' OR NEW.generation IS DISTINCT FROM OLD.generation THEN
      PERFORM @extschema@.fintrans_make_window_states(NEW.name);
    END IF;
    raised := @extschema@.fintrans_raise_rule_hits(NEW.name);
  END IF;
  IF raised > 0 AND @extschema@.fintrans_quiet_exempt_alerts() THEN
    PERFORM pg_notify('fintrans_alerts', '');
  END IF;
  UPDATE @extschema@.fintrans_rules r SET swept_threshold = NEW.threshold
   WHERE r.name = NEW.name;
  RETURN NULL;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_rule_changed() IS
  'Row trigger: a new, lowered or re-enabled rule alerts on what is already above it.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_rules_changed()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- states of one rule less are left out when they are written next
  IF NOT EXISTS (SELECT FROM @extschema@.fintrans_rules r
                  WHERE r.enabled AND r.kind <> 'pair_total') THEN
    DELETE FROM @extschema@.fintrans_accounts;
  END IF;
  RETURN NULL;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_rules_changed() IS
  'Statement trigger: with the last rule about accounts their window states go.';

REVOKE EXECUTE ON FUNCTION @extschema@.fintrans_has_raised(text),
                           @extschema@.fintrans_rules_changing(),
                           @extschema@.fintrans_rule_stamped(),
                           @extschema@.fintrans_rule_deleting(),
                           @extschema@.fintrans_rules_truncated(),
                           @extschema@.fintrans_rule_changed(),
                           @extschema@.fintrans_rules_changed()
  FROM PUBLIC;

CREATE OR REPLACE TRIGGER fintrans_rules_changed
  AFTER UPDATE OR DELETE ON @extschema@.fintrans_rules
  FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.fintrans_rules_changed();

CREATE OR REPLACE TRIGGER fintrans_rules_changing
  BEFORE INSERT OR UPDATE OR DELETE ON @extschema@.fintrans_rules
  FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.fintrans_rules_changing();

CREATE OR REPLACE TRIGGER fintrans_rule_stamped
  BEFORE INSERT OR UPDATE ON @extschema@.fintrans_rules
  FOR EACH ROW EXECUTE FUNCTION @extschema@.fintrans_rule_stamped();

CREATE OR REPLACE TRIGGER fintrans_rule_deleting
  BEFORE DELETE ON @extschema@.fintrans_rules
  FOR EACH ROW EXECUTE FUNCTION @extschema@.fintrans_rule_deleting();

CREATE OR REPLACE TRIGGER fintrans_rules_truncated
  BEFORE TRUNCATE ON @extschema@.fintrans_rules
  FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.fintrans_rules_truncated();

-- a restored row has been swept already, and its alerts are restored too
CREATE OR REPLACE TRIGGER fintrans_rule_changed
  AFTER INSERT OR UPDATE ON @extschema@.fintrans_rules
  FOR EACH ROW
  WHEN (NEW.enabled AND (NEW.swept_threshold IS NULL
                         OR NEW.swept_threshold > NEW.threshold))
  EXECUTE FUNCTION @extschema@.fintrans_rule_changed();

CREATE OR REPLACE FUNCTION @extschema@.fintrans_set_rule(
  name text, threshold numeric, enabled boolean DEFAULT true,
  kind text DEFAULT NULL, "window" interval DEFAULT NULL,
  amount_from numeric DEFAULT NULL, amount_below numeric DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = 0
AS $$
#variable_conflict use_column
DECLARE
  rule       @extschema@.fintrans_rules;
  keeps_kind boolean := $4 IS NULL;
BEGIN
  IF $4 IS NULL AND num_nonnulls($5, $6, $7) > 0 THEN
    RAISE EXCEPTION 'a window and amounts belong to a kind of rule'
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Give the kind too.';
  END IF;
  -- a look first: a change waits for every batch in flight
  SELECT r.* INTO rule FROM @extschema@.fintrans_rules r WHERE r.name = $1;
  IF $4 IS NULL THEN
    $4 := coalesce(rule.kind, 'pair_total');
    $5 := rule.time_window;
    $6 := rule.amount_from;
    $7 := rule.amount_below;
  END IF;
  IF (rule.name, rule.threshold, rule.enabled, rule.kind, rule.time_window,
      rule.amount_from, rule.amount_below)
     IS NOT DISTINCT FROM ($1, $2, $3, $4, $5, $6, $7) THEN
    RETURN;
  END IF;
  -- While a change waits, so do the batches behind it: let those go on at
  -- times, and wait longer for the next chance.
  FOR attempt IN 0 .. 6 LOOP
    BEGIN
      PERFORM set_config('lock_timeout', format('%ss', 2 ^ attempt), true);
      -- all that operators of 0.1.0 were granted
      IF keeps_kind THEN
        INSERT INTO @extschema@.fintrans_rules AS r (name, threshold, enabled)
        VALUES ($1, $2, $3)
            ON CONFLICT (name) DO UPDATE
           SET threshold = excluded.threshold, enabled = excluded.enabled;
        RETURN;
      END IF;
      INSERT INTO @extschema@.fintrans_rules AS r
             (name, threshold, enabled, kind, time_window, amount_from, amount_below)
      VALUES ($1, $2, $3, $4, $5, $6, $7)
          ON CONFLICT (name) DO UPDATE
         SET threshold = excluded.threshold, enabled = excluded.enabled,
             kind = excluded.kind, time_window = excluded.time_window,
             amount_from = excluded.amount_from, amount_below = excluded.amount_below;
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

COMMENT ON FUNCTION @extschema@.fintrans_set_rule(
  text, numeric, boolean, text, interval, numeric, numeric) IS
  'Makes the rule of that name, or makes it as given; what is already above it is alerted. Without a kind, an existing rule keeps what it is, and a new one is about the totals of pairs. Does nothing when the rule is so already. Waits for batches in flight, and gives up after four minutes.';
