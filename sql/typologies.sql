-- The typologies find what is planted here by hand, say why, and refuse what
-- they cannot do.  What each row of the answers must be follows from the rows
-- inserted just before.
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
SELECT fintrans_ensure_partitions('2026-05-01', '2026-05-20') AS made;
CREATE PROCEDURE pay(source text, target text, amount numeric, at timestamptz)
LANGUAGE sql AS $$
  INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
  VALUES (at, 'London', source, target, amount)
$$;

-- repeated transfers: 100 to 150 are similar, 151 is not, nor what comes a day later
CALL pay('a', 'b', 100, '2026-05-01 10:00');
CALL pay('a', 'b', 150.00, '2026-05-01 12:00');
CALL pay('a', 'b', 151, '2026-05-01 11:00');
CALL pay('a', 'b', 100, '2026-05-02 12:00');
CALL pay('a', 'a', 100, '2026-05-01 10:00');
CALL pay('a', 'a', 100, '2026-05-01 10:00');
SELECT * FROM fintrans_repeated_transfers() \gx
SELECT count(*) AS with_three FROM fintrans_repeated_transfers(minimum => 3);
SELECT amounts FROM fintrans_repeated_transfers(minimum => 3, spread => 0.51);
SELECT amounts FROM fintrans_repeated_transfers(within => '2 days 01:00', minimum => 3);
SELECT count(*) AS on_another_day FROM fintrans_repeated_transfers(since => '2026-05-02');
DELETE FROM fintrans_transactions;

-- a ring of four, not in the order of time from where it is told, and a longer path beside it
CALL pay('r2', 'r3', 700.25, '2026-05-01');
CALL pay('r3', 'r4', 700.25, '2026-05-02');
CALL pay('r4', 'r1', 700.25, '2026-05-03');
CALL pay('r1', 'r2', 700.25, '2026-05-04');
CALL pay('c1', 'c2', 800.5, '2026-05-01');
CALL pay('c2', 'c3', 800.5, '2026-05-02');
CALL pay('c3', 'c4', 800.5, '2026-05-03');
CALL pay('c4', 'c5', 800.5, '2026-05-03');
CALL pay('b2', 'b3', 900.5, '2026-05-01');
CALL pay('b3', 'b4', 900.5, '2026-05-02');
CALL pay('b1', 'b2', 900.5, '2026-05-03');
SELECT pattern, accounts, transactions, total, amounts, times[1] AS first, reason FROM fintrans_cycles();
SELECT count(*) AS ordered FROM fintrans_cycles(ordered => true);
SELECT count(*) AS of_three FROM fintrans_cycles(maximum => 3);
SELECT count(*) AS of_five FROM fintrans_cycles(minimum => 5);
SELECT count(*) AS in_a_shorter_window FROM fintrans_cycles(within => '3 days');
SELECT count(*) AS in_a_longer_window FROM fintrans_cycles(within => '3 days 00:00:01');
SELECT pattern, accounts, transactions, total, reason FROM fintrans_chains() ORDER BY accounts;
SELECT pattern, accounts FROM fintrans_chains(ordered => true);
-- a second payer of the same amount breaks the chain there
CALL pay('x', 'c3', 800.5, '2026-05-03');
SELECT pattern, accounts FROM fintrans_chains(chance => 100) WHERE accounts && '{c1,c3,c5}' ORDER BY accounts;
-- ten per cent less at each account, which no longer is the same
DELETE FROM fintrans_transactions;
CALL pay('c1', 'c2', 1000, '2026-05-01');
CALL pay('c2', 'c3', 900, '2026-05-02');
CALL pay('c3', 'c4', 810, '2026-05-03');
CALL pay('c4', 'c1', 729, '2026-05-03');
SELECT count(*) AS same FROM fintrans_chains();
SELECT accounts, amounts FROM fintrans_cycles(tolerance => NULL);
SELECT accounts, amounts FROM fintrans_cycles(tolerance => 0.271, chance => 10);
SELECT count(*) AS closer FROM fintrans_cycles(tolerance => 0.27, chance => 10);
DELETE FROM fintrans_transactions WHERE amount = 729;
SELECT accounts, amounts FROM fintrans_chains(loss => 0.1, chance => 1);
SELECT count(*) AS lossless FROM fintrans_chains(loss => 0.09, chance => 1);
DELETE FROM fintrans_transactions;

