-- Indexes of partitions whose day has passed, and what they are for: the transactions of a pair or an account.

-- Partitions being filled have none, since that would slow down every COPY.  By
-- their definition, so that those somebody else has made count.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_missing_indexes(
  before timestamptz DEFAULT now())
RETURNS TABLE (leaf regclass, columns text, statement text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO'
BEGIN ATOMIC
  SELECT c.oid::regclass, w.columns,
         format('CREATE INDEX CONCURRENTLY ON %s (%s)', c.oid::regclass, w.columns)
    FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid
   CROSS JOIN substring(pg_get_expr(c.relpartbound, c.oid)
                        FROM 'TO \(''([^'']+)''\)') b (upper_bound)
   CROSS JOIN (VALUES ('source_account, target_account, event_time'),
                      ('target_account, event_time')) w (columns)
   WHERE i.inhparent = '@extschema@.fintrans_transactions'::regclass
     AND c.relkind = 'r'
     AND b.upper_bound::timestamptz <= before
     AND pg_relation_size(c.oid) > 0
     AND NOT EXISTS (SELECT FROM pg_index x
                      WHERE x.indrelid = c.oid AND x.indisvalid
                        AND x.indpred IS NULL
                        AND pg_get_indexdef(x.indexrelid)
                            LIKE '% USING btree (' || w.columns || '%')
   ORDER BY b.upper_bound::timestamptz, w.columns;
END;

COMMENT ON FUNCTION @extschema@.fintrans_missing_indexes(timestamptz) IS
  'The indexes that partitions with transactions lack whose day was over by then, oldest day first, and the statement with which the owner of the extension can make each without holding up writers.';

-- Rows that come late for that day wait until the index is made, but nobody
-- waits for it to begin.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_make_index(
  leaf regclass, columns text)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM @extschema@.fintrans_missing_indexes() m
                  WHERE m.leaf = fintrans_make_index.leaf
                    AND m.columns = fintrans_make_index.columns) THEN
    RETURN false;
  END IF;
  EXECUTE format('LOCK TABLE %s IN SHARE MODE NOWAIT', leaf);
  EXECUTE format('CREATE INDEX ON %s (%s)', leaf, columns);
  RETURN true;
EXCEPTION WHEN lock_not_available THEN
  RETURN false;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_make_index(regclass, text) IS
  'Internal, step of fintrans_index_partitions(): makes one index, unless it is there, or somebody writes to the partition or vacuums it.';

REVOKE EXECUTE ON FUNCTION @extschema@.fintrans_make_index(regclass, text)
  FROM PUBLIC;

-- No SET and no SECURITY DEFINER, or it could not commit: hence no operator,
-- function or type that the caller's search_path could decide about.
CREATE OR REPLACE PROCEDURE @extschema@.fintrans_index_partitions(
  before timestamptz DEFAULT now(), INOUT made bigint DEFAULT 0)
LANGUAGE plpgsql
AS $$
DECLARE
  missing pg_catalog.record;
BEGIN
  made := 0;
  FOR missing IN SELECT m.leaf, m.columns
                   FROM @extschema@.fintrans_missing_indexes(before) m LOOP
    IF @extschema@.fintrans_make_index(missing.leaf, missing.columns) THEN
      made := made OPERATOR(pg_catalog.+) 1::pg_catalog.int8;
    END IF;
    COMMIT;
  END LOOP;
END
$$;

COMMENT ON PROCEDURE @extschema@.fintrans_index_partitions(timestamptz, bigint) IS
  'Makes the indexes that partitions lack whose day was over by then, each in a database transaction of its own, and tells how many. A partition that somebody writes to or vacuums is left for the next call; rows that come late for one wait while its index is made.';

REVOKE EXECUTE ON PROCEDURE @extschema@.fintrans_index_partitions(timestamptz, bigint)
  FROM PUBLIC;

-- To ask for a size is to lock: only partitions that the query reads as well.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_unindexed_from(
  lowest timestamptz, highest timestamptz)
RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO'
BEGIN ATOMIC
  SELECT coalesce(min(l.lower_bound::timestamptz), 'infinity')
    FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid
   CROSS JOIN pg_get_expr(c.relpartbound, c.oid) b (bounds)
   CROSS JOIN substring(b.bounds FROM 'FROM \(''([^'']+)''\)') l (lower_bound)
   CROSS JOIN substring(b.bounds FROM 'TO \(''([^'']+)''\)') u (upper_bound)
   WHERE i.inhparent = '@extschema@.fintrans_transactions'::regclass
     AND NOT c.relhasindex
     AND CASE WHEN l.lower_bound::timestamptz <= highest
               AND u.upper_bound::timestamptz > lowest
              THEN pg_relation_size(i.inhrelid) > 0 END;
END;

COMMENT ON FUNCTION @extschema@.fintrans_unindexed_from(timestamptz, timestamptz) IS
  'Internal: where the first of the days between these times begins whose partition has transactions and no index; infinity when there is none.';

