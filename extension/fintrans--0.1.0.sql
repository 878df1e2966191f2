/*
 * fintrans 0.1.0, as it was released.
 *
 * Every object is created in the schema chosen at CREATE EXTENSION.  SQL
 * functions have bodies parsed here (BEGIN ATOMIC), so no later search_path
 * reaches them; PL/pgSQL ones pin theirs.  Partitions of
 * fintrans_transactions are made at run time and are no members of the
 * extension: pg_dump then restores their rows before their triggers exist,
 * and no total is counted twice.
 */

-- complain if script is sourced in psql
\echo Use "CREATE EXTENSION fintrans" to load this file. \quit

-- All of this is parsed, here or when it runs, without the extension's schema
-- in search_path: others may be allowed to create things there, and a function
-- or operator of theirs whose argument types fit exactly would be preferred to
-- PostgreSQL's own.
SET LOCAL search_path = pg_catalog, pg_temp;

-- The tables of fintrans 0.1.0, and what pg_dump has to carry of them.

CREATE TABLE @extschema@.fintrans_transactions (
  event_time      timestamptz NOT NULL,
  city            text COLLATE "C" NOT NULL,
  source_account  text COLLATE "C" NOT NULL,
  target_account  text COLLATE "C" NOT NULL,
  amount          numeric NOT NULL,
  reference       text COLLATE "C",
  kafka_partition integer,
  kafka_offset    bigint,
  -- NaN and Infinity sort above every number, so the upper bound refuses both
  CONSTRAINT fintrans_transactions_amount
    CHECK (amount >= 0 AND amount < 1e15 AND scale(amount) <= 18),
  CONSTRAINT fintrans_transactions_city
    CHECK (octet_length(city) BETWEEN 1 AND 249),
  CONSTRAINT fintrans_transactions_source_account
    CHECK (octet_length(source_account) BETWEEN 1 AND 256),
  CONSTRAINT fintrans_transactions_target_account
    CHECK (octet_length(target_account) BETWEEN 1 AND 256),
  CONSTRAINT fintrans_transactions_coordinates
    CHECK ((kafka_partition IS NULL) = (kafka_offset IS NULL))
) PARTITION BY RANGE (event_time);

COMMENT ON TABLE @extschema@.fintrans_transactions IS
  'One row per financial transaction, partitioned by UTC day of event_time; the target of COPY. TRUNCATE is refused.';
COMMENT ON COLUMN @extschema@.fintrans_transactions.event_time IS
  'When the transaction took place: the timestamp of the Kafka message.';
COMMENT ON COLUMN @extschema@.fintrans_transactions.city IS
  'The Kafka topic the transaction came from: 1 to 249 bytes, as Kafka allows.';
COMMENT ON COLUMN @extschema@.fintrans_transactions.source_account IS
  'Where the money leaves: 1 to 256 bytes, compared bytewise.';
COMMENT ON COLUMN @extschema@.fintrans_transactions.target_account IS
  'Where the money arrives: 1 to 256 bytes, compared bytewise. May equal the source account.';
COMMENT ON COLUMN @extschema@.fintrans_transactions.amount IS
  'In the currency of the installation: 0 <= amount < 10^15, at most 18 decimals.';
COMMENT ON COLUMN @extschema@.fintrans_transactions.reference IS
  'The transaction''s id at the bank; NULL when the message has none.';
COMMENT ON COLUMN @extschema@.fintrans_transactions.kafka_partition IS
  'Kafka partition of the message; NULL for a row that did not come from Kafka.';
COMMENT ON COLUMN @extschema@.fintrans_transactions.kafka_offset IS
  'Kafka offset of the message; NULL for a row that did not come from Kafka.';

-- No index may hold a column that changes with every update, or no update is
-- heap-only: magnitude stays as it is while the totals grow together.
CREATE TABLE @extschema@.fintrans_laundering (
  source_account text COLLATE "C" NOT NULL,
  target_account text COLLATE "C" NOT NULL,
  total          numeric NOT NULL,
  transactions   bigint NOT NULL,
  first_time     timestamptz NOT NULL,
  last_time      timestamptz NOT NULL,
  magnitude      smallint NOT NULL,
  PRIMARY KEY (source_account, target_account),
  -- NaN sorts above Infinity
  CONSTRAINT fintrans_laundering_total
    CHECK (total > '-Infinity' AND total < 'Infinity')
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);

-- most pairs have magnitude 0, and need no entry
CREATE INDEX fintrans_laundering_magnitude
  ON @extschema@.fintrans_laundering (magnitude) WHERE magnitude > 0;

COMMENT ON TABLE @extschema@.fintrans_laundering IS
  'One row per (source account, target account) pair: total and transactions always equal GROUP BY over the rows held in fintrans_transactions. Kept by triggers; never write to it.';
COMMENT ON COLUMN @extschema@.fintrans_laundering.total IS
  'Sum of the amounts of the pair''s transactions held.';
COMMENT ON COLUMN @extschema@.fintrans_laundering.transactions IS
  'Number of the pair''s transactions held.';
COMMENT ON COLUMN @extschema@.fintrans_laundering.first_time IS
  'Earliest event time seen for the pair; history, not lowered by DELETE.';
COMMENT ON COLUMN @extschema@.fintrans_laundering.last_time IS
  'Latest event time seen for the pair; history, not lowered by DELETE.';
COMMENT ON COLUMN @extschema@.fintrans_laundering.magnitude IS
  'A magnitude of fintrans_magnitudes whose ceiling the total does not exceed; 32767 when none is known. What fintrans_suspects() looks up by index.';

CREATE TABLE @extschema@.fintrans_magnitudes (
  magnitude smallint PRIMARY KEY,
  ceiling   numeric NOT NULL
);

COMMENT ON TABLE @extschema@.fintrans_magnitudes IS
  'Ceilings of the totals of each magnitude, following the quantiles of the totals. They only ever rise. Kept by fintrans_tune_magnitudes(); never write to it.';

