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
