-- fintrans_rebuild(): corrects what fintrans_verify() finds.

-- Corrections are differences found in one snapshot, in which rows and totals
-- belong together.  Adding them is right however much others have added
-- meanwhile, so nobody is kept from writing.

-- Enabling and making triggers holds up writers of the table; only one that is
-- not ours has to be dropped first, which holds up readers too.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_correct_trigger()
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  wrong     record;
  corrected bigint := 0;
BEGIN
  FOR wrong IN
    SELECT d.relation, d.name, d.found
      FROM @extschema@.fintrans_trigger_differences d
     ORDER BY d.relation <> '@extschema@.fintrans_transactions'::regclass, d.relation
  LOOP
    IF wrong.found = 'disabled' THEN
      EXECUTE format('ALTER TABLE %s ENABLE TRIGGER %s', wrong.relation, wrong.name);
    ELSIF wrong.found = 'another' THEN
      EXECUTE format('DROP TRIGGER %s ON %s', wrong.name, wrong.relation);
    END IF;
    PERFORM @extschema@.fintrans_add_triggers(wrong.relation);
    corrected := corrected + 1;
  END LOOP;
  RETURN corrected;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_correct_trigger() IS
  'Internal, step of fintrans_rebuild(): puts missing and disabled triggers in force; returns how many.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_correct_offsets()
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
  wrong     record;
  corrected bigint := 0;
BEGIN
  -- in the order in which bridges lock them
  FOR wrong IN
    SELECT d.topic, d.kafka_partition, d.counted - coalesce(d.held, 0) AS missing,
           coalesce(d.held = d.offsets AND d.lowest >= d.first_offset
                    AND d.highest < d.next_offset, true) AS plausible
      FROM @extschema@.fintrans_offset_differences d
     ORDER BY d.topic, d.kafka_partition
  LOOP
    UPDATE @extschema@.fintrans_offsets o
       SET stored = o.stored - least(o.stored, wrong.missing),
           replayed = o.replayed - (wrong.missing - least(o.stored, wrong.missing)),
           dropped = o.dropped + wrong.missing
     WHERE (o.topic, o.kafka_partition) = (wrong.topic, wrong.kafka_partition)
       AND wrong.plausible AND wrong.missing <> 0
       AND wrong.missing BETWEEN -o.dropped AND o.stored + o.replayed;
    IF FOUND THEN
      corrected := corrected + 1;
    END IF;
  END LOOP;
  RETURN corrected;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_correct_offsets() IS
  'Internal, step of fintrans_rebuild(): counts offsets as dropped whose transactions are gone, and as stored those that have come back; returns in how many Kafka partitions. Other transactions than those counted it leaves alone.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_correct_dead_letters()
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  wrong     record;
  corrected bigint := 0;
BEGIN
  FOR wrong IN
    SELECT d.topic, d.kafka_partition, d.counted - d.held AS missing
      FROM @extschema@.fintrans_dead_letter_differences d
     ORDER BY d.topic, d.kafka_partition
  LOOP
    UPDATE @extschema@.fintrans_offsets o
       SET dead_lettered = o.dead_lettered - wrong.missing,
           purged = o.purged + wrong.missing
     WHERE (o.topic, o.kafka_partition) = (wrong.topic, wrong.kafka_partition)
       AND wrong.missing BETWEEN 1 AND o.dead_lettered;
    IF FOUND THEN
      corrected := corrected + 1;
    END IF;
  END LOOP;
  RETURN corrected;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_correct_dead_letters() IS
  'Internal, step of fintrans_rebuild(): counts offsets as purged whose dead letters are gone; returns in how many Kafka partitions. Too many dead letters it leaves alone.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_correct_pair()
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
  corrected bigint;
