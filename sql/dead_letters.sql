-- Dead letters replayed with corrections, each exactly once, and purged by age.
SELECT fintrans_set_rule('default', 100);
INSERT INTO fintrans_offsets (topic, kafka_partition, first_offset, next_offset, dead_lettered)
VALUES ('London', 0, 0, 4, 4), ('NYC', 1, 7, 8, 1);
INSERT INTO fintrans_dead_letters (topic, kafka_partition, kafka_offset, payload, reason, event_time, rejected_at)
VALUES ('London', 0, 0, 'a b 1,000.50', 'bad_amount', '2015-01-01 10:00+00', '2015-01-01'),
       ('London', 0, 1, 'a b 2,000', 'bad_amount', '2015-01-02 10:00+00', '2015-01-02'),
       ('London', 0, 2, 'a b', 'field_count', '2015-01-03 10:00+00', '2015-01-03'),
       ('London', 0, 3, NULL, 'empty', NULL, '2015-01-04'),
       ('NYC', 1, 7, 'x y 5 EUR', 'wrong_currency', '2015-01-01 10:00+00', '2015-01-05');
SELECT * FROM fintrans_verify();
CREATE VIEW offsets AS
  SELECT topic, kafka_partition, stored, dead_lettered, replayed, purged FROM fintrans_offsets ORDER BY 1, 2;
-- by a mapping: what stands between digits is no decimal comma
SELECT fintrans_replay_dead_letters(array_agg(
         ROW(NULL, topic, f[1], f[2], replace(f[3], ',', '')::numeric, NULL,
             kafka_partition, kafka_offset)::fintrans_transactions)) AS replayed
  FROM fintrans_dead_letters, regexp_split_to_array(convert_from(payload, 'UTF8'), ' ') f
 WHERE reason = 'bad_amount';
SELECT * FROM offsets;
SELECT event_time AT TIME ZONE 'UTC' AS event_time, city, source_account, amount, kafka_partition, kafka_offset
  FROM fintrans_transactions ORDER BY 1;
SELECT source_account, total, transactions FROM fintrans_laundering;
SELECT total FROM fintrans_alerts;
SELECT * FROM fintrans_verify();
-- one by its payload, at the message's time or at another
SELECT fintrans_replay_dead_letter('NYC', 1, 7, 'x y 5');
SELECT fintrans_replay_dead_letter('London', 0, 3, 'a b 0.1', '2015-01-04 08:00+00');
SELECT * FROM offsets;
SELECT * FROM fintrans_verify();
SELECT topic, kafka_offset, convert_from(payload, 'UTF8') AS was, reason, replayed_by = session_user AS by_me
  FROM fintrans_replayed_letters ORDER BY 1, 2;
-- days far apart need no partitions between them
INSERT INTO fintrans_dead_letters (topic, kafka_partition, kafka_offset, payload, reason, event_time, rejected_at)
VALUES ('SF', 0, 0, 'a b c', 'bad_amount', '1926-01-01 10:00+00', '2015-01-01'),
       ('SF', 0, 1, 'a b c', 'bad_amount', '2014-01-01 10:00+00', '2015-01-01');
INSERT INTO fintrans_offsets (topic, kafka_partition, first_offset, next_offset, dead_lettered)
VALUES ('SF', 0, 0, 2, 2);
SELECT fintrans_replay_dead_letters(array_agg(
         ROW(NULL, topic, 'a', 'b', 1, NULL, kafka_partition, kafka_offset)::fintrans_transactions)) AS replayed
  FROM fintrans_dead_letters WHERE topic = 'SF';
SELECT * FROM fintrans_verify();
DELETE FROM fintrans_transactions WHERE city = 'SF';
DELETE FROM fintrans_offsets WHERE topic = 'SF';
DROP TABLE fintrans_transactions_19260101, fintrans_transactions_20140101;
-- a topic made anew has the same coordinates again: both replays are kept
INSERT INTO fintrans_dead_letters (topic, kafka_partition, kafka_offset, payload, reason, event_time, rejected_at)
VALUES ('SF', 0, 0, 'x y z', 'bad_amount', '2015-01-02 10:00+00', '2015-01-01');
INSERT INTO fintrans_offsets (topic, kafka_partition, first_offset, next_offset, dead_lettered)
VALUES ('SF', 0, 0, 1, 1);
SELECT fintrans_replay_dead_letter('SF', 0, 0, 'x y 1');
SELECT convert_from(payload, 'UTF8') AS was FROM fintrans_replayed_letters
 WHERE topic = 'SF' AND kafka_offset = 0 ORDER BY 1;
