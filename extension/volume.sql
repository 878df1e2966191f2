-- Volume for dashboards: fintrans_volume_by().

CREATE OR REPLACE FUNCTION @extschema@.fintrans_check_resolution(resolution interval)
RETURNS interval
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- months and years differ in length
  IF resolution IS NULL OR resolution <= '0 s'
     OR extract(epoch FROM resolution) % 60 <> 0
     OR extract(year FROM resolution) <> 0 OR extract(month FROM resolution) <> 0 THEN
    RAISE EXCEPTION 'volume is not known by %', coalesce(resolution::text, 'NULL')
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'It must be a positive number of whole minutes, hours or days.';
  END IF;
  RETURN resolution;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_check_resolution(interval) IS
  'Internal: the interval, if the volume can be told by it.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_kept_resolution(resolution interval)
RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN extract(epoch FROM resolution) % 604800 = 0 THEN interval '7 days'
              WHEN extract(epoch FROM resolution) % 86400 = 0 THEN '1 day'
              WHEN extract(epoch FROM resolution) % 3600 = 0 THEN '1 hour'
              ELSE '1 minute' END;
END;

COMMENT ON FUNCTION @extschema@.fintrans_kept_resolution(interval) IS
  'Internal: the coarsest resolution kept, 1 minute, 1 hour, 1 day or 7 days, of which the one asked for is a multiple.';

CREATE OR REPLACE VIEW @extschema@.fintrans_volumes AS
  SELECT r.resolution, r.start, r.city, r.transactions, r.total, r.minimum, r.maximum
    FROM @extschema@.fintrans_volume_rollup r
  UNION ALL
  SELECT '1 minute', m.minute, m.city, m.transactions, m.total, m.minimum,
         m.maximum
    FROM @extschema@.fintrans_volume m;

COMMENT ON VIEW @extschema@.fintrans_volumes IS
  'The volume by minute, hour, day and week: fintrans_volume and fintrans_volume_rollup in one.';

-- What is kept needs no grouping.  Constants let the planner leave out the tables
-- of other resolutions, and one of the halves.  Conditions stand outside and
-- nothing is sorted, so what is left is the scan of one table, by the order of
-- its index if the query wants that.  The half that groups has its own bounds,
-- and is always within those outside.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_volume_by(
  resolution interval, from_time timestamptz,
  to_time timestamptz DEFAULT now(), cities text[] DEFAULT NULL)
RETURNS TABLE (start timestamptz, city text, transactions bigint, total numeric,
               minimum numeric, maximum numeric)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
BEGIN ATOMIC
  SELECT p.start, p.city, p.transactions, p.total, p.minimum, p.maximum
    FROM (SELECT v.resolution, v.start AS within, v.start, v.city, v.transactions,
                 v.total, v.minimum, v.maximum
            FROM @extschema@.fintrans_volumes v
          UNION ALL
          SELECT CASE WHEN @extschema@.fintrans_kept_resolution(fintrans_volume_by.resolution)
                           <> fintrans_volume_by.resolution
                      THEN fintrans_volume_by.resolution END,
                 date_bin(fintrans_volume_by.resolution,
                          coalesce(from_time, '-infinity'), '1970-01-05 00:00+00'),
                 g.start, g.city, g.transactions, g.total, g.minimum, g.maximum
            FROM (SELECT date_bin(fintrans_volume_by.resolution, v.start, '1970-01-05 00:00+00') AS start,
                         v.city, sum(v.transactions)::bigint AS transactions,
                         sum(v.total) AS total, min(v.minimum) AS minimum,
                         max(v.maximum) AS maximum
                    FROM @extschema@.fintrans_volumes v
                   WHERE v.resolution
                         = @extschema@.fintrans_kept_resolution(fintrans_volume_by.resolution)
                     AND v.start >= date_bin(fintrans_volume_by.resolution,
                                             coalesce(from_time, '-infinity'), '1970-01-05 00:00+00')
                     AND v.start < date_bin(fintrans_volume_by.resolution,
                                            coalesce(to_time, 'infinity') - interval '1 microsecond',
                                            '1970-01-05 00:00+00')
                                   + fintrans_volume_by.resolution
                   GROUP BY 1, 2) g) p
   WHERE p.resolution = fintrans_volume_by.resolution
     AND p.within >= date_bin(@extschema@.fintrans_check_resolution(fintrans_volume_by.resolution),
                              coalesce(from_time, '-infinity'), '1970-01-05 00:00+00')
     AND p.within < coalesce(to_time, 'infinity')
     AND (cities IS NULL OR p.city = ANY (cities));
END;

COMMENT ON FUNCTION @extschema@.fintrans_volume_by(interval, timestamptz, timestamptz, text[]) IS
  'Volume per city and period of the given length, a positive number of whole minutes, hours or days counted from Monday 1970-01-05 00:00 UTC: of the periods from the one that from_time lies in, up to those that start before to_time (without end when NULL); of the cities given, or of all when NULL. Reads the weeks, days, hours or minutes kept, whichever are fewest. In no order: ORDER BY start, city is that of an index.';
