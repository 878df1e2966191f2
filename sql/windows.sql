-- Windowed rules: what ingest finds, batch by batch, in any order, is what plain
-- SQL finds in the transactions held.
SET timezone = 'UTC';
SELECT fintrans_ensure_partitions('2026-03-01', '2026-03-05') AS made;
-- four days of transactions between few accounts, with decimals and transfers
-- to oneself, drawn by a fixed rule
CREATE TABLE drawn AS
  SELECT '2026-03-01'::timestamptz + n * interval '213 seconds' AS event_time,
         'account ' || (n * 7919 % 1009) % 37 AS source_account,
         'account ' || (n * 104729 % 1013) % 31 AS target_account,
         round((n * 15485863::bigint % 20011) / 100.0, 2) AS amount, n
    FROM generate_series(1, 1600) n;
CREATE FUNCTION load_drawn(first integer, last integer) RETURNS void LANGUAGE sql AS $$
  INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
  SELECT event_time, 'London', source_account, target_account, amount FROM drawn
   WHERE n BETWEEN $1 AND $2;
$$;
-- the windows above the threshold, by a self-join: those that end with an hour
-- (a twenty-fourth of a day) in which the subject does something that counts
CREATE TABLE seen AS
  SELECT d.*, date_bin('1 hour', d.event_time, 'epoch') AS hour FROM drawn d;
CREATE INDEX ON seen (source_account, hour);
CREATE INDEX ON seen (target_account, hour);
CREATE TABLE wanted AS
  SELECT 'pairs a day' AS rule, a.source_account, a.target_account, NULL AS account, a.hour,
         sum(b.amount) AS value
    FROM (SELECT DISTINCT source_account, target_account, hour FROM seen) a
    JOIN seen b ON b.source_account = a.source_account AND b.target_account = a.target_account
     AND b.hour BETWEEN a.hour - interval '23 hours' AND a.hour
   GROUP BY 1, 2, 3, 4, 5 HAVING sum(b.amount) > 250
  UNION ALL
  SELECT 'out a day', NULL, NULL, a.source_account, a.hour, sum(b.amount)
    FROM (SELECT DISTINCT source_account, hour FROM seen) a
    JOIN seen b ON b.source_account = a.source_account
     AND b.hour BETWEEN a.hour - interval '23 hours' AND a.hour
   GROUP BY 4, 5 HAVING sum(b.amount) > 1500
  UNION ALL
  SELECT 'in a day', NULL, NULL, a.target_account, a.hour, sum(b.amount)
    FROM (SELECT DISTINCT target_account, hour FROM seen) a
    JOIN seen b ON b.target_account = a.target_account
     AND b.hour BETWEEN a.hour - interval '23 hours' AND a.hour
   GROUP BY 4, 5 HAVING sum(b.amount) > 1500
  UNION ALL
  SELECT 'often', NULL, NULL, a.source_account, a.hour, count(*)
    FROM (SELECT DISTINCT source_account, hour FROM seen) a
    JOIN seen b ON b.source_account = a.source_account
     AND b.hour BETWEEN a.hour - interval '23 hours' AND a.hour
   GROUP BY 4, 5 HAVING count(*) > 12
  UNION ALL
  SELECT 'just below', NULL, NULL, a.source_account, a.hour, count(*)
    FROM (SELECT DISTINCT source_account, hour FROM seen WHERE amount >= 180 AND amount < 200) a
    JOIN seen b ON b.source_account = a.source_account AND b.amount >= 180 AND b.amount < 200
     AND b.hour BETWEEN a.hour - interval '23 hours' AND a.hour
   GROUP BY 4, 5 HAVING count(*) > 2
  UNION ALL
  SELECT 'many targets', NULL, NULL, a.source_account, a.hour, count(DISTINCT b.target_account)
    FROM (SELECT DISTINCT source_account, hour FROM seen WHERE source_account <> target_account) a
    JOIN seen b ON b.source_account = a.source_account AND b.source_account <> b.target_account
     AND b.hour BETWEEN a.hour - interval '23 hours' AND a.hour
   GROUP BY 4, 5 HAVING count(DISTINCT b.target_account) > 6
  UNION ALL
  SELECT 'many sources', NULL, NULL, a.target_account, a.hour, count(DISTINCT b.source_account)
    FROM (SELECT DISTINCT target_account, hour FROM seen WHERE source_account <> target_account) a
    JOIN seen b ON b.target_account = a.target_account AND b.source_account <> b.target_account
     AND b.hour BETWEEN a.hour - interval '23 hours' AND a.hour
   GROUP BY 4, 5 HAVING count(DISTINCT b.source_account) > 6
  UNION ALL
  SELECT 'passed on', NULL, NULL, a.account, a.hour, round(o.total / i.total, 4)
    FROM (SELECT source_account AS account, hour FROM seen WHERE source_account <> target_account
          UNION SELECT target_account, hour FROM seen WHERE source_account <> target_account) a
   CROSS JOIN LATERAL (SELECT sum(amount) AS total FROM seen b
                        WHERE b.target_account = a.account AND b.source_account <> a.account
                          AND b.hour BETWEEN a.hour - interval '23 hours' AND a.hour) i
   CROSS JOIN LATERAL (SELECT sum(amount) AS total FROM seen b
                        WHERE b.source_account = a.account AND b.target_account <> a.account
                          AND b.hour BETWEEN a.hour - interval '23 hours' AND a.hour) o
   WHERE i.total >= 300 AND o.total > 0.9 * i.total;
