-- Retention: fintrans_drop_before() and its steps.

CREATE OR REPLACE FUNCTION @extschema@.fintrans_retire(before timestamptz)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF before IS NULL OR NOT isfinite(before) OR before > now() THEN
    RAISE EXCEPTION 'transactions cannot be dropped before %', coalesce(before::text, 'NULL')
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'It must be a time in the past.';
  END IF;
  PERFORM @extschema@.fintrans_begin_upkeep();
  INSERT INTO @extschema@.fintrans_retention AS r (dropped_before)
  VALUES (date_bin('1 day', before, '0001-01-01 00:00+00'))
      ON CONFLICT (only_row) DO UPDATE
     SET dropped_before = excluded.dropped_before,
         changed_at = excluded.changed_at, changed_by = excluded.changed_by
   WHERE r.dropped_before < excluded.dropped_before;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_retire(timestamptz) IS
  'Internal, first step of fintrans_drop_before(): removing earlier transactions leaves the volume as it is from now on.';

-- Leaves that are partitioned themselves are not ours to drop.  pg_get_expr()
-- writes bounds as timezone and datestyle say.  Volatile, so that it sees what
-- others have dropped meanwhile.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_retired_leaf(before timestamptz)
RETURNS text
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO'
BEGIN ATOMIC
  -- with its schema, since that is not in search_path here
  SELECT c.oid::regclass::text
    FROM @extschema@.fintrans_retention r
   CROSS JOIN pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid
   CROSS JOIN substring(pg_get_expr(c.relpartbound, c.oid)
                        FROM 'TO \(''([^'']+)''\)') b (upper_bound)
   WHERE i.inhparent = '@extschema@.fintrans_transactions'::regclass
     AND c.relkind = 'r'
     AND b.upper_bound::timestamptz <= least(r.dropped_before, before)
   ORDER BY b.upper_bound::timestamptz
   LIMIT 1;
END;

COMMENT ON FUNCTION @extschema@.fintrans_retired_leaf(timestamptz) IS
  'Internal: the oldest partition that holds nothing but transactions to be dropped.';

-- Offsets are locked before pairs, and in the order in which bridges lock them.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_empty_retired_leaf(
  before timestamptz, leaf_name text, from_block bigint)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  blocks CONSTANT bigint := 1024;
  first  CONSTANT tid := format('(%s,0)', from_block);
  beyond CONSTANT tid := format('(%s,0)', from_block + blocks);
  leaf   regclass;