CREATE TABLE @extschema@.fintrans_volume (
  city         text COLLATE "C" NOT NULL,
  minute       timestamptz NOT NULL,
  transactions bigint NOT NULL,
  total        numeric NOT NULL,
  minimum      numeric NOT NULL,
  maximum      numeric NOT NULL,
  PRIMARY KEY (city, minute),
  CONSTRAINT fintrans_volume_total
    CHECK (total > '-Infinity' AND total < 'Infinity')
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

COMMENT ON TABLE @extschema@.fintrans_volume IS
  'Volume per city and minute of event time, kept by triggers: what dashboards read. It outlives the rows it was counted from.';
COMMENT ON COLUMN @extschema@.fintrans_volume.minute IS
  'Start of the minute.';
COMMENT ON COLUMN @extschema@.fintrans_volume.total IS
  'Sum of the amounts; total / transactions is the average.';
COMMENT ON COLUMN @extschema@.fintrans_volume.minimum IS
  'Smallest amount of the minute.';
COMMENT ON COLUMN @extschema@.fintrans_volume.maximum IS
  'Largest amount of the minute.';

CREATE TABLE @extschema@.fintrans_offsets (
  topic           text COLLATE "C" NOT NULL,
  kafka_partition integer NOT NULL,
  first_offset    bigint NOT NULL,
  next_offset     bigint NOT NULL,
  stored          bigint NOT NULL DEFAULT 0,
  dead_lettered   bigint NOT NULL DEFAULT 0,
  skipped         bigint NOT NULL DEFAULT 0,
  dropped         bigint NOT NULL DEFAULT 0,
  replayed        bigint NOT NULL DEFAULT 0,
  purged          bigint NOT NULL DEFAULT 0,
  last_offset     bigint,
  last_event_time_ms bigint,
  last_checksum   integer,
  updated_at      timestamptz NOT NULL DEFAULT pg_catalog.now(),
  PRIMARY KEY (topic, kafka_partition),
  CONSTRAINT fintrans_offsets_accounted
    CHECK (stored + dead_lettered + skipped + dropped + replayed + purged
           = next_offset - first_offset),
  CONSTRAINT fintrans_offsets_counted
    CHECK (least(stored, dead_lettered, skipped, dropped, replayed, purged) >= 0)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

COMMENT ON TABLE @extschema@.fintrans_offsets IS
  'How far each Kafka partition has been loaded: the only truth about progress. Every offset from first_offset up to next_offset is counted in exactly one column.';
COMMENT ON COLUMN @extschema@.fintrans_offsets.first_offset IS
  'Where loading began.';
COMMENT ON COLUMN @extschema@.fintrans_offsets.next_offset IS
  'Where loading goes on: the last offset handled + 1. Advanced by compare-and-set only, in the database transaction of the rows.';
COMMENT ON COLUMN @extschema@.fintrans_offsets.stored IS
  'Offsets whose row is in fintrans_transactions.';
COMMENT ON COLUMN @extschema@.fintrans_offsets.dead_lettered IS
  'Offsets whose message is in fintrans_dead_letters.';
COMMENT ON COLUMN @extschema@.fintrans_offsets.skipped IS
  'Offsets that held no message for a consumer: compaction, transaction markers, aborted messages, or a gap accepted by --on-gap.';
COMMENT ON COLUMN @extschema@.fintrans_offsets.dropped IS
  'Offsets whose row was dropped by retention.';
COMMENT ON COLUMN @extschema@.fintrans_offsets.replayed IS
  'Offsets that were dead letters and are rows now.';
COMMENT ON COLUMN @extschema@.fintrans_offsets.purged IS
  'Offsets that were dead letters and were purged.';
COMMENT ON COLUMN @extschema@.fintrans_offsets.last_offset IS
  'The last message handled: a bridge that takes up the partition looks whether Kafka still has the same one there, and halts otherwise. NULL when none was, or when it is not to look.';
COMMENT ON COLUMN @extschema@.fintrans_offsets.last_event_time_ms IS
  'Its Kafka timestamp, in milliseconds since 1970; NULL when it had none.';
COMMENT ON COLUMN @extschema@.fintrans_offsets.last_checksum IS
  'Checksum of its payload, 16 bits: too short to tell the payload by.';

CREATE TABLE @extschema@.fintrans_dead_letters (
  topic           text COLLATE "C" NOT NULL,
  kafka_partition integer NOT NULL,
  kafka_offset    bigint NOT NULL,
  payload         bytea,
  reason          text COLLATE "C" NOT NULL,
  detail          text,
  event_time      timestamptz,
  rejected_at     timestamptz NOT NULL DEFAULT pg_catalog.now(),
  PRIMARY KEY (topic, kafka_partition, kafka_offset),
  CONSTRAINT fintrans_dead_letters_reason
    CHECK (reason IN ('empty', 'too_long', 'bad_encoding', 'field_count',
                      'bad_account', 'bad_amount', 'bad_time',
                      'wrong_currency', 'refused'))
);

COMMENT ON TABLE @extschema@.fintrans_dead_letters IS
  'Messages refused for good, each with its Kafka coordinates, raw bytes and reason. Holds raw customer data: readers have no access.';
COMMENT ON COLUMN @extschema@.fintrans_dead_letters.payload IS
  'The message''s value, byte for byte; NULL for a message without one.';
COMMENT ON COLUMN @extschema@.fintrans_dead_letters.reason IS
  'Why it was refused: one of a closed list of codes.';
COMMENT ON COLUMN @extschema@.fintrans_dead_letters.detail IS
  'What exactly was wrong, without the payload itself.';
COMMENT ON COLUMN @extschema@.fintrans_dead_letters.event_time IS
  'Timestamp of the Kafka message; NULL when it has none that PostgreSQL can hold.';

CREATE TABLE @extschema@.fintrans_replayed_letters (
  topic           text COLLATE "C" NOT NULL,
  kafka_partition integer NOT NULL,
  kafka_offset    bigint NOT NULL,
  payload         bytea,
  reason          text COLLATE "C" NOT NULL,
  detail          text,
  event_time      timestamptz,
  rejected_at     timestamptz NOT NULL,
  replayed_at     timestamptz NOT NULL DEFAULT pg_catalog.now(),
  replayed_by     text NOT NULL DEFAULT SESSION_USER
);

COMMENT ON TABLE @extschema@.fintrans_replayed_letters IS
  'What was a dead letter before a corrected transaction took its place, and who replayed it when. A topic made anew may have the same coordinates again. Holds raw customer data.';

CREATE TABLE @extschema@.fintrans_rules (
  name            text COLLATE "C" PRIMARY KEY,
  kind            text COLLATE "C" NOT NULL DEFAULT 'pair_total',
  threshold       numeric NOT NULL,
  enabled         boolean NOT NULL DEFAULT true,
  swept_threshold numeric,
  created_at      timestamptz NOT NULL DEFAULT pg_catalog.now(),
  created_by      text NOT NULL DEFAULT SESSION_USER,
  changed_at      timestamptz NOT NULL DEFAULT pg_catalog.now(),
  changed_by      text NOT NULL DEFAULT SESSION_USER,
  CONSTRAINT fintrans_rules_name CHECK (octet_length(name) BETWEEN 1 AND 63),
  CONSTRAINT fintrans_rules_kind CHECK (kind IN ('pair_total')),
  CONSTRAINT fintrans_rules_threshold
    CHECK (threshold >= 0 AND threshold < 'Infinity')
);

COMMENT ON TABLE @extschema@.fintrans_rules IS
  'What raises an alert. A change waits for batches in flight and then alerts on the pairs already above.';
COMMENT ON COLUMN @extschema@.fintrans_rules.kind IS
  'pair_total: the pair''s total over all transactions held.';
COMMENT ON COLUMN @extschema@.fintrans_rules.threshold IS
  'An alert is raised when the value is strictly greater.';
COMMENT ON COLUMN @extschema@.fintrans_rules.swept_threshold IS
  'Threshold for which pairs already above it have been alerted; kept by a trigger.';

CREATE TABLE @extschema@.fintrans_alerts (
  alert_id       bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  rule           text COLLATE "C" NOT NULL,
  source_account text COLLATE "C" NOT NULL,
  target_account text COLLATE "C" NOT NULL,
  total          numeric NOT NULL,
  transactions   bigint NOT NULL,
  threshold      numeric NOT NULL,
  state          text COLLATE "C" NOT NULL DEFAULT 'open',
  raised_at      timestamptz NOT NULL DEFAULT pg_catalog.now(),
  raised_xid     xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id(),
  UNIQUE (rule, source_account, target_account),
  CONSTRAINT fintrans_alerts_state
    CHECK (state IN ('open', 'reviewing', 'confirmed', 'dismissed'))
);

-- a listener reads what became visible since its last look, in one index range
CREATE INDEX fintrans_alerts_raised_xid
  ON @extschema@.fintrans_alerts (raised_xid);

COMMENT ON TABLE @extschema@.fintrans_alerts IS
  'One alert per rule and pair, raised in the database transaction that carried the total over the threshold. NOTIFY fintrans_alerts announces new ones.';
COMMENT ON COLUMN @extschema@.fintrans_alerts.total IS
  'The pair''s total when the alert was raised.';
COMMENT ON COLUMN @extschema@.fintrans_alerts.transactions IS
  'The pair''s number of transactions when the alert was raised.';
COMMENT ON COLUMN @extschema@.fintrans_alerts.threshold IS
  'The rule''s threshold when the alert was raised.';
COMMENT ON COLUMN @extschema@.fintrans_alerts.state IS
  'open, reviewing, confirmed or dismissed.';
COMMENT ON COLUMN @extschema@.fintrans_alerts.raised_xid IS
  'Database transaction that raised the alert: lets a listener find what committed since its last snapshot, whatever the order of commits.';

CREATE TABLE @extschema@.fintrans_reviews (
  review_id   bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  alert_id    bigint NOT NULL,
  decision    text COLLATE "C" NOT NULL,
  note        text,
  reviewed_by text NOT NULL DEFAULT SESSION_USER,
  reviewed_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  CONSTRAINT fintrans_reviews_decision
    CHECK (decision IN ('reviewing', 'confirmed', 'dismissed'))
);

COMMENT ON TABLE @extschema@.fintrans_reviews IS
  'Who decided what about an alert, and why; rows are only ever added, by fintrans_review().';

CREATE TABLE @extschema@.fintrans_settings (
  name  text COLLATE "C" PRIMARY KEY,
  value text NOT NULL,
  CONSTRAINT fintrans_settings_name CHECK (name IN ('currency'))
);

COMMENT ON TABLE @extschema@.fintrans_settings IS
  'Facts about the whole installation: currency, the one currency of all amounts (ISO 4217 code).';

CREATE TABLE @extschema@.fintrans_retention (
  only_row       boolean PRIMARY KEY DEFAULT true,
  dropped_before timestamptz NOT NULL,
  changed_at     timestamptz NOT NULL DEFAULT pg_catalog.now(),
  changed_by     text NOT NULL DEFAULT SESSION_USER,
  CONSTRAINT fintrans_retention_only_row CHECK (only_row)
);

COMMENT ON TABLE @extschema@.fintrans_retention IS
  'Up to where fintrans_drop_before() has been asked to drop transactions; one row at most. Its lock keeps steps of retention and fintrans_rebuild() apart.';
COMMENT ON COLUMN @extschema@.fintrans_retention.dropped_before IS
  'Start of a UTC day: earlier transactions are dropped or being dropped, and removing them leaves the volume as it is.';

-- the rows of member tables are user data: pg_dump must carry them
SELECT pg_catalog.pg_extension_config_dump('@extschema@.fintrans_laundering', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.fintrans_magnitudes', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.fintrans_volume', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.fintrans_offsets', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.fintrans_dead_letters', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.fintrans_replayed_letters', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.fintrans_rules', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.fintrans_alerts', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.fintrans_alerts_alert_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.fintrans_reviews', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.fintrans_reviews_review_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.fintrans_settings', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.fintrans_retention', '');

-- Magnitudes: the index by which fintrans_suspects() finds large totals; see magnitudes.c.

-- All but a sixteenth of the pairs lie below the first ceiling, half of the
-- rest below the second, ... ; above the top 1/1024, ceilings are 3 % apart.
-- Lower ceilings would be of no use: a query that returns more than a
-- sixteenth of all pairs is better off reading the whole table.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_tune_magnitudes()
RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  INSERT INTO @extschema@.fintrans_magnitudes AS m (magnitude, ceiling)
  -- of some 600 pages, or all there are
  WITH sample AS (
    SELECT percentile_disc(array(SELECT 1 - 0.5 ^ k FROM generate_series(4, 10) k)::double precision[])
           WITHIN GROUP (ORDER BY s.total) AS q
      FROM @extschema@.fintrans_laundering s
           TABLESAMPLE SYSTEM ((SELECT least(100, 600 * 100.0 * current_setting('block_size')::integer
                                             / greatest(1, pg_relation_size('@extschema@.fintrans_laundering')))))
  )
  SELECT k - 1, q[k] FROM sample, generate_series(1, 7) k
   WHERE q IS NOT NULL
  UNION ALL
  SELECT 6 + k, round(q[7] * 1.03 ^ k, 4)
    FROM sample, generate_series(1, 240) k
   WHERE q IS NOT NULL
      ON CONFLICT (magnitude) DO UPDATE SET ceiling = excluded.ceiling
   WHERE excluded.ceiling > m.ceiling
$$;

COMMENT ON FUNCTION @extschema@.fintrans_tune_magnitudes() IS
  'Internal: raises the ceilings of fintrans_magnitudes to the quantiles of a sample of the totals. The triggers call it when needed.';

REVOKE EXECUTE ON FUNCTION @extschema@.fintrans_tune_magnitudes() FROM PUBLIC;

CREATE OR REPLACE FUNCTION @extschema@.fintrans_magnitude_above(threshold numeric)
RETURNS smallint
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce(min(m.magnitude), 32767::smallint)
    FROM @extschema@.fintrans_magnitudes m
   WHERE m.ceiling > threshold;
END;

COMMENT ON FUNCTION @extschema@.fintrans_magnitude_above(numeric) IS
  'Internal: the lowest magnitude that may hold totals above the threshold.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_magnitude_of(total numeric)
RETURNS smallint
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce(min(m.magnitude), 32767::smallint)
    FROM @extschema@.fintrans_magnitudes m
   WHERE m.ceiling >= total;
END;

COMMENT ON FUNCTION @extschema@.fintrans_magnitude_of(numeric) IS
  'Internal: the lowest magnitude whose ceiling the total does not exceed.';

-- The triggers of fintrans_transactions and its partitions; see fintrans.c.

CREATE OR REPLACE FUNCTION @extschema@.fintrans_transactions_changed()
RETURNS trigger
AS 'MODULE_PATHNAME', 'fintrans_transactions_changed'
LANGUAGE C SECURITY DEFINER SET search_path = pg_catalog, pg_temp
-- compiling a plan over hundreds of partitions takes many seconds
SET jit = off;

COMMENT ON FUNCTION @extschema@.fintrans_transactions_changed() IS
  'Statement trigger: carries the rows of one INSERT, COPY, UPDATE or DELETE into totals, volume and alerts.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_transactions_truncated()
RETURNS trigger
AS 'MODULE_PATHNAME', 'fintrans_transactions_truncated'
LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION @extschema@.fintrans_transactions_truncated() IS
  'Statement trigger: refuses TRUNCATE, which would leave totals without rows.';

REVOKE EXECUTE ON FUNCTION @extschema@.fintrans_transactions_changed(),
                           @extschema@.fintrans_transactions_truncated()
  FROM PUBLIC;

-- The four triggers of the parent and of each leaf.  Of those exactly the ones
-- of the table named in a statement fire.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_triggers()
RETURNS TABLE (name name, event text, function regprocedure)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT t.name::name, t.event, t.function
    FROM (VALUES
      ('fintrans_inserted', 'AFTER INSERT ON %s REFERENCING NEW TABLE AS new_rows',
       '@extschema@.fintrans_transactions_changed()'::regprocedure),
      ('fintrans_updated', 'AFTER UPDATE ON %s REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows',
       '@extschema@.fintrans_transactions_changed()'),
      ('fintrans_deleted', 'AFTER DELETE ON %s REFERENCING OLD TABLE AS old_rows',
       '@extschema@.fintrans_transactions_changed()'),
      ('fintrans_truncated', 'BEFORE TRUNCATE ON %s',
       '@extschema@.fintrans_transactions_truncated()'))
      t (name, event, function);
END;

COMMENT ON FUNCTION @extschema@.fintrans_triggers() IS
  'Internal: the triggers that fintrans_transactions and its partitions have.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_add_triggers(target regclass)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  missing record;
BEGIN
  FOR missing IN
    SELECT n.name, format(n.event, target) AS event, n.function
      FROM @extschema@.fintrans_triggers() n
     WHERE NOT EXISTS (SELECT FROM pg_trigger t
                        WHERE t.tgrelid = target AND t.tgname = n.name)
  LOOP
    EXECUTE 'CREATE TRIGGER ' || missing.name || ' ' || missing.event
            || ' FOR EACH STATEMENT EXECUTE FUNCTION ' || missing.function;
  END LOOP;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_add_triggers(regclass) IS
  'Internal: puts the triggers it lacks on a table that is, or is about to become, a partition of fintrans_transactions.';

REVOKE EXECUTE ON FUNCTION @extschema@.fintrans_add_triggers(regclass) FROM PUBLIC;

-- Partitions of fintrans_transactions: one per UTC day, made at run time.

-- By the catalog alone, which takes no lock on the partitions, and as of the
-- caller's snapshot.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_relations()
RETURNS TABLE (relation regclass, is_leaf boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH RECURSIVE tree (relation) AS (
    SELECT '@extschema@.fintrans_transactions'::regclass::oid
    UNION ALL
    SELECT i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.relation)
  SELECT t.relation::regclass, c.relkind <> 'p'
    FROM tree t JOIN pg_class c ON c.oid = t.relation
$$;

COMMENT ON FUNCTION @extschema@.fintrans_relations() IS
  'Internal: fintrans_transactions and its partitions.';

SELECT @extschema@.fintrans_add_triggers(r.relation)
  FROM @extschema@.fintrans_relations() r;

-- volatile: looks at the catalog anew, another session may have made the leaf
CREATE OR REPLACE FUNCTION @extschema@.fintrans_has_leaf(leaf name)
RETURNS boolean
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM pg_inherits i
                  WHERE i.inhrelid = to_regclass('@extschema@.' || quote_ident(leaf))
                    AND i.inhparent = '@extschema@.fintrans_transactions'::regclass)
$$;

COMMENT ON FUNCTION @extschema@.fintrans_has_leaf(name) IS
  'Internal: whether fintrans_transactions has a partition of that name.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_ensure_partitions(
  first_time timestamptz, last_time timestamptz)
RETURNS integer
LANGUAGE plpgsql STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
-- where partitions lie is for the owner to choose, not for the caller
SET default_tablespace = ''
SET default_table_access_method = 'heap'
AS $$
DECLARE
  parent    regclass := '@extschema@.fintrans_transactions';
  namespace name;
  place     text;
  day       timestamptz;
  leaf      name;
  privilege record;
  made      integer := 0;
BEGIN
  IF NOT isfinite(first_time) OR NOT isfinite(last_time)
     OR first_time < '0001-01-01' OR last_time >= '10000-01-01' THEN
    RAISE EXCEPTION 'partitions cannot reach from % to %', first_time, last_time
      USING ERRCODE = 'datetime_field_overflow',
            HINT = 'Both ends must lie in the years 1 to 9999.';
  END IF;
  IF last_time < first_time OR last_time - first_time > '3660 days' THEN
    RAISE EXCEPTION 'partitions cannot reach from % to %', first_time, last_time
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'The end must not lie before the start, nor more than 3660 days after it.';
  END IF;

  SELECT n.nspname, coalesce('TABLESPACE ' || quote_ident(s.spcname), '')
    INTO namespace, place
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
   WHERE c.oid = parent;

  FOR day IN SELECT generate_series(date_trunc('day', first_time),
                                    date_trunc('day', last_time), '1 day')
  LOOP
    leaf := to_char(day, '"fintrans_transactions_"YYYYMMDD');
    CONTINUE WHEN @extschema@.fintrans_has_leaf(leaf);

    -- one maker at a time: ATTACH takes this lock in any case
    LOCK TABLE @extschema@.fintrans_transactions IN SHARE UPDATE EXCLUSIVE MODE;
    CONTINUE WHEN @extschema@.fintrans_has_leaf(leaf);

    IF to_regclass(format('%I.%I', namespace, leaf)) IS NOT NULL THEN
      RAISE EXCEPTION 'table "%" exists but is no partition of "fintrans_transactions"', leaf
        USING ERRCODE = 'duplicate_table',
              HINT = 'Attach it again, or give it another name.';
    END IF;

    EXECUTE format('CREATE TABLE %I.%I (LIKE %s
      INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS
      INCLUDING STORAGE INCLUDING COMPRESSION) %s', namespace, leaf, parent, place);
    FOR privilege IN
      SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC'
                  ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee,
             string_agg(a.privilege_type, ', ') AS names
        FROM pg_class c, aclexplode(c.relacl) a
       WHERE c.oid = parent AND a.grantee <> c.relowner
       GROUP BY a.grantee
    LOOP
      EXECUTE format('GRANT %s ON %I.%I TO %s',
                     privilege.names, namespace, leaf, privilege.grantee);
    END LOOP;
    PERFORM @extschema@.fintrans_add_triggers(format('%I.%I', namespace, leaf)::regclass);
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %I.%I
      FOR VALUES FROM (%L) TO (%L)', parent, namespace, leaf, day, day + '1 day');
    made := made + 1;
  END LOOP;

  -- partitions go silently with their parent, but not this, which is no
  -- member of the extension either
  IF NOT EXISTS (
       SELECT FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
        WHERE (d.classid, d.refclassid, d.refobjid)
              = ('pg_rewrite'::regclass, 'pg_class'::regclass, parent)
          AND r.ev_class = to_regclass('@extschema@.fintrans_guard')) THEN
    EXECUTE format('CREATE VIEW %I.fintrans_guard AS
      SELECT city FROM %s WHERE false', namespace, parent);
    EXECUTE format('COMMENT ON VIEW %I.fintrans_guard IS
      ''Stands in the way of DROP EXTENSION fintrans without CASCADE, which would drop all transactions.''', namespace);
  END IF;
  RETURN made;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_ensure_partitions(timestamptz, timestamptz) IS
  'Makes the daily (UTC) partitions that are missing from first_time to last_time, both included, and returns how many it made. Concurrent calls and writers are safe.';

REVOKE EXECUTE ON FUNCTION
  @extschema@.fintrans_ensure_partitions(timestamptz, timestamptz)
  FROM PUBLIC;

-- What retention and rebuilds have in common: one at a time, with the newest snapshot.

CREATE OR REPLACE FUNCTION @extschema@.fintrans_require_read_committed()
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- an older snapshot would not see what others have committed meanwhile
  IF current_setting('transaction_isolation')
     NOT IN ('read committed', 'read uncommitted') THEN
    RAISE EXCEPTION 'this can be done at isolation level READ COMMITTED only'
      USING ERRCODE = 'invalid_transaction_state';
  END IF;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_require_read_committed() IS
  'Internal: refuses to go on with a snapshot that is older than the statement.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_begin_upkeep()
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM @extschema@.fintrans_require_read_committed();
  -- one at a time, and before any lock that others may wait for
  LOCK TABLE @extschema@.fintrans_retention IN EXCLUSIVE MODE;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_begin_upkeep() IS
  'Internal: keeps steps of retention and rebuilds apart until the end of the database transaction.';

-- Retention: fintrans_drop_before() and its steps.

CREATE OR REPLACE FUNCTION @extschema@.fintrans_retire(before timestamptz)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF before IS NULL OR NOT isfinite(before) OR before > now() THEN
    RAISE EXCEPTION 'transactions cannot be dropped before %', coalesce(before::text, 'NULL')
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'It must be a time in the past.';
  END IF;
  PERFORM @extschema@.fintrans_begin_upkeep();
  INSERT INTO @extschema@.fintrans_retention AS r (dropped_before)
  VALUES (date_bin('1 day', before, 'epoch'))
      ON CONFLICT (only_row) DO UPDATE
     SET dropped_before = excluded.dropped_before,
         changed_at = excluded.changed_at, changed_by = excluded.changed_by
   WHERE r.dropped_before < excluded.dropped_before;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_retire(timestamptz) IS
  'Internal, first step of fintrans_drop_before(): removing earlier transactions leaves the volume as it is from now on.';

-- Leaves that are partitioned themselves are not ours to drop.  pg_get_expr()
-- writes bounds as timezone and datestyle say.  Volatile, so that it sees what
-- others have dropped meanwhile.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_retired_leaf(before timestamptz)
RETURNS text
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO'
BEGIN ATOMIC
  -- with its schema, since that is not in search_path here
  SELECT c.oid::regclass::text
    FROM @extschema@.fintrans_retention r
   CROSS JOIN pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid
   CROSS JOIN substring(pg_get_expr(c.relpartbound, c.oid)
                        FROM 'TO \(''([^'']+)''\)') b (upper_bound)
   WHERE i.inhparent = '@extschema@.fintrans_transactions'::regclass
     AND c.relkind = 'r'
     AND b.upper_bound::timestamptz <= least(r.dropped_before, before)
   ORDER BY b.upper_bound::timestamptz
   LIMIT 1;
END;

COMMENT ON FUNCTION @extschema@.fintrans_retired_leaf(timestamptz) IS
  'Internal: the oldest partition that holds nothing but transactions to be dropped.';

-- Offsets are locked before pairs, and in the order in which bridges lock them.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_empty_retired_leaf(
  before timestamptz, leaf_name text, from_block bigint)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  blocks CONSTANT bigint := 1024;
  first  CONSTANT tid := format('(%s,0)', from_block);
  beyond CONSTANT tid := format('(%s,0)', from_block + blocks);
  leaf   regclass;
BEGIN
  PERFORM @extschema@.fintrans_begin_upkeep();
  IF leaf_name IS DISTINCT FROM @extschema@.fintrans_retired_leaf(before) THEN
    RETURN NULL;
  END IF;
  leaf := leaf_name;
  IF from_block * current_setting('block_size')::bigint >= pg_relation_size(leaf) THEN
    RETURN NULL;
  END IF;
  IF EXISTS (SELECT FROM @extschema@.fintrans_trigger_differences d
              WHERE d.relation = leaf) THEN
    RAISE EXCEPTION 'partition "%" lacks triggers, so totals would not follow', leaf
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'SELECT * FROM fintrans_rebuild() puts them in force.';
  END IF;
  EXECUTE replace('
    SELECT FROM @extschema@.fintrans_offsets o
     WHERE (o.topic, o.kafka_partition) IN (
             SELECT t.city, t.kafka_partition FROM <leaf> t
              WHERE t.ctid >= $1 AND t.ctid < $2)
     ORDER BY o.topic, o.kafka_partition
       FOR UPDATE', '<leaf>', leaf::text) USING first, beyond;
  EXECUTE replace('
    WITH gone AS (
      DELETE FROM <leaf> t WHERE t.ctid >= $1 AND t.ctid < $2
      RETURNING t.city, t.kafka_partition)
    UPDATE @extschema@.fintrans_offsets o
       SET stored = o.stored - least(o.stored, g.held),
           replayed = o.replayed - least(o.replayed, g.held - least(o.stored, g.held)),
           dropped = o.dropped + least(o.stored + o.replayed, g.held)
      FROM (SELECT city, kafka_partition, count(*) AS held FROM gone
             GROUP BY city, kafka_partition) g
     WHERE (o.topic, o.kafka_partition) = (g.city, g.kafka_partition)',
    '<leaf>', leaf::text) USING first, beyond;
  RETURN from_block + blocks;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_empty_retired_leaf(timestamptz, text, bigint) IS
  'Internal, step of fintrans_drop_before(): deletes the transactions in some blocks of that partition, counts their offsets as dropped, and returns the block to go on from; NULL at the end.';

-- deadlock_timeout is when autovacuum is asked to go away
CREATE OR REPLACE FUNCTION @extschema@.fintrans_drop_retired_leaf(
  before timestamptz, leaf_name text, OUT dropped boolean, OUT obstacle text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '1s' SET deadlock_timeout = '100ms'
AS $$
DECLARE
  leaf   regclass;
  filled boolean;
BEGIN
  dropped := false;
  PERFORM @extschema@.fintrans_begin_upkeep();
  IF leaf_name IS DISTINCT FROM @extschema@.fintrans_retired_leaf(before) THEN
    RETURN;
  END IF;
  leaf := leaf_name;
  -- once before the lock, since it reads the whole partition
  EXECUTE 'SELECT EXISTS (SELECT FROM ' || leaf || ')' INTO filled;
  IF NOT filled THEN
    LOCK TABLE ONLY @extschema@.fintrans_transactions IN ACCESS EXCLUSIVE MODE;
    EXECUTE 'LOCK TABLE ' || leaf || ' IN ACCESS EXCLUSIVE MODE';
    EXECUTE 'SELECT EXISTS (SELECT FROM ' || leaf || ')' INTO filled;
  END IF;
  IF filled THEN
    obstacle := 'transactions have come meanwhile';
    RETURN;
  END IF;
  EXECUTE 'DROP TABLE ' || leaf;
  dropped := true;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
  dropped := false;
  obstacle := 'it is in use';
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_drop_retired_leaf(timestamptz, text) IS
  'Internal, last step of fintrans_drop_before(): drops that partition if it is empty and nobody has to be waited for; tells why not, if so.';

REVOKE EXECUTE ON FUNCTION
  @extschema@.fintrans_begin_upkeep(),
  @extschema@.fintrans_retire(timestamptz),
  @extschema@.fintrans_retired_leaf(timestamptz),
  @extschema@.fintrans_empty_retired_leaf(timestamptz, text, bigint),
  @extschema@.fintrans_drop_retired_leaf(timestamptz, text)
  FROM PUBLIC;

-- No SET and no SECURITY DEFINER, or it could not commit: hence no operator,
-- function or type that the caller's search_path could decide about.
CREATE OR REPLACE PROCEDURE @extschema@.fintrans_drop_before(
  before timestamptz, INOUT dropped bigint DEFAULT 0)
LANGUAGE plpgsql
AS $$
DECLARE
  leaf     pg_catalog.text;
  block    pg_catalog.int8;
  is_gone  pg_catalog.bool;
  obstacle pg_catalog.text;
BEGIN
  dropped := 0;
  PERFORM @extschema@.fintrans_retire(before);
  COMMIT;
  LOOP
    leaf := @extschema@.fintrans_retired_leaf(before);
    EXIT WHEN leaf IS NULL;
    FOR attempt IN 1 .. 60 LOOP
      block := 0;
      LOOP
        block := @extschema@.fintrans_empty_retired_leaf(before, leaf, block);
        COMMIT;
        EXIT WHEN block IS NULL;
      END LOOP;
      SELECT d.dropped, d.obstacle INTO is_gone, obstacle
        FROM @extschema@.fintrans_drop_retired_leaf(before, leaf) d;
      COMMIT;
      EXIT WHEN obstacle IS NULL;
      RAISE NOTICE 'partition "%" cannot be dropped yet: %', leaf, obstacle;
      PERFORM pg_catalog.pg_sleep(1);
    END LOOP;
    IF obstacle IS NOT NULL THEN
      RAISE EXCEPTION 'partition "%" could not be dropped: %', leaf, obstacle
        USING ERRCODE = 'lock_not_available',
              HINT = 'Call the procedure again when nobody holds it any more.';
    END IF;
    IF is_gone THEN
      dropped := dropped OPERATOR(pg_catalog.+) 1::pg_catalog.int8;
    END IF;
  END LOOP;
END
$$;

COMMENT ON PROCEDURE @extschema@.fintrans_drop_before(timestamptz, bigint) IS
  'Drops the partitions that hold transactions of earlier UTC days only: totals and offsets follow, volume, alerts and reviews stay. Works in many short transactions while others read and write; dropped tells how many partitions are gone.';

REVOKE EXECUTE ON PROCEDURE @extschema@.fintrans_drop_before(timestamptz, bigint)
  FROM PUBLIC;

-- Dead letters counted, replayed and purged.

CREATE OR REPLACE VIEW @extschema@.fintrans_dead_letter_counts AS
  SELECT d.topic, d.reason,
         pg_catalog.count(*) AS dead_letters,
         pg_catalog.min(d.rejected_at) AS first_rejected_at,
         pg_catalog.max(d.rejected_at) AS last_rejected_at
    FROM @extschema@.fintrans_dead_letters d
   GROUP BY d.topic, d.reason;

COMMENT ON VIEW @extschema@.fintrans_dead_letter_counts IS
  'Dead letters held, by topic and reason, without their contents.';

-- Offsets are locked before pairs, and in the order in which bridges lock them.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_replay_dead_letters(
  corrected @extschema@.fintrans_transactions[])
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  wanted   CONSTANT bigint := cardinality(corrected);
  replayed bigint;
BEGIN
  PERFORM FROM @extschema@.fintrans_offsets o
    WHERE (o.topic, o.kafka_partition) IN (
            SELECT c.city, c.kafka_partition FROM unnest(corrected) c)
    ORDER BY o.topic, o.kafka_partition
      FOR UPDATE;
  PERFORM @extschema@.fintrans_ensure_partitions(days.day, days.day)
    FROM (SELECT DISTINCT date_bin('1 day', coalesce(c.event_time, d.event_time),
                                   'epoch') AS day
            FROM unnest(corrected) c
            JOIN @extschema@.fintrans_dead_letters d
              ON (d.topic, d.kafka_partition, d.kafka_offset)
                 = (c.city, c.kafka_partition, c.kafka_offset)) days;

  WITH letters AS (
    DELETE FROM @extschema@.fintrans_dead_letters d
     USING unnest(corrected) c
     WHERE (d.topic, d.kafka_partition, d.kafka_offset)
           = (c.city, c.kafka_partition, c.kafka_offset)
    RETURNING d.topic, d.kafka_partition, d.kafka_offset, d.payload, d.reason,
              d.detail, d.event_time AS message_time, d.rejected_at,
              coalesce(c.event_time, d.event_time) AS event_time,
              c.source_account, c.target_account, c.amount, c.reference),
  traced AS (
    INSERT INTO @extschema@.fintrans_replayed_letters
    SELECT topic, kafka_partition, kafka_offset, payload, reason, detail,
           message_time, rejected_at
      FROM letters),
  moved AS (
    UPDATE @extschema@.fintrans_offsets o
       SET dead_lettered = o.dead_lettered - l.letters,
           replayed = o.replayed + l.letters
      FROM (SELECT topic, kafka_partition, count(*) AS letters
              FROM letters GROUP BY topic, kafka_partition) l
     WHERE (o.topic, o.kafka_partition) = (l.topic, l.kafka_partition))
  INSERT INTO @extschema@.fintrans_transactions
  SELECT event_time, topic, source_account, target_account, amount, reference,
         kafka_partition, kafka_offset
    FROM letters;
  GET DIAGNOSTICS replayed = ROW_COUNT;
  IF replayed <> wanted THEN
    RAISE EXCEPTION '% of % dead letters to be replayed do not exist, or are named twice',
                    wanted - replayed, wanted
      USING ERRCODE = 'no_data_found',
            DETAIL = 'None has been replayed.';
  END IF;
  RETURN replayed;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_replay_dead_letters(@extschema@.fintrans_transactions[]) IS
  'Puts the corrected transactions in the place of the dead letters with their city (topic), Kafka partition and offset: all of them, each exactly once, or none. A NULL event_time stands for that of the message. Returns how many.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_replay_dead_letter(
  topic text, kafka_partition integer, kafka_offset bigint, payload text,
  event_time timestamptz DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  fields CONSTANT text[] := regexp_match(payload,
    '^([^[:space:][:cntrl:]]+) ([^[:space:][:cntrl:]]+) ([0-9]{1,15}(?:[.][0-9]{1,18})?)(?: ([A-Z]{3}))?$');
BEGIN
  IF fields IS NULL OR fields[4] IS NOT NULL AND fields[4] IS DISTINCT FROM (
       SELECT s.value FROM @extschema@.fintrans_settings s WHERE s.name = 'currency') THEN
    RAISE EXCEPTION 'the corrected payload is not "source target amount"'
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'The installation''s currency may follow.';
  END IF;
  PERFORM @extschema@.fintrans_replay_dead_letters(ARRAY[
    ROW(event_time, topic, fields[1], fields[2], fields[3]::numeric, NULL,
        kafka_partition, kafka_offset)::@extschema@.fintrans_transactions]);
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_replay_dead_letter(text, integer, bigint, text, timestamptz) IS
  'Replays one dead letter with a corrected payload "source target amount", at the time of the Kafka message unless another is given.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_purge_dead_letters(before timestamptz)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  purged bigint;
BEGIN
  PERFORM FROM @extschema@.fintrans_offsets o
    WHERE (o.topic, o.kafka_partition) IN (
            SELECT d.topic, d.kafka_partition
              FROM @extschema@.fintrans_dead_letters d
             WHERE d.rejected_at < before)
    ORDER BY o.topic, o.kafka_partition
      FOR UPDATE;
  WITH letters AS (
    DELETE FROM @extschema@.fintrans_dead_letters d WHERE d.rejected_at < before
    RETURNING d.topic, d.kafka_partition),
  counts AS (
    SELECT l.topic, l.kafka_partition, count(*) AS letters
      FROM letters l GROUP BY l.topic, l.kafka_partition),
  moved AS (
    UPDATE @extschema@.fintrans_offsets o
       SET dead_lettered = o.dead_lettered - c.letters,
           purged = o.purged + c.letters
      FROM counts c
     WHERE (o.topic, o.kafka_partition) = (c.topic, c.kafka_partition))
  SELECT coalesce(sum(c.letters), 0) INTO purged FROM counts c;
  DELETE FROM @extschema@.fintrans_replayed_letters d WHERE d.rejected_at < before;
  RETURN purged;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_purge_dead_letters(timestamptz) IS
  'Deletes the dead letters rejected before that time, replayed ones too, counts the offsets of those not replayed as purged, and returns how many.';

REVOKE EXECUTE ON FUNCTION
  @extschema@.fintrans_replay_dead_letters(@extschema@.fintrans_transactions[]),
  @extschema@.fintrans_replay_dead_letter(text, integer, bigint, text, timestamptz),
  @extschema@.fintrans_purge_dead_letters(timestamptz)
  FROM PUBLIC;

-- fintrans_suspects(): the pairs whose total is above a threshold.

CREATE OR REPLACE FUNCTION @extschema@.fintrans_suspects(threshold numeric)
RETURNS TABLE (source_account text, target_account text, total numeric,
               transactions bigint, first_time timestamptz,
               last_time timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
BEGIN ATOMIC
  SELECT l.source_account, l.target_account, l.total, l.transactions,
         l.first_time, l.last_time
    FROM @extschema@.fintrans_laundering l
   WHERE l.magnitude > 0
     AND l.magnitude >= @extschema@.fintrans_magnitude_above(threshold)
     AND l.total > threshold
  UNION ALL
  -- not even begun when the threshold is above the first ceiling
  SELECT l.source_account, l.target_account, l.total, l.transactions,
         l.first_time, l.last_time
    FROM @extschema@.fintrans_laundering l
   WHERE l.magnitude = 0
     AND @extschema@.fintrans_magnitude_above(threshold) = 0
     AND l.total > threshold
   ORDER BY total DESC, source_account, target_account;
END;

COMMENT ON FUNCTION @extschema@.fintrans_suspects(numeric) IS
  'The pairs whose total is strictly above the threshold, largest first.';

-- fintrans_verify(): what is maintained against what it is made of.

-- The views say what fintrans_rebuild() is to correct, too.

CREATE OR REPLACE VIEW @extschema@.fintrans_pair_differences AS
  SELECT source_account, target_account,
         e.total AS expected_total, e.transactions AS expected_transactions,
         f.total AS found_total, f.transactions AS found_transactions,
         coalesce(e.first_time, f.first_time) AS first_time,
         coalesce(e.last_time, f.last_time) AS last_time
    FROM (SELECT t.source_account, t.target_account,
                 sum(t.amount) AS total, count(*) AS transactions,
                 min(t.event_time) AS first_time, max(t.event_time) AS last_time
            FROM @extschema@.fintrans_transactions t
           GROUP BY t.source_account, t.target_account) e
    FULL JOIN @extschema@.fintrans_laundering f
         USING (source_account, target_account)
   WHERE (e.total, e.transactions) IS DISTINCT FROM (f.total, f.transactions);

COMMENT ON VIEW @extschema@.fintrans_pair_differences IS
  'Pairs whose total or number of transactions is not that of the transactions held.';

CREATE OR REPLACE VIEW @extschema@.fintrans_magnitude_differences AS
  SELECT l.source_account, l.target_account, l.total, l.magnitude, m.ceiling
    FROM @extschema@.fintrans_laundering l
    LEFT JOIN @extschema@.fintrans_magnitudes m USING (magnitude)
   WHERE l.magnitude <> 32767 AND (m.ceiling IS NULL OR l.total > m.ceiling);

COMMENT ON VIEW @extschema@.fintrans_magnitude_differences IS
  'Pairs that fintrans_suspects() may not find, since their total exceeds the ceiling of their magnitude.';

-- A minute without rows is history, unless its day is still held; days being
-- dropped are history as well.
CREATE OR REPLACE VIEW @extschema@.fintrans_volume_differences AS
  SELECT city, minute,
         e.transactions AS expected_transactions, e.total AS expected_total,
         e.minimum AS expected_minimum, e.maximum AS expected_maximum,
         f.transactions AS found_transactions, f.total AS found_total,
         f.minimum AS found_minimum, f.maximum AS found_maximum
    FROM (SELECT t.city, date_bin('1 minute', t.event_time, 'epoch') AS minute,
                 count(*) AS transactions, sum(t.amount) AS total,
                 min(t.amount) AS minimum, max(t.amount) AS maximum
            FROM @extschema@.fintrans_transactions t
           GROUP BY 1, 2) e
    FULL JOIN @extschema@.fintrans_volume f USING (city, minute)
   WHERE (e.transactions, e.total, e.minimum, e.maximum)
         IS DISTINCT FROM (f.transactions, f.total, f.minimum, f.maximum)
     AND (e.city IS NOT NULL
          OR @extschema@.fintrans_has_leaf(
               to_char(f.minute AT TIME ZONE 'UTC',
                       '"fintrans_transactions_"YYYYMMDD')::name))
     AND NOT EXISTS (SELECT FROM @extschema@.fintrans_retention r
                      WHERE minute < r.dropped_before);

COMMENT ON VIEW @extschema@.fintrans_volume_differences IS
  'Minutes of a city whose volume is not that of the transactions held.';

CREATE OR REPLACE VIEW @extschema@.fintrans_offset_differences AS
  SELECT topic, kafka_partition, f.first_offset, f.next_offset,
         f.stored + f.replayed AS counted,
         e.held, e.offsets, e.lowest, e.highest
    FROM (SELECT t.city AS topic, t.kafka_partition, count(*) AS held,
                 count(DISTINCT t.kafka_offset) AS offsets,
                 min(t.kafka_offset) AS lowest, max(t.kafka_offset) AS highest
            FROM @extschema@.fintrans_transactions t
           WHERE t.kafka_offset IS NOT NULL
           GROUP BY 1, 2) e
    FULL JOIN @extschema@.fintrans_offsets f USING (topic, kafka_partition)
   WHERE f.topic IS NULL
      OR coalesce(e.held, 0) <> f.stored + f.replayed
      OR e.held <> e.offsets
      OR e.lowest < f.first_offset OR e.highest >= f.next_offset;

COMMENT ON VIEW @extschema@.fintrans_offset_differences IS
  'Kafka partitions whose transactions held are not those that fintrans_offsets counts.';

CREATE OR REPLACE VIEW @extschema@.fintrans_dead_letter_differences AS
  SELECT topic, kafka_partition, coalesce(f.dead_lettered, 0) AS counted,
         coalesce(e.held, 0) AS held
    FROM (SELECT d.topic, d.kafka_partition, count(*) AS held
            FROM @extschema@.fintrans_dead_letters d
           GROUP BY 1, 2) e
    FULL JOIN @extschema@.fintrans_offsets f USING (topic, kafka_partition)
   WHERE coalesce(e.held, 0) <> coalesce(f.dead_lettered, 0);

COMMENT ON VIEW @extschema@.fintrans_dead_letter_differences IS
  'Kafka partitions whose dead letters held are not those that fintrans_offsets counts.';

CREATE OR REPLACE VIEW @extschema@.fintrans_trigger_differences AS
  SELECT p.relation, n.name,
         CASE WHEN t.oid IS NULL THEN 'none'
              WHEN t.tgfoid <> n.function OR t.tgqual IS NOT NULL THEN 'another'
              ELSE 'disabled' END AS found
    FROM @extschema@.fintrans_relations() p
   CROSS JOIN @extschema@.fintrans_triggers() n
    LEFT JOIN pg_trigger t ON t.tgrelid = p.relation AND t.tgname = n.name
   WHERE t.oid IS NULL OR t.tgfoid <> n.function OR t.tgqual IS NOT NULL
      OR t.tgenabled NOT IN ('O', 'A');

COMMENT ON VIEW @extschema@.fintrans_trigger_differences IS
  'Triggers that are missing or disabled.';

CREATE OR REPLACE VIEW @extschema@.fintrans_alert_differences AS
  SELECT r.name AS rule, l.source_account, l.target_account, l.total,
         l.transactions, r.threshold
    FROM @extschema@.fintrans_rules r
    JOIN @extschema@.fintrans_laundering l
      ON l.magnitude >= @extschema@.fintrans_magnitude_above(r.threshold)
     AND l.total > r.threshold
    LEFT JOIN @extschema@.fintrans_alerts a
      ON (a.rule, a.source_account, a.target_account)
         = (r.name, l.source_account, l.target_account)
   WHERE r.enabled AND a.rule IS NULL;

COMMENT ON VIEW @extschema@.fintrans_alert_differences IS
  'Alerts that are missing.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_verify()
RETURNS TABLE (problem text, subject text, expected text, found text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- compiling it for thousands of partitions takes minutes
SET jit = off
BEGIN ATOMIC
  SELECT 'pair', format('%s -> %s', d.source_account, d.target_account),
         CASE WHEN d.expected_transactions IS NULL THEN 'none'
              ELSE format('%s in %s', d.expected_total, d.expected_transactions) END,
         CASE WHEN d.found_transactions IS NULL THEN 'none'
              ELSE format('%s in %s', d.found_total, d.found_transactions) END
    FROM @extschema@.fintrans_pair_differences d
  UNION ALL
  SELECT 'magnitude', format('%s -> %s', d.source_account, d.target_account),
         CASE WHEN d.ceiling IS NULL THEN 'a known magnitude'
              ELSE format('at most %s', d.ceiling) END,
         format('%s in magnitude %s', d.total, d.magnitude)
    FROM @extschema@.fintrans_magnitude_differences d
  UNION ALL
  SELECT 'volume', format('%s %s', d.city, d.minute),
         CASE WHEN d.expected_transactions IS NULL THEN 'none'
              ELSE format('%s in %s, each %s to %s', d.expected_total,
                          d.expected_transactions, d.expected_minimum,
                          d.expected_maximum) END,
         CASE WHEN d.found_transactions IS NULL THEN 'none'
              ELSE format('%s in %s, each %s to %s', d.found_total,
                          d.found_transactions, d.found_minimum,
                          d.found_maximum) END
    FROM @extschema@.fintrans_volume_differences d
  UNION ALL
  SELECT 'offsets', format('%s [%s]', d.topic, d.kafka_partition),
         CASE WHEN d.counted IS NULL THEN 'a row in fintrans_offsets'
              ELSE format('%s rows, each offset once, from %s to below %s',
                          d.counted, d.first_offset, d.next_offset) END,
         CASE WHEN d.held IS NULL THEN 'no rows'
              ELSE format('%s rows, %s different offsets, from %s to %s',
                          d.held, d.offsets, d.lowest, d.highest) END
    FROM @extschema@.fintrans_offset_differences d
  UNION ALL
  SELECT 'dead letters', format('%s [%s]', d.topic, d.kafka_partition),
         d.counted::text, d.held::text
    FROM @extschema@.fintrans_dead_letter_differences d
  UNION ALL
  SELECT 'trigger', d.relation::text, format('%s enabled', d.name), d.found
    FROM @extschema@.fintrans_trigger_differences d
  UNION ALL
  SELECT 'alert', format('rule %s: %s -> %s', d.rule, d.source_account,
                         d.target_account),
         'an alert', 'none'
    FROM @extschema@.fintrans_alert_differences d;
END;

COMMENT ON FUNCTION @extschema@.fintrans_verify() IS
  'Recomputes everything fintrans maintains and returns a row per difference: totals, volume, offsets against rows, dead letters, triggers, missing alerts. No row: all is well. Reads all transactions three times; memory is bounded by work_mem and the number of partitions.';

REVOKE EXECUTE ON FUNCTION @extschema@.fintrans_verify() FROM PUBLIC;

-- fintrans_rebuild(): corrects what fintrans_verify() finds.

-- Corrections are differences found in one snapshot, in which rows and totals
-- belong together.  Adding them is right however much others have added
-- meanwhile, so nobody is kept from writing.

-- Enabling and making triggers holds up writers of the table; only one that is
-- not ours has to be dropped first, which holds up readers too.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_correct_trigger()
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  wrong     record;
  corrected bigint := 0;
BEGIN
  FOR wrong IN
    SELECT d.relation, d.name, d.found
      FROM @extschema@.fintrans_trigger_differences d
     ORDER BY d.relation <> '@extschema@.fintrans_transactions'::regclass, d.relation
  LOOP
    IF wrong.found = 'disabled' THEN
      EXECUTE format('ALTER TABLE %s ENABLE TRIGGER %s', wrong.relation, wrong.name);
    ELSIF wrong.found = 'another' THEN
      EXECUTE format('DROP TRIGGER %s ON %s', wrong.name, wrong.relation);
    END IF;
    PERFORM @extschema@.fintrans_add_triggers(wrong.relation);
    corrected := corrected + 1;
  END LOOP;
  RETURN corrected;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_correct_trigger() IS
  'Internal, step of fintrans_rebuild(): puts missing and disabled triggers in force; returns how many.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_correct_offsets()
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
  wrong     record;
  corrected bigint := 0;
BEGIN
  -- in the order in which bridges lock them
  FOR wrong IN
    SELECT d.topic, d.kafka_partition, d.counted - coalesce(d.held, 0) AS missing,
           coalesce(d.held = d.offsets AND d.lowest >= d.first_offset
                    AND d.highest < d.next_offset, true) AS plausible
      FROM @extschema@.fintrans_offset_differences d
     ORDER BY d.topic, d.kafka_partition
  LOOP
    UPDATE @extschema@.fintrans_offsets o
       SET stored = o.stored - least(o.stored, wrong.missing),
           replayed = o.replayed - (wrong.missing - least(o.stored, wrong.missing)),
           dropped = o.dropped + wrong.missing
     WHERE (o.topic, o.kafka_partition) = (wrong.topic, wrong.kafka_partition)
       AND wrong.plausible AND wrong.missing <> 0
       AND wrong.missing BETWEEN -o.dropped AND o.stored + o.replayed;
    IF FOUND THEN
      corrected := corrected + 1;
    END IF;
  END LOOP;
  RETURN corrected;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_correct_offsets() IS
  'Internal, step of fintrans_rebuild(): counts offsets as dropped whose transactions are gone, and as stored those that have come back; returns in how many Kafka partitions. Other transactions than those counted it leaves alone.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_correct_dead_letters()
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  wrong     record;
  corrected bigint := 0;
BEGIN
  FOR wrong IN
    SELECT d.topic, d.kafka_partition, d.counted - d.held AS missing
      FROM @extschema@.fintrans_dead_letter_differences d
     ORDER BY d.topic, d.kafka_partition
  LOOP
    UPDATE @extschema@.fintrans_offsets o
       SET dead_lettered = o.dead_lettered - wrong.missing,
           purged = o.purged + wrong.missing
     WHERE (o.topic, o.kafka_partition) = (wrong.topic, wrong.kafka_partition)
       AND wrong.missing BETWEEN 1 AND o.dead_lettered;
    IF FOUND THEN
      corrected := corrected + 1;
    END IF;
  END LOOP;
  RETURN corrected;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_correct_dead_letters() IS
  'Internal, step of fintrans_rebuild(): counts offsets as purged whose dead letters are gone; returns in how many Kafka partitions. Too many dead letters it leaves alone.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_correct_pair()
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
  corrected bigint;
BEGIN
  INSERT INTO @extschema@.fintrans_laundering AS l
  SELECT d.source_account, d.target_account,
         coalesce(d.expected_total, 0) - coalesce(d.found_total, 0),
         coalesce(d.expected_transactions, 0) - coalesce(d.found_transactions, 0),
         d.first_time, d.last_time,
         @extschema@.fintrans_magnitude_of(d.expected_total)
    FROM @extschema@.fintrans_pair_differences d
   ORDER BY d.source_account, d.target_account
      ON CONFLICT (source_account, target_account) DO UPDATE
     SET total = l.total + excluded.total,
         transactions = l.transactions + excluded.transactions,
         first_time = least(l.first_time, excluded.first_time),
         last_time = greatest(l.last_time, excluded.last_time),
         magnitude = @extschema@.fintrans_magnitude_of(l.total + excluded.total);
  GET DIAGNOSTICS corrected = ROW_COUNT;
  IF corrected > 0 THEN
    DELETE FROM @extschema@.fintrans_laundering WHERE transactions = 0;
  END IF;
  RETURN corrected;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_correct_pair() IS
  'Internal, step of fintrans_rebuild(): corrects totals and numbers of transactions; returns of how many pairs.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_correct_magnitude()
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  wrong     record;
  corrected bigint := 0;
BEGIN
  -- in the order in which writers lock them
  FOR wrong IN
    SELECT d.source_account, d.target_account
      FROM @extschema@.fintrans_magnitude_differences d
     ORDER BY d.source_account, d.target_account
  LOOP
    UPDATE @extschema@.fintrans_laundering l
       SET magnitude = @extschema@.fintrans_magnitude_of(l.total)
     WHERE (l.source_account, l.target_account)
           = (wrong.source_account, wrong.target_account);
    corrected := corrected + 1;
  END LOOP;
  RETURN corrected;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_correct_magnitude() IS
  'Internal, step of fintrans_rebuild(): corrects magnitudes; returns of how many pairs.';

-- Extremes cannot be added.  The minutes in question are locked and marked with
-- NaN, which nobody else gets to see, and theirs are then read anew.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_correct_volume()
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
  corrected bigint;
BEGIN
  INSERT INTO @extschema@.fintrans_volume AS v
  SELECT d.city, d.minute,
         coalesce(d.expected_transactions, 0) - coalesce(d.found_transactions, 0),
         coalesce(d.expected_total, 0) - coalesce(d.found_total, 0),
         'NaN', 'NaN'
    FROM @extschema@.fintrans_volume_differences d
   ORDER BY d.city, d.minute
      ON CONFLICT (city, minute) DO UPDATE
     SET transactions = v.transactions + excluded.transactions,
         total = v.total + excluded.total,
         minimum = 'NaN', maximum = 'NaN';
  GET DIAGNOSTICS corrected = ROW_COUNT;
  IF corrected > 0 THEN
    DELETE FROM @extschema@.fintrans_volume WHERE transactions = 0;
    UPDATE @extschema@.fintrans_volume v
       SET minimum = r.minimum, maximum = r.maximum
      FROM (SELECT t.city, date_bin('1 minute', t.event_time, 'epoch') AS minute,
                   min(t.amount) AS minimum, max(t.amount) AS maximum
              FROM @extschema@.fintrans_transactions t
             GROUP BY 1, 2) r
     WHERE (v.city, v.minute) = (r.city, r.minute) AND v.minimum = 'NaN';
    -- their rows have gone since, past the triggers: to be found next time
    UPDATE @extschema@.fintrans_volume SET minimum = 0, maximum = 0
     WHERE minimum = 'NaN';
  END IF;
  RETURN corrected;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_correct_volume() IS
  'Internal, step of fintrans_rebuild(): corrects the volume; returns of how many minutes.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_correct_alert()
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  corrected bigint;
BEGIN
  INSERT INTO @extschema@.fintrans_alerts (rule, source_account, target_account,
                                           total, transactions, threshold)
  SELECT d.rule, d.source_account, d.target_account, d.total, d.transactions,
         d.threshold
    FROM @extschema@.fintrans_alert_differences d
      ON CONFLICT (rule, source_account, target_account) DO NOTHING;
  GET DIAGNOSTICS corrected = ROW_COUNT;
  IF corrected > 0 THEN
    PERFORM pg_notify('fintrans_alerts', '');
  END IF;
  RETURN corrected;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_correct_alert() IS
  'Internal, step of fintrans_rebuild(): raises the alerts that are missing; returns how many.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_rebuild()
RETURNS TABLE (problem text, corrected bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  -- offsets before pairs before volume: the order in which writers lock rows
  steps CONSTANT text[] := ARRAY['trigger', 'offsets', 'dead letters', 'pair',
                                 'magnitude', 'volume', 'alert'];
BEGIN
  PERFORM @extschema@.fintrans_begin_upkeep();
  -- a rule changed meanwhile would not see what is corrected here
  LOCK TABLE @extschema@.fintrans_rules IN SHARE MODE;
  FOREACH problem IN ARRAY steps LOOP
    RAISE NOTICE 'correcting %', problem;
    EXECUTE 'SELECT @extschema@.fintrans_correct_' || replace(problem, ' ', '_') || '()'
       INTO corrected;
    RETURN NEXT;
  END LOOP;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_rebuild() IS
  'Corrects what fintrans_verify() finds, while others read and write; returns how much of each kind. Rules cannot be changed meanwhile. For the owner of the extension.';

REVOKE EXECUTE ON FUNCTION
  @extschema@.fintrans_correct_trigger(),
  @extschema@.fintrans_correct_offsets(),
  @extschema@.fintrans_correct_dead_letters(),
  @extschema@.fintrans_correct_pair(),
  @extschema@.fintrans_correct_magnitude(),
  @extschema@.fintrans_correct_volume(),
  @extschema@.fintrans_correct_alert(),
  @extschema@.fintrans_rebuild()
  FROM PUBLIC;

-- Rules, and the alerts that a new or lowered one raises on what is already there; see rules.c.

CREATE OR REPLACE FUNCTION @extschema@.fintrans_rules_changing()
RETURNS trigger
AS 'MODULE_PATHNAME', 'fintrans_rules_changing'
LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION @extschema@.fintrans_rules_changing() IS
  'Statement trigger: a change of rules waits for the batches in flight, and new ones wait for it to commit.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_rule_stamped()
RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    NEW.changed_at := now();
    NEW.changed_by := session_user;
    IF NEW.name <> OLD.name THEN
      NEW.swept_threshold := NULL;
    END IF;
  END IF;
  IF NOT NEW.enabled THEN
    NEW.swept_threshold := NULL;
  ELSIF NEW.swept_threshold < NEW.threshold THEN
    NEW.swept_threshold := NEW.threshold;
  END IF;
  RETURN NEW;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_rule_stamped() IS
  'Row trigger: notes who changed a rule and when, and what that leaves of its sweep.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_rule_changed()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
BEGIN
  PERFORM @extschema@.fintrans_require_read_committed();
  INSERT INTO @extschema@.fintrans_alerts (rule, source_account, target_account,
                                           total, transactions, threshold)
  SELECT NEW.name, s.source_account, s.target_account,
         s.total, s.transactions, NEW.threshold
    FROM @extschema@.fintrans_suspects(NEW.threshold) s
      ON CONFLICT (rule, source_account, target_account) DO NOTHING;
  IF FOUND THEN
    PERFORM pg_notify('fintrans_alerts', '');
  END IF;
  UPDATE @extschema@.fintrans_rules r SET swept_threshold = NEW.threshold
   WHERE r.name = NEW.name;
  RETURN NULL;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_rule_changed() IS
  'Row trigger: a new, lowered or re-enabled rule alerts on the pairs already above it.';

REVOKE EXECUTE ON FUNCTION @extschema@.fintrans_rules_changing(),
                           @extschema@.fintrans_rule_stamped(),
                           @extschema@.fintrans_rule_changed()
  FROM PUBLIC;

CREATE OR REPLACE TRIGGER fintrans_rules_changing
  BEFORE INSERT OR UPDATE ON @extschema@.fintrans_rules
  FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.fintrans_rules_changing();

CREATE OR REPLACE TRIGGER fintrans_rule_stamped
  BEFORE INSERT OR UPDATE ON @extschema@.fintrans_rules
  FOR EACH ROW EXECUTE FUNCTION @extschema@.fintrans_rule_stamped();

-- a restored row has been swept already, and its alerts are restored too
CREATE OR REPLACE TRIGGER fintrans_rule_changed
  AFTER INSERT OR UPDATE ON @extschema@.fintrans_rules
  FOR EACH ROW
  WHEN (NEW.enabled AND (NEW.swept_threshold IS NULL
                         OR NEW.swept_threshold > NEW.threshold))
  EXECUTE FUNCTION @extschema@.fintrans_rule_changed();

CREATE OR REPLACE FUNCTION @extschema@.fintrans_set_rule(
  name text, threshold numeric, enabled boolean DEFAULT true)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = 0
AS $$
#variable_conflict use_column
BEGIN
  -- a look first: a change waits for every batch in flight
  PERFORM FROM @extschema@.fintrans_rules
    WHERE name = $1 AND threshold = $2 AND enabled = $3;
  IF FOUND THEN
    RETURN;
  END IF;
  -- While a change waits, so do the batches behind it: let those go on at
  -- times, and wait longer for the next chance.
  FOR attempt IN 0 .. 6 LOOP
    BEGIN
      PERFORM set_config('lock_timeout', format('%ss', 2 ^ attempt), true);
      INSERT INTO @extschema@.fintrans_rules AS r (name, threshold, enabled)
      VALUES ($1, $2, $3)
          ON CONFLICT (name) DO UPDATE
         SET threshold = excluded.threshold, enabled = excluded.enabled;
      RETURN;
    EXCEPTION WHEN lock_not_available THEN
      PERFORM pg_sleep(2 ^ attempt);
    END;
  END LOOP;
  RAISE EXCEPTION 'rule "%" could not be set: transactions that are still open hold the rules', $1
    USING ERRCODE = 'lock_not_available',
          HINT = 'pg_locks shows who holds the lock on the object "fintrans_rules".';
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_set_rule(text, numeric, boolean) IS
  'Makes the rule of that name, or gives it this threshold; pairs already above are alerted. Does nothing when the rule is so already. Waits for batches in flight, and gives up after four minutes.';

-- Reviews: decisions about alerts.

CREATE OR REPLACE FUNCTION @extschema@.fintrans_review(
  alert_id bigint, decision text, note text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- a CHECK that fails would put the note into the server's log
  IF coalesce($2, '') NOT IN ('reviewing', 'confirmed', 'dismissed') THEN
    RAISE EXCEPTION 'no decision "%"', coalesce($2, 'NULL')
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Decisions are reviewing, confirmed and dismissed.';
  END IF;
  UPDATE @extschema@.fintrans_alerts a SET state = $2 WHERE a.alert_id = $1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no alert %', coalesce($1::text, 'NULL')
      USING ERRCODE = 'no_data_found';
  END IF;
  INSERT INTO @extschema@.fintrans_reviews (alert_id, decision, note)
  VALUES ($1, $2, $3);
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_review(bigint, text, text) IS
  'Decides about an alert: sets its state to reviewing, confirmed or dismissed, and records who decided that, when, and why.';

REVOKE EXECUTE ON FUNCTION @extschema@.fintrans_review(bigint, text, text)
  FROM PUBLIC;

-- fintrans_grant(): the abilities that roles can be given.

CREATE OR REPLACE FUNCTION @extschema@.fintrans_grant(grantee regrole, ability text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  namespace text;
  privilege text;
  object    text;
  known     boolean := false;
BEGIN
  SELECT quote_ident(n.nspname) INTO namespace
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.oid = '@extschema@.fintrans_transactions'::regclass;

  FOR privilege, object IN
    SELECT p.privilege, p.object
      FROM (VALUES
        ('reader', 'SELECT', '%s.fintrans_transactions'),
        ('reader', 'SELECT', '%s.fintrans_laundering'),
        ('reader', 'SELECT', '%s.fintrans_magnitudes'),
        ('reader', 'SELECT', '%s.fintrans_volume'),
        ('reader', 'SELECT', '%s.fintrans_offsets'),
        ('reader', 'SELECT', '%s.fintrans_rules'),
        ('reader', 'SELECT', '%s.fintrans_alerts'),
        ('reader', 'SELECT', '%s.fintrans_reviews'),
        ('reader', 'SELECT', '%s.fintrans_settings'),
        ('reader', 'SELECT', '%s.fintrans_retention'),
        ('reader', 'SELECT', '%s.fintrans_dead_letter_counts'),
        ('reader', 'EXECUTE', 'FUNCTION %s.fintrans_verify()'),
        ('writer', 'INSERT', '%s.fintrans_transactions'),
        ('writer', 'INSERT, SELECT (topic, kafka_partition, kafka_offset, reason, rejected_at)', '%s.fintrans_dead_letters'),
        ('writer', 'SELECT, INSERT, UPDATE', '%s.fintrans_offsets'),
        ('writer', 'SELECT, INSERT', '%s.fintrans_settings'),
        ('writer', 'EXECUTE',
         'FUNCTION %s.fintrans_ensure_partitions(timestamptz, timestamptz)'),
        ('keeper', 'EXECUTE', 'FUNCTION %s.fintrans_retire(timestamptz)'),
        ('keeper', 'EXECUTE', 'FUNCTION %s.fintrans_retired_leaf(timestamptz)'),
        ('keeper', 'EXECUTE', 'FUNCTION %s.fintrans_empty_retired_leaf(timestamptz, text, bigint)'),
        ('keeper', 'EXECUTE', 'FUNCTION %s.fintrans_drop_retired_leaf(timestamptz, text)'),
        ('keeper', 'EXECUTE', 'PROCEDURE %s.fintrans_drop_before(timestamptz, bigint)'),
        ('keeper', 'SELECT', '%s.fintrans_dead_letters'),
        ('keeper', 'SELECT', '%s.fintrans_dead_letter_counts'),
        ('keeper', 'EXECUTE', 'FUNCTION %s.fintrans_verify()'),
        ('keeper', 'SELECT', '%s.fintrans_replayed_letters'),
        ('keeper', 'EXECUTE', 'FUNCTION %1$s.fintrans_replay_dead_letters(%1$s.fintrans_transactions[])'),
        ('keeper', 'EXECUTE', 'FUNCTION %s.fintrans_replay_dead_letter(text, integer, bigint, text, timestamptz)'),
        ('keeper', 'EXECUTE', 'FUNCTION %s.fintrans_purge_dead_letters(timestamptz)'),
        ('operator', 'SELECT, INSERT (name, kind, threshold, enabled), UPDATE (name, threshold, enabled)',
         '%s.fintrans_rules'),
        ('operator', 'SELECT', '%s.fintrans_alerts'),
        ('operator', 'SELECT', '%s.fintrans_reviews'),
        ('operator', 'EXECUTE', 'FUNCTION %s.fintrans_review(bigint, text, text)'))
        p (ability, privilege, object)
     WHERE p.ability = fintrans_grant.ability
  LOOP
    EXECUTE format('GRANT %s ON %s TO %s', privilege,
                   format(object, namespace), grantee);
    known := true;
  END LOOP;
  IF NOT known THEN
    RAISE EXCEPTION 'no ability "%"', ability
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Abilities are reader, writer, keeper and operator.';
  END IF;
  EXECUTE format('GRANT USAGE ON SCHEMA %s TO %s', namespace, grantee);
  IF ability = 'writer' THEN
    -- a partition made meanwhile would miss it
    LOCK TABLE @extschema@.fintrans_transactions IN SHARE UPDATE EXCLUSIVE MODE;
    FOR object IN SELECT r.relation FROM @extschema@.fintrans_relations() r WHERE r.is_leaf
    LOOP
      EXECUTE format('GRANT INSERT ON %s TO %s', object, grantee);
    END LOOP;
  END IF;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_grant(regrole, text) IS
  'Gives a role what it needs: reader (dashboards, investigators), writer (the bridge), keeper (retention, dead letters) or operator (the detector, reviews); a role may have several.';

REVOKE EXECUTE ON FUNCTION @extschema@.fintrans_grant(regrole, text) FROM PUBLIC;
