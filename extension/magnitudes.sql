-- Magnitudes: the index by which fintrans_suspects() finds large totals; see magnitudes.c.

-- All but a sixteenth of the pairs lie below the first ceiling, half of the
-- rest below the second, ... ; above the top 1/1024, ceilings are 3 % apart.
-- Lower ceilings would be of no use: a query that returns more than a
-- sixteenth of all pairs is better off reading the whole table.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_tune_magnitudes()
RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  INSERT INTO @extschema@.fintrans_magnitudes AS m (magnitude, ceiling)
  -- of some 600 pages, or all there are
  WITH sample AS (
    SELECT percentile_disc(array(SELECT 1 - 0.5 ^ k FROM generate_series(4, 10) k)::double precision[])
           WITHIN GROUP (ORDER BY s.total) AS q
      FROM @extschema@.fintrans_laundering s
           TABLESAMPLE SYSTEM ((SELECT least(100, 600 * 100.0 * current_setting('block_size')::integer
                                             / greatest(1, pg_relation_size('@extschema@.fintrans_laundering')))))
  )
  SELECT k - 1, q[k] FROM sample, generate_series(1, 7) k
   WHERE q IS NOT NULL
  UNION ALL
  SELECT 6 + k, round(q[7] * 1.03 ^ k, 4)
    FROM sample, generate_series(1, 240) k
   WHERE q IS NOT NULL
      ON CONFLICT (magnitude) DO UPDATE SET ceiling = excluded.ceiling
   WHERE excluded.ceiling > m.ceiling
$$;

COMMENT ON FUNCTION @extschema@.fintrans_tune_magnitudes() IS
  'Internal: raises the ceilings of fintrans_magnitudes to the quantiles of a sample of the totals. The triggers call it when needed.';

REVOKE EXECUTE ON FUNCTION @extschema@.fintrans_tune_magnitudes() FROM PUBLIC;

CREATE OR REPLACE FUNCTION @extschema@.fintrans_magnitude_above(threshold numeric)
RETURNS smallint
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce(min(m.magnitude), 32767::smallint)
    FROM @extschema@.fintrans_magnitudes m
   WHERE m.ceiling > threshold;
END;

COMMENT ON FUNCTION @extschema@.fintrans_magnitude_above(numeric) IS
  'Internal: the lowest magnitude that may hold totals above the threshold.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_magnitude_of(total numeric)
RETURNS smallint
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce(min(m.magnitude), 32767::smallint)
    FROM @extschema@.fintrans_magnitudes m
   WHERE m.ceiling >= total;
END;

COMMENT ON FUNCTION @extschema@.fintrans_magnitude_of(numeric) IS
  'Internal: the lowest magnitude whose ceiling the total does not exceed.';
