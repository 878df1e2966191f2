-- Summaries: exact, the same in whatever way they were added up, and never
-- such as no amounts can have.  The independent source is PostgreSQL's own
-- count(), sum(), avg(), min(), max() and stddev_samp(), digit for digit.
CREATE TEMP TABLE sets (name text, i serial, amount numeric);
INSERT INTO sets (name, amount) VALUES
  ('one', 5), ('one, with decimals', 5.2500), ('only NULL', NULL),
  ('with NULL', 1), ('with NULL', NULL), ('with NULL', 2.5),
  ('zeros', 0), ('zeros', 0.00), ('equal', 7.5), ('equal', 7.50), ('equal', 7.500),
  ('negative', -3), ('negative', 2), ('negative', -0.0001),
  ('largest amounts', 999999999999999.999999999999999999), ('largest amounts', 0.000000000000000001),
  ('2^63 units', 922337203685477.5807), ('2^63 units', -922337203685477.5807), ('2^63 units', -922337203685477.5808),
  ('sum beyond 2^63', 900000000000000), ('sum beyond 2^63', 900000000000000), ('sum beyond 2^63', 0.01),
  ('huge', 1e60), ('huge', -1e60), ('huge', 1), ('huge', 1e100),
  ('tiny', 1e-60), ('tiny', 1e-61), ('tiny', 3), ('70 decimals', 1 + 1e-70), ('70 decimals', 1),
  ('70 zeros behind the point', trim_scale(3) * 1.0000000000000000000000000000000000000000000000000000000000000000000000),
  ('NaN', 'NaN'), ('NaN', 1), ('only NaN', 'NaN'), ('infinite', 'Infinity'), ('infinite', 1.5),
  ('two infinities', 'Infinity'), ('two infinities', '-Infinity'),
  ('minus infinity', '-Infinity'), ('minus infinity', '-Infinity'), ('minus infinity', 2),
  ('infinity and NaN', '-Infinity'), ('infinity and NaN', 'NaN');
-- squares overflow 128 bits from the third on
INSERT INTO sets (name, amount) SELECT 'squares beyond 2^127', 922337203685477.5807 - i FROM generate_series(1, 10) i;
SELECT setseed(0.5);
-- of the same scale, and of every scale and size
INSERT INTO sets (name, amount)
SELECT 'money ' || i % 100, round((random() * 10000)::numeric, 2) FROM generate_series(1, 3000) i;
INSERT INTO sets (name, amount)
SELECT 'mixed ' || i % 300,
       CASE i % 7 WHEN 0 THEN -1 ELSE 1 END * trunc((random() * 10 ^ (i % 23 - 4))::numeric, i % 19)
  FROM generate_series(1, 4000) i;

CREATE TEMP VIEW expected AS
SELECT name, nullif(count(amount), 0) AS count, sum(amount), avg(amount), min(amount), max(amount), stddev_samp(amount)
  FROM sets GROUP BY name;
CREATE TEMP VIEW accessors AS
SELECT name, fintrans_count(s) AS count, fintrans_total(s) AS sum, fintrans_average(s) AS avg,
       fintrans_minimum(s) AS min, fintrans_maximum(s) AS max, fintrans_standard_deviation(s) AS stddev_samp
  FROM (SELECT name, fintrans_summary(amount) AS s FROM sets GROUP BY name) q;
-- no output; min() and max() say nothing of decimals, as they take any of equal amounts
SELECT e, f FROM expected e FULL JOIN accessors f USING (name)
 WHERE (e.count, e.sum::text, e.avg::text, e.min, e.max, e.stddev_samp::text)
       IS DISTINCT FROM (f.count, f.sum::text, f.avg::text, f.min, f.max, f.stddev_samp::text);
SELECT name, fintrans_summary(amount) FROM sets
 WHERE name !~ 'money|mixed|70|squares' GROUP BY name ORDER BY name COLLATE "C";
-- no rows
SELECT fintrans_summary(amount), fintrans_rollup(NULL::fintrans_summary), fintrans_count(fintrans_summary(amount))
  FROM sets WHERE false;
-- more decimals than a column can be declared with
SELECT fintrans_summary(x) FROM (VALUES (1e-1000), (1)) v(x) HAVING fintrans_count(fintrans_summary(x)) = 3;
SELECT fintrans_summary(1e-1001);
-- a square that numeric cannot hold
SELECT fintrans_summary(1e70000);

-- Bits: the order of rows, roll-ups in any grouping and parallel workers make no difference.
CREATE TEMP TABLE summaries AS SELECT name, fintrans_summary(amount) AS s FROM sets GROUP BY name;
SELECT name FROM summaries JOIN (
  SELECT name, fintrans_summary(amount ORDER BY amount DESC, i DESC) AS falling,
         fintrans_summary(amount ORDER BY i % 7, amount) AS shuffled FROM sets GROUP BY name) o USING (name)
 WHERE fintrans_summary_send(s) IS DISTINCT FROM fintrans_summary_send(falling)
    OR fintrans_summary_send(s) IS DISTINCT FROM fintrans_summary_send(shuffled);
