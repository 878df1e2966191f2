-- Sums are exact, digit for digit, wherever machine integers give way to
-- numeric: the independent source is PostgreSQL's own sum(numeric).
SELECT fintrans_ensure_partitions('2026-01-01', '2026-01-01') AS made;
CREATE TEMP TABLE amounts (pair text, amount numeric);
INSERT INTO amounts VALUES
  ('zero', 0), ('zero', 0.00), ('zero scale', 0.0000),
  ('scale grows', 1), ('scale grows', 0.5), ('scale grows', 0.2500),
  ('fourth decimal', 0.0001), ('fourth decimal', 0.9999),
  ('fifth decimal', 0.00001), ('fifth decimal', 1),
  ('trailing zeros', 1.000000), ('trailing zeros', 2.00000000000000),
  ('eighteen decimals', 0.000000000000000001), ('eighteen decimals', 999999999999999),
  ('largest', 999999999999999.999999999999999999), ('largest', 999999999999999.999999999999999999),
  ('around 2^63 units', 922337203685477.5807), ('around 2^63 units', 0.0001),
  ('below 2^63 units', 922337203685477.5806), ('below 2^63 units', 0.0001),
  ('overflows', 900000000000000), ('overflows', 900000000000000), ('overflows', 900000000000000),
  ('powers of ten thousand', 10000), ('powers of ten thousand', 100000000),
  ('powers of ten thousand', 1000000000000), ('2^53 + 1', 9007199254740.993);
-- random amounts of every scale and size, twice over so that totals add up
SELECT setseed(0.5);
INSERT INTO amounts
SELECT 'random ' || i % 500,
       trunc((random() * 10 ^ (i % 16))::numeric, i % 19)
  FROM generate_series(1, 20000) i;
-- one statement per round: the stored total is read back and added to
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
SELECT '2026-01-01 00:00+00'::timestamptz + i % 3 * '1 minute'::interval, 'London', pair, 'amounts', amount
  FROM (SELECT *, row_number() OVER () AS i FROM amounts WHERE amount < 1e15) a;
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
SELECT '2026-01-01 00:05+00', 'London', pair, 'amounts', amount FROM amounts WHERE amount < 1e15;
-- no output: the totals' text, scale included, is that of sum()
SELECT a.pair, a.total AS expected, l.total AS found
  FROM (SELECT pair, sum(amount) * 2 AS total FROM amounts WHERE amount < 1e15 GROUP BY pair) a
  FULL JOIN fintrans_laundering l ON l.source_account = a.pair
 WHERE a.total::text IS DISTINCT FROM l.total::text;
SELECT source_account, total FROM fintrans_laundering WHERE source_account !~ 'random' ORDER BY 1;
SELECT * FROM fintrans_verify();
-- half of the rows go again
DELETE FROM fintrans_transactions WHERE event_time >= '2026-01-01 00:05+00';
SELECT a.pair, a.total AS expected, l.total AS found
  FROM (SELECT pair, sum(amount) AS total FROM amounts WHERE amount < 1e15 GROUP BY pair) a
  FULL JOIN fintrans_laundering l ON l.source_account = a.pair
 WHERE a.total IS DISTINCT FROM l.total;
SELECT * FROM fintrans_verify();
DELETE FROM fintrans_transactions;
SELECT count(*) FROM fintrans_laundering;