-- An alert is wanted in the first window, and in the first that does not overlap
-- the one before, in the order of event time, as it came.  A value twice as high
-- in an overlapping window belongs to the alert, too.
CREATE FUNCTION want_alerts() RETURNS TABLE (rule text, subject text, window_end timestamptz, level integer)
LANGUAGE plpgsql AS $$
DECLARE
  w record;
BEGIN
  FOR w IN SELECT x.rule, coalesce(x.account, x.source_account || '>' || x.target_account) AS subject, x.hour,
                  ceil(log(2, x.value / t.threshold))::integer - 1 AS level
             FROM wanted x
             JOIN (VALUES ('pairs a day', 250), ('out a day', 1500), ('in a day', 1500), ('often', 12),
                          ('just below', 2), ('many targets', 6), ('many sources', 6), ('passed on', 0.9))
                  t (rule, threshold) USING (rule)
            ORDER BY 1, 2, 3 LOOP
    IF (rule, subject) IS NOT DISTINCT FROM (w.rule, w.subject) AND w.hour - interval '23 hours' < window_end THEN
      IF w.level > level THEN
        level := w.level; window_end := w.hour + interval '1 hour';
      END IF;
    ELSE
      IF rule IS NOT NULL THEN RETURN NEXT; END IF;
      rule := w.rule; subject := w.subject; window_end := w.hour + interval '1 hour'; level := w.level;
    END IF;
  END LOOP;
  RETURN NEXT;
END $$;
CREATE TABLE wanted_alerts AS SELECT * FROM want_alerts();
CREATE VIEW found_alerts AS
  SELECT a.rule, coalesce(a.account, a.source_account || '>' || a.target_account) AS subject,
         a.window_end, a.level::integer
    FROM fintrans_alerts a;
CREATE VIEW wrong AS
  (SELECT 'missing' AS problem, w.* FROM wanted_alerts w EXCEPT ALL SELECT 'missing', f.* FROM found_alerts f)
  UNION ALL
  (SELECT 'not wanted', f.* FROM found_alerts f EXCEPT ALL SELECT 'not wanted', w.* FROM wanted_alerts w);
CREATE FUNCTION make_rules() RETURNS void LANGUAGE sql AS $$
  SELECT fintrans_set_rule('pairs a day', 250, kind => 'pair_total', "window" => '1 day');
  SELECT fintrans_set_rule('out a day', 1500, kind => 'outgoing_total', "window" => '1 day');
  SELECT fintrans_set_rule('in a day', 1500, kind => 'incoming_total', "window" => '24 hours');
  SELECT fintrans_set_rule('often', 12, kind => 'velocity', "window" => '1 day');
  SELECT fintrans_set_rule('just below', 2, kind => 'structuring', "window" => '1 day', amount_from => 180, amount_below => 200);
  SELECT fintrans_set_rule('many targets', 6, kind => 'fan_out', "window" => '1 day');
  SELECT fintrans_set_rule('many sources', 6, kind => 'fan_in', "window" => '1 day');
  SELECT fintrans_set_rule('passed on', 0.9, kind => 'pass_through', "window" => '1 day', amount_from => 300);
$$;
SELECT make_rules();
SELECT count(load_drawn(n, n + 31)) FROM generate_series(1, 1600, 32) n;
SELECT rule, count(*) AS alerts FROM fintrans_alerts WHERE rule <> 'passed on' GROUP BY 1 ORDER BY 1;
-- a share may fall again before the bucket is over: alerts come at once
SELECT * FROM wrong WHERE rule <> 'passed on';
-- values are those of the window in which the threshold was exceeded, or doubled
SELECT count(*) AS escalated FROM fintrans_alerts a WHERE a.level > 0;
SELECT rule, subject FROM (
  SELECT a.rule, coalesce(a.account, a.source_account || '>' || a.target_account) AS subject
    FROM fintrans_alerts a
   WHERE NOT a.total > a.threshold * 2 ^ a.level OR a.total > a.threshold * 2 ^ (a.level + 1)) s;
