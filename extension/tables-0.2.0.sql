-- What fintrans 0.2.0 adds to the tables, and what pg_dump has to carry of it.

ALTER TABLE @extschema@.fintrans_laundering ADD COLUMN windows bytea;

COMMENT ON COLUMN @extschema@.fintrans_laundering.windows IS
  'What the pair moved lately, in the buckets of each windowed rule about pairs: fintrans_window_entries() reads it. NULL without such rules.';

ALTER TABLE @extschema@.fintrans_offsets ADD COLUMN topic_id text COLLATE "C";

COMMENT ON COLUMN @extschema@.fintrans_offsets.topic_id IS
  'Kafka''s id of the topic that it was in: a topic of the name with another id was made anew, and is halted. NULL when not known: a bridge with librdkafka before 2.3 does not.';

CREATE TABLE @extschema@.fintrans_accounts (
  account text COLLATE "C" PRIMARY KEY,
  windows bytea NOT NULL,
  changes bytea
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);
-- hashes do not compress, and trying that costs more than all else; changes are
-- short, and there to be written again and again
ALTER TABLE @extschema@.fintrans_accounts
  ALTER COLUMN windows SET STORAGE EXTERNAL,
  ALTER COLUMN changes SET STORAGE PLAIN;

COMMENT ON TABLE @extschema@.fintrans_accounts IS
  'What each account moved lately, for the windowed rules about accounts; accounts that no such rule has anything of are not there. Kept by triggers; never write to it.';
COMMENT ON COLUMN @extschema@.fintrans_accounts.windows IS
  'The buckets of each windowed rule about accounts, as they were before the changes.';
COMMENT ON COLUMN @extschema@.fintrans_accounts.changes IS
  'What has changed in windows since it was written, NULL if nothing: fintrans_windows_changed() puts the two together.';

-- which window states belong to a rule as it is now
CREATE SEQUENCE @extschema@.fintrans_rule_generations AS integer;

ALTER TABLE @extschema@.fintrans_rules
  ADD COLUMN time_window interval,
  ADD COLUMN amount_from numeric,
  ADD COLUMN amount_below numeric,
  ADD COLUMN generation integer,
  DROP CONSTRAINT fintrans_rules_kind,
  ADD CONSTRAINT fintrans_rules_kind
    CHECK (kind IN ('pair_total', 'outgoing_total', 'incoming_total',
                    'velocity', 'structuring', 'fan_out', 'fan_in',
                    'pass_through')),
  -- a twenty-fourth of it must be a whole number of microseconds
  ADD CONSTRAINT fintrans_rules_time_window
    CHECK (CASE WHEN time_window IS NULL THEN kind = 'pair_total'
                ELSE extract(year FROM time_window) = 0
                     AND extract(month FROM time_window) = 0
                     AND date_trunc('minute', time_window) = time_window
                     AND time_window BETWEEN '1 minute' AND '366 days' END),
  ADD CONSTRAINT fintrans_rules_amounts
    CHECK (CASE kind
           WHEN 'structuring' THEN coalesce(amount_from >= 0 AND amount_from < amount_below
                                            AND amount_below < 'Infinity', false)
           WHEN 'pass_through' THEN coalesce(amount_from >= 0 AND amount_from < 'Infinity', true)
                                    AND amount_below IS NULL
           ELSE amount_from IS NULL AND amount_below IS NULL END),
  -- as many counterparties are kept in each bucket
  ADD CONSTRAINT fintrans_rules_counterparties
    CHECK (kind NOT IN ('fan_out', 'fan_in') OR threshold <= 1000);

COMMENT ON COLUMN @extschema@.fintrans_rules.kind IS
  'What is compared with the threshold. Of a pair: pair_total. Of an account in the window: outgoing_total, incoming_total; velocity (number of outgoing transactions), structuring (those with an amount from amount_from to below amount_below); fan_out, fan_in (number of different counterparties, itself left out); pass_through (outgoing total / incoming total).';
COMMENT ON COLUMN @extschema@.fintrans_rules.time_window IS
  'Length of the window, which slides by a twenty-fourth of it; NULL, for pair_total only: all transactions held. Whole minutes; a day is 24 hours.';
COMMENT ON COLUMN @extschema@.fintrans_rules.amount_from IS
  'structuring: the least amount that counts. pass_through: the least incoming total; NULL for any.';
COMMENT ON COLUMN @extschema@.fintrans_rules.amount_below IS
  'structuring: amounts from here on do not count.';
