-- fintrans_verify() finds what was changed behind the triggers' back: one
-- change of each kind, one row each.
SELECT fintrans_ensure_partitions('2026-01-01', '2026-01-02') AS made;
SELECT fintrans_set_rule('default', 10);
INSERT INTO fintrans_transactions
VALUES ('2026-01-01 10:00+00', 'London', 'a', 'b', 20, NULL, 0, 5),
       ('2026-01-01 10:00+00', 'London', 'a', 'c', 2, NULL, 0, 6);
INSERT INTO fintrans_offsets (topic, kafka_partition, first_offset, next_offset, stored)
VALUES ('London', 0, 5, 7, 2);
SELECT * FROM fintrans_verify();
-- a total
UPDATE fintrans_laundering SET total = 21 WHERE target_account = 'b';
SELECT * FROM fintrans_verify();
-- a magnitude: 20 is 200,000 units of a ten-thousandth, 2^17 * (1 + 134.6/256),
-- so 1000 + 17 * 256 + 134; magnitudes of 0.1.0, 1 to 999, bound nothing
UPDATE fintrans_laundering SET total = 20, magnitude = 5485 WHERE target_account = 'b';
SELECT * FROM fintrans_verify();
UPDATE fintrans_laundering SET magnitude = 5486 WHERE target_account = 'b';
SELECT * FROM fintrans_verify();
UPDATE fintrans_laundering SET magnitude = 1 WHERE target_account = 'b';
SELECT * FROM fintrans_verify();
-- 0 takes a floor that is known and not below
BEGIN;
UPDATE fintrans_laundering SET magnitude = 0 WHERE target_account = 'b';
DELETE FROM fintrans_magnitudes;
SELECT subject FROM fintrans_verify() WHERE subject = 'a -> b';
INSERT INTO fintrans_magnitudes VALUES (0, 19.99);
SELECT * FROM fintrans_verify();
UPDATE fintrans_magnitudes SET ceiling = 20;
SELECT * FROM fintrans_verify();
ROLLBACK;
UPDATE fintrans_laundering SET magnitude = 32767;
-- a pair that should not be, and one that is missing
INSERT INTO fintrans_laundering SELECT 'x', 'y', 1, 1, first_time, last_time, 32767
  FROM fintrans_laundering LIMIT 1;
SELECT * FROM fintrans_verify();
DELETE FROM fintrans_laundering WHERE source_account = 'x';
BEGIN;
DELETE FROM fintrans_laundering WHERE target_account = 'c';
SELECT * FROM fintrans_verify();
-- nobody can take rows away from a total that is not there
SAVEPOINT s;
DELETE FROM fintrans_transactions WHERE target_account = 'c';
ROLLBACK;
-- volume: wrong, missing, too much; a minute of a day no longer held is history
UPDATE fintrans_volume SET maximum = 21;
SELECT * FROM fintrans_verify();
UPDATE fintrans_volume SET maximum = 20;
BEGIN;
DELETE FROM fintrans_volume;
SELECT problem, found FROM fintrans_verify();
ROLLBACK;
INSERT INTO fintrans_volume VALUES ('London', '2026-01-02 10:00+00', 1, 1, 1, 1),
                                   ('London', '2020-01-02 10:00+00', 1, 1, 1, 1);
SELECT problem, expected FROM fintrans_verify();
DELETE FROM fintrans_volume WHERE total = 1;
-- offsets: the columns always add up; rows missing, doubled, or of an unknown partition
\set VERBOSITY terse
UPDATE fintrans_offsets SET next_offset = 9;
\set VERBOSITY default
UPDATE fintrans_offsets SET next_offset = 8, stored = 3;
SELECT * FROM fintrans_verify();
UPDATE fintrans_offsets SET next_offset = 8, stored = 2, dead_lettered = 1;
SELECT * FROM fintrans_verify();
UPDATE fintrans_offsets SET next_offset = 7, stored = 2, dead_lettered = 0;
BEGIN;
UPDATE fintrans_transactions SET kafka_offset = 5;
SELECT problem, expected, found FROM fintrans_verify();
UPDATE fintrans_transactions SET kafka_partition = 1;
SELECT problem, subject, expected, found FROM fintrans_verify() ORDER BY subject;
ROLLBACK;
-- triggers, on a leaf and in force
ALTER TABLE fintrans_transactions_20260102 DISABLE TRIGGER fintrans_inserted;
DROP TRIGGER fintrans_truncated ON fintrans_transactions_20260101;
SELECT * FROM fintrans_verify() ORDER BY subject;
ALTER TABLE fintrans_transactions_20260102 ENABLE TRIGGER fintrans_inserted;
CREATE TRIGGER fintrans_truncated BEFORE TRUNCATE ON fintrans_transactions_20260101
  FOR EACH STATEMENT EXECUTE FUNCTION fintrans_transactions_truncated();
-- an alert that is missing
BEGIN;
DELETE FROM fintrans_alerts;
SELECT * FROM fintrans_verify();
ROLLBACK;
-- rows the triggers did not see
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE fintrans_transactions SET amount = 3 WHERE amount = 2;
SET LOCAL session_replication_role = origin;
SELECT problem, subject, expected, found FROM fintrans_verify() ORDER BY problem;
ROLLBACK;
SELECT * FROM fintrans_verify();
DELETE FROM fintrans_transactions;
DELETE FROM fintrans_offsets;
DELETE FROM fintrans_alerts;
DELETE FROM fintrans_rules;