-- windows without a burst are not looked at again, but those with a transfer more
-- are, and so is the next account, of as many transfers
DO $$
BEGIN
  FOR i IN 1..10 LOOP
    CALL pay('d' || i, 'dull', (100 * 2 ^ i)::numeric, '2026-05-01 00:00'::timestamptz + i * interval '1 hour');
    CALL pay('e' || i, 'lively', CASE WHEN i % 2 = 0 THEN (100 * 2 ^ i)::numeric ELSE 3000 END,
             '2026-05-01 00:00'::timestamptz + i * interval '2 hours');
    CALL pay('f' || i, 'late', CASE WHEN i > 5 THEN 3000 ELSE (100 * 2 ^ i)::numeric END,
             '2026-05-01 00:00'::timestamptz + i * interval '5 hours');
  END LOOP;
END $$;
SELECT accounts, times[1] AS first FROM fintrans_fan_in() ORDER BY accounts;
DELETE FROM fintrans_transactions;
-- so that one whom very many pay within a window is not a matter of minutes
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
SELECT '2026-05-01'::timestamptz + i * interval '0.3 s', 'London', 'g' || i, 'shop', i
  FROM generate_series(1, 200000) i;
SET statement_timeout = '60s';
SELECT count(*) FROM fintrans_fan_in(burst_spread => 0);
RESET statement_timeout;
DELETE FROM fintrans_transactions;

-- a burst of five, and split payments: s3 pays once, out of habit; s4 pays everybody so much
DO $$
BEGIN
  FOR i IN 1..5 LOOP
    CALL pay('p' || i, 'hub', 1000 + 20 * i, '2026-05-01 08:00'::timestamptz + i * interval '1 hour');
  END LOOP;
END $$;
CALL pay('s1', 'split', 50, '2026-05-01');
CALL pay('s1', 'split', 55, '2026-05-01');
CALL pay('s2', 'split', 60, '2026-05-10');
CALL pay('s2', 'split', 61, '2026-05-10');
CALL pay('s3', 'split', 52, '2026-05-15');
CALL pay('s3', 'shop', 200, '2026-05-15');
CALL pay('s4', 'split', 54, '2026-05-16');
CALL pay('s4', 'shop', 54, '2026-05-17');
CALL pay('s5', 'split', 200, '2026-05-16');
SELECT pattern, accounts, transactions, total, reason FROM fintrans_fan_in();
-- as many single payments as split ones belong to them, but no more
SELECT accounts FROM fintrans_fan_in(burst_accounts => 6, since => '2026-05-05');
CALL pay('s6', 'split', 53, '2026-05-15');
CALL pay('s6', 'shop', 300, '2026-05-15');
SELECT accounts FROM fintrans_fan_in(burst_accounts => 6, since => '2026-05-05');
DELETE FROM fintrans_transactions WHERE source_account = 's6';
SELECT count(*) AS of_six FROM fintrans_fan_in(burst_accounts => 6, split_accounts => 4);
SELECT accounts FROM fintrans_fan_in(burst_accounts => 6, split_window => '10 days');
SELECT count(*) AS outward FROM fintrans_fan_out();
-- it is no burst if the hub is paid that much at other times, but more often then only
DO $$
BEGIN
  FOR i IN 1..5 LOOP
    CALL pay('q' || i, 'hub', 1000, '2026-05-05'::timestamptz + i * interval '2 days');
  END LOOP;
END $$;
SELECT accounts[1] AS hub FROM fintrans_fan_in(split_accounts => 6);
CALL pay('q6', 'hub', 1000, '2026-05-19');
SELECT accounts[1] AS hub FROM fintrans_fan_in(split_accounts => 6);
DELETE FROM fintrans_transactions WHERE source_account ~ '^q';
-- the same the other way round
UPDATE fintrans_transactions SET source_account = target_account, target_account = source_account;
SELECT pattern, accounts, transactions, total, reason FROM fintrans_fan_out();
SELECT count(*) AS inward FROM fintrans_fan_in();
DELETE FROM fintrans_transactions;

-- three ways from one to another, of which the last takes until the tenth day
CALL pay('from', 'm1', 500, '2026-05-01');
CALL pay('from', 'm2', 510, '2026-05-01');
CALL pay('from', 'm3', 520, '2026-05-02');
CALL pay('m1', 'to', 475, '2026-05-03');
CALL pay('m2', 'to', 510, '2026-05-03');
CALL pay('m3', 'to', 500, '2026-05-10');
CALL pay('m3', 'elsewhere', 520, '2026-05-10');
SELECT pattern, accounts, transactions, total, amounts, reason FROM fintrans_scatter_gather();
SELECT count(*) AS through_four FROM fintrans_scatter_gather(minimum => 4);
SELECT count(*) AS in_nine_days FROM fintrans_scatter_gather(within => '9 days');
SELECT count(*) AS losing_less FROM fintrans_scatter_gather(loss => 0.049);
-- who pays 500 to others as well does not hand it on
CALL pay('m3', 'elsewhere', 500, '2026-05-18');
SELECT count(*) AS out_of_habit FROM fintrans_scatter_gather();
DELETE FROM fintrans_transactions;

