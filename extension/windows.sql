-- Window states, and the windows of transactions held; see window_functions.c and measures.c.

CREATE OR REPLACE FUNCTION @extschema@.fintrans_windows_with(
  state bytea, others bytea)
RETURNS bytea
AS 'MODULE_PATHNAME', 'fintrans_windows_with'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_windows_with(bytea, bytea) IS
  'Internal: window states with those of other rules, which take the place of those of the same generation.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_windows_changed(
  windows bytea, changes bytea)
RETURNS bytea
AS 'MODULE_PATHNAME', 'fintrans_windows_changed'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_windows_changed(bytea, bytea) IS
  'The window states of an account, from both columns of fintrans_accounts: fintrans_window_entries() reads them.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_window_state_add(
  state internal, generation integer, cap integer, bucket bigint, key bigint,
  transactions bigint, total numeric)
RETURNS internal
AS 'MODULE_PATHNAME', 'fintrans_window_state_add'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_window_state_add(
  internal, integer, integer, bigint, bigint, bigint, numeric) IS
  'Internal: transition function of fintrans_window_state().';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_window_state_made(state internal)
RETURNS bytea
AS 'MODULE_PATHNAME', 'fintrans_window_state_made'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION @extschema@.fintrans_window_state_made(internal) IS
  'Internal: final function of fintrans_window_state().';

CREATE OR REPLACE AGGREGATE @extschema@.fintrans_window_state(
  generation integer, cap integer, bucket bigint, key bigint,
  transactions bigint, total numeric)
(
  SFUNC = @extschema@.fintrans_window_state_add,
  STYPE = internal,
  FINALFUNC = @extschema@.fintrans_window_state_made,
  FINALFUNC_MODIFY = READ_WRITE,
  PARALLEL = SAFE
);

COMMENT ON AGGREGATE @extschema@.fintrans_window_state(
  integer, integer, bigint, bigint, bigint, numeric) IS
  'Internal: the window state of one subject and rule, made of its entries.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_window_entries(
  state bytea, OUT generation integer, OUT newest bigint, OUT bucket bigint,
  OUT key bigint, OUT transactions bigint, OUT total numeric)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'fintrans_window_entries'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 4;

COMMENT ON FUNCTION @extschema@.fintrans_window_entries(bytea) IS
  'What a window state holds: for each rule (by its generation) and bucket (its number since 1970), and for each key that the rule tells apart, the number of transactions and their total; newest is the bucket of the newest event ever seen.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_window_hits(
  kind text, threshold numeric, amount_from numeric,
  buckets bigint[], keys bigint[], transactions bigint[], totals numeric[],
  OUT last_bucket bigint, OUT value numeric, OUT hit_transactions bigint,
  OUT level smallint)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'fintrans_window_hits'
LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 4;

COMMENT ON FUNCTION @extschema@.fintrans_window_hits(
  text, numeric, numeric, bigint[], bigint[], bigint[], numeric[]) IS
  'Internal: the windows of one subject that are above a rule''s threshold, by the last of their buckets.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_bucket(
  "time" timestamptz, time_window interval)
RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT floor(extract(epoch FROM "time")
               / (extract(epoch FROM time_window) / 24))::bigint;
END;

COMMENT ON FUNCTION @extschema@.fintrans_bucket(timestamptz, interval) IS
  'Internal: number, counted from 1970, of the bucket of that time: a twenty-fourth of the window.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_counterparty_hash(account text)
RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT greatest(hashtextextended(account, 0) & 281474976710655, 1);
END;

COMMENT ON FUNCTION @extschema@.fintrans_counterparty_hash(text) IS
  'Internal: what window states know a counterparty by: six bytes of its hash.';

-- What each windowed rule in force sees of the transactions held.  Keys are as
-- ingest makes them: the counterparty's hash, or the direction of money.
CREATE OR REPLACE VIEW @extschema@.fintrans_rule_entries AS
  SELECT r.name AS rule, s.source_account, s.target_account, s.account,
         @extschema@.fintrans_bucket(s.event_time, r.time_window) AS bucket,
         s.key, count(*) AS transactions,
         sum(CASE WHEN r.kind IN ('pair_total', 'outgoing_total', 'incoming_total',
                                  'pass_through')
                  THEN s.amount ELSE 0 END) AS total
    FROM @extschema@.fintrans_rules r
   CROSS JOIN LATERAL (
      SELECT t.source_account, t.target_account, NULL::text COLLATE "C" AS account,
             0::bigint AS key, t.event_time, t.amount
        FROM @extschema@.fintrans_transactions t
       WHERE r.kind = 'pair_total'
      UNION ALL
      SELECT NULL, NULL, t.source_account,
             CASE r.kind WHEN 'fan_out' THEN @extschema@.fintrans_counterparty_hash(t.target_account)
                         ELSE 0 END,
             t.event_time, t.amount
        FROM @extschema@.fintrans_transactions t
       WHERE r.kind IN ('outgoing_total', 'velocity', 'structuring', 'fan_out',
                        'pass_through')
         AND (r.kind <> 'structuring'
              OR t.amount >= r.amount_from AND t.amount < r.amount_below)
         AND (r.kind NOT IN ('fan_out', 'pass_through')
              OR t.source_account <> t.target_account)
      UNION ALL
      SELECT NULL, NULL, t.target_account,
             CASE r.kind WHEN 'fan_in' THEN @extschema@.fintrans_counterparty_hash(t.source_account)
                         WHEN 'pass_through' THEN 1 ELSE 0 END,
             t.event_time, t.amount
        FROM @extschema@.fintrans_transactions t
       WHERE r.kind IN ('incoming_total', 'fan_in', 'pass_through')
         AND (r.kind NOT IN ('fan_in', 'pass_through')
              OR t.source_account <> t.target_account)) s
   WHERE r.enabled AND r.time_window IS NOT NULL
   GROUP BY r.name, s.source_account, s.target_account, s.account, 5, s.key;

