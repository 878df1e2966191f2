-- The life of an alert: raised once, listed as it stands, explained, reviewed,
-- escalated, snoozed, and quiet under an exemption.
SET timezone = 'UTC';
\set VERBOSITY terse
SELECT fintrans_ensure_partitions('2026-04-01', '2026-04-04') AS made;
CREATE FUNCTION pay(event_time timestamptz, source text, target text, amount numeric) RETURNS void LANGUAGE sql AS $$
  INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
  VALUES ($1, 'London', $2, $3, $4);
$$;
CREATE VIEW listed AS
  SELECT alert_id, rule, coalesce(account, source_account || '>' || target_account) AS subject,
         window_start, window_end, raised_total, total, level, state, quiet, escalated
    FROM fintrans_alert_list ORDER BY alert_id;
TRUNCATE fintrans_alerts, fintrans_reviews, fintrans_exemptions RESTART IDENTITY;
SELECT fintrans_set_rule('total', 100);
SELECT fintrans_set_rule('day', 100, kind => 'outgoing_total', "window" => '1 day');
-- strictly greater; and one alert however often the threshold is exceeded
SELECT pay('2026-04-01 10:00', 'a', 'b', 100);
SELECT * FROM listed;
SELECT pay('2026-04-01 10:10', 'a', 'b', 1);
SELECT pay('2026-04-01 11:00', 'a', 'b', 2);
SELECT pay('2026-04-01 12:59', 'a', 'c', 3);
SELECT * FROM listed;
-- doubled: the window's alert escalates, the total's is listed a level higher
SELECT pay('2026-04-01 13:00', 'a', 'b', 110);
SELECT * FROM listed;
SELECT event_time, source_account, target_account, amount FROM fintrans_evidence(1);
SELECT event_time, source_account, target_account, amount FROM fintrans_evidence(2);
SELECT a.alert_id, e.event_time, e.target_account
  FROM (VALUES (1), (2)) a (alert_id), fintrans_evidence(a.alert_id, 4 - a.alert_id) e;
SELECT fintrans_evidence(1, 0);
-- the next window that does not overlap has an alert of its own
SELECT pay('2026-04-02 13:30', 'a', 'd', 90);
SELECT pay('2026-04-02 14:00', 'a', 'd', 90);
SELECT * FROM listed;
-- a review begins before it ends, and all is recorded
SELECT fintrans_review(1, 'confirmed');
SELECT fintrans_assign(1, 'alice');
SELECT fintrans_review(1, 'reviewing');
SELECT fintrans_review(1, 'dismissed', 'rent');
SELECT fintrans_review(1, 'confirmed');
SELECT alert_id, decision, note, level, assigned_to, reviewed_by = session_user AS mine FROM fintrans_reviews ORDER BY review_id;
-- what was dismissed shows when it has doubled since
SELECT pay('2026-04-02 15:00', 'a', 'b', 213);
SELECT * FROM listed WHERE subject = 'a>b';
-- with separate duties another one has to decide
CREATE ROLE fintrans_test_second SUPERUSER;
INSERT INTO fintrans_settings VALUES ('separate_duties', 'on');
SELECT fintrans_review(2, 'reviewing');
SELECT fintrans_review(2, 'confirmed');
SET SESSION AUTHORIZATION fintrans_test_second;
SELECT fintrans_review(2, 'confirmed');
RESET SESSION AUTHORIZATION;
SELECT decision, reviewed_by = 'fintrans_test_second' AS by_second FROM fintrans_reviews WHERE alert_id = 2 ORDER BY review_id;
DELETE FROM fintrans_settings;
-- snoozed
SELECT fintrans_snooze(3, 'infinity');
SELECT fintrans_snooze(3, now() + interval '1 day', 'after the weekend');
SELECT alert_id, quiet FROM listed WHERE alert_id = 3;
SELECT fintrans_snooze(3, now());
SELECT alert_id, quiet FROM listed WHERE alert_id = 3;
-- exemptions: of an account, a pair, one rule or all
SELECT fintrans_exempt('', now() + interval '1 day', account => 'p');
SELECT fintrans_exempt('why', '2026-01-01', account => 'p');
SELECT fintrans_exempt('why', now() + interval '1 day');
SELECT fintrans_exempt('why', now() + interval '1 day', account => 'p', source_account => 'p', target_account => 'q');
SELECT fintrans_exempt('why', now() + interval '1 day', source_account => 'p');
SELECT fintrans_exempt('why', now() + interval '1 day', account => 'p', rule => 'no such rule');
SELECT fintrans_exempt('payroll', now() + interval '1 day', account => 'p');
SELECT fintrans_exempt('rent', now() + interval '1 day', source_account => 'x', target_account => 'y', rule => 'total');
SELECT pay('2026-04-03 10:00', 'p', 'q', 500);
SELECT pay('2026-04-03 10:00', 'x', 'y', 500);
SELECT rule, subject, quiet FROM listed WHERE subject ~ '^[px]';
SELECT fintrans_end_exemption(1);
SELECT rule, subject, quiet FROM listed WHERE subject ~ '^[px]';
-- an open alert becomes quiet too
SELECT fintrans_exempt('known', now() + interval '1 day', account => 'x');
SELECT rule, subject, quiet FROM listed WHERE subject ~ '^[px]';
-- of two exemptions the one that lasts longer counts, and then the other one
SELECT fintrans_exempt('payroll', now() + interval '1 day', account => 'twice');
SELECT fintrans_exempt('bonus', now() + interval '2 days', account => 'twice', rule => 'day');
SELECT pay('2026-04-03 10:00', 'twice', 'q', 500);
CREATE VIEW twice AS
  SELECT l.rule, l.quiet, e.reason
    FROM fintrans_alert_list l
    LEFT JOIN fintrans_exemptions e USING (exemption_id)
   WHERE l.account = 'twice';
