-- Bursts: the most in any window, compared with a plain join of the rows with
-- themselves.  Windows are half-open and begin at a transaction.
CREATE TABLE events (name text, i serial, t timestamptz, amount numeric);
INSERT INTO events (name, t, amount) VALUES
  ('one', '2026-01-01', 9.5), ('only NULLs', NULL, 9.5), ('only NULLs', '2026-01-01', NULL),
  ('exactly an hour apart', '2026-01-01 00:00', 9.5), ('exactly an hour apart', '2026-01-01 01:00', 9.5),
  ('a microsecond less', '2026-01-01 00:00', 9.5), ('a microsecond less', '2026-01-01 00:59:59.999999', 9.25),
  ('at one time', '2026-01-01', 9), ('at one time', '2026-01-01', -50), ('at one time', '2026-01-01', 9.999),
  ('negative', '2026-01-01 00:00', -5), ('negative', '2026-01-01 00:30', -3), ('negative', '2026-01-01 01:00', -4),
  ('the limit', '2026-01-01 00:00', 10), ('the limit', '2026-01-01 00:01', 9), ('the limit', '2026-01-01 00:02', 8.9999), ('the limit', '2026-01-01 00:03', 9.99999999999999999999),
  ('ends of time', '4713-01-02 BC', 9), ('ends of time', '294276-12-31', 9),
  ('huge', '2026-01-01 00:00', 1e40), ('huge', '2026-01-01 00:30', 1), ('huge', '2026-01-01 01:00', 922337203685477.5807), ('huge', '2026-01-01 01:10', 1e-30),
  ('lowest integers', '2026-01-01 00:00', -922337203685477.5807), ('lowest integers', '2026-01-01 00:01', -922337203685477.5808), ('lowest integers', '2026-01-01 02:00', -922337203471229.2161), ('lowest integers', '2026-01-01 03:30', -922337203471229.2160),
  ('beyond 2^63 units', '2026-01-01 00:00', 922337203685477.5807), ('beyond 2^63 units', '2026-01-01 00:01', 922337203685477.5807), ('beyond 2^63 units', '2026-01-01 00:02', 0.0001),
  ('NaN', '2026-01-01 00:00', 9.5), ('NaN', '2026-01-01 05:00', 'NaN'),
  ('infinite', '2026-01-01 00:00', 9.5), ('infinite', '2026-01-01 05:00', 'Infinity'),
  ('minus infinity', '2026-01-01 00:00', '-Infinity'), ('minus infinity', '2026-01-01 00:10', 9.5), ('minus infinity', '2026-01-01 03:00', 2),
  ('two infinities', '2026-01-01 00:00', '-Infinity'), ('two infinities', '2026-01-01 00:10', 'Infinity');
SELECT setseed(0.5);
-- sparse and dense, in order and not, in steps of the window's length as well
INSERT INTO events (name, t, amount)
SELECT 'random ' || i % 40, '2026-01-01'::timestamptz + (i % 40) * random() * interval '1 h', round((random() * 11)::numeric, i % 3)
  FROM generate_series(1, 2000) i;
INSERT INTO events (name, t, amount)
SELECT 'in steps', '2026-01-01'::timestamptz + i / 2 * interval '20 min', (random() * 30 - 15)::numeric FROM generate_series(1, 300) i;

CREATE VIEW expected AS
SELECT name, max(velocity) AS velocity, max(peak) AS peak, coalesce(max(just_below), 0) AS just_below, coalesce(max(half), 0) AS half
  FROM (SELECT a.name, a.i, count(*) AS velocity, sum(b.amount) AS peak,
               count(*) FILTER (WHERE b.amount >= 9 AND b.amount < 10 AND a.amount >= 9 AND a.amount < 10) AS just_below,
               count(*) FILTER (WHERE b.amount >= 5 AND b.amount < 10 AND a.amount >= 5 AND a.amount < 10) AS half
          FROM events a JOIN events b ON a.name = b.name AND b.t >= a.t AND extract(epoch FROM b.t) - extract(epoch FROM a.t) < 3600
         WHERE a.amount IS NOT NULL AND b.amount IS NOT NULL
         GROUP BY a.name, a.i) windows
 GROUP BY name;
CREATE VIEW found AS
SELECT name, fintrans_velocity(t, '1 h') FILTER (WHERE amount IS NOT NULL) AS velocity, fintrans_peak(amount, t, '60 min') AS peak,
       fintrans_just_below(amount, t, 10, '1 h') AS just_below, fintrans_just_below(amount, t, 10, '1 h', 0.5) AS half
  FROM events GROUP BY name;
-- no output
SELECT e, f FROM expected e FULL JOIN found f USING (name)
 WHERE (e.velocity, e.peak, e.just_below, e.half) IS DISTINCT FROM (f.velocity, f.peak, f.just_below, f.half)
   AND name <> 'only NULLs';
SELECT * FROM found WHERE name !~ 'random|steps' ORDER BY name COLLATE "C";
-- of all names at once, and of windows of other lengths
SELECT length, fintrans_velocity(t, length::interval), fintrans_peak(amount, t, length::interval)
  FROM events, (VALUES ('1 us'), ('20 min'), ('1 day -1 us'), ('100000000 days')) l(length)
 WHERE name ~ 'random|steps|apart|less' GROUP BY length ORDER BY length::interval;