COMMENT ON COLUMN @extschema@.fintrans_rules.generation IS
  'Number by which window states know the rule; a new one when what they hold is of no use any more. Kept by a trigger.';

ALTER TABLE @extschema@.fintrans_alerts
  ALTER COLUMN source_account DROP NOT NULL,
  ALTER COLUMN target_account DROP NOT NULL,
  ADD COLUMN account text COLLATE "C",
  ADD COLUMN window_start timestamptz,
  ADD COLUMN window_end timestamptz,
  ADD COLUMN level smallint NOT NULL DEFAULT 0,
  ADD COLUMN escalated_at timestamptz,
  ADD COLUMN assigned_to text,
  ADD COLUMN quiet_until timestamptz,
  ADD COLUMN exemption_id bigint,
  ADD CONSTRAINT fintrans_alerts_subject
    CHECK ((account IS NULL) = (source_account IS NOT NULL)
           AND (account IS NULL) = (target_account IS NOT NULL)),
  ADD CONSTRAINT fintrans_alerts_window
    CHECK ((window_start IS NULL) = (window_end IS NULL)
           AND (window_start IS NOT NULL OR account IS NULL)),
  DROP CONSTRAINT fintrans_alerts_rule_source_account_target_account_key,
  ADD CONSTRAINT fintrans_alerts_once UNIQUE NULLS NOT DISTINCT
    (rule, source_account, target_account, account, window_start);

-- by the end: ingest asks what overlaps the latest windows, which few do
CREATE INDEX fintrans_alerts_pair
  ON @extschema@.fintrans_alerts (rule, source_account, target_account, window_end)
  WHERE window_end IS NOT NULL AND account IS NULL;
CREATE INDEX fintrans_alerts_account
  ON @extschema@.fintrans_alerts (rule, account, window_end)
  WHERE account IS NOT NULL;

COMMENT ON TABLE @extschema@.fintrans_alerts IS
  'One alert per rule, subject (a pair or an account) and window, raised in the database transaction that carried the value over the threshold. Windows of alerts about one subject do not overlap. NOTIFY fintrans_alerts announces new and escalated ones.';
COMMENT ON COLUMN @extschema@.fintrans_alerts.account IS
  'The account it is about; NULL when it is about a pair.';
COMMENT ON COLUMN @extschema@.fintrans_alerts.total IS
  'The value above the threshold when the alert was raised or escalated: a total of amounts, a number, or a share, as the rule''s kind says.';
COMMENT ON COLUMN @extschema@.fintrans_alerts.transactions IS
  'The number of transactions counted when the alert was raised or escalated.';
COMMENT ON COLUMN @extschema@.fintrans_alerts.window_start IS
  'Start of the window; NULL when the rule has none.';
COMMENT ON COLUMN @extschema@.fintrans_alerts.window_end IS
  'End of the window, itself not within; of the latest one with which the alert has escalated.';
COMMENT ON COLUMN @extschema@.fintrans_alerts.level IS
  'How often the value in the window has doubled: 0 from the threshold, 1 from twice of it, 2 from four times. For totals without a window see fintrans_alert_list.';
COMMENT ON COLUMN @extschema@.fintrans_alerts.assigned_to IS
  'Who is to look at it: set by fintrans_assign().';
COMMENT ON COLUMN @extschema@.fintrans_alerts.quiet_until IS
  'Until then nobody is to be bothered with it: snoozed by fintrans_snooze(), or raised under an exemption.';
COMMENT ON COLUMN @extschema@.fintrans_alerts.exemption_id IS
  'The exemption it was raised under.';

CREATE TABLE @extschema@.fintrans_exemptions (
  exemption_id   bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  rule           text COLLATE "C",
  source_account text COLLATE "C",
  target_account text COLLATE "C",
  account        text COLLATE "C",
  valid_until    timestamptz NOT NULL,
  reason         text NOT NULL,
  created_at     timestamptz NOT NULL DEFAULT pg_catalog.now(),
  created_by     text NOT NULL DEFAULT SESSION_USER,
  CONSTRAINT fintrans_exemptions_subject
    CHECK (num_nulls(source_account, target_account) IN (0, 2)
           AND num_nulls(source_account, account) = 1),
  CONSTRAINT fintrans_exemptions_reason CHECK (reason <> '')
);

CREATE INDEX fintrans_exemptions_pair
  ON @extschema@.fintrans_exemptions (source_account, target_account);
CREATE INDEX fintrans_exemptions_account
  ON @extschema@.fintrans_exemptions (account);

COMMENT ON TABLE @extschema@.fintrans_exemptions IS
  'Known-good traffic: alerts about the pair, or about the account, are raised quiet while the exemption is valid. Made by fintrans_exempt(), ended by fintrans_end_exemption().';
