-- What Grafana's dashboards have to show, for psql: :rows random transactions of the
-- past :days days, a suspect, a ring, a fan-in, dead letters, and what bridges tell.
SELECT 'CREATE ROLE grafana LOGIN' WHERE to_regrole('grafana') IS NULL \gexec
SELECT fintrans_grant('grafana', 'reader'),
       fintrans_ensure_partitions(now() - interval '1 day' * (:days + 1), now() + interval '1 day'),
       fintrans_set_rule('default', 100000),
       fintrans_set_rule('many at once', 300, kind => 'velocity', "window" => '1 hour') \g /dev/null

-- each day's in a statement, so that they go into their partition in bulk, and in the
-- order of time as they come from Kafka; ten for each pair of accounts, and more of
-- them in some cities than in others
SELECT setseed(0.5) \g /dev/null
SELECT format($$
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
SELECT now() - interval '1 s' - (%1$s + random()) * interval '1 day',
       ('{London,NYC,SF,Moscow,Tokyo}'::text[])[1 + floor(5 * random() * sqrt(random()))],
       1000 + floor(%2$s * random())::int, 1000 + floor(%2$s * random())::int, round((9999 * random())::numeric, 2)
  FROM generate_series(1, %3$s) ORDER BY 1$$, day, floor(sqrt(:rows / 10)) + 1, :rows / :days)
  FROM generate_series(:days - 1, 0, -1) day \gexec

-- as if they had been raised when they were due
UPDATE fintrans_alerts SET raised_at = now() - interval '5 hours' * random();

INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
SELECT now() - n * interval '7 min', 'London', '516', '482', 70000 + n FROM generate_series(1, 8) n;
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
SELECT now() - interval '30 min' + n * interval '1 min', 'NYC', 'ring' || n, 'ring' || (n + 1) % 4, 4321.99
  FROM generate_series(0, 3) n;
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
SELECT now() - interval '20 min' + n * interval '10 s', 'SF', 'payer' || n, 'collector', 9100 + n
  FROM generate_series(1, 70) n;
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
SELECT now() - interval '20 min', 'SF', 'busy', 'payee' || n, 1 FROM generate_series(1, 400) n;
SELECT fintrans_review(max(alert_id), 'reviewing')
  FROM fintrans_alerts WHERE source_account <> '516' \g /dev/null

INSERT INTO fintrans_offsets (topic, kafka_partition, first_offset, next_offset, stored, dead_lettered)
SELECT city, p, 0, 100000, 99999, 1
  FROM unnest('{London,NYC,SF,Moscow,Tokyo}'::text[]) city, generate_series(0, 3) p;
INSERT INTO fintrans_dead_letters (topic, kafka_partition, kafka_offset, payload, reason, rejected_at)
SELECT city, p, 99999, 'x y -1', CASE WHEN p = 0 THEN 'bad_account' ELSE 'bad_amount' END,
       now() - p * interval '5 min'
  FROM unnest('{London,NYC,SF,Moscow,Tokyo}'::text[]) city, generate_series(0, 3) p;
INSERT INTO fintrans_bridge_minutes
SELECT date_trunc('minute', now()) - m * interval '1 min', 'db' || b || ':4711',
       20000 * b + 1000 * (m % 7), m % 20 / 19, 60, 20 * b + m % 5,
       (20000 * b + 1000 * (m % 7)) * (0.2 * b + 0.01 * (m % 4)),
       m % 30 / 29, 10, 0, 1500 * b + 100 * (m % 11)
  FROM generate_series(0, 59) m, generate_series(1, 2) b;
SELECT fintrans_report_bridge('db1:4711', array_agg(topic), array_agg(kafka_partition),
         array_agg(100000 + 100 * kafka_partition::bigint),
         array_agg(CASE WHEN (topic, kafka_partition) = ('Tokyo', 3)
                        THEN 'offsets 4100 to 5029 are lost: Kafka has deleted them' END),
         array_agg(false), 1, 0, 1, 0.1, 0.2, 0)
  FROM fintrans_offsets \g /dev/null
VACUUM ANALYZE;