SELECT * FROM twice;
SELECT fintrans_end_exemption(exemption_id) FROM fintrans_exemptions WHERE reason = 'bonus';
SELECT * FROM twice;
SELECT fintrans_end_exemption(exemption_id) FROM fintrans_exemptions WHERE valid_until > now() AND account = 'twice';
SELECT * FROM twice;
-- what escalates once it is no longer quiet is so again under another exemption
SELECT fintrans_exempt('payroll', now() + interval '3 days', account => 'twice');
UPDATE fintrans_alerts SET quiet_until = now() - interval '1 day' WHERE account = 'twice';
SELECT pay('2026-04-03 10:00', 'twice', 'q', 1000);
SELECT * FROM twice;
DROP VIEW twice;
SELECT * FROM fintrans_evidence(0);
-- a late transaction counts in its own bucket: two days back for the account, a
-- day before the newest for its window
SELECT pay('2026-04-03 09:00', 'late', 'z', 60);
SELECT pay('2026-04-02 09:30', 'late', 'z', 60);
SELECT count(*) AS alerts FROM listed WHERE subject = 'late';
SELECT pay('2026-04-02 10:00', 'late', 'z', 60);
SELECT subject, window_start, window_end, total FROM listed WHERE subject = 'late';
-- what is more than a window late is judged with what came as late
SELECT pay('2026-04-01 00:30', 'late', 'z', 60);
SELECT pay('2026-04-01 00:40', 'late', 'z', 60);
SET client_min_messages = warning;
SELECT * FROM fintrans_verify();
SELECT subject, window_start, window_end, total FROM listed WHERE subject = 'late';
-- one that is ahead of its time hides none of those that follow, nor from a
-- rule that is made later
SELECT fintrans_ensure_partitions(now() - interval '1 day', now() + interval '1 day') > 0 AS made;
SELECT fintrans_set_rule('hour', 100, kind => 'outgoing_total', "window" => '1 hour');
SELECT pay(now() + interval '3 hours', 'ahead', 'z', 0.01);
SELECT count(pay(now() - n * interval '1 minute', 'ahead', 'z', 3)) FROM generate_series(59, 1, -1) n;
SELECT count(*) AS alerts FROM listed WHERE subject = 'ahead' AND rule = 'hour';
SELECT fintrans_set_rule('hour again', 178, kind => 'outgoing_total', "window" => '1 hour');
SELECT pay(now(), 'ahead', 'z', 10);
SELECT count(*) AS alerts FROM listed WHERE subject = 'ahead' AND rule = 'hour again';
SELECT * FROM fintrans_verify();
DELETE FROM fintrans_transactions WHERE source_account = 'ahead';
DELETE FROM fintrans_alerts WHERE rule ~ '^hour';
DELETE FROM fintrans_rules WHERE name ~ '^hour';
-- deleting lowers what a window holds, and its alert stays
DELETE FROM fintrans_transactions WHERE source_account = 'late' AND event_time > '2026-04-02';
SELECT subject, window_start, raised_total, total FROM listed WHERE subject = 'late';
SELECT * FROM fintrans_verify();
-- what comes late may carry a window over twice the threshold that overlaps
-- several alerts: the first one of them escalates
SELECT pay(t::timestamptz, 'between', 'x', a) FROM (VALUES ('2026-04-01 23:30', 101), ('2026-04-02 23:30', 102),
  ('2026-04-02 06:30', 100), ('2026-04-01 20:30', 300)) p (t, a);