SELECT * FROM fintrans_verify();
-- all at once, and by a sweep of what is there
TRUNCATE fintrans_alerts;
SELECT fintrans_set_rule(name, threshold, false) FROM fintrans_rules;
SELECT count(*) AS windows_of_accounts FROM fintrans_accounts;
SELECT make_rules();
SELECT rule, count(*) AS alerts FROM fintrans_alerts GROUP BY 1 ORDER BY 1;
SELECT * FROM wrong;
SELECT * FROM fintrans_verify();
DELETE FROM fintrans_transactions;
SELECT count(*) AS accounts_left FROM fintrans_accounts;
SELECT * FROM fintrans_verify();
TRUNCATE fintrans_alerts;
SELECT load_drawn(1, 1600);
SELECT * FROM wrong;
SELECT * FROM fintrans_verify();
-- in any order that is at most a window late, row by row
DELETE FROM fintrans_transactions;
TRUNCATE fintrans_alerts;
CREATE TABLE shuffled AS
  SELECT row_number() OVER (ORDER BY n + (n * 48271::bigint % 353)) AS place, d.* FROM drawn d;
CREATE FUNCTION load_shuffled(first bigint, last bigint) RETURNS void LANGUAGE sql AS $$
  INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
  SELECT event_time, 'London', source_account, target_account, amount FROM shuffled
   WHERE place BETWEEN $1 AND $2;
$$;
SELECT max(late) < interval '1 day' AS at_most_a_window_late
  FROM (SELECT max(event_time) OVER (ORDER BY place) - event_time AS late FROM shuffled) l;
SELECT count(load_shuffled(n, n + 24)) FROM generate_series(1, 1600, 25) n;
-- every window is covered by an alert, and every alert has its window
SELECT rule, coalesce(account, source_account || '>' || target_account) AS not_covered, hour
  FROM wanted w
 WHERE NOT EXISTS (SELECT FROM fintrans_overlapping_alerts(w.rule, w.source_account, w.target_account, w.account,
                     w.hour - interval '23 hours', w.hour + interval '1 hour'));
SELECT rule, coalesce(a.account, a.source_account || '>' || a.target_account) AS not_wanted
  FROM fintrans_alerts a
 WHERE rule <> 'passed on'
   AND NOT EXISTS (SELECT FROM wanted w
                    WHERE w.rule = a.rule AND (w.account = a.account OR (w.source_account, w.target_account)
                                                                      = (a.source_account, a.target_account))
                      AND w.hour + interval '1 hour' = a.window_end);
SELECT * FROM fintrans_verify();
-- changed and removed transactions leave the state of the others
UPDATE fintrans_transactions SET amount = amount + 1, target_account = 'account 1' WHERE source_account = 'account 2';
DELETE FROM fintrans_transactions WHERE source_account IN ('account 3', 'account 4');
SELECT DISTINCT problem FROM fintrans_verify();
SELECT problem, corrected FROM fintrans_rebuild() WHERE corrected > 0;
SELECT * FROM fintrans_verify();
-- wrong, missing and foreign states are found, and made anew
UPDATE fintrans_accounts SET windows = (SELECT windows FROM fintrans_accounts WHERE account = 'account 8') WHERE account = 'account 5';
DELETE FROM fintrans_accounts WHERE account = 'account 6';
UPDATE fintrans_laundering l SET windows = (SELECT windows FROM fintrans_laundering WHERE windows IS NOT NULL
                                             ORDER BY source_account DESC LIMIT 1)
 WHERE source_account = 'account 7' AND windows IS NOT NULL;
