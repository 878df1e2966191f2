-- What the bench of aggregates compares: the same question to fintrans and to
-- plain SQL, as best we can put it there.  Takes :rows.  Transactions come
-- nearly in order of time, as they do from several Kafka partitions: 1000
-- accounts, ten days, amounts with two decimals, mostly small.

CREATE EXTENSION fintrans;
ALTER DATABASE bench SET max_parallel_workers_per_gather = 0;
ALTER DATABASE bench SET work_mem = '256MB';
ALTER DATABASE bench SET jit = off;
SELECT setseed(0.5);
CREATE TABLE history AS
SELECT trunc(random() * 1000)::integer AS account,
       '2026-01-01'::timestamptz + i * interval '10 days' / :rows + random() * interval '1 min' AS event_time,
       round((10000 * random() ^ 4)::numeric, 2) AS amount
  FROM generate_series(1, :rows) i;

-- by account and hour
CREATE TABLE hourly AS
SELECT account, date_trunc('hour', event_time) AS hour, fintrans_summary(amount) AS summary
  FROM history GROUP BY 1, 2;
CREATE TABLE plain_hourly AS
SELECT account, date_trunc('hour', event_time) AS hour, count(amount) AS n, sum(amount) AS total,
       sum(amount * amount) AS squares, min(amount) AS minimum, max(amount) AS maximum
  FROM history GROUP BY 1, 2;
VACUUM ANALYZE history, hourly, plain_hourly;

-- six figures of a summary, or of what plain SQL calls figures
CREATE TABLE forms (name text PRIMARY KEY, text text);
INSERT INTO forms VALUES
  ('accessors', 'fintrans_count(s), fintrans_total(s), fintrans_average(s), fintrans_minimum(s), fintrans_maximum(s), fintrans_standard_deviation(s)'),
  ('figures', 'count(amount), sum(amount), avg(amount), min(amount), max(amount), stddev_samp(amount)'),
  ('figures over w', 'count(amount) OVER w, sum(amount) OVER w, avg(amount) OVER w, min(amount) OVER w, max(amount) OVER w, stddev_samp(amount) OVER w'),
  ('checksum', 'SELECT count(*), sum(a), sum(b), sum(c), sum(d), sum(e), sum(round(f, 6))'),
  ('hour from here', 'ORDER BY event_time RANGE BETWEEN CURRENT ROW AND ''00:59:59.999999'' FOLLOWING');

