-- fintrans_verify(): what is maintained against what it is made of.

-- The views say what fintrans_rebuild() is to correct, too.

CREATE OR REPLACE VIEW @extschema@.fintrans_pair_differences AS
  SELECT source_account, target_account,
         e.total AS expected_total, e.transactions AS expected_transactions,
         f.total AS found_total, f.transactions AS found_transactions,
         coalesce(e.first_time, f.first_time) AS first_time,
         coalesce(e.last_time, f.last_time) AS last_time
    FROM (SELECT t.source_account, t.target_account,
                 sum(t.amount) AS total, count(*) AS transactions,
                 min(t.event_time) AS first_time, max(t.event_time) AS last_time
            FROM @extschema@.fintrans_transactions t
           GROUP BY t.source_account, t.target_account) e
    FULL JOIN @extschema@.fintrans_laundering f
         USING (source_account, target_account)
   WHERE (e.total, e.transactions) IS DISTINCT FROM (f.total, f.transactions);

COMMENT ON VIEW @extschema@.fintrans_pair_differences IS
  'Pairs whose total or number of transactions is not that of the transactions held.';

CREATE OR REPLACE VIEW @extschema@.fintrans_magnitude_differences AS
  SELECT l.source_account, l.target_account, l.total, l.magnitude, m.ceiling,
         @extschema@.fintrans_magnitude_of(l.total) AS lowest
    FROM @extschema@.fintrans_laundering l
    LEFT JOIN @extschema@.fintrans_magnitudes m ON m.magnitude = 0
   WHERE l.magnitude < 0
      OR l.magnitude = 0 AND (m.ceiling IS NULL OR l.total > m.ceiling)
      OR l.magnitude >= 1000
         AND l.magnitude < @extschema@.fintrans_magnitude_of(l.total);

COMMENT ON VIEW @extschema@.fintrans_magnitude_differences IS
  'Pairs that fintrans_suspects() may not find, since their magnitude is too low for their total.';

-- A minute without rows is history, unless its day is still held; days being
-- dropped are history as well.
CREATE OR REPLACE VIEW @extschema@.fintrans_volume_differences AS
  SELECT city, minute,
         e.transactions AS expected_transactions, e.total AS expected_total,
         e.minimum AS expected_minimum, e.maximum AS expected_maximum,
         f.transactions AS found_transactions, f.total AS found_total,
         f.minimum AS found_minimum, f.maximum AS found_maximum
    -- before its origin date_bin() is a minute off in PostgreSQL 16.2
    FROM (SELECT t.city, date_bin('1 minute', t.event_time, '0001-01-01 00:00+00') AS minute,
                 count(*) AS transactions, sum(t.amount) AS total,
                 min(t.amount) AS minimum, max(t.amount) AS maximum
            FROM @extschema@.fintrans_transactions t
           GROUP BY 1, 2) e
    FULL JOIN @extschema@.fintrans_volume f USING (city, minute)
   WHERE (e.transactions, e.total, e.minimum, e.maximum)
         IS DISTINCT FROM (f.transactions, f.total, f.minimum, f.maximum)
     AND (e.city IS NOT NULL
          OR @extschema@.fintrans_has_leaf(
               to_char(f.minute AT TIME ZONE 'UTC',
                       '"fintrans_transactions_"YYYYMMDD')::name))
     AND NOT EXISTS (SELECT FROM @extschema@.fintrans_retention r
                      WHERE minute < r.dropped_before);

COMMENT ON VIEW @extschema@.fintrans_volume_differences IS
  'Minutes of a city whose volume is not that of the transactions held.';

CREATE OR REPLACE VIEW @extschema@.fintrans_rollup_differences AS
  SELECT resolution, city, start,
         e.transactions AS expected_transactions, e.total AS expected_total,
         e.minimum AS expected_minimum, e.maximum AS expected_maximum,
         f.transactions AS found_transactions, f.total AS found_total,
         f.minimum AS found_minimum, f.maximum AS found_maximum
    FROM (SELECT r.resolution, v.city,
                 date_bin(r.resolution, v.minute, '1970-01-05 00:00+00') AS start,
                 sum(v.transactions)::bigint AS transactions, sum(v.total) AS total,
                 min(v.minimum) AS minimum, max(v.maximum) AS maximum
            FROM @extschema@.fintrans_volume v,
                 (VALUES ('1 hour'::interval), ('1 day'), ('7 days')) r (resolution)
           GROUP BY 1, 2, 3) e
    FULL JOIN @extschema@.fintrans_volume_rollup f USING (resolution, city, start)
   WHERE (e.transactions, e.total, e.minimum, e.maximum)
         IS DISTINCT FROM (f.transactions, f.total, f.minimum, f.maximum);

