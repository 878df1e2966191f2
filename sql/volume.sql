-- Volume by hour, day and week: always what the minutes add up to, and what
-- dashboards get of it.
SELECT fintrans_ensure_partitions('2018-03-01', '2018-03-03') AS made;
-- per resolution: what plain SQL makes of the rows, against what is kept
CREATE VIEW disagreements AS
  SELECT resolution, city, start
    FROM (SELECT ('1 ' || unit)::interval AS resolution, city,
                 date_trunc(unit, event_time, 'UTC') AS start, count(*) AS transactions,
                 sum(amount) AS total, min(amount) AS minimum, max(amount) AS maximum
            FROM fintrans_transactions, unnest(ARRAY['hour', 'day', 'week']) unit
           GROUP BY 1, 2, 3) e
    FULL JOIN fintrans_volume_rollup f
         USING (resolution, city, start, transactions, total, minimum, maximum)
   WHERE e.city IS NULL OR f.city IS NULL;
SELECT setseed(0.75);
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
SELECT '2018-03-01 00:00+00'::timestamptz + random() * interval '3 days',
       (ARRAY['London', 'NYC', 'SF'])[1 + i % 3], i % 7, i % 5, round((random() * 1000)::numeric, i % 6)
  FROM generate_series(1, 3000) i;
SELECT resolution, count(*) FROM fintrans_volume_rollup GROUP BY 1 ORDER BY 1;
SELECT * FROM disagreements;
-- more in another statement, then changed, moved, and deleted, extremes too
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
VALUES ('2018-03-01 00:00+00', 'London', 'a', 'b', 5000), ('2018-03-03 23:59:59.999+00', 'London', 'a', 'b', 0),
       ('2018-03-02 12:00+00', 'Tokyo', 'a', 'b', 1), ('2018-03-02 12:59:59+00', 'Tokyo', 'a', 'b', 3);
SELECT * FROM disagreements;
UPDATE fintrans_transactions SET amount = amount / 2 WHERE amount > 900;
SELECT * FROM disagreements;
UPDATE fintrans_transactions SET city = 'NYC', event_time = event_time + interval '1 hour'
 WHERE city = 'SF' AND event_time < '2018-03-02';
SELECT * FROM disagreements;
DELETE FROM fintrans_transactions
 WHERE amount < 100 OR city = 'Tokyo' OR event_time BETWEEN '2018-03-02 03:00+00' AND '2018-03-02 05:00+00';
SELECT * FROM disagreements;
BEGIN;
DELETE FROM fintrans_transactions;
SELECT count(*) FROM fintrans_volume_rollup;
ROLLBACK;
SELECT * FROM disagreements;
SELECT problem, count(*) FROM fintrans_verify() GROUP BY 1;
-- by any whole number of minutes, hours or days: plain SQL against the function
CREATE VIEW ranges AS
  SELECT resolution::interval, from_time::timestamptz, to_time::timestamptz, cities
    FROM unnest(ARRAY['1 minute', '7 minutes', '90 minutes', '1 hour', '6 hours', '24:00', '2 days', '7 days', '14 days']) resolution,
         (VALUES ('2018-03-01 00:00+00', '2018-03-04 00:00+00'), ('2018-03-02 07:31+00', '2018-03-02 19:00:01+00'),
                 ('2018-03-02 12:00+00', '2018-03-02 12:00+00'), ('2018-03-02 12:00+00', '2018-03-02 02:00+00'),
                 (NULL, NULL)) r (from_time, to_time),
         (VALUES (NULL::text[]), (ARRAY['London', 'NYC']), (ARRAY[]::text[])) c (cities);
CREATE VIEW plain AS
  SELECT resolution, from_time, to_time, cities, date_bin(resolution, event_time, '1970-01-05 00:00+00') AS start, city,
         count(*) AS transactions, sum(amount) AS total, min(amount) AS minimum, max(amount) AS maximum
    FROM ranges, fintrans_transactions
   WHERE (from_time IS NULL OR date_bin(resolution, event_time, '1970-01-05 00:00+00') + resolution > from_time)
     AND (to_time IS NULL OR date_bin(resolution, event_time, '1970-01-05 00:00+00') < to_time)
     AND (cities IS NULL OR city = ANY (cities))
   GROUP BY 1, 2, 3, 4, 5, 6;
CREATE VIEW kept AS
  SELECT r.*, v.* FROM ranges r, fintrans_volume_by(resolution, from_time, to_time, cities) v;