-- 9000 is just below 10000, 8999.99 and 10000 are not
CALL pay('a', 'b', 9000, '2026-05-01 01:00');
CALL pay('a', 'c', 9999.99, '2026-05-01 09:00');
CALL pay('a', 'd', 10000, '2026-05-01 10:00');
CALL pay('a', 'e', 8999.99, '2026-05-01 11:00');
CALL pay('a', 'f', 9500, '2026-05-02 00:59');
SELECT pattern, accounts, transactions, total, reason FROM fintrans_structuring();
SELECT count(*) AS of_another_limit FROM fintrans_structuring(limit_amount => 9500);
SELECT count(*) AS in_a_shorter_window FROM fintrans_structuring(within => '23:59');
-- nor is it structuring if most of such payments are made one by one
CALL pay('a', 'b', 9900, '2026-05-04');
CALL pay('a', 'b', 9900, '2026-05-06');
CALL pay('a', 'b', 9900, '2026-05-08');
SELECT transactions FROM fintrans_structuring();
CALL pay('a', 'b', 9900, '2026-05-10');
SELECT transactions FROM fintrans_structuring();
DELETE FROM fintrans_transactions;

-- 300 come in, 288 leave; keeper keeps too much, and payer always pays 96
CALL pay('a', 'mule', 100, '2026-05-01 01:00');
CALL pay('b', 'mule', 100, '2026-05-01 02:00');
CALL pay('c', 'mule', 100, '2026-05-01 03:00');
CALL pay('mule', 'd', 188, '2026-05-01 04:00');
CALL pay('mule', 'e', 100, '2026-05-01 05:00');
CALL pay('a', 'keeper', 100, '2026-05-01 01:00');
CALL pay('b', 'keeper', 100, '2026-05-01 02:00');
CALL pay('c', 'keeper', 100, '2026-05-01 03:00');
CALL pay('keeper', 'd', 284, '2026-05-01 04:00');
CALL pay('a', 'payer', 32, '2026-05-01 01:00');
CALL pay('b', 'payer', 32, '2026-05-01 02:00');
CALL pay('c', 'payer', 32, '2026-05-01 03:00');
CALL pay('payer', 'd', 96, '2026-05-01 04:00');
CALL pay('payer', 'd', 96, '2026-05-09 04:00');
SELECT pattern, accounts, transactions, total, amounts, reason FROM fintrans_pass_through();
SELECT count(*) AS of_four FROM fintrans_pass_through(minimum => 4);
SELECT accounts[1] AS account FROM fintrans_pass_through(share => 0.94) ORDER BY 1;

-- what cannot be used is refused, and the argument named
SELECT * FROM fintrans_cycles(minimum => 2);
SELECT * FROM fintrans_cycles(minimum => 5, maximum => 4);
SELECT * FROM fintrans_cycles(tolerance => 'NaN');
SELECT * FROM fintrans_cycles(within => NULL);
SELECT * FROM fintrans_chains(within => '0');
SELECT * FROM fintrans_chains(within => '-1 day');
SELECT * FROM fintrans_chains(loss => -0.1);
SELECT * FROM fintrans_fan_in(burst_accounts => 1);
SELECT * FROM fintrans_structuring(limit_amount => 0);
SELECT * FROM fintrans_pass_through(since => '2026-05-02', before => '2026-05-02');
SELECT * FROM fintrans_pass_through(since => NULL);

-- a search that would not end, and one that would not fit, are refused
INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
SELECT '2026-05-05', 'London', 'k' || i, 'k' || j, 1
  FROM generate_series(1, 150) i, generate_series(1, 150) j WHERE i <> j;
SELECT * FROM fintrans_cycles(tolerance => NULL, work => 1000000);
SELECT * FROM fintrans_scatter_gather(work => 1000000);
SET maintenance_work_mem = '1MB';
DO $$
BEGIN
  PERFORM fintrans_chains();
EXCEPTION WHEN program_limit_exceeded THEN
  RAISE NOTICE '%', SQLERRM;
END $$;
SELECT accounts[1] FROM fintrans_pass_through(before => '2026-05-05');
RESET maintenance_work_mem;

-- a reader may, and nobody else
CREATE ROLE fintrans_typology_reader;
SET ROLE fintrans_typology_reader;
SELECT count(*) FROM fintrans_pass_through();
RESET ROLE;
SELECT fintrans_grant('fintrans_typology_reader', 'reader');
SET ROLE fintrans_typology_reader;
SELECT count(*) FROM fintrans_pass_through(before => '2026-05-05');
RESET ROLE;
DROP OWNED BY fintrans_typology_reader;
DROP ROLE fintrans_typology_reader;
DROP PROCEDURE pay(text, text, numeric, timestamptz);
DELETE FROM fintrans_transactions;
