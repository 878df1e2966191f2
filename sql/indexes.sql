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
-- the end of a day that is not indexed is found by its volume, when rows came in
-- the order of time: no row of then is before, and the answers are those of all
SELECT fintrans_ensure_partitions('2017-06-01', '2017-06-02') AS made;
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
SELECT '2017-06-01 00:00+00'::timestamptz + i * interval '5 s', 'London', 's' || i % 83, 't' || i % 101, i % 97
  FROM generate_series(0, 17279) i;
CREATE VIEW evenings AS
  SELECT since, (fintrans_first_row(since)).place
    FROM generate_series('2017-06-01 00:00:30+00'::timestamptz, '2017-06-01 23:59+00', '2 hours 7 min') since;
CREATE VIEW wrong AS
  SELECT e.since
    FROM evenings e
   WHERE EXISTS (SELECT FROM fintrans_transactions t
                  WHERE t.event_time >= e.since AND t.event_time < '2017-06-02 00:00+00' AND t.ctid < e.place)
      OR EXISTS (SELECT FROM (SELECT DISTINCT source_account, target_account FROM fintrans_transactions
                               ORDER BY 1, 2 LIMIT 50) q,
                        LATERAL (SELECT count(*), sum(amount) FROM fintrans_transactions
                                  WHERE (source_account, target_account) = (q.source_account, q.target_account)
                                    AND event_time >= e.since) plain,
                        LATERAL (SELECT count(*), sum(amount)
                                   FROM fintrans_pair_transactions(q.source_account, q.target_account, e.since)) found
                  WHERE plain IS DISTINCT FROM found)
      OR (SELECT sum(transactions) FROM fintrans_suspects(-1, '3 hours', until => e.since + interval '3 hours'))
         <> (SELECT count(*) FROM fintrans_transactions
              WHERE event_time > e.since AND event_time <= e.since + interval '3 hours');
SELECT to_char(since AT TIME ZONE 'UTC', 'HH24:MI:SS') AS since, place > '(0,0)' AS later FROM evenings ORDER BY 1;
SELECT * FROM wrong;
SELECT f.* FROM unnest('{infinity,-infinity,2017-05-20,294276-12-31 12:00+00,NULL}'::timestamptz[]) since, fintrans_first_row(since) f;
-- of a window only what the suspects' first times leave of it
SELECT pg_stat_force_next_flush();
BEGIN;
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
VALUES ('2017-06-01 23:30+00', 'NYC', 'young', 'pair', 600000), ('2017-06-01 23:59:59.999999+00', 'NYC', 'young', 'pair', 400000);
SELECT * FROM fintrans_suspects(900000, '1 day', until => '2017-06-02 00:00+00');
SELECT pg_stat_get_xact_tuples_returned('fintrans_transactions_20170601'::regclass) < 17282 / 2 AS half_a_day_at_most;
ROLLBACK;
-- late rows of the morning do no harm; one of the evening that came first is found
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
VALUES ('2017-06-01 01:00+00', 'NYC', 's1', 't1', 0.5), ('2017-06-02 00:00+00', 'NYC', 's1', 't1', 0.5);
SELECT count(place) FROM evenings;
SELECT * FROM wrong;
UPDATE fintrans_transactions SET event_time = '2017-06-01 23:59:58+00'
 WHERE event_time = '2017-06-01 00:00:05+00';
DELETE FROM fintrans_transactions WHERE event_time = '2017-06-01 00:00+00';
VACUUM fintrans_transactions_20170601;
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
VALUES ('2017-06-01 23:59:59+00', 'NYC', 's3', 't3', 0.25);
SELECT min(ctid) FROM fintrans_transactions WHERE event_time = '2017-06-01 23:59:59+00';
SELECT count(place) FROM evenings;
SELECT * FROM wrong;
-- nor do volumes that are wrong, or not to be seen
DELETE FROM fintrans_transactions WHERE event_time = '2017-06-01 23:59:59+00';
SELECT count(place) FROM evenings;
BEGIN;
UPDATE fintrans_volume SET transactions = transactions - 1
 WHERE (city, minute) = ('London', '2017-06-01 23:59+00');
SELECT count(place) FROM evenings;
ROLLBACK;
-- rows past the triggers are found where the volume has none, or fewer
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
SELECT '2017-06-02 20:00+00', 'NYC', 'p', 'q', 1 FROM generate_series(1, 5);
SET LOCAL session_replication_role = origin;
SELECT count(*) FROM fintrans_pair_transactions('p', 'q', '2017-06-02 20:00+00');
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
VALUES ('2017-06-02 20:00+00', 'NYC', 'p', 'q', 1);
SELECT count(*) FROM fintrans_pair_transactions('p', 'q', '2017-06-02 20:00+00');
ROLLBACK;
-- nor does the volume speak for what retention has begun to drop
BEGIN;
UPDATE fintrans_retention SET dropped_before = '2017-06-01 00:00+00';
SELECT count(place) > 0 AS some FROM evenings;
UPDATE fintrans_retention SET dropped_before = '2017-06-02 00:00+00';
SELECT count(place) FROM evenings;
ROLLBACK;
-- a partition that the question is not about is not asked, and may be locked
SELECT fintrans_unindexed_from('2017-06-01 00:00+00', '2017-06-01 23:00+00') = '2017-06-01 00:00+00' AS first_day,
       fintrans_unindexed_from('2017-06-02 00:00+00', 'infinity') = '2017-06-02 00:00+00' AS second_day;
CREATE ROLE fintrans_index_reader;
GRANT SELECT ON fintrans_transactions TO fintrans_index_reader;
SET ROLE fintrans_index_reader;
SELECT fintrans_first_row('2017-06-01 23:00+00');
SELECT count(*), sum(transactions) AS transactions, md5(string_agg(f::text, ';' ORDER BY f::text)) AS all
  FROM fintrans_fan_out(burst_accounts => 2, burst_spread => 1000, since => '2017-06-01 20:00+00', before => '2017-06-02 01:00+00') f;
RESET ROLE;
SELECT place > '(0,0)' AS later FROM fintrans_first_row('2017-06-01 20:00+00');
SELECT count(*), sum(transactions) AS transactions, md5(string_agg(f::text, ';' ORDER BY f::text)) AS all
  FROM fintrans_fan_out(burst_accounts => 2, burst_spread => 1000, since => '2017-06-01 20:00+00', before => '2017-06-02 01:00+00') f;
REVOKE ALL ON fintrans_transactions FROM fintrans_index_reader;
DROP ROLE fintrans_index_reader;
SELECT * FROM fintrans_verify();
DROP VIEW wrong, evenings;
DROP FUNCTION plan;
DROP VIEW questions, full_scans;
DELETE FROM fintrans_transactions;
DELETE FROM fintrans_volume;
DELETE FROM fintrans_volume_rollup;
DELETE FROM fintrans_retention;
DROP TABLE fintrans_transactions_20170502, fintrans_transactions_20170503, fintrans_transactions_20170504,
  fintrans_transactions_20170601, fintrans_transactions_20170602;