BEGIN
  INSERT INTO @extschema@.fintrans_laundering AS l
  SELECT d.source_account, d.target_account,
         coalesce(d.expected_total, 0) - coalesce(d.found_total, 0),
         coalesce(d.expected_transactions, 0) - coalesce(d.found_transactions, 0),
         d.first_time, d.last_time,
         @extschema@.fintrans_magnitude_of(coalesce(d.expected_total, 0)) + 1
    FROM @extschema@.fintrans_pair_differences d
   ORDER BY d.source_account, d.target_account
      ON CONFLICT (source_account, target_account) DO UPDATE
     SET total = l.total + excluded.total,
         transactions = l.transactions + excluded.transactions,
         first_time = least(l.first_time, excluded.first_time),
         last_time = greatest(l.last_time, excluded.last_time),
         magnitude = @extschema@.fintrans_magnitude_of(l.total + excluded.total) + 1;
  GET DIAGNOSTICS corrected = ROW_COUNT;
  IF corrected > 0 THEN
    DELETE FROM @extschema@.fintrans_laundering WHERE transactions = 0;
  END IF;
  RETURN corrected;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_correct_pair() IS
  'Internal, step of fintrans_rebuild(): corrects totals and numbers of transactions; returns of how many pairs.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_correct_magnitude()
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  wrong     record;
  corrected bigint := 0;
BEGIN
  -- in the order in which writers lock them; those of 0.1.0 are not wrong, but
  -- read by every query
  FOR wrong IN
    SELECT d.source_account, d.target_account
      FROM @extschema@.fintrans_magnitude_differences d
    UNION ALL
    SELECT l.source_account, l.target_account
      FROM @extschema@.fintrans_laundering l
     WHERE l.magnitude > 0 AND l.magnitude < 1000
     ORDER BY source_account, target_account
  LOOP
    UPDATE @extschema@.fintrans_laundering l
       SET magnitude = @extschema@.fintrans_magnitude_of(l.total) + 1
     WHERE (l.source_account, l.target_account)
           = (wrong.source_account, wrong.target_account);
    corrected := corrected + 1;
  END LOOP;
  RETURN corrected;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_correct_magnitude() IS
  'Internal, step of fintrans_rebuild(): corrects magnitudes; returns of how many pairs.';

-- Extremes cannot be added.  The minutes in question are locked and marked with
-- NaN, which nobody else gets to see, and theirs are then read anew.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_correct_volume()
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
  corrected bigint;
BEGIN
  INSERT INTO @extschema@.fintrans_volume AS v
  SELECT d.city, d.minute,
         coalesce(d.expected_transactions, 0) - coalesce(d.found_transactions, 0),
         coalesce(d.expected_total, 0) - coalesce(d.found_total, 0),
         'NaN', 'NaN'
    FROM @extschema@.fintrans_volume_differences d
   ORDER BY d.city, d.minute
      ON CONFLICT (city, minute) DO UPDATE
     SET transactions = v.transactions + excluded.transactions,
         total = v.total + excluded.total,
         minimum = 'NaN', maximum = 'NaN';
  GET DIAGNOSTICS corrected = ROW_COUNT;
  IF corrected > 0 THEN
    DELETE FROM @extschema@.fintrans_volume WHERE transactions = 0;
    UPDATE @extschema@.fintrans_volume v
       SET minimum = r.minimum, maximum = r.maximum
      FROM (SELECT t.city, date_bin('1 minute', t.event_time, '0001-01-01 00:00+00') AS minute,
                   min(t.amount) AS minimum, max(t.amount) AS maximum
              FROM @extschema@.fintrans_transactions t
             GROUP BY 1, 2) r
     WHERE (v.city, v.minute) = (r.city, r.minute) AND v.minimum = 'NaN';
    -- their rows have gone since, past the triggers: to be found next time
    UPDATE @extschema@.fintrans_volume SET minimum = 0, maximum = 0
     WHERE minimum = 'NaN';
  END IF;
  RETURN corrected;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_correct_volume() IS
  'Internal, step of fintrans_rebuild(): corrects the volume; returns of how many minutes.';