-- Partitions grow at their end, mostly in the order of event time, and the volume
-- says exactly how many rows a time has: when as many were met on the way back from
-- the end, none is before.  Other orders are given up on before that costs much; so
-- are times without any, and before what retention has dropped, for which the
-- volume does not speak.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_first_row(
  since timestamptz, OUT place tid, OUT until timestamptz)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
  first_minute timestamptz := date_trunc('minute', since);
  day          timestamptz := date_trunc('day', since);
  day_end      timestamptz;
  leaf         regclass := to_regclass('@extschema@.' || to_char(day, '"fintrans_transactions_"YYYYMMDD'));
  block        bigint := pg_relation_size(leaf) / current_setting('block_size')::bigint;
  step         bigint;
  found        bigint := 0;
  wanted       bigint;
  held         bigint;
BEGIN
  until := '-infinity';
  IF block IS NULL
     OR NOT has_table_privilege('@extschema@.fintrans_volume', 'SELECT')
     OR NOT has_table_privilege('@extschema@.fintrans_volume_rollup', 'SELECT')
     OR NOT has_table_privilege('@extschema@.fintrans_retention', 'SELECT') THEN
    RETURN;
  END IF;
  IF first_minute < (SELECT r.dropped_before FROM @extschema@.fintrans_retention r) THEN
    RETURN;
  END IF;
  day_end := day + interval '1 day';
  SELECT coalesce(sum(v.transactions), 0) INTO wanted
    FROM @extschema@.fintrans_volume v
   WHERE v.minute >= first_minute AND v.minute < day_end;
  SELECT coalesce(sum(r.transactions), 0) INTO held
    FROM @extschema@.fintrans_volume_rollup r
   WHERE r.resolution = '1 day' AND r.start = day;
  -- what is found is read twice
  IF wanted = 0 OR wanted * 4 > held THEN
    RETURN;
  END IF;
  step := block * wanted / greatest(held, 1) + 16;
  FOR attempt IN 1..2 LOOP
    EXIT WHEN found >= wanted;
    found := found + (
      SELECT count(*) FROM @extschema@.fintrans_transactions t
       WHERE t.event_time >= first_minute AND t.event_time < day_end
         AND t.ctid >= format('(%s,0)', greatest(block - step, 0))::tid
         AND t.ctid < format('(%s,0)', block)::tid);
    block := greatest(block - step, 0);
  END LOOP;
  IF found = wanted THEN
    place := format('(%s,0)', block);
    until := day_end;
  END IF;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_first_row(timestamptz) IS
  'Internal: a place in the partition of the UTC day of "since" that no row with event_time >= since is before, found by counting from its end until the volume is reached, and the end of that day. NULL and -infinity when rows have not come in the order of event time, or none or most of the day''s are of then.';

-- PL/pgSQL plans the query for these times, so partitions are left out that the
-- pair's first and last time rule out; a pair without a total is looked for in
-- all, since it may be what fintrans_verify() finds.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_pair_transactions(
  source_account text, target_account text,
  from_time timestamptz DEFAULT NULL, to_time timestamptz DEFAULT NULL)
RETURNS SETOF @extschema@.fintrans_transactions
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_custom_plan'
AS $$
#variable_conflict use_column
DECLARE
  lowest  timestamptz;
  highest timestamptz;
  place   tid;
  until   timestamptz := '-infinity';
BEGIN
  SELECT min(l.first_time), max(l.last_time) INTO lowest, highest
    FROM @extschema@.fintrans_laundering l
   WHERE l.source_account = fintrans_pair_transactions.source_account
     AND l.target_account = fintrans_pair_transactions.target_account;
  lowest := greatest(lowest, from_time, '-infinity');
  highest := least(highest, to_time, 'infinity');
  IF lowest >= @extschema@.fintrans_unindexed_from(lowest, highest) THEN
    SELECT f.place, f.until INTO place, until
      FROM @extschema@.fintrans_first_row(lowest) f;
  END IF;
  RETURN QUERY
    SELECT t.*
      FROM (SELECT * FROM @extschema@.fintrans_transactions
             WHERE event_time < until AND ctid >= place
             UNION ALL
            SELECT * FROM @extschema@.fintrans_transactions
             WHERE event_time >= until) t
     WHERE t.source_account = fintrans_pair_transactions.source_account
       AND t.target_account = fintrans_pair_transactions.target_account
       AND t.event_time BETWEEN lowest AND highest
     ORDER BY t.event_time, t.city, t.kafka_partition, t.kafka_offset;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_pair_transactions(text, text, timestamptz, timestamptz) IS
  'The transactions held from one account to another, in the order of event time, between two times, both included; NULL sets no bound. By index in partitions whose day has passed (see fintrans_index_partitions), by reading the others.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_account_transactions(
  account text,
  from_time timestamptz DEFAULT NULL, to_time timestamptz DEFAULT NULL)
RETURNS SETOF @extschema@.fintrans_transactions
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  lowest  timestamptz := coalesce(from_time, '-infinity');
  highest timestamptz := coalesce(to_time, 'infinity');
BEGIN
  RETURN QUERY
    SELECT t.* FROM @extschema@.fintrans_transactions t
     WHERE (t.source_account = account OR t.target_account = account)
       AND t.event_time BETWEEN lowest AND highest
     ORDER BY t.event_time, t.city, t.kafka_partition, t.kafka_offset;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_account_transactions(text, timestamptz, timestamptz) IS
  'The transactions held in which an account is the source or the target, in the order of event time, between two times, both included; NULL sets no bound. By index in partitions whose day has passed (see fintrans_index_partitions), by reading the others.';
