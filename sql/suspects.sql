-- fintrans_suspects() finds exactly the pairs above the threshold through the
-- index on magnitudes, while totals grow and the floor rises with them.
SELECT fintrans_ensure_partitions('2026-01-01', '2026-01-01') AS made;
SELECT fintrans_set_rule('default', 8000);
DELETE FROM fintrans_magnitudes;
CREATE TABLE thresholds AS SELECT generate_series(0, 120000, 5000) AS threshold;
-- per threshold: what a plain filter returns against what the function does
CREATE VIEW disagreements AS
  SELECT threshold
    FROM thresholds,
         LATERAL (SELECT count(*) AS n, sum(total) AS t FROM fintrans_laundering
                   WHERE total > threshold) plain,
         LATERAL (SELECT count(*) AS n, sum(total) AS t
                    FROM fintrans_suspects(threshold)) suspects
   WHERE (plain.n, plain.t) IS DISTINCT FROM (suspects.n, suspects.t);
-- ... and where more is read than twice the answer, or the index for a part of
-- what takes the whole table
CREATE VIEW wasteful AS
  SELECT threshold, c.*
    FROM thresholds, LATERAL fintrans_suspects_cost(threshold) c
   WHERE c.index_entries > 2 * c.suspects + 20
      OR c.table_rows > 320 * c.suspects + 320;
-- five rounds over 40,000 pairs, amounts 0 to 9999 as the demo's
SELECT setseed(0.25);
CREATE PROCEDURE round() LANGUAGE sql AS $$
  INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
  SELECT '2026-01-01 12:00+00', 'London', i / 200, i % 200, trunc(random() * 10000)
    FROM generate_series(0, 39999) i
$$;
CALL round();
SELECT count(*) > 0 AS has_floor FROM fintrans_magnitudes WHERE magnitude = 0;
SELECT * FROM disagreements;
SELECT * FROM wasteful;
SELECT sum(ceiling) AS before FROM fintrans_magnitudes \gset
CALL round();
CALL round();
SELECT * FROM wasteful;
CALL round();
CALL round();
SELECT sum(ceiling) > :before AS floor_rose FROM fintrans_magnitudes;
SELECT * FROM disagreements;
SELECT * FROM wasteful;
SELECT problem, count(*) FROM fintrans_verify() GROUP BY 1;
-- every alert of these large batches is whole, though written past the CHECKs
SELECT DISTINCT rule, threshold, state FROM fintrans_alerts;
SELECT count(*) > 20000 AS many, count(DISTINCT alert_id) = count(*) AS ids FROM fintrans_alerts;
-- the largest few, whatever the threshold, by the index as well
CREATE VIEW ranks AS
  SELECT threshold, n
    FROM unnest(ARRAY[-1, 8000, 42000, 1e9]) threshold,
         unnest(ARRAY[1, 2, 10, 1000, 30000, 1000000]) n;
SELECT threshold, n
  FROM ranks,
       LATERAL (SELECT array_agg(s) AS pairs
                  FROM (SELECT source_account, target_account, total, transactions
                          FROM fintrans_laundering WHERE total > threshold
                         ORDER BY total DESC, source_account, target_account LIMIT n) s) plain,
       LATERAL (SELECT array_agg(s) AS pairs
                  FROM (SELECT source_account, target_account, total, transactions
                          FROM fintrans_suspects(threshold, NULL, "limit" => n)) s) suspects
 WHERE plain.pairs::text IS DISTINCT FROM suspects.pairs::text;
SELECT count(*) <= 20 AS few
  FROM fintrans_laundering
 WHERE magnitude > 0 AND magnitude >= fintrans_magnitude_of(fintrans_total_of_rank(10));
-- a selective threshold is answered by the index, and by nothing else
VACUUM ANALYZE fintrans_laundering;
CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ' || query;
END $$;
SELECT count(*) FILTER (WHERE p ~ 'fintrans_laundering_magnitude') > 0 AS by_index,
       count(*) FILTER (WHERE p ~ 'Seq Scan') AS full_scans
  FROM plan('SELECT * FROM fintrans_suspects(42000)') p;
SELECT index_entries <= 2 * suspects + 20 AS frugal, table_rows
  FROM fintrans_suspects_cost(42000);
-- deleting most of it leaves the floor high, and the answers right
DELETE FROM fintrans_transactions WHERE amount > 3000;
SELECT * FROM disagreements;
SELECT problem, count(*) FROM fintrans_verify() GROUP BY 1;
-- pairs last written by 0.1.0 are found whatever their magnitude
UPDATE fintrans_laundering SET magnitude = 1 + total::integer % 240
 WHERE source_account < '3' AND total > 5000;