COMMENT ON VIEW @extschema@.fintrans_rollup_differences IS
  'Hours, days and weeks of a city whose volume is not that of their minutes.';

CREATE OR REPLACE VIEW @extschema@.fintrans_offset_differences AS
  SELECT topic, kafka_partition, f.first_offset, f.next_offset,
         f.stored + f.replayed AS counted,
         e.held, e.offsets, e.lowest, e.highest
    FROM (SELECT t.city AS topic, t.kafka_partition, count(*) AS held,
                 count(DISTINCT t.kafka_offset) AS offsets,
                 min(t.kafka_offset) AS lowest, max(t.kafka_offset) AS highest
            FROM @extschema@.fintrans_transactions t
           WHERE t.kafka_offset IS NOT NULL
           GROUP BY 1, 2) e
    FULL JOIN @extschema@.fintrans_offsets f USING (topic, kafka_partition)
   WHERE f.topic IS NULL
      OR coalesce(e.held, 0) <> f.stored + f.replayed
      OR e.held <> e.offsets
      OR e.lowest < f.first_offset OR e.highest >= f.next_offset;

COMMENT ON VIEW @extschema@.fintrans_offset_differences IS
  'Kafka partitions whose transactions held are not those that fintrans_offsets counts.';

CREATE OR REPLACE VIEW @extschema@.fintrans_dead_letter_differences AS
  SELECT topic, kafka_partition, coalesce(f.dead_lettered, 0) AS counted,
         coalesce(e.held, 0) AS held
    FROM (SELECT d.topic, d.kafka_partition, count(*) AS held
            FROM @extschema@.fintrans_dead_letters d
           GROUP BY 1, 2) e
    FULL JOIN @extschema@.fintrans_offsets f USING (topic, kafka_partition)
   WHERE coalesce(e.held, 0) <> coalesce(f.dead_lettered, 0);

COMMENT ON VIEW @extschema@.fintrans_dead_letter_differences IS
  'Kafka partitions whose dead letters held are not those that fintrans_offsets counts.';

CREATE OR REPLACE VIEW @extschema@.fintrans_trigger_differences AS
  SELECT p.relation, n.name,
         CASE WHEN t.oid IS NULL THEN 'none'
              WHEN t.tgfoid <> n.function OR t.tgqual IS NOT NULL THEN 'another'
              ELSE 'disabled' END AS found
    FROM @extschema@.fintrans_relations() p
   CROSS JOIN @extschema@.fintrans_triggers() n
    LEFT JOIN pg_trigger t ON t.tgrelid = p.relation AND t.tgname = n.name
   WHERE t.oid IS NULL OR t.tgfoid <> n.function OR t.tgqual IS NOT NULL
      OR t.tgenabled NOT IN ('O', 'A');

COMMENT ON VIEW @extschema@.fintrans_trigger_differences IS
  'Triggers that are missing or disabled.';

CREATE OR REPLACE VIEW @extschema@.fintrans_alert_differences AS
  SELECT r.name AS rule, l.source_account, l.target_account, l.total,
         l.transactions, r.threshold
    FROM @extschema@.fintrans_rules r
    JOIN @extschema@.fintrans_laundering l
      ON (l.magnitude >= @extschema@.fintrans_magnitude_above(r.threshold)
          OR l.magnitude BETWEEN 1 AND 999)
     AND l.total > r.threshold
    LEFT JOIN @extschema@.fintrans_alerts a
      ON (a.rule, a.source_account, a.target_account)
         = (r.name, l.source_account, l.target_account)
   WHERE r.enabled AND r.time_window IS NULL AND a.rule IS NULL;

COMMENT ON VIEW @extschema@.fintrans_alert_differences IS
  'Alerts about totals that are missing.';

CREATE OR REPLACE VIEW @extschema@.fintrans_window_alert_differences AS
  SELECT h.rule, h.source_account, h.target_account, h.account,
         h.window_start, h.window_end, h.value, h.threshold
    FROM @extschema@.fintrans_rule_hits h
   WHERE NOT EXISTS (
           SELECT FROM @extschema@.fintrans_overlapping_alerts(
                         h.rule, h.source_account, h.target_account, h.account,
                         h.window_start, h.window_end));

COMMENT ON VIEW @extschema@.fintrans_window_alert_differences IS
  'Windows above the threshold of their rule that no alert overlaps.';

