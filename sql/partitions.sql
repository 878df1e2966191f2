-- Partitions are made per UTC day, once, with grants and triggers.
SET timezone = 'Asia/Tokyo';
SELECT fintrans_ensure_partitions('2026-01-01 00:00+00', '2026-01-03 23:59:59+00') AS made;
SELECT fintrans_ensure_partitions('2026-01-01 00:00+00', '2026-01-03 23:59:59+00') AS made;
SELECT fintrans_ensure_partitions('2025-12-31 23:59:59.999999+00', '2026-01-01 00:00+00') AS made;
RESET timezone;
SELECT relation FROM fintrans_relations() WHERE is_leaf ORDER BY relation::text;
-- a leaf is no member of the extension
SELECT count(*) FROM pg_depend
 WHERE objid = 'fintrans_transactions_20260101'::regclass AND deptype = 'e';
-- each leaf has the four triggers
SELECT tgrelid::regclass, string_agg(tgname, ' ' ORDER BY tgname)
  FROM pg_trigger WHERE NOT tgisinternal AND tgname ~ '^fintrans_' AND tgrelid::regclass::text ~ 'transactions'
 GROUP BY 1 ORDER BY 1::text;
-- what is refused
SELECT fintrans_ensure_partitions('2026-01-02', '2026-01-01');
SELECT fintrans_ensure_partitions('2026-01-02', '2040-01-01');
SELECT fintrans_ensure_partitions('-infinity', '2026-01-01');
CREATE TABLE fintrans_transactions_20260110 (LIKE fintrans_transactions);
SELECT fintrans_ensure_partitions('2026-01-10', '2026-01-10');
DROP TABLE fintrans_transactions_20260110;
-- a row outside all partitions is an error without a constraint name
DO $$
DECLARE
  table_named      text;
  constraint_named text;
BEGIN
  INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
  VALUES ('2026-01-20', 'London', 'a', 'b', 1);
EXCEPTION WHEN check_violation THEN
  GET STACKED DIAGNOSTICS table_named = TABLE_NAME, constraint_named = CONSTRAINT_NAME;
  RAISE NOTICE '% "%" "%"', SQLSTATE, table_named, constraint_named;
END $$;
-- without CASCADE the extension cannot be dropped while it holds partitions
DROP EXTENSION fintrans;