UPDATE fintrans_laundering SET magnitude = 32767 WHERE source_account = '30';
SELECT * FROM disagreements;
SELECT problem, count(*) FROM fintrans_verify() GROUP BY 1;
-- arguments that mean nothing
\set VERBOSITY terse
SELECT * FROM fintrans_suspects(NULL);
SELECT * FROM fintrans_suspects(NULL, NULL, "limit" => 3);
SELECT * FROM fintrans_suspects(NULL, '1 day');
SELECT * FROM fintrans_suspects(1, NULL, "limit" => 0);
SELECT * FROM fintrans_suspects(1, '0 s');
SELECT * FROM fintrans_suspects(1, '-1 day');
SELECT * FROM fintrans_suspects(1, NULL, until => now());
\set VERBOSITY default
-- within a window: its start is not in it, its end is; partitions outside of it
-- are not read, nor is the whole table of pairs
SELECT fintrans_ensure_partitions('2025-12-01', '2025-12-10') AS made;
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
VALUES ('2025-12-01 12:00+00', 'London', 'wa', 'wb', 900000),
       ('2025-12-09 00:00+00', 'London', 'wa', 'wb', 1000000),
       ('2025-12-09 12:00+00', 'London', 'wa', 'wb', 300000),
       ('2025-12-10 00:00+00', 'NYC', 'wa', 'wb', 200000.5),
       ('2025-12-10 00:00:01+00', 'NYC', 'wa', 'wb', 4000000),
       ('2025-12-09 18:00+00', 'NYC', 'wc', 'wd', 600000),
       ('2025-12-09 18:00+00', 'NYC', 'we', 'wf', 100000),
       ('2025-12-02 18:00+00', 'NYC', 'we', 'wf', 9000000);
SELECT source_account, total, transactions, first_time AT TIME ZONE 'UTC' AS first,
       last_time AT TIME ZONE 'UTC' AS last
  FROM fintrans_suspects(250000, '1 day', until => '2025-12-10 00:00+00');
SELECT source_account, total FROM fintrans_suspects(500000.5, '1 day', until => '2025-12-10 00:00+00');
SELECT source_account, total FROM fintrans_suspects(99999, '8 days', 2, '2025-12-10 00:00+00');
SELECT count(*) FROM fintrans_suspects(250000, '1 day');
-- the largest few of a window, by the largest totals or, when these do not tell, by
-- all; an index makes no difference
CREATE VIEW window_ranks AS
  SELECT threshold, days, n
    FROM unnest(ARRAY[-1, 8000, 300000]) threshold, unnest(ARRAY[1, 2, 8, 100]) days,
         unnest(ARRAY[1, 2, 100, 1001, 5000000000, NULL]) n;
CREATE VIEW window_disagreements AS
  SELECT threshold, days, n
    FROM window_ranks,
         LATERAL (SELECT array_agg(s) AS pairs
                    FROM (SELECT source_account, target_account, sum(amount), count(*), min(event_time), max(event_time)
                            FROM fintrans_transactions
                           WHERE event_time > '2025-12-10 00:00+00'::timestamptz - days * interval '1 day'
                             AND event_time <= '2025-12-10 00:00+00'
                           GROUP BY 1, 2 HAVING sum(amount) > threshold
                           ORDER BY 3 DESC, 1, 2 LIMIT n) s) plain,
         LATERAL (SELECT array_agg(s) AS pairs
                    FROM fintrans_suspects(threshold, days * interval '1 day', n, '2025-12-10 00:00+00') s) suspects
   WHERE plain.pairs::text IS DISTINCT FROM suspects.pairs::text;
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
SELECT '2025-12-02 00:00+00'::timestamptz + i * interval '3 min', 'Tokyo', 'w' || i % 83, 'x' || i % 71, i % 9973
  FROM generate_series(0, 4300) i;
SELECT * FROM window_disagreements;
CALL fintrans_index_partitions('2025-12-09 00:00+00');
SELECT fintrans_unindexed_from('2025-12-01 00:00+00', '2025-12-10 00:00+00') AT TIME ZONE 'UTC' AS unindexed;
SELECT * FROM window_disagreements;
DELETE FROM fintrans_transactions WHERE city = 'Tokyo';
DROP VIEW window_disagreements, window_ranks;
SELECT count(*) FROM fintrans_suspects(250000, '100 years') s
  JOIN fintrans_laundering l USING (source_account, target_account, total, transactions);
CREATE VIEW scanned AS
  SELECT relation FROM fintrans_relations() WHERE pg_stat_get_xact_numscans(relation) > 0
  UNION ALL
  SELECT 'fintrans_laundering'::regclass
   WHERE pg_stat_get_xact_numscans('fintrans_laundering'::regclass) > 0;
SELECT pg_stat_force_next_flush();
BEGIN;
SELECT count(*) FROM fintrans_suspects(250000, '1 day', until => '2025-12-10 00:00+00');
SELECT * FROM scanned ORDER BY relation::text;
ROLLBACK;
DROP VIEW scanned;
DROP FUNCTION plan;
DROP PROCEDURE round;
DROP VIEW disagreements, wasteful, ranks;
DROP TABLE thresholds;
DELETE FROM fintrans_transactions;
DELETE FROM fintrans_magnitudes;
DELETE FROM fintrans_alerts;
DELETE FROM fintrans_rules;
