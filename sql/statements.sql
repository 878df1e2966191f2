-- INSERT, COPY, UPDATE and DELETE on the parent or on a leaf keep totals and
-- volume equal to the rows.  Expected figures are added up by hand.
SELECT fintrans_ensure_partitions('2026-01-01', '2026-01-03') AS made;
-- a -> b: 1 + 2.50 = 3.50; b -> b (to itself): 7
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
VALUES ('2026-01-01 10:00:05+00', 'London', 'a', 'b', 1),
       ('2026-01-01 10:00:59.999+00', 'London', 'a', 'b', 2.50),
       ('2026-01-02 00:00:00+00', 'NYC', 'b', 'b', 7);
SELECT source_account, target_account, total, transactions,
       first_time AT TIME ZONE 'UTC' AS first_time, last_time AT TIME ZONE 'UTC' AS last_time
  FROM fintrans_laundering ORDER BY 1, 2;
SELECT city, minute AT TIME ZONE 'UTC' AS minute, transactions, total, minimum, maximum
  FROM fintrans_volume ORDER BY 1, 2;
-- COPY into the parent and into a leaf
COPY fintrans_transactions (event_time, city, source_account, target_account, amount) FROM stdin;
2026-01-01 10:00:30+00	London	a	b	0.25
2026-01-03 10:00:30+00	Tokyo	c	d	10
\.
COPY fintrans_transactions_20260103 (event_time, city, source_account, target_account, amount) FROM stdin;
2026-01-03 10:00:31+00	Tokyo	c	d	5
\.
-- a -> b 3.75 in 3, b -> b 7 in 1, c -> d 15 in 2
SELECT source_account, target_account, total, transactions FROM fintrans_laundering ORDER BY 1, 2;
SELECT * FROM fintrans_verify();
-- UPDATE: of an amount, of an account, of a minute, to another partition, on a leaf
UPDATE fintrans_transactions SET amount = 100 WHERE amount = 10;
UPDATE fintrans_transactions SET target_account = 'e' WHERE amount = 2.50;
UPDATE fintrans_transactions SET event_time = event_time + '1 minute' WHERE amount = 0.25;
UPDATE fintrans_transactions SET event_time = event_time + '1 day' WHERE amount = 7;
UPDATE fintrans_transactions_20260101 SET city = 'SF' WHERE amount = 1;
-- a -> b 1.25 in 2, a -> e 2.50 in 1, b -> b 7 in 1, c -> d 105 in 2
SELECT source_account, target_account, total, transactions FROM fintrans_laundering ORDER BY 1, 2;
SELECT * FROM fintrans_verify();
-- DELETE: what was the smallest or largest of its minute, the last of a pair, through a leaf
DELETE FROM fintrans_transactions WHERE amount = 5;
SELECT city, transactions, total, minimum, maximum FROM fintrans_volume WHERE city = 'Tokyo';
DELETE FROM fintrans_transactions_20260101 WHERE target_account = 'e';
SELECT source_account, target_account, total, transactions FROM fintrans_laundering ORDER BY 1, 2;
SELECT * FROM fintrans_verify();
-- statements that touch nothing
UPDATE fintrans_transactions SET amount = 1 WHERE false;
DELETE FROM fintrans_transactions WHERE false;
INSERT INTO fintrans_transactions SELECT * FROM fintrans_transactions WHERE false;
-- two changes of one pair in one statement, and in one database transaction
WITH first AS (
  INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
  VALUES ('2026-01-01', 'London', 'x', 'y', 1) RETURNING 1
), second AS (
  INSERT INTO fintrans_transactions_20260102 (event_time, city, source_account, target_account, amount)
  VALUES ('2026-01-02', 'London', 'x', 'y', 2) RETURNING 1
)
SELECT count(*) FROM first, second;
BEGIN;
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
VALUES ('2026-01-01', 'London', 'x', 'y', 4);
SAVEPOINT s;
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
VALUES ('2026-01-01', 'London', 'x', 'y', 1000), ('2026-01-01', 'London', 'x', 'z', 1000);
ROLLBACK TO s;
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
VALUES ('2026-01-01', 'London', 'x', 'y', 8), ('2026-01-01', 'London', 'x', 'z', 16);
COMMIT;
-- x -> y 15 in 4, x -> z 16 in 1
SELECT target_account, total, transactions FROM fintrans_laundering WHERE source_account = 'x' ORDER BY 1;
-- above READ COMMITTED as well, as long as nobody else was there
BEGIN ISOLATION LEVEL SERIALIZABLE;
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
VALUES ('2026-01-01', 'London', 'x', 'y', 32), ('2026-01-01', 'London', 'x', 'w', 64);
DELETE FROM fintrans_transactions WHERE amount = 8;
COMMIT;
SELECT target_account, total, transactions FROM fintrans_laundering WHERE source_account = 'x' ORDER BY 1;
SELECT * FROM fintrans_verify();
-- a bad row refuses the statement and leaves no trace
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
VALUES ('2026-01-01', 'London', 'x', 'y', 1), ('2026-01-01', 'London', 'x', 'y', -1);
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
VALUES ('2026-01-01', 'London', 'x', 'y', 'NaN');
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
VALUES ('2026-01-01', 'London', 'x', 'y', 'Infinity');
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
VALUES ('2026-01-01', 'London', '', 'y', 1);
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
VALUES ('2026-01-01', 'London', 'x', repeat('y', 257), 1);
SELECT * FROM fintrans_verify();
-- TRUNCATE is refused, on the parent and on a leaf
TRUNCATE fintrans_transactions;
TRUNCATE fintrans_transactions_20260101;
-- leave nothing behind
DELETE FROM fintrans_transactions;
SELECT count(*) FROM fintrans_laundering;
SELECT count(*) FROM fintrans_volume;
