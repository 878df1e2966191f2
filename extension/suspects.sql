-- fintrans_suspects(): the pairs whose total is above a threshold.

-- In a function of its own, so that the planner does not take the cost of
-- reading the whole table, when it is not to be read, for a reason to start
-- parallel workers and to compile the query.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_low_suspects(threshold numeric)
RETURNS SETOF @extschema@.fintrans_laundering
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF threshold IS NULL THEN
    RAISE EXCEPTION 'threshold must not be null'
      USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF @extschema@.fintrans_magnitude_above(threshold) = 0 THEN
    RETURN QUERY
      SELECT l.* FROM @extschema@.fintrans_laundering l
       WHERE l.magnitude = 0 AND l.total > threshold;
  END IF;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_low_suspects(numeric) IS
  'Internal: the pairs above the threshold that have no entry in the index on magnitudes; reads nothing when there can be none.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_suspects(threshold numeric)
RETURNS TABLE (source_account text, target_account text, total numeric,
               transactions bigint, first_time timestamptz,
               last_time timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
BEGIN ATOMIC
  SELECT l.source_account, l.target_account, l.total, l.transactions,
         l.first_time, l.last_time
    FROM @extschema@.fintrans_laundering l
   WHERE l.magnitude > 0
     AND l.magnitude >= @extschema@.fintrans_magnitude_of(threshold)
     AND l.total > threshold
  UNION ALL
  SELECT l.source_account, l.target_account, l.total, l.transactions,
         l.first_time, l.last_time
    FROM @extschema@.fintrans_laundering l
   WHERE l.magnitude > 0 AND l.magnitude < 1000
     AND l.total > threshold
  UNION ALL
  SELECT l.source_account, l.target_account, l.total, l.transactions,
         l.first_time, l.last_time
    FROM @extschema@.fintrans_low_suspects(threshold) l
   ORDER BY total DESC, source_account, target_account;
END;

COMMENT ON FUNCTION @extschema@.fintrans_suspects(numeric) IS
  'The pairs whose total is strictly above the threshold, largest first. The threshold, in the currency of the installation, must not be NULL.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_suspects_cost(
  threshold numeric, OUT suspects bigint, OUT index_entries bigint,
  OUT table_rows bigint)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT (SELECT count(*) FROM @extschema@.fintrans_suspects(threshold)),
         (SELECT count(*) FROM @extschema@.fintrans_laundering l
           WHERE l.magnitude > 0
             AND (l.magnitude >= @extschema@.fintrans_magnitude_of(threshold)
                  OR l.magnitude < 1000)),
         CASE WHEN @extschema@.fintrans_magnitude_above(threshold) = 0
              THEN (SELECT count(*) FROM @extschema@.fintrans_laundering)
              ELSE 0 END;
END;

COMMENT ON FUNCTION @extschema@.fintrans_suspects_cost(numeric) IS
  'What fintrans_suspects() reads for a threshold: the suspects it returns, the index entries it reads for them, and the rows of the whole table, 0 unless the threshold is below the floor that one pair in 256 exceeds.';

-- As many index entries as the rank, the largest magnitudes, and the pairs they
-- stand for: whatever is not among these is not above their lowest magnitude,
-- but may be above their lowest total.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_total_of_rank(rank bigint)
RETURNS numeric
LANGUAGE plpgsql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  lowest smallint;
BEGIN
  SELECT l.magnitude INTO lowest
    FROM @extschema@.fintrans_laundering l
   WHERE l.magnitude > 0
   ORDER BY l.magnitude DESC
  OFFSET rank - 1 LIMIT 1;
  IF lowest IS NULL THEN
    RETURN NULL;
  END IF;
  RETURN (SELECT min(t.total) - 1e-18
            FROM (SELECT l.total FROM @extschema@.fintrans_laundering l
                   WHERE l.magnitude > 0 AND l.magnitude >= lowest
                   ORDER BY l.total DESC LIMIT rank) t);
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_total_of_rank(bigint) IS
  'Internal: a total that at least so many pairs exceed, by the index on magnitudes; NULL when that has too few entries.';

-- By index in partitions that have one, and by reading the others once.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_window_totals(
  sources text[], targets text[],
  window_start timestamptz, window_end timestamptz)
RETURNS SETOF @extschema@.fintrans_laundering
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = 'force_custom_plan'
AS $$
DECLARE
  unindexed timestamptz := @extschema@.fintrans_unindexed_from(window_start, window_end);
  place     tid;
  until     timestamptz := '-infinity';