COMMENT ON COLUMN @extschema@.fintrans_exemptions.rule IS
  'The rule it is from; NULL for all.';
COMMENT ON COLUMN @extschema@.fintrans_exemptions.account IS
  'The account whose alerts are meant, and not those of pairs it belongs to; NULL when it is about a pair.';
COMMENT ON COLUMN @extschema@.fintrans_exemptions.reason IS
  'Why it is known to be good.';

ALTER TABLE @extschema@.fintrans_reviews
  DROP CONSTRAINT fintrans_reviews_decision,
  ADD CONSTRAINT fintrans_reviews_decision
    CHECK (decision IN ('reviewing', 'confirmed', 'dismissed', 'assigned',
                        'snoozed')),
  ADD COLUMN level smallint,
  ADD COLUMN quiet_until timestamptz,
  ADD COLUMN assigned_to text;

CREATE INDEX fintrans_reviews_alert
  ON @extschema@.fintrans_reviews (alert_id, review_id);

COMMENT ON COLUMN @extschema@.fintrans_reviews.decision IS
  'reviewing, confirmed, dismissed; assigned (to assigned_to) or snoozed (until quiet_until).';
COMMENT ON COLUMN @extschema@.fintrans_reviews.level IS
  'Level of the alert at that time.';

ALTER TABLE @extschema@.fintrans_settings
  DROP CONSTRAINT fintrans_settings_name,
  ADD CONSTRAINT fintrans_settings_name
    CHECK (name IN ('currency', 'separate_duties'));

COMMENT ON TABLE @extschema@.fintrans_settings IS
  'Facts about the whole installation: currency, the one currency of all amounts (ISO 4217 code); separate_duties, on when nobody may confirm or dismiss an alert who has opened its review.';