SELECT window_start, window_end, raised_total, level FROM listed WHERE subject = 'between';
-- a level has an end, whatever the threshold is
SELECT fintrans_set_rule('least total', 1e-16000);
SELECT fintrans_set_rule('least number', 1e-16000, kind => 'velocity', "window" => '1 day');
SELECT DISTINCT rule, level FROM listed WHERE rule LIKE 'least%' ORDER BY 1;
-- a rule that has raised alerts stays of its kind, and keeps its name
SELECT fintrans_set_rule('day', 100, kind => 'incoming_total', "window" => '1 day');
UPDATE fintrans_rules SET name = 'week' WHERE name = 'day';
INSERT INTO fintrans_rules (name, threshold) VALUES ('unused', 1e14);
UPDATE fintrans_rules SET name = 'least total' WHERE name = 'unused';
DELETE FROM fintrans_rules WHERE name = 'unused';
-- and a new rule does not take the name of one that 0.1.0 let be deleted; its
-- own way back, as pg_dump has it, is open, whether it is enabled or not
INSERT INTO fintrans_alerts (alert_id, rule, source_account, target_account, total, transactions, threshold)
VALUES (0, 'gone', 'a', 'b', 2, 1, 1);
SELECT fintrans_set_rule('gone', 1e14);
SELECT fintrans_set_rule('gone', 1e14, false);
SELECT fintrans_set_rule('gone', 1e14, kind => 'outgoing_total', "window" => '1 day');
BEGIN;
INSERT INTO fintrans_rules (name, threshold, enabled, created_at) VALUES ('gone', 1e14, false, '2026-01-01');
-- what is there is changed, as ever
INSERT INTO fintrans_rules (name, threshold) VALUES ('gone', 1e13) ON CONFLICT (name) DO UPDATE SET threshold = excluded.threshold;
INSERT INTO fintrans_rules (name, threshold) VALUES ('gone', 1) ON CONFLICT DO NOTHING;
SELECT fintrans_set_rule('gone', 1e12);
SELECT threshold, enabled FROM fintrans_rules WHERE name = 'gone';
ROLLBACK;
INSERT INTO fintrans_rules (name, threshold, swept_threshold, created_at) VALUES ('gone', 1e14, 1e14, '2026-01-01');
DELETE FROM fintrans_alerts WHERE alert_id = 0;
DELETE FROM fintrans_rules WHERE name = 'gone';
-- nor does it make way for one of another kind: that would take its alerts for
-- its own, escalate them and raise none, under reviews that are not of them
BEGIN;
CREATE TEMPORARY TABLE before ON COMMIT DROP AS SELECT alert_id, rule, total, level FROM fintrans_alerts;
SAVEPOINT whole;
DELETE FROM fintrans_rules WHERE name = 'day';
ROLLBACK TO whole;
SELECT name, kind FROM fintrans_rules WHERE name = 'day';
SELECT fintrans_set_rule('day', threshold, false) FROM fintrans_rules WHERE name = 'day';
SELECT count(*) AS differ FROM before FULL JOIN fintrans_alerts a USING (alert_id, rule, total, level)
 WHERE a.threshold IS NULL OR before IS NULL;
