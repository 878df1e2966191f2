-- What the trigger bench measures: the same rows into a table without
-- triggers, one with the SQL trigger any engineer would write (pair totals
-- only), and fintrans_transactions (totals, volume and alerts).

CREATE EXTENSION fintrans;
SELECT fintrans_ensure_partitions(now(), now());
SELECT 'fintrans_transactions_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD') AS leaf \gset

CREATE TABLE bare (LIKE fintrans_transactions INCLUDING CONSTRAINTS);

CREATE TABLE plain (LIKE fintrans_transactions INCLUDING CONSTRAINTS);
CREATE TABLE plain_totals (
  source_account text COLLATE "C",
  target_account text COLLATE "C",
  total          numeric,
  transactions   bigint,
  last_time      timestamptz,
  PRIMARY KEY (source_account, target_account)
) WITH (fillfactor = 60);

CREATE FUNCTION plain_totals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO plain_totals AS t
  SELECT source_account, target_account, sum(amount), count(*), max(event_time)
    FROM new_rows
   GROUP BY 1, 2
   ORDER BY 1, 2
      ON CONFLICT (source_account, target_account) DO UPDATE
     SET total = t.total + excluded.total,
         transactions = t.transactions + excluded.transactions,
         last_time = greatest(t.last_time, excluded.last_time);
  RETURN NULL;
END $$;
CREATE TRIGGER plain_totals AFTER INSERT ON plain REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION plain_totals();

-- what COPY is given a name for: ours goes into the day's leaf, as the
-- bridge does it
CREATE VIEW targets AS
  SELECT 'bare' AS name, 'bare' AS relation
  UNION ALL SELECT 'plain', 'plain'
  UNION ALL SELECT 'fintrans', 'fintrans_transactions_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD');

-- Writes nrows rows to files directory/SIZE.N of size rows each, and returns
-- the sum of their amounts.  Shapes: known draws pairs from a million, of a
-- thousand accounts, apart the same but with even sources in every other file
-- and odd ones in the rest, spread from a million of a hundred thousand
-- accounts, "square N" from all pairs of N accounts, new makes pairs never met
-- before.
-- Amounts are the demo's, 0 to 9999.  Time goes on from round to round, in one day.
CREATE FUNCTION write_batches(shape text, round integer, nrows integer,
                              size integer, directory text)
RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
  kind text := split_part(shape, ' ', 1);
  side bigint := nullif(split_part(shape, ' ', 2), '');
BEGIN
  PERFORM setseed((round % 100) / 100.0);
  SET LOCAL client_min_messages = warning;
  DROP TABLE IF EXISTS batch;
  CREATE UNLOGGED TABLE batch AS
  SELECT i,
         date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
           + (round * nrows::bigint + i) % 4320000 * interval '0.02 s' AS event_time,
         (ARRAY['London', 'NYC', 'SF', 'Moscow', 'Tokyo'])[1 + i % 5] AS city,
         CASE kind WHEN 'known' THEN (n / 1000)::text
              WHEN 'apart' THEN (n / 2000 * 2 + i / size % 2)::text
              WHEN 'spread' THEN (n / 10)::text
              WHEN 'square' THEN (n / side)::text
              ELSE format('r%s-%s', round, i % 1000) END AS source_account,
         CASE WHEN kind IN ('known', 'apart') THEN (n % 1000)::text
              WHEN kind = 'spread' THEN (n / 10 * 7919 % 100000 + n % 10)::text
              WHEN kind = 'square' THEN (n % side)::text
              ELSE (i / 1000)::text END AS target_account,
         trunc(random() * 10000)::numeric AS amount,
         NULL::text AS reference, i % 4 AS kafka_partition, i::bigint AS kafka_offset
    FROM (SELECT i, trunc(random() * CASE kind WHEN 'square' THEN side * side
                                               ELSE 1000000 END)::bigint AS n
            FROM generate_series(0, nrows - 1) i) drawn;
  FOR n IN 0 .. (nrows - 1) / size LOOP
    EXECUTE format('COPY (SELECT event_time, city, source_account, target_account,
                                 amount, reference, kafka_partition, kafka_offset
                            FROM batch WHERE i >= %s AND i < %s) TO %L (FORMAT binary)',
                   n * size, (n + 1) * size, format('%s/%s.%s', directory, size, n));
  END LOOP;
  RETURN (SELECT sum(amount) FROM batch);
END $$;