SELECT DISTINCT problem, subject ~ 'account [567]' AS expected FROM fintrans_verify();
SELECT problem, corrected > 0 AS corrected FROM fintrans_rebuild() WHERE corrected > 0;
SELECT * FROM fintrans_verify();
-- a rule whose states were lost past the triggers is not in force until then
SET session_replication_role = replica;
UPDATE fintrans_rules SET generation = NULL WHERE name = 'many sources';
RESET session_replication_role;
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
SELECT max(event_time), 'London', 'one', 'two', 7 FROM fintrans_transactions;
SELECT DISTINCT problem, subject ~ 'many sources' AS expected FROM fintrans_verify();
SELECT problem, corrected FROM fintrans_rebuild() WHERE corrected > 0;
SELECT * FROM fintrans_verify();
\set VERBOSITY terse
SELECT * FROM fintrans_window_entries('\x');
SELECT * FROM fintrans_window_entries('\x02');
SELECT * FROM fintrans_window_entries('\x0101');
SELECT * FROM fintrans_window_entries('\x01ffffffffffffffffffff');
SELECT * FROM fintrans_window_entries('\x0101010000010102000200ff');
SELECT * FROM fintrans_window_entries('\x0101010000020102aabbcc');
SELECT * FROM fintrans_window_entries('\x0101010000010102000200ff036e616e');
SELECT * FROM fintrans_window_entries('\x01010700010201010200020064');
SELECT * FROM fintrans_window_entries('\x01010700010202010201000000000002');
SELECT fintrans_window_hits('pair_total', 1, NULL, '{1,2}', '{0}', '{1}', '{1}');
SELECT fintrans_window_hits('pair_total', 1, NULL, '{NULL}', '{0}', '{1}', '{1}');
SELECT fintrans_window_hits('no such kind', 1, NULL, '{1}', '{0}', '{1}', '{1}');
SELECT fintrans_window_hits('pair_total', 0, NULL, '{1}', '{0}', '{1}', '{1}');
SELECT fintrans_window_hits('pair_total', 0, NULL, NULL, NULL, NULL, NULL), fintrans_window_hits(NULL, NULL, NULL, '{}', '{}', '{}', '{}');
SELECT fintrans_windows_with(NULL, NULL), fintrans_windows_with('\x0100', NULL), fintrans_windows_with(NULL, '\x0100');
SELECT fintrans_window_state(1, 0, 1, 0, 1, NULL);
SELECT fintrans_window_state(n, 0, 1, 0, 1, 1) FROM generate_series(1, 2) n;
SELECT fintrans_window_state(1, 0, 1, 0, 1, 1) FROM generate_series(1, 0) n;
-- a large state is left as it is, with what has changed since beside it: 501
-- counterparties in the first hour, and 21 in each of six more
SELECT fintrans_set_rule('hub', 700, kind => 'fan_out', "window" => '1 day');
SELECT fintrans_ensure_partitions('2026-02-27', '2026-03-09') AS made;
CREATE FUNCTION pay_many(hours integer, first integer, last integer) RETURNS void LANGUAGE sql AS $$
  INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
  SELECT '2026-03-03'::timestamptz + hours * interval '1 hour', 'London', 'hub', 'spoke ' || n, 1
    FROM generate_series(first, last) n;
$$;
CREATE VIEW hub AS
  SELECT a.changes IS NOT NULL AS has_changes, count(*) AS entries, sum(e.transactions) AS transactions
    FROM fintrans_accounts a
   CROSS JOIN fintrans_window_entries(fintrans_windows_changed(a.windows, a.changes)) e
    JOIN fintrans_rules r USING (generation)
   WHERE a.account = 'hub' AND r.name = 'hub' GROUP BY 1;
SELECT pay_many(0, 1, 500);
SELECT * FROM hub;
SELECT pay_many(hour, hour * 5, hour * 5 + 20) FROM generate_series(0, 6) hour \g /dev/null
SELECT * FROM hub;
DELETE FROM fintrans_transactions WHERE source_account = 'hub' AND target_account IN ('spoke 7', 'spoke 30', 'spoke 400');
SELECT * FROM hub;
SELECT * FROM fintrans_verify() WHERE subject ~ 'hub';
-- what is late, what is too late, and what is ahead
SELECT pay_many(hour, 100, 105) FROM unnest(ARRAY[2, -60, 3, 80, 4, 30, -61]) hour \g /dev/null
SELECT * FROM fintrans_verify() WHERE subject ~ 'hub';
SELECT pay_many(hour, 200 + hour, 210 + hour) FROM generate_series(7, 120) hour \g /dev/null
SELECT count(*) FROM fintrans_alerts WHERE rule = 'hub';
SELECT * FROM fintrans_verify() WHERE subject ~ 'hub';
SELECT pay_many(120, 1, 690);
SELECT pay_many(121, 691, 705);
SELECT total, window_end FROM fintrans_alerts WHERE rule = 'hub';
SELECT * FROM fintrans_verify() WHERE subject ~ 'hub';
SELECT fintrans_set_rule('hub', 800, kind => 'fan_out', "window" => '1 day');
SELECT has_changes FROM hub;
SELECT * FROM fintrans_verify() WHERE subject ~ 'hub';
SELECT fintrans_windows_changed(NULL, NULL), fintrans_windows_changed('\x0100', NULL), fintrans_windows_changed(NULL, '\x0100');
DROP VIEW hub;
DROP FUNCTION pay_many;
-- with the last rule about accounts their states go
TRUNCATE fintrans_alerts;
DELETE FROM fintrans_rules WHERE kind <> 'pair_total';
SELECT count(*) AS accounts_left FROM fintrans_accounts;
DELETE FROM fintrans_transactions;
DELETE FROM fintrans_rules;
DROP VIEW wrong, found_alerts;
DROP TABLE drawn, shuffled, seen, wanted, wanted_alerts;
DROP FUNCTION load_drawn, load_shuffled, make_rules, want_alerts;