SELECT count(*) > 1000 AS many FROM plain;
(TABLE plain EXCEPT TABLE kept) UNION ALL (TABLE kept EXCEPT TABLE plain);
SELECT count(*) FROM fintrans_volume_by('1 day', '2018-03-01');
\set VERBOSITY terse
SELECT * FROM fintrans_volume_by(NULL, '2018-03-01');
SELECT * FROM fintrans_volume_by('0 s', '2018-03-01');
SELECT * FROM fintrans_volume_by('-1 day', '2018-03-01');
SELECT * FROM fintrans_volume_by('90 s', '2018-03-01');
SELECT * FROM fintrans_volume_by('1 month', '2018-03-01');
INSERT INTO fintrans_volume_rollup VALUES ('1 minute', 'London', '2018-03-01', 1, 1, 1, 1);
\set VERBOSITY default
-- days are read for days, hours for hours, each by its index
VACUUM ANALYZE fintrans_volume, fintrans_volume_rollup;
CREATE FUNCTION scanned(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
    IF line ~ ' on fintrans_volume(_weeks|_days|_hours)? ' AND line !~ 'never executed' THEN
      RETURN NEXT substring(line FROM ' on (\w+)');
    END IF;
  END LOOP;
END $$;
SET enable_seqscan = off;
SELECT DISTINCT scanned($$SELECT * FROM fintrans_volume_by('1 day', '2018-03-01')$$);
SELECT DISTINCT scanned($$SELECT * FROM fintrans_volume_by('3 hours', '2018-03-01')$$);
SELECT DISTINCT scanned($$SELECT * FROM fintrans_volume_by('1 minute', '2018-03-02 10:00+00', '2018-03-02 11:00+00')$$) ORDER BY 1;
-- in the order of that index, without a step of its own between it and the query
SET enable_sort = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT start, city, total FROM fintrans_volume_by('1 day', '2018-03-01', '2018-03-03') ORDER BY start, city;
RESET enable_sort;
RESET enable_bitmapscan;
RESET enable_seqscan;
-- changed behind the triggers' back: found, and corrected
SET client_min_messages = warning;
UPDATE fintrans_volume_rollup SET maximum = 7 WHERE resolution = '1 day' AND city = 'London';
UPDATE fintrans_volume_rollup SET transactions = transactions + 1 WHERE start = '2018-03-01 10:00+00';
DELETE FROM fintrans_volume_rollup WHERE start = '2018-03-03 10:00+00';
INSERT INTO fintrans_volume_rollup VALUES ('1 hour', 'Rome', '2018-03-01', 1, 1, 1, 1);
SELECT problem, count(*) FROM fintrans_verify() GROUP BY 1;
SELECT subject, expected, found FROM fintrans_verify() WHERE subject ~ 'Rome';
SELECT problem, corrected FROM fintrans_rebuild() WHERE corrected > 0;
SELECT * FROM disagreements;
-- the minutes corrected, and what they add up to with them
UPDATE fintrans_volume SET minimum = 0, total = total + 1 WHERE city = 'NYC' AND minute < '2018-03-01 01:00+00';
SELECT problem FROM fintrans_rebuild() WHERE corrected > 0;
SELECT * FROM disagreements;
SELECT problem, count(*) FROM fintrans_verify() GROUP BY 1;
RESET client_min_messages;
-- it outlives the rows
SELECT sum(amount) AS kept FROM fintrans_transactions WHERE event_time < '2018-03-03 00:00+00' \gset
CALL fintrans_drop_before('2018-03-03 00:00+00');
SELECT resolution, sum(total) = :kept AS kept FROM fintrans_volume_rollup WHERE start < '2018-03-03 00:00+00' AND resolution < '7 days'
 GROUP BY 1 ORDER BY 1;
-- what comes late is counted, and stays counted
SELECT fintrans_ensure_partitions('2018-03-01', '2018-03-01') AS made;
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
VALUES ('2018-03-01 00:00+00', 'London', 'a', 'late', 0.25);
DELETE FROM fintrans_transactions WHERE target_account = 'late';
SELECT resolution, sum(total) = :kept + 0.25 AS kept FROM fintrans_volume_rollup WHERE start < '2018-03-03 00:00+00' AND resolution < '7 days'
 GROUP BY 1 ORDER BY 1;
SELECT * FROM fintrans_verify();
DROP VIEW disagreements, plain, kept, ranges;
DROP FUNCTION scanned;
DELETE FROM fintrans_transactions;
DELETE FROM fintrans_volume;
DELETE FROM fintrans_volume_rollup;
DELETE FROM fintrans_retention;
DROP TABLE fintrans_transactions_20180301, fintrans_transactions_20180303;
