-- Partitions whose day has passed are indexed, and the transactions of a pair or
-- an account come by these indexes.
SELECT fintrans_ensure_partitions('2017-05-01', '2017-05-04') AS made;
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
SELECT '2017-05-01 00:00+00'::timestamptz + i * interval '40 s', 'London', 's' || i % 83, 't' || i % 101, i
  FROM generate_series(0, 8639) i;
SELECT * FROM fintrans_missing_indexes('2017-05-03 23:59:59+00');
CALL fintrans_index_partitions('2017-05-03 23:59:59+00');
SELECT * FROM fintrans_missing_indexes('2017-05-03 23:59:59+00');
-- again: only what is missing
CALL fintrans_index_partitions('2017-05-03 23:59:59+00');
CREATE INDEX ON fintrans_transactions_20170503 (target_account, event_time, amount);
CALL fintrans_index_partitions('2017-05-04 00:00+00');
SELECT tablename, indexdef FROM pg_indexes WHERE tablename ~ '^fintrans_transactions_201705' ORDER BY 1, 2;
-- the same rows as by plain SQL, over all partitions, within bounds, and late ones
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
VALUES ('2017-05-01 00:00+00', 'NYC', 's1', 't1', 0.5), ('2017-05-04 23:59:59+00', 'NYC', 's1', 't1', 0.25),
       ('2017-05-02 00:00+00', 'NYC', 't1', 's1', 0.125), ('2017-05-02 00:00+00', 'NYC', 's1', 's1', 7);
CREATE VIEW questions AS
  SELECT DISTINCT t.source_account, t.target_account, b.from_time, b.to_time
    FROM (SELECT DISTINCT source_account, target_account FROM fintrans_transactions ORDER BY 1, 2 LIMIT 200) t,
         (VALUES ('-infinity'::timestamptz, 'infinity'::timestamptz),
                 ('2017-05-02 00:00+00', '2017-05-03 12:00+00')) b (from_time, to_time);
SELECT count(*) FROM questions;
SELECT q.*
  FROM questions q,
       LATERAL (SELECT count(*), sum(amount), min(event_time), max(event_time) FROM fintrans_transactions
                 WHERE (source_account, target_account) = (q.source_account, q.target_account)
                   AND event_time BETWEEN from_time AND to_time) plain,
       LATERAL (SELECT count(*), sum(amount), min(event_time), max(event_time)
                  FROM fintrans_pair_transactions(q.source_account, q.target_account, from_time, to_time)) found
 WHERE plain IS DISTINCT FROM found;
SELECT q.*
  FROM (SELECT DISTINCT source_account AS account, from_time, to_time FROM questions LIMIT 10) q,
       LATERAL (SELECT count(*), sum(amount) FROM fintrans_transactions
                 WHERE account IN (source_account, target_account)
                   AND event_time BETWEEN from_time AND to_time) plain,
       LATERAL (SELECT count(*), sum(amount)
                  FROM fintrans_account_transactions(account, from_time, to_time)) found
 WHERE plain IS DISTINCT FROM found;
SELECT count(*), sum(amount) FROM fintrans_account_transactions('s1', to_time => '2017-05-01 00:00+00');
SELECT event_time AT TIME ZONE 'UTC' AS time, amount FROM fintrans_pair_transactions('s1', 't1');
SELECT l.total = t.total AS same
  FROM fintrans_laundering l, LATERAL (SELECT sum(amount) AS total FROM fintrans_pair_transactions('s1', 't1')) t
 WHERE (source_account, target_account) = ('s1', 't1');
SELECT count(*) FROM fintrans_pair_transactions('nobody', 't1');
SELECT count(*) FROM fintrans_pair_transactions(NULL, 't1');
-- indexes where there are some, and partitions left out by the pair's own times
ANALYZE fintrans_transactions;
CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query;
END $$;
SELECT substring(p FROM '(Seq|Index|Bitmap Heap|Bitmap Index|Index Only) Scan') AS scan, substring(p FROM ' on (\w+)') AS relation
  FROM plan($$SELECT * FROM fintrans_transactions WHERE source_account = 's1' AND target_account = 't1'
               AND event_time BETWEEN '2017-05-01 00:00+00' AND '2017-05-05 00:00+00'$$) p
 WHERE p ~ 'Scan' ORDER BY relation;
CREATE VIEW full_scans AS
  SELECT relation FROM fintrans_relations() WHERE pg_stat_get_xact_numscans(relation) > 0 AND is_leaf;
SELECT pg_stat_force_next_flush();
BEGIN;
SELECT count(*) FROM fintrans_pair_transactions('s1', 't1');
SELECT * FROM full_scans;
ROLLBACK;
SELECT pg_stat_force_next_flush();
BEGIN;
SELECT count(*) FROM fintrans_pair_transactions('s2', 't3', '2017-05-01 00:00+00', '2017-05-03 00:00+00');
SELECT * FROM full_scans;
ROLLBACK;
-- a pair whose total is missing is looked for everywhere
BEGIN;
DELETE FROM fintrans_laundering WHERE (source_account, target_account) = ('s1', 't1');
SELECT count(*) FROM fintrans_pair_transactions('s1', 't1');
ROLLBACK;
-- only what is missing can be made, and by nobody's words
SELECT fintrans_make_index('fintrans_transactions_20170503', 'amount');
SELECT fintrans_make_index('pg_class', 'target_account, event_time');
-- it commits as it goes
BEGIN;
DROP INDEX fintrans_transactions_20170501_target_account_event_time_idx;
CALL fintrans_index_partitions('2017-05-03 23:59:59+00');
ROLLBACK;
-- retention takes the indexes with the partition
CALL fintrans_drop_before('2017-05-02 00:00+00');
SELECT count(*) FROM pg_indexes WHERE tablename = 'fintrans_transactions_20170501';
SELECT * FROM fintrans_verify();
DROP FUNCTION plan;
DROP VIEW questions, full_scans;
DELETE FROM fintrans_transactions;
DELETE FROM fintrans_volume;
DELETE FROM fintrans_volume_rollup;
DELETE FROM fintrans_retention;
DROP TABLE fintrans_transactions_20170502, fintrans_transactions_20170503, fintrans_transactions_20170504;