-- after the minutes, from which the extremes are read anew
CREATE OR REPLACE FUNCTION @extschema@.fintrans_correct_rollup()
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  corrected bigint;
BEGIN
  INSERT INTO @extschema@.fintrans_volume_rollup AS v
  SELECT d.resolution, d.city, d.start,
         coalesce(d.expected_transactions, 0) - coalesce(d.found_transactions, 0),
         coalesce(d.expected_total, 0) - coalesce(d.found_total, 0),
         'NaN', 'NaN'
    FROM @extschema@.fintrans_rollup_differences d
   ORDER BY d.resolution, d.city, d.start
      ON CONFLICT (resolution, city, start) DO UPDATE
     SET transactions = v.transactions + excluded.transactions,
         total = v.total + excluded.total,
         minimum = 'NaN', maximum = 'NaN';
  GET DIAGNOSTICS corrected = ROW_COUNT;
  IF corrected > 0 THEN
    DELETE FROM @extschema@.fintrans_volume_rollup WHERE transactions = 0;
    UPDATE @extschema@.fintrans_volume_rollup v
       SET (minimum, maximum) = (
             SELECT coalesce(min(m.minimum), 0), coalesce(max(m.maximum), 0)
               FROM @extschema@.fintrans_volume m
              WHERE m.city = v.city
                AND m.minute >= v.start AND m.minute < v.start + v.resolution)
     WHERE v.minimum = 'NaN';
  END IF;
  RETURN corrected;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_correct_rollup() IS
  'Internal, step of fintrans_rebuild(): corrects the volume by hour, day and week; returns of how many periods.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_correct_alert()
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  corrected bigint;
BEGIN
  INSERT INTO @extschema@.fintrans_alerts (rule, source_account, target_account,
                                           total, transactions, threshold)
  SELECT d.rule, d.source_account, d.target_account, d.total, d.transactions,
         d.threshold
    FROM @extschema@.fintrans_alert_differences d
      ON CONFLICT (rule, source_account, target_account, account, window_start)
      DO NOTHING;
  GET DIAGNOSTICS corrected = ROW_COUNT;
  IF corrected > 0 THEN
    PERFORM pg_notify('fintrans_alerts', '');
  END IF;
  RETURN corrected;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_correct_alert() IS
  'Internal, step of fintrans_rebuild(): raises the alerts that are missing; returns how many.';

-- As by a change of the rules, which fintrans_rebuild() has locked if there are
-- any: even an UPDATE of none would lock them, and now be too late.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_correct_windows(rules text[])
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
BEGIN
  IF rules <> '{}' THEN
    UPDATE @extschema@.fintrans_rules r SET generation = NULL
     WHERE r.name = ANY (rules);
  END IF;
  RETURN cardinality(rules);
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_correct_windows(text[]) IS
  'Internal, step of fintrans_rebuild(): makes the window states of these rules anew and raises the alerts that are missing; returns of how many rules.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_rebuild()
RETURNS TABLE (problem text, corrected bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
  -- offsets before pairs before volume: the order in which writers lock rows
  steps CONSTANT text[] := ARRAY['trigger', 'offsets', 'dead letters', 'pair',
                                 'magnitude', 'volume', 'rollup', 'alert'];
  rules text[];
BEGIN
  PERFORM @extschema@.fintrans_begin_upkeep();
  -- a rule changed meanwhile would not see what is corrected here
  LOCK TABLE @extschema@.fintrans_rules IN SHARE MODE;
  -- Window states are made anew as by a change of rules, which keeps writers
  -- away, and has to before they wait for what is corrected here.
  rules := ARRAY(SELECT d.rule FROM @extschema@.fintrans_window_differences d
                  UNION
                 SELECT d.rule FROM @extschema@.fintrans_window_alert_differences d);
  IF rules <> '{}' THEN
    UPDATE @extschema@.fintrans_rules SET enabled = enabled WHERE false;
  END IF;
  FOREACH problem IN ARRAY steps LOOP
    RAISE NOTICE 'correcting %', problem;
    EXECUTE 'SELECT @extschema@.fintrans_correct_' || replace(problem, ' ', '_') || '()'
       INTO corrected;
    RETURN NEXT;
  END LOOP;
  problem := 'window';
  RAISE NOTICE 'correcting %', problem;
  corrected := @extschema@.fintrans_correct_windows(rules);
  RETURN NEXT;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_rebuild() IS
  'Corrects what fintrans_verify() finds, while others read and write; returns how much of each kind. Rules cannot be changed meanwhile. For the owner of the extension.';

REVOKE EXECUTE ON FUNCTION
  @extschema@.fintrans_correct_trigger(),
  @extschema@.fintrans_correct_offsets(),
  @extschema@.fintrans_correct_dead_letters(),
  @extschema@.fintrans_correct_pair(),
  @extschema@.fintrans_correct_magnitude(),
  @extschema@.fintrans_correct_volume(),
  @extschema@.fintrans_correct_rollup(),
  @extschema@.fintrans_correct_alert(),
  @extschema@.fintrans_correct_windows(text[]),
  @extschema@.fintrans_rebuild()
  FROM PUBLIC;