-- Of subjects that have not been quiet for two windows, and of the buckets that
-- their states have to hold.  A bucket that is full keeps only some keys, and
-- has its alert.
CREATE OR REPLACE VIEW @extschema@.fintrans_window_differences AS
  WITH rules AS (
    SELECT r.name AS rule, r.generation,
           @extschema@.fintrans_rule_cap(r.kind, r.threshold) AS cap
      FROM @extschema@.fintrans_rules r
     WHERE r.enabled AND r.time_window IS NOT NULL),
  states AS (
    SELECT l.source_account, l.target_account, NULL::text COLLATE "C" AS account, l.windows
      FROM @extschema@.fintrans_laundering l
     WHERE l.windows IS NOT NULL
    UNION ALL
    SELECT NULL, NULL, a.account, @extschema@.fintrans_windows_changed(a.windows, a.changes)
      FROM @extschema@.fintrans_accounts a),
  found AS (
    SELECT r.rule, s.source_account, s.target_account, s.account, e.newest,
           e.bucket, e.key, e.transactions, e.total,
           r.cap > 0 AND r.cap <= count(*) OVER (
             PARTITION BY r.rule, s.source_account, s.target_account, s.account,
                          e.bucket) AS is_full
      FROM states s
     CROSS JOIN LATERAL @extschema@.fintrans_window_entries(s.windows) e
      JOIN rules r USING (generation)),
  both_sides AS (
    SELECT rule, source_account, target_account, account, bucket, key,
           x.transactions AS expected_transactions, x.total AS expected_total,
           f.transactions AS found_transactions, f.total AS found_total,
           bool_or(f.is_full) OVER bucket AS is_full,
           max(greatest(f.newest, x.bucket)) OVER subject AS newest,
           max(x.bucket) OVER (PARTITION BY rule) AS newest_of_all
      -- a full join needs keys that are not NULL
      FROM (SELECT e.rule, coalesce(e.source_account, '') AS source_account,
                   coalesce(e.target_account, '') AS target_account,
                   coalesce(e.account, '') AS account, e.bucket, e.key,
                   e.transactions, e.total
              FROM @extschema@.fintrans_rule_entries e) x
      FULL JOIN (SELECT g.rule, coalesce(g.source_account, '') AS source_account,
                        coalesce(g.target_account, '') AS target_account,
                        coalesce(g.account, '') AS account, g.newest, g.bucket,
                        g.key, g.transactions, g.total, g.is_full
                   FROM found g) f
           USING (rule, source_account, target_account, account, bucket, key)
    WINDOW subject AS (PARTITION BY rule, source_account, target_account, account),
           bucket AS (PARTITION BY rule, source_account, target_account, account, bucket))
  SELECT b.rule, nullif(b.source_account, '') AS source_account,
         nullif(b.target_account, '') AS target_account,
         nullif(b.account, '') AS account,
         to_timestamp(b.bucket * (extract(epoch FROM r.time_window) / 24)::double precision)
           AS bucket_start,
         sum(b.expected_transactions) AS expected_transactions,
         sum(b.expected_total) AS expected_total,
         sum(b.found_transactions) AS found_transactions,
         sum(b.found_total) AS found_total
    FROM both_sides b JOIN @extschema@.fintrans_rules r ON r.name = b.rule
   WHERE b.bucket > b.newest - 48
     AND b.newest > least(b.newest_of_all,
                          @extschema@.fintrans_bucket(now(), r.time_window)) - 48
     AND (b.expected_transactions, b.expected_total)
         IS DISTINCT FROM (b.found_transactions, b.found_total)
     AND NOT (b.found_transactions IS NULL AND coalesce(b.is_full, false))
     -- keys that came when it was full are missing once others are deleted; its
     -- alert is one that overlaps the window that ends with it
     AND NOT (@extschema@.fintrans_rule_cap(r.kind, r.threshold) > 0
              AND coalesce(b.found_transactions, 0) < b.expected_transactions
              AND EXISTS (
                    SELECT FROM @extschema@.fintrans_overlapping_alerts(
                      b.rule, NULL, NULL, b.account,
                      to_timestamp((b.bucket - 23) * (extract(epoch FROM r.time_window) / 24)::double precision),
                      to_timestamp((b.bucket + 1) * (extract(epoch FROM r.time_window) / 24)::double precision))))
   GROUP BY 1, 2, 3, 4, 5;

COMMENT ON VIEW @extschema@.fintrans_window_differences IS
  'Buckets of window states that do not hold what the transactions held say.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_verify()