SELECT pg_catalog.pg_extension_config_dump('@extschema@.fintrans_accounts', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.fintrans_rule_generations', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.fintrans_exemptions', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.fintrans_exemptions_exemption_id_seq', '');

-- The type of summaries: see summary.c.
CREATE TYPE @extschema@.fintrans_summary;

CREATE FUNCTION @extschema@.fintrans_summary_in(cstring)
RETURNS @extschema@.fintrans_summary
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION @extschema@.fintrans_summary_out(@extschema@.fintrans_summary)
RETURNS cstring
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION @extschema@.fintrans_summary_recv(internal)
RETURNS @extschema@.fintrans_summary
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION @extschema@.fintrans_summary_send(@extschema@.fintrans_summary)
RETURNS bytea
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE @extschema@.fintrans_summary (
  INPUT = @extschema@.fintrans_summary_in,
  OUTPUT = @extschema@.fintrans_summary_out,
  RECEIVE = @extschema@.fintrans_summary_recv,
  SEND = @extschema@.fintrans_summary_send,
  ALIGNMENT = int,
  STORAGE = extended
);

COMMENT ON TYPE @extschema@.fintrans_summary IS
  'The number, total, sum of squares, minimum and maximum of a set of amounts, exact: made by fintrans_summary(), added up by fintrans_rollup(), read by fintrans_count(), fintrans_total(), fintrans_average(), fintrans_minimum(), fintrans_maximum() and fintrans_standard_deviation().';
COMMENT ON FUNCTION @extschema@.fintrans_summary_in(cstring) IS
  'Internal: a summary from its text, (count,total,sum of squares,minimum,maximum); refuses what no amounts can have.';
COMMENT ON FUNCTION @extschema@.fintrans_summary_out(@extschema@.fintrans_summary) IS
  'Internal: the text of a summary.';
COMMENT ON FUNCTION @extschema@.fintrans_summary_recv(internal) IS
  'Internal: a summary from its binary form; refuses what no amounts can have.';
COMMENT ON FUNCTION @extschema@.fintrans_summary_send(@extschema@.fintrans_summary) IS
  'Internal: the binary form of a summary.';

CREATE TABLE @extschema@.fintrans_volume_rollup (
  resolution   interval NOT NULL,
  city         text COLLATE "C" NOT NULL,
  start        timestamptz NOT NULL,
  transactions bigint NOT NULL,
  total        numeric NOT NULL,
  minimum      numeric NOT NULL,
  maximum      numeric NOT NULL,
  PRIMARY KEY (resolution, city, start),
  CONSTRAINT fintrans_volume_rollup_total
    CHECK (total > '-Infinity' AND total < 'Infinity')
) PARTITION BY LIST (resolution);

-- few pages hold the days, and none of them hours
CREATE TABLE @extschema@.fintrans_volume_hours
  PARTITION OF @extschema@.fintrans_volume_rollup FOR VALUES IN ('1 hour')
  WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
CREATE TABLE @extschema@.fintrans_volume_days
  PARTITION OF @extschema@.fintrans_volume_rollup FOR VALUES IN ('1 day')
  WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE @extschema@.fintrans_volume_weeks
  PARTITION OF @extschema@.fintrans_volume_rollup FOR VALUES IN ('7 days')
  WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

COMMENT ON TABLE @extschema@.fintrans_volume_hours IS
  'The hours of fintrans_volume_rollup.';
COMMENT ON TABLE @extschema@.fintrans_volume_days IS
  'The days of fintrans_volume_rollup.';
COMMENT ON TABLE @extschema@.fintrans_volume_weeks IS
  'The weeks of fintrans_volume_rollup.';
COMMENT ON TABLE @extschema@.fintrans_volume_rollup IS
  'Volume per city and hour, UTC day, and week from Monday, of event time: always that of the minutes in fintrans_volume, kept by the same triggers.';
COMMENT ON COLUMN @extschema@.fintrans_volume_rollup.resolution IS
  'How long the period is: 1 hour, 1 day or 7 days.';
COMMENT ON COLUMN @extschema@.fintrans_volume_rollup.start IS
  'Start of the period.';
COMMENT ON COLUMN @extschema@.fintrans_volume_rollup.total IS
  'Sum of the amounts; total / transactions is the average.';
COMMENT ON COLUMN @extschema@.fintrans_volume_rollup.minimum IS
  'Smallest amount of the period.';
COMMENT ON COLUMN @extschema@.fintrans_volume_rollup.maximum IS
  'Largest amount of the period.';

-- a dashboard asks for all cities of a time
CREATE INDEX fintrans_volume_rollup_start
  ON @extschema@.fintrans_volume_rollup (start, city);
CREATE INDEX fintrans_volume_minute
  ON @extschema@.fintrans_volume (minute);

-- what 0.1.0 has counted; the index above keeps others from counting until then
INSERT INTO @extschema@.fintrans_volume_rollup
SELECT r.resolution, v.city,
       pg_catalog.date_bin(r.resolution, v.minute, '1970-01-05 00:00+00'),
       pg_catalog.sum(v.transactions), pg_catalog.sum(v.total),
       pg_catalog.min(v.minimum), pg_catalog.max(v.maximum)
  FROM @extschema@.fintrans_volume v,
       (VALUES ('1 hour'::pg_catalog.interval), ('1 day'), ('7 days')) r (resolution)
 GROUP BY 1, 2, 3;

SELECT pg_catalog.pg_extension_config_dump('@extschema@.fintrans_volume_rollup', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.fintrans_volume_hours', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.fintrans_volume_days', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.fintrans_volume_weeks', '');

CREATE TYPE @extschema@.fintrans_finding AS (
  pattern      text,
  accounts     text[],
  transactions bigint,
  total        numeric,
  amounts      numeric[],
  times        timestamptz[],
  first_time   timestamptz,
  last_time    timestamptz,
  reason       text
);

COMMENT ON TYPE @extschema@.fintrans_finding IS
  'What a typology found: the pattern''s name, its accounts, the transactions it is made of, and why it was reported.';
COMMENT ON COLUMN @extschema@.fintrans_finding.pattern IS
  'ring, chain, broken ring, repeated transfers, fan-in, fan-out, scatter-gather, structuring or pass-through.';
COMMENT ON COLUMN @extschema@.fintrans_finding.accounts IS
  'All accounts, each once: along the money''s way for rings and chains, else the account or accounts it is about first.';
COMMENT ON COLUMN @extschema@.fintrans_finding.transactions IS
  'Number of transactions, as many as there are amounts and times.';
COMMENT ON COLUMN @extschema@.fintrans_finding.amounts IS
  'Amount of each transaction, in the order of times.';
COMMENT ON COLUMN @extschema@.fintrans_finding.times IS
  'Event time of each transaction.';

ALTER TABLE @extschema@.fintrans_dead_letters
  DROP CONSTRAINT fintrans_dead_letters_reason,
  ADD CONSTRAINT fintrans_dead_letters_reason
    CHECK (reason IN ('empty', 'too_long', 'bad_encoding', 'field_count',
                      'bad_account', 'bad_amount', 'bad_time',
                      'wrong_currency', 'wire_format', 'bad_syntax',
                      'missing_field', 'bad_reference', 'refused'));

-- they are purged by age
CREATE INDEX fintrans_dead_letters_rejected_at
  ON @extschema@.fintrans_dead_letters (rejected_at);
CREATE INDEX fintrans_replayed_letters_rejected_at
  ON @extschema@.fintrans_replayed_letters (rejected_at);

COMMENT ON COLUMN @extschema@.fintrans_dead_letters.event_time IS
  'When the transaction took place, as the bridge was told to take it: the timestamp of the Kafka message, or the time in its payload. NULL when there is none that can be read.';
COMMENT ON COLUMN @extschema@.fintrans_transactions.event_time IS
  'When the transaction took place: the timestamp of the Kafka message, or the time in its payload.';

-- What bridges tell of themselves.  pg_dump leaves it out: it is about programs
-- that run, and of no use in another database.
CREATE TABLE @extschema@.fintrans_bridge_partitions (
  topic           text COLLATE "C" NOT NULL,
  kafka_partition integer NOT NULL,
  high_watermark  bigint,
  halted          text,
  unanswered      boolean NOT NULL,
  bridge          text COLLATE "C" NOT NULL,
  reported_at     timestamptz NOT NULL,
  PRIMARY KEY (topic, kafka_partition)
) WITH (fillfactor = 50);

COMMENT ON TABLE @extschema@.fintrans_bridge_partitions IS
  'How each Kafka partition stands, as the bridge that has it reported last; never part of a batch''s database transaction, and not dumped. Reports older than two weeks are deleted.';
COMMENT ON COLUMN @extschema@.fintrans_bridge_partitions.high_watermark IS
  'The offset that the next message in Kafka will get; NULL when the bridge did not know it.';
COMMENT ON COLUMN @extschema@.fintrans_bridge_partitions.halted IS
  'Why the partition waits for a human; NULL when it does not.';
COMMENT ON COLUMN @extschema@.fintrans_bridge_partitions.unanswered IS
  'Whether Kafka did not answer for it.';
COMMENT ON COLUMN @extschema@.fintrans_bridge_partitions.bridge IS
  'Host and process id of the bridge.';

CREATE TABLE @extschema@.fintrans_bridge_minutes (
  minute          timestamptz NOT NULL,
  bridge          text COLLATE "C" NOT NULL,
  messages        bigint NOT NULL,
  dead_letters    bigint NOT NULL,
  batches         bigint NOT NULL,
  storing_seconds double precision NOT NULL,
  latency_seconds double precision NOT NULL,
  retries         bigint NOT NULL,
  partitions      integer NOT NULL,
  halted          integer NOT NULL,
  lag             bigint,
  PRIMARY KEY (minute, bridge)
) WITH (fillfactor = 50);

COMMENT ON TABLE @extschema@.fintrans_bridge_minutes IS
  'What each bridge did in each minute of the past two weeks, for dashboards: fintrans_offsets tells exactly what was stored. Not dumped.';
COMMENT ON COLUMN @extschema@.fintrans_bridge_minutes.minute IS
  'Start of the minute in which it was reported.';
COMMENT ON COLUMN @extschema@.fintrans_bridge_minutes.bridge IS
  'Host and process id of the bridge.';
COMMENT ON COLUMN @extschema@.fintrans_bridge_minutes.messages IS
  'Messages stored, as rows or dead letters.';
COMMENT ON COLUMN @extschema@.fintrans_bridge_minutes.dead_letters IS
  'Those of them that were stored as dead letters.';
COMMENT ON COLUMN @extschema@.fintrans_bridge_minutes.batches IS
  'Batches committed.';
COMMENT ON COLUMN @extschema@.fintrans_bridge_minutes.storing_seconds IS
  'How long they took to store, all together, attempts that failed included.';
COMMENT ON COLUMN @extschema@.fintrans_bridge_minutes.latency_seconds IS
  'Sum over the messages: from a message''s timestamp to the COMMIT that stored it; divided by messages it is the average.';
COMMENT ON COLUMN @extschema@.fintrans_bridge_minutes.retries IS
  'Attempts in the database that failed and were made again.';
COMMENT ON COLUMN @extschema@.fintrans_bridge_minutes.partitions IS
  'Partitions that it had at the end.';
COMMENT ON COLUMN @extschema@.fintrans_bridge_minutes.halted IS
  'Those of them that waited for a human.';
COMMENT ON COLUMN @extschema@.fintrans_bridge_minutes.lag IS
  'Messages of its partitions that Kafka had and the database had not, at the end; NULL when that was not known of any.';
