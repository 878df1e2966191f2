-- Magnitudes: the index by which fintrans_suspects() finds large totals; see magnitudes.c.

-- A lower floor would be of no use: a query that returns more than a small
-- part of all pairs is better off reading the whole table.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_tune_magnitudes()
RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  INSERT INTO @extschema@.fintrans_magnitudes AS m (magnitude, ceiling)
  -- of some 600 pages, or all there are
  WITH sample AS (
    SELECT percentile_disc(ARRAY[255/256.0, 511/512.0]::double precision[])
           WITHIN GROUP (ORDER BY s.total) AS q
      FROM @extschema@.fintrans_laundering s
           TABLESAMPLE SYSTEM ((SELECT least(100, 600 * 100.0 * current_setting('block_size')::integer
                                             / greatest(1, pg_relation_size('@extschema@.fintrans_laundering')))))
  )
  SELECT k - 1, q[k] FROM sample, generate_series(1, 2) k
   WHERE q IS NOT NULL
      ON CONFLICT (magnitude) DO UPDATE SET ceiling = excluded.ceiling
   WHERE excluded.ceiling > m.ceiling
$$;

COMMENT ON FUNCTION @extschema@.fintrans_tune_magnitudes() IS
  'Internal: raises the totals in fintrans_magnitudes to the quantiles of a sample. The triggers call it when needed.';

REVOKE EXECUTE ON FUNCTION @extschema@.fintrans_tune_magnitudes() FROM PUBLIC;

COMMENT ON TABLE @extschema@.fintrans_magnitudes IS
  'Quantiles of the totals: of magnitude 0, the floor, which one pair in 256 exceeds, and of 1, which half as many do. They only ever rise. Kept by fintrans_tune_magnitudes(); never write to it.';
COMMENT ON COLUMN @extschema@.fintrans_laundering.magnitude IS
  '0 when the total is not above the floor in fintrans_magnitudes, or else the total, rounded up to a few digits of a logarithm; 1 to 999 in rows that were last written by 0.1.0. What fintrans_suspects() looks up by index.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_magnitude_of(total numeric)
RETURNS smallint
AS 'MODULE_PATHNAME', 'fintrans_magnitude_of'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_magnitude_of(numeric) IS
  'Internal: a magnitude that no pair with this total, or a larger one, is below, unless its magnitude is below 1000.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_magnitude_above(threshold numeric)
RETURNS smallint
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN m.ceiling > threshold THEN 0::smallint
              ELSE @extschema@.fintrans_magnitude_of(threshold) END
    FROM (SELECT max(f.ceiling) AS ceiling
            FROM @extschema@.fintrans_magnitudes f WHERE f.magnitude = 0) m;
END;

COMMENT ON FUNCTION @extschema@.fintrans_magnitude_above(numeric) IS
  'Internal: 0 when magnitude 0 may hold totals above the threshold, or else the lowest of at least 1000 that may.';
