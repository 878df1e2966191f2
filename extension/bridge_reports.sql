-- What bridges tell of themselves, for dashboards that know only SQL.

CREATE OR REPLACE VIEW @extschema@.fintrans_partition_status AS
  SELECT topic, kafka_partition, o.next_offset, p.high_watermark,
         CASE WHEN p.high_watermark < o.next_offset THEN 0
              ELSE p.high_watermark - o.next_offset END AS lag,
         o.updated_at AS moved_at, p.halted, p.unanswered, p.bridge, p.reported_at
    FROM @extschema@.fintrans_offsets o
    FULL JOIN @extschema@.fintrans_bridge_partitions p USING (topic, kafka_partition);

COMMENT ON VIEW @extschema@.fintrans_partition_status IS
  'Each Kafka partition: how far it has been loaded, how far it could be, and how it stands by the latest report of a bridge; lag is the number of messages in between, as of the report, NULL when nobody told.';

-- Partitions in the order of their key, as every other bridge takes them.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_report_bridge(
  bridge text, topics text[], kafka_partitions integer[], high_watermarks bigint[],
  halted text[], unanswered boolean[], messages bigint, dead_letters bigint,
  batches bigint, storing_seconds double precision, latency_seconds double precision,
  retries bigint)
RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO @extschema@.fintrans_bridge_partitions AS b
         (topic, kafka_partition, high_watermark, halted, unanswered, bridge, reported_at)
  SELECT p.topic, p.kafka_partition, p.high_watermark, p.halted, p.unanswered,
         fintrans_report_bridge.bridge, now()
    FROM unnest(topics, kafka_partitions, high_watermarks,
                fintrans_report_bridge.halted, fintrans_report_bridge.unanswered)
         p (topic, kafka_partition, high_watermark, halted, unanswered)
   ORDER BY p.topic COLLATE "C", p.kafka_partition
      ON CONFLICT (topic, kafka_partition) DO UPDATE
     SET high_watermark = excluded.high_watermark, halted = excluded.halted,
         unanswered = excluded.unanswered, bridge = excluded.bridge,
         reported_at = excluded.reported_at;
  INSERT INTO @extschema@.fintrans_bridge_minutes AS m
         (minute, bridge, messages, dead_letters, batches, storing_seconds,
          latency_seconds, retries, partitions, halted, lag)
  SELECT date_trunc('minute', now(), 'UTC'), fintrans_report_bridge.bridge,
         fintrans_report_bridge.messages, fintrans_report_bridge.dead_letters,
         fintrans_report_bridge.batches, fintrans_report_bridge.storing_seconds,
         fintrans_report_bridge.latency_seconds, fintrans_report_bridge.retries,
         count(p.topic), count(p.halted), sum(s.lag)
    FROM unnest(topics, kafka_partitions, fintrans_report_bridge.halted)
         p (topic, kafka_partition, halted)
    LEFT JOIN @extschema@.fintrans_partition_status s
      ON s.topic = p.topic AND s.kafka_partition = p.kafka_partition
      ON CONFLICT (minute, bridge) DO UPDATE
     SET messages = m.messages + excluded.messages,
         dead_letters = m.dead_letters + excluded.dead_letters,
         batches = m.batches + excluded.batches,
         storing_seconds = m.storing_seconds + excluded.storing_seconds,
         latency_seconds = m.latency_seconds + excluded.latency_seconds,
         retries = m.retries + excluded.retries,
         partitions = excluded.partitions, halted = excluded.halted, lag = excluded.lag;
  DELETE FROM @extschema@.fintrans_bridge_minutes m
   WHERE m.minute < now() - interval '14 days';
  DELETE FROM @extschema@.fintrans_bridge_partitions b
   WHERE b.reported_at < now() - interval '14 days';
END;

COMMENT ON FUNCTION @extschema@.fintrans_report_bridge(
  text, text[], integer[], bigint[], text[], boolean[], bigint, bigint, bigint,
  double precision, double precision, bigint) IS
  'Internal: a bridge tells how its partitions stand, and what it has done since it last told.';

REVOKE EXECUTE ON FUNCTION @extschema@.fintrans_report_bridge(
  text, text[], integer[], bigint[], text[], boolean[], bigint, bigint, bigint,
  double precision, double precision, bigint) FROM PUBLIC;
