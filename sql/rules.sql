-- An alert per rule and pair, when the total is strictly above the threshold,
-- whichever came first: the rule or the transactions.
SELECT fintrans_ensure_partitions('2026-01-01', '2026-01-01') AS made;
CREATE FUNCTION pay(source text, target text, amount numeric) RETURNS void LANGUAGE sql AS $$
  INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
  VALUES ('2026-01-01 12:00+00', 'London', source, target, amount);
$$;
CREATE VIEW alerts AS
  SELECT rule, source_account, target_account, total, transactions, threshold, state
    FROM fintrans_alerts ORDER BY alert_id;
SELECT pay('a', 'b', 8000);
SELECT fintrans_set_rule('default', 8000);
-- 8000 is not above 8000
SELECT * FROM alerts;
SELECT pay('a', 'b', 0.01);
SELECT * FROM alerts;
-- one alert, however often it is exceeded, or crossed again
SELECT pay('a', 'b', 5000);
DELETE FROM fintrans_transactions WHERE amount = 8000;
SELECT pay('a', 'b', 8000);
SELECT count(*) FROM alerts;
-- a second rule, and one batch that crosses both for two pairs
SELECT fintrans_set_rule('large', 20000);
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
VALUES ('2026-01-01', 'NYC', 'c', 'd', 15000), ('2026-01-01', 'NYC', 'a', 'b', 7000),
       ('2026-01-01', 'NYC', 'c', 'd', 15000);
SELECT * FROM alerts ORDER BY rule, source_account;
-- lowering a rule alerts on what is there; raising it alerts on nothing
SELECT pay('e', 'f', 500);
SELECT fintrans_set_rule('default', 400);
SELECT fintrans_set_rule('default', 9000);
SELECT pay('g', 'h', 8500);
SELECT rule, source_account, total, threshold FROM alerts WHERE source_account IN ('e', 'g');
-- back to where g -> h is above, by plain SQL this time
UPDATE fintrans_rules SET threshold = 8499 WHERE name = 'default';
SELECT rule, source_account, total, threshold FROM alerts WHERE source_account IN ('e', 'g');
-- a disabled rule is silent; enabling it alerts on what came meanwhile
UPDATE fintrans_rules SET enabled = false WHERE name = 'default';
SELECT pay('i', 'j', 9000);
SELECT count(*) FROM alerts WHERE source_account = 'i';
SELECT fintrans_set_rule('default', 8499);
SELECT count(*) FROM alerts WHERE source_account = 'i';
-- the same again does nothing, and says who changed it last
SELECT changed_at AS before FROM fintrans_rules WHERE name = 'default' \gset
SELECT fintrans_set_rule('default', 8499.00);
SELECT changed_at = :'before' AS untouched, changed_by = session_user AS by_me
  FROM fintrans_rules WHERE name = 'default';
-- nor does a rule that another one keeps from being stored
INSERT INTO fintrans_rules (name, threshold) VALUES ('default', 1) ON CONFLICT DO NOTHING;
INSERT INTO fintrans_rules (name, threshold) VALUES ('default', 1)
    ON CONFLICT (name) DO UPDATE SET threshold = 8499 WHERE false;
SELECT count(*) FROM fintrans_alerts WHERE threshold = 1;
-- what is refused
\set VERBOSITY terse
SELECT fintrans_set_rule('default', -1);
SELECT fintrans_set_rule('default', 'NaN');
SELECT fintrans_set_rule('', 1);
INSERT INTO fintrans_rules (name, kind, threshold) VALUES ('other', 'no such kind', 1);
\set VERBOSITY default
BEGIN ISOLATION LEVEL REPEATABLE READ;
UPDATE fintrans_rules SET threshold = 5;
ROLLBACK;
-- TRUNCATE would ask nothing of what a DELETE asks
TRUNCATE fintrans_rules;
SELECT count(*) FROM fintrans_rules;
SELECT * FROM fintrans_verify();
-- a batch of many alerts, each row whole: 900 * 50000 + 900 * 901 / 2 = 45405450
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
SELECT '2026-01-01', 'SF', 'many', i, 50000 + i FROM generate_series(1, 900) i;
SELECT rule, state, count(*), count(DISTINCT alert_id) AS ids,
       count(DISTINCT raised_xid) AS xids, sum(total) AS total, sum(threshold) AS threshold
  FROM fintrans_alerts WHERE source_account = 'many' GROUP BY 1, 2 ORDER BY 1;
DELETE FROM fintrans_transactions WHERE source_account = 'many';
-- suspects: strictly above, largest first, ties by account
SELECT source_account, target_account, total, transactions FROM fintrans_suspects(8500);
SELECT count(*) FROM fintrans_suspects(30000);
SELECT count(*) FROM fintrans_suspects(29999.9999);
SELECT count(*) = (SELECT count(*) FROM fintrans_laundering) AS all FROM fintrans_suspects(-1);
SELECT count(*) FROM fintrans_suspects(NULL);
SELECT count(*) FROM fintrans_suspects('NaN');
SELECT count(*) FROM fintrans_suspects('Infinity');
SELECT count(*) FROM fintrans_suspects('-Infinity');
DELETE FROM fintrans_transactions;
DELETE FROM fintrans_alerts;
DELETE FROM fintrans_rules;
DROP VIEW alerts;
DROP FUNCTION pay;
