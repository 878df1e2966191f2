-- The trigger function refuses every use but its own.
CREATE TABLE forged (LIKE fintrans_transactions);
CREATE TRIGGER forged AFTER INSERT ON forged REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION fintrans_transactions_changed();
INSERT INTO forged VALUES ('2026-01-01', 'London', 'a', 'b', 1e14);
DROP TRIGGER forged ON forged;
CREATE TRIGGER forged BEFORE INSERT ON forged
  FOR EACH STATEMENT EXECUTE FUNCTION fintrans_transactions_changed();
INSERT INTO forged VALUES ('2026-01-01', 'London', 'a', 'b', 1e14);
DROP TRIGGER forged ON forged;
CREATE TRIGGER forged AFTER INSERT ON forged
  FOR EACH ROW EXECUTE FUNCTION fintrans_transactions_changed();
INSERT INTO forged VALUES ('2026-01-01', 'London', 'a', 'b', 1e14);
DROP TRIGGER forged ON forged;
CREATE TRIGGER forged AFTER INSERT ON forged
  FOR EACH STATEMENT EXECUTE FUNCTION fintrans_transactions_changed();
INSERT INTO forged VALUES ('2026-01-01', 'London', 'a', 'b', 1e14);
DROP TABLE forged;
SELECT fintrans_transactions_changed();
SELECT count(*) FROM fintrans_laundering;
-- a detached leaf can no longer change totals
SELECT fintrans_ensure_partitions('2026-01-01', '2026-01-01') AS made;
ALTER TABLE fintrans_transactions DETACH PARTITION fintrans_transactions_20260101;
INSERT INTO fintrans_transactions_20260101 VALUES ('2026-01-01', 'London', 'a', 'b', 1);
-- PostgreSQL 16.2 attaches no table that has triggers with transition tables
DROP TRIGGER fintrans_inserted ON fintrans_transactions_20260101;
DROP TRIGGER fintrans_updated ON fintrans_transactions_20260101;
DROP TRIGGER fintrans_deleted ON fintrans_transactions_20260101;
ALTER TABLE fintrans_transactions ATTACH PARTITION fintrans_transactions_20260101
  FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2026-01-02 00:00+00');
SELECT fintrans_add_triggers('fintrans_transactions_20260101');
-- a leaf attached by hand may have its columns in another order
CREATE TABLE other_order (amount numeric NOT NULL, kafka_offset bigint, kafka_partition integer,
  reference text COLLATE "C", target_account text COLLATE "C" NOT NULL,
  source_account text COLLATE "C" NOT NULL, city text COLLATE "C" NOT NULL,
  event_time timestamptz NOT NULL,
  CONSTRAINT fintrans_transactions_amount
    CHECK (amount >= 0 AND amount < 1e15 AND scale(amount) <= 18),
  CONSTRAINT fintrans_transactions_city
    CHECK (octet_length(city) BETWEEN 1 AND 249),
  CONSTRAINT fintrans_transactions_source_account
    CHECK (octet_length(source_account) BETWEEN 1 AND 256),
  CONSTRAINT fintrans_transactions_target_account
    CHECK (octet_length(target_account) BETWEEN 1 AND 256),
  CONSTRAINT fintrans_transactions_coordinates
    CHECK ((kafka_partition IS NULL) = (kafka_offset IS NULL)));
ALTER TABLE fintrans_transactions ATTACH PARTITION other_order
  FOR VALUES FROM ('2026-02-01 00:00+00') TO ('2026-02-02 00:00+00');
SELECT fintrans_add_triggers('other_order');
INSERT INTO other_order (event_time, city, source_account, target_account, amount)
VALUES ('2026-02-01', 'London', 'a', 'b', 1);
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
VALUES ('2026-02-01', 'London', 'a', 'b', 2), ('2026-01-01', 'London', 'a', 'b', 4);
SELECT source_account, target_account, total, transactions FROM fintrans_laundering;
SELECT * FROM fintrans_verify();
DELETE FROM fintrans_transactions;
DROP TABLE other_order;
-- unique indexes that a failed REINDEX CONCURRENTLY leaves behind are in nobody's way
SELECT fintrans_set_rule('default', 100);
CREATE UNIQUE INDEX left_alerts ON fintrans_alerts (rule, source_account, target_account, account, window_start) NULLS NOT DISTINCT;
CREATE UNIQUE INDEX left_pairs ON fintrans_laundering (source_account, target_account);
UPDATE pg_index SET indisvalid = false WHERE indexrelid IN ('left_alerts'::regclass, 'left_pairs'::regclass);
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
VALUES ('2026-01-01', 'London', 'a', 'b', 500);
DELETE FROM fintrans_transactions;
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
VALUES ('2026-01-01', 'London', 'a', 'b', 600), ('2026-01-01', 'London', 'a', 'c', 1);
SELECT total, transactions FROM fintrans_laundering ORDER BY 1;
SELECT total FROM fintrans_alerts;
SELECT * FROM fintrans_verify();
DROP INDEX left_alerts, left_pairs;
-- a unique index of another order has its say, but no row is looked up by it
CREATE UNIQUE INDEX falling ON fintrans_laundering (source_account DESC, target_account);
CREATE UNIQUE INDEX including ON fintrans_laundering (source_account, target_account) INCLUDE (total);
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
SELECT '2026-01-01', 'London', i % 30, i % 7, 1 FROM generate_series(1, 500) i;
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
SELECT '2026-01-01', 'London', i % 30, i % 7, 1 FROM generate_series(1, 500) i;
SELECT * FROM fintrans_verify();
DROP INDEX falling, including;
-- a minute is a minute in zones whose offset has seconds as well
SET timezone = 'Africa/Monrovia';
SELECT fintrans_ensure_partitions('1971-01-01', '1971-01-01') >= 0 AS made;
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
SELECT '1971-01-01 12:00:00+00'::timestamptz + i * interval '1 s', 'London', 'a', 'b', i FROM generate_series(0, 59) i;
DELETE FROM fintrans_transactions WHERE amount IN (0, 59);
SELECT * FROM fintrans_verify();
RESET timezone;
-- no batch may name a city that Kafka could not have as a topic
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
VALUES ('2026-01-01', '', 'a', 'b', 1);
DELETE FROM fintrans_transactions;
DELETE FROM fintrans_alerts;
DELETE FROM fintrans_rules;