-- {name} stands for a form
CREATE TABLE questions (number serial, question text, plain text, fintrans text);
INSERT INTO questions (question, plain, fintrans) VALUES
  ('six figures of all transactions',
   '{checksum} FROM (SELECT {figures} FROM history) q (a, b, c, d, e, f)',
   '{checksum} FROM (SELECT {accessors} FROM (SELECT fintrans_summary(amount) FROM history) s (s)) q (a, b, c, d, e, f)'),
  ('six figures of each account',
   '{checksum} FROM (SELECT {figures} FROM history GROUP BY account) q (a, b, c, d, e, f)',
   '{checksum} FROM (SELECT {accessors} FROM (SELECT fintrans_summary(amount) FROM history GROUP BY account) s (s)) q (a, b, c, d, e, f)'),
  ('six figures of each transaction''s past hour',
   '{checksum} FROM (SELECT {figures over w} FROM history
     WINDOW w AS (ORDER BY event_time RANGE BETWEEN ''1 h'' PRECEDING AND CURRENT ROW)) q (a, b, c, d, e, f)',
   '{checksum} FROM (SELECT {accessors} FROM (SELECT fintrans_summary(amount) OVER w FROM history
     WINDOW w AS (ORDER BY event_time RANGE BETWEEN ''1 h'' PRECEDING AND CURRENT ROW)) s (s)) q (a, b, c, d, e, f)'),
  ('six figures of each account''s past day',
   '{checksum} FROM (SELECT {figures over w} FROM history
     WINDOW w AS (PARTITION BY account ORDER BY event_time RANGE BETWEEN ''1 day'' PRECEDING AND CURRENT ROW)) q (a, b, c, d, e, f)',
   '{checksum} FROM (SELECT {accessors} FROM (SELECT fintrans_summary(amount) OVER w FROM history
     WINDOW w AS (PARTITION BY account ORDER BY event_time RANGE BETWEEN ''1 day'' PRECEDING AND CURRENT ROW)) s (s)) q (a, b, c, d, e, f)'),
  ('accounts rolled up from hours',
   '{checksum} FROM (
     SELECT n, t, t / n, a, b, sqrt((n * s - t * t) / (n * (n - 1)))
       FROM (SELECT sum(n), sum(total), sum(squares), min(minimum), max(maximum) FROM plain_hourly GROUP BY account) r (n, t, s, a, b)
     ) q (a, b, c, d, e, f)',
   '{checksum} FROM (SELECT {accessors} FROM (SELECT fintrans_rollup(summary) FROM hourly GROUP BY account) s (s)) q (a, b, c, d, e, f)'),
  ('most transactions in any hour',
   'SELECT max(n) FROM (SELECT count(*) OVER ({hour from here}) FROM history) q (n)',
   'SELECT fintrans_velocity(event_time, ''1 h'') FROM history'),
  ('  of each account',
   'SELECT count(*), sum(n) FROM (SELECT max(n) FROM (SELECT account, count(*) OVER (PARTITION BY account {hour from here}) FROM history) q (account, n) GROUP BY account) q (n)',
   'SELECT count(*), sum(n) FROM (SELECT fintrans_velocity(event_time, ''1 h'') FROM history GROUP BY account) q (n)'),
  ('largest total in any hour',
   'SELECT max(n) FROM (SELECT sum(amount) OVER ({hour from here}) FROM history) q (n)',
   'SELECT fintrans_peak(amount, event_time, ''1 h'') FROM history'),
  ('  of each account',
   'SELECT count(*), sum(n) FROM (SELECT max(n) FROM (SELECT account, sum(amount) OVER (PARTITION BY account {hour from here}) FROM history) q (account, n) GROUP BY account) q (n)',
   'SELECT count(*), sum(n) FROM (SELECT fintrans_peak(amount, event_time, ''1 h'') FROM history GROUP BY account) q (n)'),
  ('most amounts just below 10000 in any hour',
   'SELECT max(n) FROM (SELECT count(*) OVER ({hour from here}) FROM history WHERE amount >= 9000 AND amount < 10000) q (n)',
   'SELECT fintrans_just_below(amount, event_time, 10000, ''1 h'') FROM history WHERE amount >= 9000 AND amount < 10000'),
  ('  just below 100, a twentieth of them',
   'SELECT max(n) FROM (SELECT count(*) OVER ({hour from here}) FROM history WHERE amount >= 50 AND amount < 100) q (n)',
   'SELECT fintrans_just_below(amount, event_time, 100, ''1 h'', 0.5) FROM history'),
  ('all three of each account',
   'SELECT count(*), sum(n), sum(t), sum(b)
      FROM (SELECT max(n), max(t), max(b)
              FROM (SELECT account, count(*) OVER w, sum(amount) OVER w,
                           count(*) FILTER (WHERE amount >= 9000 AND amount < 10000) OVER w
                      FROM history WINDOW w AS (PARTITION BY account {hour from here})) q (account, n, t, b)
             GROUP BY account) q (n, t, b)',
   'SELECT count(*), sum(n), sum(t), sum(b)
      FROM (SELECT fintrans_velocity(event_time, ''1 h''), fintrans_peak(amount, event_time, ''1 h''),
                   fintrans_just_below(amount, event_time, 10000, ''1 h'')
              FROM history GROUP BY account) q (n, t, b)');

DO $$
DECLARE
  f forms;
BEGIN
  FOR f IN SELECT * FROM forms LOOP
    UPDATE questions SET plain = replace(plain, '{' || f.name || '}', f.text),
                         fintrans = replace(fintrans, '{' || f.name || '}', f.text);
  END LOOP;
END $$;