SELECT max(velocity), max(peak) FROM (
  SELECT count(*) OVER w AS velocity, sum(amount) OVER w AS peak FROM events WHERE name ~ 'random|steps|apart|less'
  WINDOW w AS (ORDER BY t RANGE BETWEEN CURRENT ROW AND '00:19:59.999999' FOLLOWING)) q;
-- a day is 24 hours, in zones that change their clocks as well
SET timezone = 'Europe/Berlin';
SELECT fintrans_velocity(t, '1 day'), fintrans_velocity(t, '25 h 1 us')
  FROM (VALUES ('2026-10-25 00:00'::timestamptz), ('2026-10-26 00:00')) v(t);
RESET timezone;
-- no rows
SELECT fintrans_velocity(t, '1 h'), fintrans_peak(amount, t, '1 h'), fintrans_just_below(amount, t, 10, '1 h') FROM events WHERE false;
-- a result shows as many decimals as any amount
SELECT fintrans_peak(amount, t, '1 h') FROM (VALUES ('2026-01-01'::timestamptz, 5), ('2026-01-02', 1.250)) v(t, amount);

-- as a window function, the state goes on after each result
SELECT i, fintrans_velocity(t, '1 h') OVER w, fintrans_peak(amount, t, '1 h') OVER w
  FROM (VALUES (1, '2026-01-01 02:00'::timestamptz, 1), (2, '2026-01-01 00:00', 2), (3, '2026-01-01 02:30', 3), (4, '2026-01-01 00:30', 1)) v(i, t, amount)
WINDOW w AS (ORDER BY i);

-- Parallel workers make no difference.
CREATE VIEW of_each AS
SELECT name, fintrans_velocity(t, '1 h') AS velocity, fintrans_peak(amount, t, '1 h')::text AS peak,
       fintrans_just_below(amount, t, 10, '1 h') AS just_below, fintrans_just_below(amount, t, 10, '1 h', 0.5) AS half
  FROM events GROUP BY name;
CREATE VIEW of_all AS
SELECT fintrans_velocity(t, '1 h') AS velocity, fintrans_peak(amount, t, '1 h')::text AS peak,
       fintrans_just_below(amount, t, 10, '1 h') AS just_below, fintrans_just_below(amount, t, 10, '1 h', 0.5) AS half
  FROM events WHERE name !~ 'NaN|infinit';
ANALYZE events;
SET max_parallel_workers_per_gather = 0;
CREATE TEMP TABLE serial_of_each AS SELECT * FROM of_each;
CREATE TEMP TABLE serial_of_all AS SELECT * FROM of_all;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
SET enable_sort = off;
EXPLAIN (COSTS off) SELECT * FROM of_each;
EXPLAIN (COSTS off) SELECT * FROM of_all;
CREATE TEMP TABLE parallel_of_each AS SELECT * FROM of_each;
CREATE TEMP TABLE parallel_of_all AS SELECT * FROM of_all;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET parallel_leader_participation;
RESET enable_sort;
SELECT count(*) = (SELECT count(*) FROM serial_of_each) AS equal FROM parallel_of_each;
SELECT * FROM parallel_of_each EXCEPT SELECT * FROM serial_of_each;
SELECT * FROM parallel_of_all EXCEPT SELECT * FROM serial_of_all;

-- Refused
SELECT fintrans_velocity(t, '1 mon') FROM events;
SELECT fintrans_velocity(t, '1 year -365 days') FROM events;
SELECT fintrans_velocity(t, '0') FROM events;
SELECT fintrans_peak(amount, t, '-1 h') FROM events;
SELECT fintrans_velocity(t, '2000000000 days') FROM events;
SELECT fintrans_velocity(t, NULL) FROM events;
SELECT fintrans_velocity(t, i * interval '1 h') FROM events;
SELECT fintrans_velocity(t, '1 h') FROM (VALUES ('infinity'::timestamptz)) v(t);
SELECT fintrans_peak(1, t, '1 h') FROM (VALUES ('2026-01-01'::timestamptz), ('-infinity')) v(t);
SELECT fintrans_peak(1e-1001, '2026-01-01', '1 h');
SELECT fintrans_just_below(amount, t, 0, '1 h') FROM events;
SELECT fintrans_just_below(amount, t, 'NaN', '1 h') FROM events;
SELECT fintrans_just_below(amount, t, 'Infinity', '1 h') FROM events;
SELECT fintrans_just_below(amount, t, NULL, '1 h') FROM events;
SELECT fintrans_just_below(amount, t, i, '1 h') FROM events;
SELECT fintrans_just_below(amount, t, 10, '1 h', 0) FROM events;
SELECT fintrans_just_below(amount, t, 10, '1 h', 1.0001) FROM events;
SELECT fintrans_just_below(amount, t, 10, '1 h', 'NaN') FROM events;
SELECT fintrans_just_below(amount, t, 10, '1 h', NULL) FROM events;
SELECT fintrans_just_below(amount, t, 10, '1 h', 1.0 / i) FROM events;
-- the same length and limit in other words
SELECT fintrans_just_below(amount, t, CASE WHEN i % 2 = 0 THEN 10 ELSE 10.00 END,
                           CASE WHEN i % 2 = 0 THEN interval '1 day' ELSE '24 h' END)
     = fintrans_just_below(amount, t, 10, '1 day') AS equal FROM events;
DROP VIEW expected, found, of_each, of_all;
DROP TABLE events;