BEGIN
  PERFORM @extschema@.fintrans_begin_upkeep();
  IF leaf_name IS DISTINCT FROM @extschema@.fintrans_retired_leaf(before) THEN
    RETURN NULL;
  END IF;
  leaf := leaf_name;
  IF from_block * current_setting('block_size')::bigint >= pg_relation_size(leaf) THEN
    RETURN NULL;
  END IF;
  IF EXISTS (SELECT FROM @extschema@.fintrans_trigger_differences d
              WHERE d.relation = leaf) THEN
    RAISE EXCEPTION 'partition "%" lacks triggers, so totals would not follow', leaf
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'SELECT * FROM fintrans_rebuild() puts them in force.';
  END IF;
  EXECUTE replace('
    SELECT FROM @extschema@.fintrans_offsets o
     WHERE (o.topic, o.kafka_partition) IN (
             SELECT t.city, t.kafka_partition FROM <leaf> t
              WHERE t.ctid >= $1 AND t.ctid < $2)
     ORDER BY o.topic, o.kafka_partition
       FOR UPDATE', '<leaf>', leaf::text) USING first, beyond;
  EXECUTE replace('
    WITH gone AS (
      DELETE FROM <leaf> t WHERE t.ctid >= $1 AND t.ctid < $2
      RETURNING t.city, t.kafka_partition)
    UPDATE @extschema@.fintrans_offsets o
       SET stored = o.stored - least(o.stored, g.held),
           replayed = o.replayed - least(o.replayed, g.held - least(o.stored, g.held)),
           dropped = o.dropped + least(o.stored + o.replayed, g.held)
      FROM (SELECT city, kafka_partition, count(*) AS held FROM gone
             GROUP BY city, kafka_partition) g
     WHERE (o.topic, o.kafka_partition) = (g.city, g.kafka_partition)',
    '<leaf>', leaf::text) USING first, beyond;
  RETURN from_block + blocks;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_empty_retired_leaf(timestamptz, text, bigint) IS
  'Internal, step of fintrans_drop_before(): deletes the transactions in some blocks of that partition, counts their offsets as dropped, and returns the block to go on from; NULL at the end.';

-- deadlock_timeout is when autovacuum is asked to go away
CREATE OR REPLACE FUNCTION @extschema@.fintrans_drop_retired_leaf(
  before timestamptz, leaf_name text, OUT dropped boolean, OUT obstacle text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '1s' SET deadlock_timeout = '100ms'
AS $$
DECLARE
  leaf   regclass;
  filled boolean;
BEGIN
  dropped := false;
  PERFORM @extschema@.fintrans_begin_upkeep();
  IF leaf_name IS DISTINCT FROM @extschema@.fintrans_retired_leaf(before) THEN
    RETURN;
  END IF;
  leaf := leaf_name;
  -- once before the lock, since it reads the whole partition
  EXECUTE 'SELECT EXISTS (SELECT FROM ' || leaf || ')' INTO filled;
  IF NOT filled THEN
    LOCK TABLE ONLY @extschema@.fintrans_transactions IN ACCESS EXCLUSIVE MODE;
    EXECUTE 'LOCK TABLE ' || leaf || ' IN ACCESS EXCLUSIVE MODE';
    EXECUTE 'SELECT EXISTS (SELECT FROM ' || leaf || ')' INTO filled;
  END IF;
  IF filled THEN
    obstacle := 'transactions have come meanwhile';
    RETURN;
  END IF;
  EXECUTE 'DROP TABLE ' || leaf;
  dropped := true;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
  dropped := false;
  obstacle := 'it is in use';
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_drop_retired_leaf(timestamptz, text) IS
  'Internal, last step of fintrans_drop_before(): drops that partition if it is empty and nobody has to be waited for; tells why not, if so.';

REVOKE EXECUTE ON FUNCTION
  @extschema@.fintrans_begin_upkeep(),
  @extschema@.fintrans_retire(timestamptz),
  @extschema@.fintrans_retired_leaf(timestamptz),
  @extschema@.fintrans_empty_retired_leaf(timestamptz, text, bigint),
  @extschema@.fintrans_drop_retired_leaf(timestamptz, text)
  FROM PUBLIC;

-- No SET and no SECURITY DEFINER, or it could not commit: hence no operator,
-- function or type that the caller's search_path could decide about.
CREATE OR REPLACE PROCEDURE @extschema@.fintrans_drop_before(
  before timestamptz, INOUT dropped bigint DEFAULT 0)
LANGUAGE plpgsql
AS $$
DECLARE
  leaf     pg_catalog.text;
  block    pg_catalog.int8;
  is_gone  pg_catalog.bool;
  obstacle pg_catalog.text;
BEGIN
  dropped := 0;
  PERFORM @extschema@.fintrans_retire(before);
  COMMIT;
  LOOP
    leaf := @extschema@.fintrans_retired_leaf(before);
    EXIT WHEN leaf IS NULL;
    FOR attempt IN 1 .. 60 LOOP
      block := 0;
      LOOP
        block := @extschema@.fintrans_empty_retired_leaf(before, leaf, block);
        COMMIT;
        EXIT WHEN block IS NULL;
      END LOOP;
      SELECT d.dropped, d.obstacle INTO is_gone, obstacle
        FROM @extschema@.fintrans_drop_retired_leaf(before, leaf) d;
      COMMIT;
      EXIT WHEN obstacle IS NULL;
      RAISE NOTICE 'partition "%" cannot be dropped yet: %', leaf, obstacle;
      PERFORM pg_catalog.pg_sleep(1);
    END LOOP;
    IF obstacle IS NOT NULL THEN
      RAISE EXCEPTION 'partition "%" could not be dropped: %', leaf, obstacle
        USING ERRCODE = 'lock_not_available',
              HINT = 'Call the procedure again when nobody holds it any more.';
    END IF;
    IF is_gone THEN
      dropped := dropped OPERATOR(pg_catalog.+) 1::pg_catalog.int8;
    END IF;
  END LOOP;
END
$$;

COMMENT ON PROCEDURE @extschema@.fintrans_drop_before(timestamptz, bigint) IS
  'Drops the partitions that hold transactions of earlier UTC days only: totals and offsets follow, volume, alerts and reviews stay. Works in many short transactions while others read and write; dropped tells how many partitions are gone.';

REVOKE EXECUTE ON PROCEDURE @extschema@.fintrans_drop_before(timestamptz, bigint)
  FROM PUBLIC;