RETURNS TABLE (problem text, subject text, expected text, found text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- compiling it for thousands of partitions takes minutes
SET jit = off
BEGIN ATOMIC
  SELECT 'pair', format('%s -> %s', d.source_account, d.target_account),
         CASE WHEN d.expected_transactions IS NULL THEN 'none'
              ELSE format('%s in %s', d.expected_total, d.expected_transactions) END,
         CASE WHEN d.found_transactions IS NULL THEN 'none'
              ELSE format('%s in %s', d.found_total, d.found_transactions) END
    FROM @extschema@.fintrans_pair_differences d
  UNION ALL
  SELECT 'magnitude', format('%s -> %s', d.source_account, d.target_account),
         format('magnitude %s or higher', d.lowest),
         format('%s in magnitude %s', d.total, d.magnitude)
    FROM @extschema@.fintrans_magnitude_differences d
  UNION ALL
  SELECT 'volume', format('%s %s', d.city, d.minute),
         CASE WHEN d.expected_transactions IS NULL THEN 'none'
              ELSE format('%s in %s, each %s to %s', d.expected_total,
                          d.expected_transactions, d.expected_minimum,
                          d.expected_maximum) END,
         CASE WHEN d.found_transactions IS NULL THEN 'none'
              ELSE format('%s in %s, each %s to %s', d.found_total,
                          d.found_transactions, d.found_minimum,
                          d.found_maximum) END
    FROM @extschema@.fintrans_volume_differences d
  UNION ALL
  SELECT 'rollup', format('%s %s for %s', d.city, d.start, d.resolution),
         CASE WHEN d.expected_transactions IS NULL THEN 'none'
              ELSE format('%s in %s, each %s to %s', d.expected_total,
                          d.expected_transactions, d.expected_minimum,
                          d.expected_maximum) END,
         CASE WHEN d.found_transactions IS NULL THEN 'none'
              ELSE format('%s in %s, each %s to %s', d.found_total,
                          d.found_transactions, d.found_minimum,
                          d.found_maximum) END
    FROM @extschema@.fintrans_rollup_differences d
  UNION ALL
  SELECT 'offsets', format('%s [%s]', d.topic, d.kafka_partition),
         CASE WHEN d.counted IS NULL THEN 'a row in fintrans_offsets'
              ELSE format('%s rows, each offset once, from %s to below %s',
                          d.counted, d.first_offset, d.next_offset) END,
         CASE WHEN d.held IS NULL THEN 'no rows'
              ELSE format('%s rows, %s different offsets, from %s to %s',
                          d.held, d.offsets, d.lowest, d.highest) END
    FROM @extschema@.fintrans_offset_differences d
  UNION ALL
  SELECT 'dead letters', format('%s [%s]', d.topic, d.kafka_partition),
         d.counted::text, d.held::text
    FROM @extschema@.fintrans_dead_letter_differences d
  UNION ALL
  SELECT 'trigger', d.relation::text, format('%s enabled', d.name), d.found
    FROM @extschema@.fintrans_trigger_differences d
  UNION ALL
  SELECT 'alert', format('rule %s: %s -> %s', d.rule, d.source_account,
                         d.target_account),
         'an alert', 'none'
    FROM @extschema@.fintrans_alert_differences d
  UNION ALL
  SELECT 'alert', format('rule %s: %s from %s to %s', d.rule,
                         coalesce(d.account, d.source_account || ' -> ' || d.target_account),
                         d.window_start, d.window_end),
         'an alert', 'none'
    FROM @extschema@.fintrans_window_alert_differences d
  UNION ALL
  SELECT 'window', format('rule %s: %s in the bucket from %s', d.rule,
                          coalesce(d.account, d.source_account || ' -> ' || d.target_account),
                          d.bucket_start),
         CASE WHEN d.expected_transactions IS NULL THEN 'none'
              ELSE format('%s in %s', d.expected_total, d.expected_transactions) END,
         CASE WHEN d.found_transactions IS NULL THEN 'none'
              ELSE format('%s in %s', d.found_total, d.found_transactions) END
    FROM @extschema@.fintrans_window_differences d;
END;

COMMENT ON FUNCTION @extschema@.fintrans_verify() IS
  'Recomputes everything fintrans maintains and returns a row per difference: totals, volume and its rollup, offsets against rows, dead letters, triggers, missing alerts, window states. No row: all is well. Reads all transactions three times, and four times more for the windowed rules; memory is bounded by work_mem and the number of partitions.';

REVOKE EXECUTE ON FUNCTION @extschema@.fintrans_verify() FROM PUBLIC;