DELETE FROM fintrans_transactions WHERE city = 'SF';
DELETE FROM fintrans_offsets WHERE topic = 'SF';
-- not a second time, not what is not there, all or nothing
\set VERBOSITY terse
SELECT fintrans_replay_dead_letter('NYC', 1, 7, 'x y 5', '2015-01-01');
SELECT fintrans_replay_dead_letters(ARRAY[
  ROW('2015-01-03', 'London', 'a', 'b', 1, NULL, 0, 2)::fintrans_transactions,
  ROW('2015-01-03', 'London', 'a', 'b', 1, NULL, 0, 2)::fintrans_transactions]);
SELECT fintrans_replay_dead_letters(ARRAY[
  ROW('2015-01-03', 'London', 'a', 'b', 1, NULL, 0, 2)::fintrans_transactions,
  ROW('2015-01-03', 'London', 'a', 'b', 1, NULL, 0, 99)::fintrans_transactions]);
SELECT fintrans_replay_dead_letters(ARRAY[
  ROW('2015-01-03', 'London', 'a', 'b', -1, NULL, 0, 2)::fintrans_transactions]);
SELECT fintrans_replay_dead_letters(ARRAY[
  ROW(NULL, 'London', 'a', NULL, 1, NULL, 0, 2)::fintrans_transactions]);
SELECT fintrans_replay_dead_letter('London', 0, 2, 'a b 1e3');
SELECT fintrans_replay_dead_letter('London', 0, 2, NULL);
SELECT fintrans_replay_dead_letter('London', 0, 2, 'a b 1 EUR');
SELECT fintrans_replay_dead_letter('London', 0, 2, E'a b 1\n');
SELECT fintrans_replay_dead_letters('{}');
SELECT fintrans_replay_dead_letters(NULL);
\set VERBOSITY default
SELECT * FROM offsets;
-- purged by age
SELECT fintrans_purge_dead_letters('2015-01-03') AS purged;
SELECT fintrans_purge_dead_letters('2015-01-03 00:00:01') AS purged;
SELECT fintrans_purge_dead_letters(NULL) AS purged;
SELECT * FROM offsets;
-- more than fit a batch, of which two are not old enough
INSERT INTO fintrans_dead_letters (topic, kafka_partition, kafka_offset, payload, reason, rejected_at)
  SELECT 'Bulk', n % 2, n / 2, 'x', 'field_count', timestamptz '2015-02-01 00:00' + n * interval '1 second'
    FROM generate_series(0, 10001) n;
INSERT INTO fintrans_offsets (topic, kafka_partition, first_offset, next_offset, dead_lettered)
  VALUES ('Bulk', 0, 0, 5001, 5001), ('Bulk', 1, 0, 5001, 5001);
INSERT INTO fintrans_replayed_letters (topic, kafka_partition, kafka_offset, reason, rejected_at)
  SELECT 'Bulk', 2, n, 'empty', timestamptz '2015-02-01 00:00' + n * interval '1 second'
    FROM generate_series(0, 10001) n;
SELECT * FROM fintrans_purge_batch('2015-02-01 00:00:07', 5);
SELECT * FROM fintrans_purge_batch('2015-02-01 00:00:07', 5);
CALL fintrans_purge_before(NULL);
CALL fintrans_purge_before('2015-02-01 02:46:40');
SELECT topic, kafka_partition, kafka_offset FROM fintrans_dead_letters WHERE topic = 'Bulk' ORDER BY 1, 2, 3;
SELECT topic, kafka_offset FROM fintrans_replayed_letters WHERE topic = 'Bulk' ORDER BY 1, 2;
SELECT topic, kafka_partition, dead_lettered, purged FROM fintrans_offsets WHERE topic = 'Bulk' ORDER BY 1, 2;
SELECT * FROM fintrans_verify();
-- what somebody's trigger keeps does not keep the purge at work
CREATE FUNCTION keep_letter() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER keep BEFORE DELETE ON fintrans_dead_letters FOR EACH ROW EXECUTE FUNCTION keep_letter();
SELECT * FROM fintrans_purge_batch('infinity', 1);
SELECT * FROM fintrans_purge_batch('infinity', 1);
SELECT * FROM fintrans_purge_batch('infinity', 1);
DROP FUNCTION keep_letter() CASCADE;
DELETE FROM fintrans_dead_letters WHERE topic = 'Bulk';
DROP VIEW offsets;
DELETE FROM fintrans_transactions;
DELETE FROM fintrans_volume;
DELETE FROM fintrans_volume_rollup;
DELETE FROM fintrans_offsets;
DELETE FROM fintrans_replayed_letters;
DELETE FROM fintrans_alerts;
DELETE FROM fintrans_rules;
DROP TABLE fintrans_transactions_20150101, fintrans_transactions_20150102, fintrans_transactions_20150104;
