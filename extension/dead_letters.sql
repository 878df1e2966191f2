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
                                   '0001-01-01 00:00+00') AS day
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

-- Offsets are locked before letters, and in the order in which bridges lock
-- them; letters of no others are deleted, though some may have come meanwhile.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_purge_batch(
  before timestamptz, most integer, OUT purged bigint, OUT more boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  topics     text[];
  partitions integer[];
  offsets    bigint[];
  forgotten  bigint;
BEGIN
  SELECT array_agg(d.topic), array_agg(d.kafka_partition), array_agg(d.kafka_offset)
    INTO topics, partitions, offsets
    FROM (SELECT l.topic, l.kafka_partition, l.kafka_offset
            FROM @extschema@.fintrans_dead_letters l
           WHERE l.rejected_at < before ORDER BY l.rejected_at LIMIT most) d;
  PERFORM FROM @extschema@.fintrans_offsets o
    WHERE (o.topic, o.kafka_partition) IN (
            SELECT k.topic, k.kafka_partition
              FROM unnest(topics, partitions) k (topic, kafka_partition))
    ORDER BY o.topic, o.kafka_partition
      FOR UPDATE;
  WITH letters AS (
    DELETE FROM @extschema@.fintrans_dead_letters d
     USING unnest(topics, partitions, offsets) k (topic, kafka_partition, kafka_offset)
     WHERE (d.topic, d.kafka_partition, d.kafka_offset)
           = (k.topic, k.kafka_partition, k.kafka_offset)
       AND d.rejected_at < before
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
  DELETE FROM @extschema@.fintrans_replayed_letters d
   WHERE d.ctid = ANY (ARRAY(
           SELECT r.ctid FROM @extschema@.fintrans_replayed_letters r
            WHERE r.rejected_at < before ORDER BY r.rejected_at LIMIT most))
     AND d.rejected_at < before;
  GET DIAGNOSTICS forgotten = ROW_COUNT;
  -- letters that a trigger of somebody's keeps are found again each time
  more := (cardinality(offsets) = most AND purged > 0) OR forgotten = most;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_purge_batch(timestamptz, integer) IS
  'Internal, step of fintrans_purge_before(): deletes so many of the oldest dead letters rejected before that time, and of replayed ones, or all with NULL, counts the offsets of those not replayed as purged, and tells whether there may be more.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_purge_dead_letters(before timestamptz)
RETURNS bigint
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT b.purged
    FROM @extschema@.fintrans_purge_batch(fintrans_purge_dead_letters.before, NULL) b;
END;

COMMENT ON FUNCTION @extschema@.fintrans_purge_dead_letters(timestamptz) IS
  'Deletes the dead letters rejected before that time, replayed ones too, counts the offsets of those not replayed as purged, and returns how many. All at once, so that bridges wait for it: fintrans_purge_before() does not hold them up.';

REVOKE EXECUTE ON FUNCTION
  @extschema@.fintrans_replay_dead_letters(@extschema@.fintrans_transactions[]),
  @extschema@.fintrans_replay_dead_letter(text, integer, bigint, text, timestamptz),
  @extschema@.fintrans_purge_dead_letters(timestamptz),
  @extschema@.fintrans_purge_batch(timestamptz, integer)
  FROM PUBLIC;

-- No SET and no SECURITY DEFINER, or it could not commit: hence no operator,
-- function or type that the caller's search_path could decide about.
CREATE OR REPLACE PROCEDURE @extschema@.fintrans_purge_before(
  before timestamptz, INOUT purged bigint DEFAULT 0)
LANGUAGE plpgsql
AS $$
DECLARE
  batch pg_catalog.int8;
  more  pg_catalog.bool;
BEGIN
  purged := 0;
  LOOP
    SELECT b.purged, b.more INTO batch, more
      FROM @extschema@.fintrans_purge_batch(before, 5000) b;
    COMMIT;
    purged := purged OPERATOR(pg_catalog.+) batch;
    EXIT WHEN more IS NOT TRUE;
  END LOOP;
END
$$;

COMMENT ON PROCEDURE @extschema@.fintrans_purge_before(timestamptz, bigint) IS
  'Does what fintrans_purge_dead_letters() does in many short database transactions, while others read and write; purged tells how many dead letters are gone that were not replayed.';

REVOKE EXECUTE ON PROCEDURE @extschema@.fintrans_purge_before(timestamptz, bigint)
  FROM PUBLIC;
