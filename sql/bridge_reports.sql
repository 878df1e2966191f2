-- What bridges tell of themselves: by fintrans_report_bridge(), as the writer.
SET client_min_messages = warning;
DROP ROLE IF EXISTS fintrans_test_bridge, fintrans_test_viewer;
CREATE ROLE fintrans_test_bridge;
CREATE ROLE fintrans_test_viewer;
SELECT fintrans_grant('fintrans_test_bridge', 'writer'),
       fintrans_grant('fintrans_test_viewer', 'reader') \g /dev/null
INSERT INTO fintrans_offsets (topic, kafka_partition, first_offset, next_offset, stored)
VALUES ('told London', 0, 0, 100, 100), ('told London', 1, 50, 60, 10), ('told NYC', 0, 0, 7, 7),
       ('told quiet', 0, 0, 1, 1);

SET ROLE fintrans_test_bridge;
-- two bridges; the second one's partitions are not in the order of their key
SELECT fintrans_report_bridge('a:1', '{told London,told London}', '{0,1}', '{130,NULL}',
                              '{NULL,NULL}', '{f,t}', 110, 3, 2, 0.5, 11, 1) \g /dev/null
SELECT fintrans_report_bridge('b:2', '{told Oslo,told NYC}', '{0,0}', '{5,7}', '{NULL,made anew}',
                              '{f,f}', 7, 0, 1, 0.25, 1, 0) \g /dev/null
-- it tells again: counters are added up, states are those of now
SELECT fintrans_report_bridge('a:1', '{told London,told London}', '{0,1}', '{90,75}',
                              '{NULL,NULL}', '{f,f}', 5, 0, 1, 0.125, 2.5, 4) \g /dev/null
-- without partitions
SELECT fintrans_report_bridge('c:3', '{}', '{}', '{}', '{}', '{}', 0, 0, 0, 0, 0, 0) \g /dev/null

SET ROLE fintrans_test_viewer;
SELECT topic, kafka_partition, next_offset, high_watermark, lag, halted, unanswered, bridge,
       now() - reported_at < '1 hour' AS now
  FROM fintrans_partition_status WHERE topic ~ '^told' ORDER BY topic, kafka_partition;
-- the minute may have changed in between
SELECT bridge, sum(messages) AS messages, sum(dead_letters) AS dead_letters,
       sum(batches) AS batches, sum(storing_seconds) AS storing_seconds,
       sum(latency_seconds) AS latency_seconds, sum(retries) AS retries,
       (array_agg(partitions ORDER BY minute DESC))[1] AS partitions,
       (array_agg(halted ORDER BY minute DESC))[1] AS halted,
       (array_agg(lag ORDER BY minute DESC))[1] AS lag,
       bool_and(date_trunc('minute', minute) = minute) AS whole_minutes
  FROM fintrans_bridge_minutes GROUP BY bridge ORDER BY bridge;
-- no other way to write there
SELECT fintrans_report_bridge('d:4', '{}', '{}', '{}', '{}', '{}', 0, 0, 0, 0, 0, 0);
SET ROLE fintrans_test_bridge;
INSERT INTO fintrans_bridge_minutes
VALUES (now(), 'd:4', 0, 0, 0, 0, 0, 0, 0, 0, 0);
DELETE FROM fintrans_bridge_partitions;

-- what is older than two weeks goes
RESET ROLE;
UPDATE fintrans_bridge_minutes SET minute = minute - interval '14 days 1 minute' WHERE bridge = 'c:3';
UPDATE fintrans_bridge_partitions SET reported_at = now() - interval '15 days' WHERE topic = 'told Oslo';
SELECT fintrans_report_bridge('b:2', '{}', '{}', '{}', '{}', '{}', 0, 0, 0, 0, 0, 0) \g /dev/null
SELECT DISTINCT bridge FROM fintrans_bridge_minutes ORDER BY 1;
SELECT topic, kafka_partition FROM fintrans_bridge_partitions ORDER BY 1, 2;

DELETE FROM fintrans_offsets WHERE topic ~ '^told';
DELETE FROM fintrans_bridge_minutes;
DELETE FROM fintrans_bridge_partitions;
DROP OWNED BY fintrans_test_bridge, fintrans_test_viewer;
DROP ROLE fintrans_test_bridge, fintrans_test_viewer;