COMMENT ON VIEW @extschema@.fintrans_rule_entries IS
  'Internal: the transactions held, in the buckets of each windowed rule in force.';

-- One row for each window above the threshold, in the order of time.
CREATE OR REPLACE VIEW @extschema@.fintrans_rule_hits AS
  SELECT r.name AS rule, s.source_account, s.target_account, s.account,
         h.value, h.hit_transactions AS transactions, r.threshold, h.level,
         to_timestamp((h.last_bucket - 23) * r.bucket_seconds) AS window_start,
         to_timestamp((h.last_bucket + 1) * r.bucket_seconds) AS window_end
    FROM (SELECT e.rule, e.source_account, e.target_account, e.account,
                 array_agg(e.bucket) AS buckets, array_agg(e.key) AS keys,
                 array_agg(e.transactions) AS transactions,
                 array_agg(e.total) AS totals
            FROM @extschema@.fintrans_rule_entries e
           GROUP BY e.rule, e.source_account, e.target_account, e.account) s
    JOIN (SELECT w.*, (extract(epoch FROM w.time_window) / 24)::double precision
                      AS bucket_seconds
            FROM @extschema@.fintrans_rules w) r ON r.name = s.rule
   CROSS JOIN LATERAL @extschema@.fintrans_window_hits(
           r.kind, r.threshold, r.amount_from, s.buckets, s.keys,
           s.transactions, s.totals) h;

COMMENT ON VIEW @extschema@.fintrans_rule_hits IS
  'Internal: the windows of transactions held that are above the threshold of a rule in force.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_rule_cap(kind text, threshold numeric)
RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN kind IN ('fan_out', 'fan_in') THEN 1 + floor(threshold)::integer
              ELSE 0 END;
END;

COMMENT ON FUNCTION @extschema@.fintrans_rule_cap(text, numeric) IS
  'Internal: most counterparties that a state keeps in one bucket: as many as it takes to decide; 0 for all.';

-- Subjects that have been quiet for four windows need no state: whatever comes
-- next finds nothing in its window, or is late.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_make_window_states(rule text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
  made CONSTANT text := $made$
    WITH entries AS MATERIALIZED (
      SELECT e.*, max(e.bucket) OVER (PARTITION BY e.source_account, e.target_account,
                                                   e.account) AS newest,
             -- one that is ahead of its time makes none of the others old
             least(max(e.bucket) OVER (),
                   @extschema@.fintrans_bucket(now(), r.time_window)) AS present
        FROM @extschema@.fintrans_rule_entries e
        JOIN @extschema@.fintrans_rules r ON r.name = e.rule
       WHERE e.rule = $1)
    SELECT e.source_account, e.target_account, e.account,
           @extschema@.fintrans_window_state(
             r.generation, @extschema@.fintrans_rule_cap(r.kind, r.threshold),
             e.bucket, e.key, e.transactions, e.total) AS windows
      FROM entries e JOIN @extschema@.fintrans_rules r ON r.name = e.rule
     WHERE (e.bucket > e.newest - 48 OR e.bucket > e.present - 48)
       AND e.newest > e.present - 96
     GROUP BY e.source_account, e.target_account, e.account$made$;
BEGIN
  IF (SELECT r.kind = 'pair_total' FROM @extschema@.fintrans_rules r
       WHERE r.name = $1) THEN
    EXECUTE 'UPDATE @extschema@.fintrans_laundering l
                SET windows = @extschema@.fintrans_windows_with(l.windows, s.windows)
               FROM (' || made || ') s
              WHERE (l.source_account, l.target_account)
                    = (s.source_account, s.target_account)'
      USING rule;
  ELSE
    EXECUTE 'INSERT INTO @extschema@.fintrans_accounts AS a
             SELECT s.account, s.windows FROM (' || made || ') s
              ORDER BY s.account
                 ON CONFLICT (account) DO UPDATE
                SET windows = @extschema@.fintrans_windows_with(
                                @extschema@.fintrans_windows_changed(a.windows, a.changes),
                                excluded.windows),
                    changes = NULL'
      USING rule;
  END IF;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_make_window_states(text) IS
  'Internal: makes the window states of a rule from the transactions held, while the rules are locked.';

REVOKE EXECUTE ON FUNCTION @extschema@.fintrans_make_window_states(text) FROM PUBLIC;