SELECT name FROM summaries JOIN (
  SELECT name, fintrans_rollup(s ORDER BY fintrans_count(s), part) AS rolled
    FROM (SELECT name, i % 3 AS part, fintrans_summary(amount) AS s FROM sets GROUP BY 1, 2) p GROUP BY name) r USING (name)
 WHERE fintrans_summary_send(s) IS DISTINCT FROM fintrans_summary_send(rolled);
SELECT (SELECT fintrans_rollup(s)::text FROM summaries WHERE name ~ 'mo|mi|sq|hu')
     = (SELECT fintrans_summary(amount)::text FROM sets WHERE name ~ 'mo|mi|sq|hu') AS equal;

-- as in a table that is being read by two workers
CREATE TABLE amounts_to_share (name text, amount numeric);
INSERT INTO amounts_to_share SELECT name, amount FROM sets;
ANALYZE amounts_to_share;
CREATE TABLE summaries_to_share AS SELECT name, fintrans_summary(amount) AS s FROM amounts_to_share GROUP BY name, amount;
ANALYZE summaries_to_share;
CREATE TEMP VIEW in_groups AS
SELECT name, fintrans_summary_send(fintrans_summary(amount)) AS bits FROM amounts_to_share GROUP BY name;
CREATE TEMP VIEW rolled_up AS
SELECT name, fintrans_summary_send(fintrans_rollup(s)) AS bits FROM summaries_to_share GROUP BY name;
SET max_parallel_workers_per_gather = 0;
CREATE TEMP TABLE serial AS SELECT * FROM in_groups;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
SET enable_sort = off;
EXPLAIN (COSTS off) SELECT * FROM in_groups;
SELECT name FROM serial s FULL JOIN in_groups p USING (name) WHERE s.bits IS DISTINCT FROM p.bits;
EXPLAIN (COSTS off) SELECT * FROM rolled_up;
SELECT name FROM serial s FULL JOIN rolled_up p USING (name) WHERE s.bits IS DISTINCT FROM p.bits;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET parallel_leader_participation;
RESET enable_sort;

-- The moving form: each frame has the bits of its amounts summed up anew,
-- which a volatile function in the argument makes PostgreSQL do.
CREATE TEMP TABLE stream AS
SELECT row_number() OVER (ORDER BY md5(name || i)) AS n, sqrt(row_number() OVER (ORDER BY amount, i)) AS root,
       name, amount FROM sets;
CREATE TEMP VIEW frames AS
SELECT n, fintrans_summary(amount) OVER few AS few, fintrans_summary(amount + random()::integer * 0) OVER few AS few_anew,
       fintrans_summary(amount) OVER wide AS wide, fintrans_summary(amount + random()::integer * 0) OVER wide AS wide_anew,
       fintrans_summary(amount) OVER own AS own, fintrans_summary(amount + random()::integer * 0) OVER own AS own_anew,
       fintrans_summary(amount) OVER rising AS rising, fintrans_summary(amount + random()::integer * 0) OVER rising AS rising_anew
  FROM stream
WINDOW few AS (ORDER BY n RANGE BETWEEN 3 PRECEDING AND 2 PRECEDING),
       wide AS (ORDER BY n RANGE BETWEEN 60 PRECEDING AND 20 FOLLOWING),
       own AS (PARTITION BY left(name, 5) ORDER BY n ROWS BETWEEN 9 PRECEDING AND CURRENT ROW),
       -- ever larger amounts, and ever more of them
       rising AS (ORDER BY root RANGE BETWEEN 0.5 PRECEDING AND CURRENT ROW);
SELECT count(few) > 7000 AS few, count(DISTINCT wide::text) > 5000 AS wide, count(own) > 7000 AS own, count(rising) > 7000 AS rising FROM frames;
SELECT * FROM frames
 WHERE few::text IS DISTINCT FROM few_anew::text
    OR wide::text IS DISTINCT FROM wide_anew::text
    OR own::text IS DISTINCT FROM own_anew::text
    OR rising::text IS DISTINCT FROM rising_anew::text;
-- and those are what PostgreSQL's own aggregates say
SELECT count(*) FROM (
  SELECT fintrans_summary(amount) OVER w AS s, nullif(count(amount) OVER w, 0) AS count, sum(amount) OVER w AS sum,
         min(amount) OVER w AS min, max(amount) OVER w AS max, stddev_samp(amount) OVER w AS stddev_samp
    FROM stream WINDOW w AS (ORDER BY n RANGE BETWEEN 30 PRECEDING AND CURRENT ROW)) q
 WHERE (fintrans_count(s), fintrans_total(s)::text, fintrans_minimum(s), fintrans_maximum(s), fintrans_standard_deviation(s)::text)
       IS DISTINCT FROM (count, sum::text, min, max, stddev_samp::text);