BEGIN
  IF window_start >= unindexed THEN
    SELECT f.place, f.until INTO place, until
      FROM @extschema@.fintrans_first_row(window_start) f;
  END IF;
  RETURN QUERY
    SELECT p.source_account, p.target_account, sum(p.amount), count(*),
           min(p.event_time), max(p.event_time), 0::smallint, NULL::bytea
      FROM (SELECT t.source_account, t.target_account, t.amount, t.event_time
              FROM unnest(sources, targets) c (source_account, target_account)
              JOIN @extschema@.fintrans_transactions t USING (source_account, target_account)
             WHERE t.event_time < unindexed
             UNION ALL
            SELECT t.source_account, t.target_account, t.amount, t.event_time
              FROM unnest(sources, targets) c (source_account, target_account)
              JOIN (SELECT * FROM @extschema@.fintrans_transactions
                     WHERE event_time < until AND ctid >= place
                     UNION ALL
                    SELECT * FROM @extschema@.fintrans_transactions
                     WHERE event_time >= greatest(unindexed, until)) t
             USING (source_account, target_account)
             WHERE t.source_account = ANY (sources)) p
     WHERE p.event_time > window_start AND p.event_time <= window_end
     GROUP BY p.source_account, p.target_account;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_window_totals(text[], text[], timestamptz, timestamptz) IS
  'Internal: what each of these pairs moved with window_start < event_time <= window_end, as a row of fintrans_laundering; pairs without a transaction then are left out.';

-- PL/pgSQL plans each query for the arguments of the call, which is what makes
-- it read the right partitions and the index on magnitudes.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_suspects(
  threshold numeric, "window" interval,
  "limit" bigint DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS TABLE (source_account text, target_account text, total numeric,
               transactions bigint, first_time timestamptz,
               last_time timestamptz)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  window_end   timestamptz := coalesce(until, now());
  window_start timestamptz;
  lowest       numeric;
  any_pair     boolean;
  wide         bigint;
  found        @extschema@.fintrans_laundering[];
BEGIN
  IF threshold IS NULL THEN
    RAISE EXCEPTION 'threshold must not be null'
      USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF "limit" <= 0 THEN
    RAISE EXCEPTION 'limit must be positive'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF "window" IS NULL THEN
    IF until IS NOT NULL THEN
      RAISE EXCEPTION 'a window is needed with "until"'
        USING ERRCODE = 'null_value_not_allowed';
    END IF;
    lowest := greatest(threshold, @extschema@.fintrans_total_of_rank("limit"));
    RETURN QUERY
      SELECT s.* FROM @extschema@.fintrans_suspects(lowest) s
       ORDER BY s.total DESC, s.source_account, s.target_account
       LIMIT "limit";
    RETURN;
  END IF;

  window_start := window_end - "window";
  IF window_start >= window_end THEN
    RAISE EXCEPTION 'window must be positive'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- amounts are not negative, so what is above the threshold in the window is
  -- above it in all; and the largest then are mostly among the largest in all
  any_pair := @extschema@.fintrans_magnitude_above(threshold) = 0;
  wide := 10 * least("limit", 1000);
  lowest := threshold;
  IF any_pair OR EXISTS (
       SELECT FROM @extschema@.fintrans_laundering l
        WHERE l.magnitude > 0
          AND l.magnitude >= @extschema@.fintrans_magnitude_of(threshold)
       OFFSET wide) THEN
    lowest := greatest(CASE WHEN NOT any_pair THEN threshold END,
                       @extschema@.fintrans_total_of_rank(wide));
  END IF;
  IF lowest = threshold OR (lowest IS NOT NULL AND "limit" <= 1000) THEN
    found := ARRAY(
      SELECT w
        FROM (SELECT array_agg(s.source_account) AS sources,
                     array_agg(s.target_account) AS targets,
                     CASE WHEN min(s.first_time) > window_start
                          THEN min(s.first_time) - interval '1 microsecond'
                          ELSE window_start END AS after,
                     least(max(s.last_time), window_end) AS latest
                FROM @extschema@.fintrans_suspects(lowest) s
               WHERE s.last_time > window_start AND s.first_time <= window_end) s,
             @extschema@.fintrans_window_totals(s.sources, s.targets,
                                                s.after, s.latest) w
       WHERE w.total > threshold
       ORDER BY w.total DESC, w.source_account, w.target_account
       LIMIT "limit");
  END IF;
  -- and no other one can be before these
  IF lowest = threshold OR found[least("limit", 1001)].total > lowest THEN
    RETURN QUERY
      SELECT f.source_account, f.target_account, f.total, f.transactions,
             f.first_time, f.last_time
        FROM unnest(found) f;
    RETURN;
  END IF;
  RETURN QUERY
    SELECT t.source_account, t.target_account, sum(t.amount), count(*),
           min(t.event_time), max(t.event_time)
      FROM @extschema@.fintrans_transactions t
     WHERE t.event_time > window_start AND t.event_time <= window_end
       AND (any_pair OR (t.source_account, t.target_account) IN (
                 SELECT s.source_account, s.target_account
                   FROM @extschema@.fintrans_suspects(threshold) s))
     GROUP BY t.source_account, t.target_account
    HAVING sum(t.amount) > threshold
     ORDER BY 3 DESC, 1, 2
     LIMIT "limit";
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_suspects(numeric, interval, bigint, timestamptz) IS
  'The pairs whose total is strictly above the threshold, largest first: over all transactions held, when the window is NULL, or over those whose event time is in the window that ends at "until" (now, when NULL) and does not include its start; at most so many as the limit says. The threshold must not be NULL, nor the window with "until"; window and limit must be positive.';
