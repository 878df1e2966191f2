-- fintrans_suspects() finds exactly the pairs above the threshold through the
-- index on magnitudes, while totals grow and ceilings rise with them.
SELECT fintrans_ensure_partitions('2026-01-01', '2026-01-01') AS made;
SELECT fintrans_set_rule('default', 8000);
DELETE FROM fintrans_magnitudes;
CREATE TABLE thresholds AS SELECT generate_series(0, 120000, 1500) AS threshold;
-- per threshold: what a plain filter returns against what the function does
CREATE VIEW disagreements AS
  SELECT threshold
    FROM thresholds,
         LATERAL (SELECT count(*) AS n, sum(total) AS t FROM fintrans_laundering
                   WHERE total > threshold) plain,
         LATERAL (SELECT count(*) AS n, sum(total) AS t
                    FROM fintrans_suspects(threshold)) suspects
   WHERE (plain.n, plain.t) IS DISTINCT FROM (suspects.n, suspects.t);
-- five rounds over 40,000 pairs, amounts 0 to 9999 as the demo's
SELECT setseed(0.25);
CREATE PROCEDURE round() LANGUAGE sql AS $$
  INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
  SELECT '2026-01-01 12:00+00', 'London', i / 200, i % 200, trunc(random() * 10000)
    FROM generate_series(0, 39999) i
$$;
CALL round();
SELECT count(*) > 0 AS has_ceilings FROM fintrans_magnitudes;
SELECT * FROM disagreements;
SELECT sum(ceiling) AS before FROM fintrans_magnitudes \gset
CALL round();
CALL round();
CALL round();
CALL round();
SELECT sum(ceiling) > :before AS ceilings_rose FROM fintrans_magnitudes;
SELECT * FROM disagreements;
SELECT problem, count(*) FROM fintrans_verify() GROUP BY 1;
-- every alert of these large batches is whole, though written past the CHECKs
SELECT DISTINCT rule, threshold, state FROM fintrans_alerts;
SELECT count(*) > 20000 AS many, count(DISTINCT alert_id) = count(*) AS ids FROM fintrans_alerts;
-- deleting most of it leaves ceilings high, and the answers right
DELETE FROM fintrans_transactions WHERE amount > 3000;
SELECT * FROM disagreements;
SELECT problem, count(*) FROM fintrans_verify() GROUP BY 1;
-- a selective threshold is answered by the index
ANALYZE fintrans_laundering;
CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query;
END $$;
SELECT count(*) > 0 AS by_index
  FROM plan('SELECT * FROM fintrans_suspects(11000)') p WHERE p ~ 'fintrans_laundering_magnitude';
DROP FUNCTION plan;
DROP PROCEDURE round;
DROP VIEW disagreements;
DROP TABLE thresholds;
DELETE FROM fintrans_transactions;
DELETE FROM fintrans_magnitudes;
DELETE FROM fintrans_alerts;
DELETE FROM fintrans_rules;
