-- What the triggers cannot see is found by fintrans_verify() and corrected by
-- fintrans_rebuild(): one way after the other.
SELECT fintrans_ensure_partitions('2016-01-01', '2016-01-04') AS made;
SELECT fintrans_set_rule('default', 100);
CREATE FUNCTION differences() RETURNS TABLE (problem text, found bigint) LANGUAGE sql AS $$
  SELECT problem, count(*) FROM fintrans_verify() GROUP BY problem ORDER BY problem
$$;
SET client_min_messages = warning;
INSERT INTO fintrans_transactions
SELECT '2016-01-01 12:00+00'::timestamptz + i * interval '10 h', 'London', 'a' || i % 3, 'b', i, NULL, 0, i
  FROM generate_series(0, 7) i;
INSERT INTO fintrans_offsets (topic, kafka_partition, first_offset, next_offset, stored)
VALUES ('London', 0, 0, 8, 8);
SELECT * FROM fintrans_verify();
-- nothing is wrong, nothing is done
SELECT * FROM fintrans_rebuild();
-- triggers disabled, and dropped
ALTER TABLE fintrans_transactions_20160102 DISABLE TRIGGER ALL;
DROP TRIGGER fintrans_deleted ON fintrans_transactions_20160103;
INSERT INTO fintrans_transactions_20160102 (event_time, city, source_account, target_account, amount)
VALUES ('2016-01-02', 'London', 'a0', 'b', 50), ('2016-01-02', 'London', 'new', 'b', 200);
DELETE FROM fintrans_transactions_20160103 WHERE amount > 5;
SELECT * FROM differences();
SELECT * FROM fintrans_rebuild();
SELECT * FROM fintrans_verify();
SELECT source_account, total, transactions FROM fintrans_laundering WHERE target_account = 'b' ORDER BY 1;
SELECT source_account, total FROM fintrans_alerts;
-- session_replication_role = replica: what logical replication does
SET session_replication_role = replica;
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
VALUES ('2016-01-02', 'NYC', 'a0', 'b', 7);
UPDATE fintrans_transactions SET amount = 51 WHERE amount = 50;
DELETE FROM fintrans_transactions WHERE source_account = 'new';
RESET session_replication_role;
SELECT * FROM differences();
SELECT problem, corrected FROM fintrans_rebuild() WHERE corrected > 0;
SELECT * FROM fintrans_verify();
-- DETACH, ATTACH, DROP
ALTER TABLE fintrans_transactions DETACH PARTITION fintrans_transactions_20160102;
SELECT * FROM differences();
SELECT problem, corrected FROM fintrans_rebuild() WHERE corrected > 0;
SELECT * FROM fintrans_verify();
SELECT stored, dropped FROM fintrans_offsets;
-- PostgreSQL 16.2 attaches no table that has triggers with transition tables
DROP TRIGGER fintrans_inserted ON fintrans_transactions_20160102;
DROP TRIGGER fintrans_updated ON fintrans_transactions_20160102;
DROP TRIGGER fintrans_deleted ON fintrans_transactions_20160102;
ALTER TABLE fintrans_transactions ATTACH PARTITION fintrans_transactions_20160102
  FOR VALUES FROM ('2016-01-02 00:00+00') TO ('2016-01-03 00:00+00');
SELECT fintrans_add_triggers('fintrans_transactions_20160102');
SELECT * FROM differences();
SELECT problem, corrected FROM fintrans_rebuild() WHERE corrected > 0;
SELECT * FROM fintrans_verify();
SELECT stored, dropped FROM fintrans_offsets;
DROP TABLE fintrans_transactions_20160102;
SELECT problem, corrected FROM fintrans_rebuild() WHERE corrected > 0;
SELECT * FROM fintrans_verify();
-- MERGE that moves rows from one partition to another
MERGE INTO fintrans_transactions t USING (VALUES (0)) v (amount) ON t.amount = v.amount
  WHEN MATCHED THEN UPDATE SET event_time = '2016-01-03 18:00+00';
SELECT count(*) > 0 AS found FROM fintrans_verify();
SELECT count(*) FROM fintrans_rebuild();
SELECT * FROM fintrans_verify();
-- magnitudes of 0.1.0 are no difference, but are corrected
UPDATE fintrans_laundering SET magnitude = 500;
SELECT * FROM differences();
SELECT problem, corrected FROM fintrans_rebuild() WHERE corrected > 0;
SELECT count(*) FROM fintrans_laundering WHERE magnitude = 500;
-- totals, magnitudes, volume and dead letters changed by their owner
UPDATE fintrans_laundering SET total = total + 1, magnitude = 1000;
INSERT INTO fintrans_laundering SELECT 'x', 'y', 1, 1, first_time, last_time, 32767 FROM fintrans_laundering LIMIT 1;
UPDATE fintrans_volume SET maximum = 99 WHERE minute >= '2016-01-03';
UPDATE fintrans_offsets SET dead_lettered = 1, dropped = dropped - 1;
DELETE FROM fintrans_alerts;
SELECT * FROM differences();
SELECT * FROM fintrans_rebuild();
SELECT * FROM fintrans_verify();
TRUNCATE fintrans_laundering, fintrans_volume;
SELECT problem, corrected FROM fintrans_rebuild() WHERE corrected > 0;
SELECT * FROM fintrans_verify();
-- no total can be made what is no number
\set VERBOSITY terse
UPDATE fintrans_laundering SET total = 'NaN';
UPDATE fintrans_volume SET total = 'Infinity';
\set VERBOSITY default
-- a trigger of the right name that does something else
DROP TRIGGER fintrans_truncated ON fintrans_transactions_20160103;
CREATE TRIGGER fintrans_truncated BEFORE UPDATE ON fintrans_transactions_20160103
  FOR EACH STATEMENT EXECUTE FUNCTION suppress_redundant_updates_trigger();
SELECT problem, subject, expected, found FROM fintrans_verify();
SELECT problem, corrected FROM fintrans_rebuild() WHERE corrected > 0;
SELECT * FROM fintrans_verify();
-- rows that came twice are for a person to judge
SET session_replication_role = replica;
INSERT INTO fintrans_transactions SELECT * FROM fintrans_transactions;
RESET session_replication_role;
SELECT problem, corrected FROM fintrans_rebuild() WHERE corrected > 0;
SELECT problem FROM fintrans_verify();
-- a snapshot older than the corrections is no use
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM fintrans_rebuild();
ROLLBACK;
DELETE FROM fintrans_transactions;
DELETE FROM fintrans_volume;
DELETE FROM fintrans_volume_rollup;
DELETE FROM fintrans_magnitudes;
DELETE FROM fintrans_offsets;
DELETE FROM fintrans_alerts;
DELETE FROM fintrans_rules;
DROP FUNCTION differences;
RESET client_min_messages;
DROP TABLE fintrans_transactions_20160101, fintrans_transactions_20160103, fintrans_transactions_20160104;
