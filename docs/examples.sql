-- What the examples in docs/ find: three days of a small bank.
CREATE EXTENSION fintrans;

-- roles belong to all databases: another page may have made them
SELECT 'CREATE ROLE ' || name || ' LOGIN' FROM (VALUES ('alice'), ('grafana')) roles (name)
 WHERE to_regrole(name) IS NULL \gexec
SELECT fintrans_grant('alice', 'reader'), fintrans_grant('alice', 'operator') \g /dev/null

SELECT fintrans_ensure_partitions('2025-03-03', '2025-03-05'),
       fintrans_set_rule('default', 20000),
       fintrans_set_rule('just below 10000', 2, kind => 'structuring', "window" => '1 day',
                         amount_from => 9000, amount_below => 10000),
       fintrans_set_rule('passed on', 0.9, kind => 'pass_through', "window" => '1 day',
                         amount_from => 10000) \g /dev/null

CREATE TEMP TABLE payments (
  event_time timestamptz, city text, source text, target text, amount numeric,
  n integer GENERATED ALWAYS AS IDENTITY);

-- a payroll, some life, a scatter-gather, a ring, a chain, and a money mule
COPY payments (event_time, city, source, target, amount) FROM stdin (DELIMITER ' ');
2025-03-03T09:00 London 900 101 2400
2025-03-03T09:00 London 900 102 2650
2025-03-03T09:00 London 900 103 2300
2025-03-03T09:00 London 900 104 2800
2025-03-03T09:00 London 900 105 2550
2025-03-03T09:00 London 900 516 2500
2025-03-03T10:30 NYC 601 611 3000
2025-03-03T10:31 NYC 601 612 3000
2025-03-03T10:32 NYC 601 613 3000
2025-03-03T17:05 London 101 700 950
2025-03-03T17:20 London 516 700 900
2025-03-03T18:45 London 102 710 62.40
2025-03-04T08:10 NYC 611 602 2940
2025-03-04T08:40 NYC 612 602 2940
2025-03-04T09:15 NYC 613 602 2940
2025-03-04T10:00 NYC 801 802 5000
2025-03-04T12:00 NYC 802 803 5000
2025-03-04T12:25 London 516 710 45.20
2025-03-04T12:40 London 103 710 18.95
2025-03-04T15:00 NYC 803 801 5000
2025-03-04T16:10 NYC 820 821 1750.25
2025-03-04T16:30 NYC 821 822 1750.25
2025-03-04T16:50 NYC 822 823 1750.25
2025-03-05T09:10 London 311 516 9500
2025-03-05T09:40 London 312 516 9800
2025-03-05T10:05 London 313 516 9200
2025-03-05T10:50 London 516 482 9700
2025-03-05T11:15 London 314 516 9900
2025-03-05T11:30 London 516 482 9600
2025-03-05T12:20 London 315 516 9400
2025-03-05T12:45 London 516 482 9500
2025-03-05T13:10 London 104 710 80
2025-03-05T14:05 London 516 482 9300
2025-03-05T14:50 London 516 482 9100
\.

-- hour by hour, as a bridge brings them
DO $$
DECLARE
  hour timestamptz;
BEGIN
  FOR hour IN SELECT DISTINCT date_trunc('hour', event_time) FROM payments ORDER BY 1 LOOP
    INSERT INTO fintrans_transactions
    SELECT event_time, city, source, target, amount, NULL, 0, message
      FROM (SELECT *, row_number() OVER (PARTITION BY city ORDER BY n) - 1 AS message
              FROM payments) p
     WHERE date_trunc('hour', event_time) = hour;
  END LOOP;
END $$;

INSERT INTO fintrans_dead_letters
SELECT 'London', 0, 22 + n, payload, reason, detail, '2025-03-05 15:30', '2025-03-05 15:31'
  FROM (VALUES (0, '516 482 8,644'::bytea, 'bad_amount', 'the amount has a separator other than the decimal point'), (1, '', 'empty', 'payload of 0 bytes'))
       letters (n, payload, reason, detail);

INSERT INTO fintrans_offsets (topic, kafka_partition, first_offset, next_offset, stored, dead_lettered)
VALUES ('London', 0, 0, 24, 22, 2), ('NYC', 0, 0, 12, 12, 0);

SELECT fintrans_report_bridge('db1:4711', '{London,NYC}', '{0,0}', '{30,12}',
                              '{NULL,NULL}', '{f,f}', 36, 2, 3, 0.045, 7.2, 0) \g /dev/null