-- Text and binary come back as they went.
SELECT name FROM summaries WHERE fintrans_summary_send(s::text::fintrans_summary) <> fintrans_summary_send(s);
CREATE TABLE summaries_read (name text, s fintrans_summary);
\copy summaries to 'summaries.copy' (format binary)
\copy summaries_read from 'summaries.copy' (format binary)
\copy summaries to 'summaries.copy'
\copy summaries_read from 'summaries.copy'
\! rm summaries.copy
SELECT count(*) / 2 = (SELECT count(*) FROM summaries) AS all_read FROM summaries_read;
SELECT name FROM summaries a FULL JOIN summaries_read b USING (name)
 WHERE fintrans_summary_send(a.s) IS DISTINCT FROM fintrans_summary_send(b.s);
SELECT '( 3, 6.00, 14.0000, 1.00, 3 )'::fintrans_summary;
-- stored beside others, compressed or elsewhere
CREATE TEMP TABLE wide_summaries AS
SELECT true AS first, fintrans_summary(x) AS s FROM (VALUES (repeat('1234567', 900)::numeric), (5)) v(x)
UNION ALL SELECT false, fintrans_summary(1.5);
SELECT fintrans_count(s), fintrans_total(s) = repeat('1234567', 900)::numeric + 5 AS total FROM wide_summaries WHERE first;
SELECT (SELECT fintrans_rollup(s)::text FROM wide_summaries)
     = (SELECT fintrans_summary(x)::text FROM (VALUES (repeat('1234567', 900)::numeric), (5), (1.5)) v(x)) AS equal;

-- Not every text is a summary, nor can amounts have every summary.
SELECT ''::fintrans_summary;
SELECT '(1,2,4,2)'::fintrans_summary;
SELECT '(1,2,4,2,2,2)'::fintrans_summary;
SELECT '1,2,4,2,2'::fintrans_summary;
SELECT '(1,2,4,2,2'::fintrans_summary;
SELECT '(one,2,4,2,2)'::fintrans_summary;
SELECT '(1,2,4,2,)'::fintrans_summary;
SELECT '(99999999999999999999,2,4,2,2)'::fintrans_summary;
CREATE FUNCTION refusal(text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
  RETURN $1::fintrans_summary;
EXCEPTION WHEN invalid_text_representation THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  RETURN 'refused: ' || detail;
END $$;
SELECT text, refusal(text) FROM (VALUES
  (1, '(0,0,0,0,0)'), (2, '(-1,2,4,2,2)'), (3, '(1,2,4,2,3)'), (4, '(2,5,13,3,2)'),
  (5, '(2,5,13,2,3)'), (6, '(2,4,8,2,3)'), (7, '(3,9,29,2,4)'), (8, '(3,10,36,2,4)'), (9, '(3,11,41,2,4)'),
  (10, '(2,5,12,2,3)'), (11, '(2,5,14,2,3)'), (12, '(4,10,24,1,4)'), (13, '(4,10,25,1,4)'), (14, '(4,10,34,1,4)'), (15, '(4,10,35,1,4)'),
  (16, '(2,5.0,13,2,3)'), (17, '(2,5,13.00,2,3)'), (18, '(2,5.0,13.00,2,3)'), (19, '(2,5,13,2.0,3)'), (20, '(2,5,13,2,3.0)'),
  (21, '(2,NaN,NaN,1,NaN)'), (22, '(2,NaN,NaN,1,2)'), (23, '(2,5,NaN,2,3)'), (24, '(2,NaN,5,1,NaN)'), (25, '(2,5,13,2,Infinity)'),
  (26, '(2,Infinity,NaN,2,Infinity)'), (27, '(2,Infinity,NaN,-Infinity,Infinity)'), (28, '(2,NaN,NaN,-Infinity,Infinity)'),
  (29, '(2,-Infinity,NaN,-Infinity,Infinity)'), (30, '(2,-Infinity,NaN,-Infinity,7)'), (31, '(1,NaN,NaN,1,NaN)'), (32, '(1,NaN,NaN,NaN,NaN)'),
  (33, '(2,Infinity,Infinity,2,Infinity)')) v(n, text)
 ORDER BY n;
SELECT refusal('(1,' || 1e-1001 || ',' || 1e-1001 * 1e-1001 || ',' || 1e-1001 || ',' || 1e-1001 || ')');
-- nor do roll-ups count beyond what a bigint holds
SELECT fintrans_rollup(s::fintrans_summary) FROM (VALUES ('(9223372036854775807,0,0,0,0)'), ('(1,0,0,0,0)')) v(s);
-- the binary form: COPY's header, one field of so many bytes, COPY's trailer
CREATE TEMP TABLE forged (s fintrans_summary);
-- version 2; version 1 cut off; one amount of 0; none
\copy forged from program 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\1\2\377\377"' (format binary)
\copy forged from program 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\5\1\0\0\0\0\377\377"' (format binary)
\copy forged from program 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\51\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\377\377"' (format binary)
\copy forged from program 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\51\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\377\377"' (format binary)
SELECT * FROM forged;
DROP VIEW in_groups, rolled_up;
DROP TABLE amounts_to_share, summaries_to_share, summaries_read;
DROP FUNCTION refusal;