ROLLBACK;
DELETE FROM fintrans_alerts WHERE rule LIKE 'least%';
DELETE FROM fintrans_rules WHERE name LIKE 'least%';
-- one more window of a subject with many alerts looks at few of them
SELECT fintrans_set_rule('minute of ' || kind, 0, kind => kind, "window" => '1 minute') FROM (VALUES ('velocity'), ('pair_total')) k (kind);
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
SELECT '2026-04-02'::timestamptz + n * interval '1 minute', 'London', 'steady', 'y', 1 FROM generate_series(1, 1000) n;
BEGIN;
SELECT seq_tup_read + idx_tup_fetch AS looked_at FROM pg_stat_xact_user_tables WHERE relname = 'fintrans_alerts' \gset
SELECT pay('2026-04-02 20:00', 'steady', 'y', 1);
SELECT seq_tup_read + idx_tup_fetch - :looked_at < 100 AS few FROM pg_stat_xact_user_tables WHERE relname = 'fintrans_alerts';
COMMIT;
SELECT rule, count(*) FROM fintrans_alerts WHERE rule LIKE 'minute of%' GROUP BY 1 ORDER BY 1;
DELETE FROM fintrans_alerts WHERE rule LIKE 'minute%';
DELETE FROM fintrans_rules WHERE name LIKE 'minute%';
-- one statement takes a counterparty away and brings two: four are too many
SELECT fintrans_set_rule('many', 3, kind => 'fan_in', "window" => '1 day');
SELECT pay('2026-04-03 12:00', s, 'crowd', n) FROM (VALUES ('s1', 1), ('s1', 2), ('s2', 3), ('s3', 4)) p (s, n);
UPDATE fintrans_transactions SET source_account = 'n' || amount WHERE source_account = 's1' AND target_account = 'crowd';
SELECT subject, raised_total FROM listed WHERE subject = 'crowd' AND rule = 'many';
SELECT * FROM fintrans_verify();
-- those that came to a full bucket are not known, and the alert covers that
SELECT pay('2026-04-03 12:00', 'p' || n, 'crowd', 1) FROM generate_series(1, 9) n;
DELETE FROM fintrans_transactions WHERE target_account = 'crowd' AND source_account !~ '^p';
SELECT * FROM fintrans_verify();
-- in a later bucket too, whose windows that alert overlaps
SELECT pay('2026-04-03 14:00', 'q' || n, 'crowd', 1) FROM generate_series(1, 9) n \g /dev/null
DELETE FROM fintrans_transactions WHERE source_account IN ('q1', 'q2');
SELECT * FROM fintrans_verify();
DELETE FROM fintrans_alerts WHERE rule = 'many';
DELETE FROM fintrans_rules WHERE name = 'many';
-- bad rules
SELECT fintrans_set_rule('bad', 1, kind => 'velocity');
SELECT fintrans_set_rule('bad', 1, kind => 'velocity', "window" => '30 seconds');
SELECT fintrans_set_rule('bad', 1, kind => 'velocity', "window" => '90 seconds');
SELECT fintrans_set_rule('bad', 1, kind => 'velocity', "window" => '1 month');
SELECT fintrans_set_rule('bad', 1, kind => 'velocity', "window" => '1 day', amount_from => 1);
SELECT fintrans_set_rule('bad', 1, kind => 'structuring', "window" => '1 day', amount_from => 1);
SELECT fintrans_set_rule('bad', 1, kind => 'structuring', "window" => '1 day', amount_from => 2, amount_below => 2);
SELECT fintrans_set_rule('bad', 1001, kind => 'fan_in', "window" => '1 day');
SELECT fintrans_set_rule('bad', 1, "window" => '1 day');
-- a rule keeps its kind when only its threshold is given, and its windows when
-- they can serve the new threshold
SELECT fintrans_set_rule('day', 90);
SELECT name, kind, threshold, time_window FROM fintrans_rules ORDER BY 1;
DELETE FROM fintrans_transactions;
TRUNCATE fintrans_alerts, fintrans_reviews, fintrans_exemptions RESTART IDENTITY;
DELETE FROM fintrans_rules;
DROP VIEW listed;
DROP FUNCTION pay;
DROP ROLE fintrans_test_second;
