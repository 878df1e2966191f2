-- What the peers store into: bare rows, and rows of which the SQL trigger any
-- engineer would write keeps the totals.

CREATE TABLE bare_rows (source integer, target integer, amount integer);

CREATE TABLE whole_rows (
  source integer,
  target integer,
  amount integer,
  time   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE totals (
  source       integer,
  target       integer,
  total        numeric,
  transactions bigint,
  last_time    timestamptz,
  PRIMARY KEY (source, target)
) WITH (fillfactor = 60);

CREATE FUNCTION add_totals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO totals AS t
  SELECT source, target, sum(amount), count(*), max(time)
    FROM new_rows
   GROUP BY 1, 2
   ORDER BY 1, 2
      ON CONFLICT (source, target) DO UPDATE
     SET total = t.total + excluded.total,
         transactions = t.transactions + excluded.transactions,
         last_time = greatest(t.last_time, excluded.last_time);
  RETURN NULL;
END $$;
CREATE TRIGGER add_totals AFTER INSERT ON whole_rows REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION add_totals();
