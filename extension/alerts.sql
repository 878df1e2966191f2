-- Alerts raised, listed, and explained; see alerts.c.

CREATE OR REPLACE FUNCTION @extschema@.fintrans_overlapping_alerts(
  rule text, source_account text, target_account text, account text,
  window_start timestamptz, window_end timestamptz)
RETURNS SETOF @extschema@.fintrans_alerts
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT a.* FROM @extschema@.fintrans_alerts a
   WHERE a.rule = $1 AND a.source_account = $2 AND a.target_account = $3
     AND a.account IS NULL AND a.window_start < $6 AND a.window_end > $5
  UNION ALL
  SELECT a.* FROM @extschema@.fintrans_alerts a
   WHERE a.rule = $1 AND a.account = $4
     AND a.window_start < $6 AND a.window_end > $5;
END;

COMMENT ON FUNCTION @extschema@.fintrans_overlapping_alerts(
  text, text, text, text, timestamptz, timestamptz) IS
  'Internal: the alerts of that rule about the pair or the account whose windows overlap this one.';

-- The caller keeps others from raising alerts about the same subjects.  Plans
-- outlive the size of the table they were made for: without enable_seqscan a
-- session that began with few alerts would read them all for each new one.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_raise_window_alerts(
  rules text[], source_accounts text[], target_accounts text[], accounts text[],
  totals numeric[], transactions bigint[], thresholds numeric[],
  levels smallint[], window_starts timestamptz[], window_ends timestamptz[])
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
  hit    record;
  raised bigint := 0;
BEGIN
  -- arrays that are too short give NULL
  FOR hit IN
    SELECT h.*
      FROM ROWS FROM (unnest(rules), unnest(source_accounts), unnest(target_accounts),
                      unnest(accounts), unnest(totals), unnest(transactions),
                      unnest(thresholds), unnest(levels), unnest(window_starts),
                      unnest(window_ends)) WITH ORDINALITY
           h (rule, source_account, target_account, account, total, transactions,
              threshold, level, window_start, window_end, n)
     WHERE NOT EXISTS (
             SELECT FROM @extschema@.fintrans_overlapping_alerts(
                           h.rule, h.source_account, h.target_account, h.account,
                           h.window_start, h.window_end) a
              WHERE a.level >= h.level)
     ORDER BY h.n
  LOOP
    -- handed to the listeners again
    UPDATE @extschema@.fintrans_alerts a
       SET total = hit.total, transactions = hit.transactions, level = hit.level,
           window_start = least(a.window_start, hit.window_start),
           window_end = greatest(a.window_end, hit.window_end),
           escalated_at = now(), raised_xid = pg_current_xact_id()
      -- of several the first one, whose new start none of the others can have
      FROM (SELECT (array_agg(o.alert_id ORDER BY o.window_start))[1] AS alert_id,
                   max(o.level) AS level
              FROM @extschema@.fintrans_overlapping_alerts(
                     hit.rule, hit.source_account, hit.target_account, hit.account,
                     hit.window_start, hit.window_end) o) o
     WHERE a.alert_id = o.alert_id AND o.level < hit.level;
    IF NOT FOUND THEN
      INSERT INTO @extschema@.fintrans_alerts
             (rule, source_account, target_account, account, total, transactions,
              threshold, level, window_start, window_end)
      SELECT hit.rule, hit.source_account, hit.target_account, hit.account,
             hit.total, hit.transactions, hit.threshold, hit.level,
             hit.window_start, hit.window_end
       WHERE NOT EXISTS (
               SELECT FROM @extschema@.fintrans_overlapping_alerts(
                             hit.rule, hit.source_account, hit.target_account,
                             hit.account, hit.window_start, hit.window_end));
    END IF;
    IF FOUND THEN
      raised := raised + 1;
    END IF;
  END LOOP;
  RETURN raised;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_raise_window_alerts(
  text[], text[], text[], text[], numeric[], bigint[], numeric[], smallint[],
  timestamptz[], timestamptz[]) IS
  'Internal: raises an alert for each window that overlaps none of an earlier alert about the same subject, and escalates those whose value has doubled; returns how many.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_raise_rule_hits(rule text)
RETURNS bigint
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
  SELECT coalesce(sum(s.raised), 0)::bigint
    FROM (SELECT @extschema@.fintrans_raise_window_alerts(
                   array_agg(h.rule), array_agg(h.source_account),
                   array_agg(h.target_account), array_agg(h.account),
                   array_agg(h.value ORDER BY h.window_start),
                   array_agg(h.transactions ORDER BY h.window_start),
                   array_agg(h.threshold),
                   array_agg(h.level ORDER BY h.window_start),
                   array_agg(h.window_start ORDER BY h.window_start),
                   array_agg(h.window_end ORDER BY h.window_start)) AS raised
            FROM @extschema@.fintrans_rule_hits h
           WHERE h.rule = $1
           GROUP BY h.source_account, h.target_account, h.account) s
$$;

COMMENT ON FUNCTION @extschema@.fintrans_raise_rule_hits(text) IS
  'Internal: raises the alerts of a windowed rule on the transactions held, while the rules are locked; returns how many.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_exemption_in_force(
  rule text, source_account text, target_account text, account text)
RETURNS SETOF @extschema@.fintrans_exemptions
LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
  SELECT e.* FROM @extschema@.fintrans_exemptions e
   WHERE e.valid_until > now() AND (e.rule IS NULL OR e.rule = $1)
     AND (e.account = $4
          OR (e.source_account, e.target_account) = ($2, $3))
   ORDER BY e.valid_until DESC, e.exemption_id LIMIT 1;
END;

COMMENT ON FUNCTION @extschema@.fintrans_exemption_in_force(text, text, text, text) IS
  'Internal: the exemption of such an alert that lasts longest, if there is any.';

-- As to the plans see fintrans_raise_window_alerts().
CREATE OR REPLACE FUNCTION @extschema@.fintrans_quiet_exempt_alerts()
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM @extschema@.fintrans_exemptions e
                  WHERE e.valid_until > now()) THEN
    RETURN true;
  END IF;
  UPDATE @extschema@.fintrans_alerts a
     SET quiet_until = e.valid_until, exemption_id = e.exemption_id
    FROM (SELECT r.alert_id, f.valid_until, f.exemption_id
            FROM @extschema@.fintrans_alerts r,
                 @extschema@.fintrans_exemption_in_force(
                   r.rule, r.source_account, r.target_account, r.account) f
           WHERE r.raised_xid = pg_current_xact_id()
             AND coalesce(r.quiet_until <= now(), true)) e
   WHERE a.alert_id = e.alert_id;
  RETURN EXISTS (SELECT FROM @extschema@.fintrans_alerts a
                  WHERE a.raised_xid = pg_current_xact_id()
                    AND NOT coalesce(a.quiet_until > now(), false));
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_quiet_exempt_alerts() IS
  'Internal: makes the alerts of this database transaction quiet that are exempt; returns whether any is not.';

REVOKE EXECUTE ON FUNCTION
  @extschema@.fintrans_raise_window_alerts(
    text[], text[], text[], text[], numeric[], bigint[], numeric[], smallint[],
    timestamptz[], timestamptz[]),
  @extschema@.fintrans_raise_rule_hits(text),
  @extschema@.fintrans_exemption_in_force(text, text, text, text),
  @extschema@.fintrans_quiet_exempt_alerts()
  FROM PUBLIC;

-- What a window that is still in its subject's state holds now.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_window_value(
  state bytea, generation integer, kind text, time_window interval,
  window_start timestamptz)
RETURNS numeric
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN min(e.newest) - 48 >= min(w.first_bucket) THEN NULL
              WHEN kind IN ('pair_total', 'outgoing_total', 'incoming_total')
              THEN sum(e.total)
              WHEN kind IN ('velocity', 'structuring') THEN sum(e.transactions)
              WHEN kind IN ('fan_out', 'fan_in') THEN count(DISTINCT e.key)
              ELSE round(sum(e.total) FILTER (WHERE e.key = 0)
                         / nullif(sum(e.total) FILTER (WHERE e.key = 1), 0), 4) END
    FROM (SELECT floor(extract(epoch FROM window_start)
                       / (extract(epoch FROM time_window) / 24))::bigint
                   AS first_bucket) w
    JOIN @extschema@.fintrans_window_entries(state) e
      ON e.generation = fintrans_window_value.generation
     AND e.bucket BETWEEN w.first_bucket AND w.first_bucket + 23;
END;

COMMENT ON FUNCTION @extschema@.fintrans_window_value(
  bytea, integer, text, interval, timestamptz) IS
  'Internal: value of a rule''s window that begins then, from the state; NULL when the state no longer has all of it.';

CREATE OR REPLACE VIEW @extschema@.fintrans_alert_list AS
  SELECT a.alert_id, a.rule, r.kind, a.source_account, a.target_account, a.account,
         a.window_start, a.window_end, a.threshold, a.total AS raised_total,
         v.total, c.level, a.state, coalesce(a.quiet_until > now(), false) AS quiet,
         a.quiet_until, a.exemption_id, a.assigned_to,
         coalesce(a.state IN ('confirmed', 'dismissed') AND c.level > d.level, false)
           AS escalated,
         a.raised_at, a.escalated_at, d.reviewed_by, d.reviewed_at
    FROM @extschema@.fintrans_alerts a
    LEFT JOIN @extschema@.fintrans_rules r ON r.name = a.rule
    LEFT JOIN @extschema@.fintrans_laundering l
      ON (l.source_account, l.target_account) = (a.source_account, a.target_account)
    LEFT JOIN @extschema@.fintrans_accounts w ON w.account = a.account
   CROSS JOIN LATERAL (
      SELECT CASE WHEN a.window_start IS NULL THEN coalesce(l.total, 0)
                  ELSE coalesce(@extschema@.fintrans_window_value(
                                  coalesce(@extschema@.fintrans_windows_changed(
                                             w.windows, w.changes), l.windows), r.generation,
                                  r.kind, r.time_window,
                                  to_timestamp(extract(epoch FROM a.window_end)
                                               - extract(epoch FROM r.time_window))),
                                a.total) END AS total) v
   CROSS JOIN LATERAL (
      SELECT CASE WHEN a.window_start IS NOT NULL OR a.threshold = 0
                       OR v.total <= a.threshold THEN a.level
                  ELSE least(ceil(log(2, v.total / a.threshold)) - 1, 100)::smallint END AS level) c
    LEFT JOIN LATERAL (
      SELECT d.level, d.reviewed_by, d.reviewed_at
        FROM @extschema@.fintrans_reviews d
       WHERE d.alert_id = a.alert_id
         AND d.decision IN ('reviewing', 'confirmed', 'dismissed')
       ORDER BY d.review_id DESC LIMIT 1) d ON true;

COMMENT ON VIEW @extschema@.fintrans_alert_list IS
  'Alerts as they stand now: total is the value as it is now, of the window that ends with window_end (when that has passed: as it last escalated), level how often it has doubled since the threshold, quiet whether nobody is to be bothered, escalated whether it rose a level since it was decided.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_evidence(
  alert_id bigint, "limit" bigint DEFAULT NULL)
RETURNS SETOF @extschema@.fintrans_transactions
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  alert @extschema@.fintrans_alerts;
  rule  @extschema@.fintrans_rules;
BEGIN
  IF "limit" <= 0 THEN
    RAISE EXCEPTION 'limit must be positive'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT a.* INTO alert FROM @extschema@.fintrans_alerts a WHERE a.alert_id = $1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no alert %', coalesce($1::text, 'NULL')
      USING ERRCODE = 'no_data_found';
  END IF;
  SELECT r.* INTO rule FROM @extschema@.fintrans_rules r WHERE r.name = alert.rule;
  IF alert.account IS NULL THEN
    RETURN QUERY
      SELECT t.* FROM @extschema@.fintrans_transactions t
       WHERE (t.source_account, t.target_account)
             = (alert.source_account, alert.target_account)
         AND t.event_time >= coalesce(alert.window_start, '-infinity')
         AND t.event_time < coalesce(alert.window_end, 'infinity')
       ORDER BY t.event_time, t.kafka_partition, t.kafka_offset
       LIMIT "limit";
    RETURN;
  END IF;
  RETURN QUERY
    SELECT t.* FROM @extschema@.fintrans_transactions t
     WHERE (t.source_account = alert.account
            AND rule.kind IS DISTINCT FROM 'incoming_total'
            AND rule.kind IS DISTINCT FROM 'fan_in'
            OR t.target_account = alert.account
               AND (rule.kind IN ('incoming_total', 'fan_in', 'pass_through')
                    OR rule.kind IS NULL))
       AND (rule.kind IS DISTINCT FROM 'structuring'
            OR t.amount >= rule.amount_from AND t.amount < rule.amount_below)
       AND (rule.kind IS NULL OR rule.kind NOT IN ('fan_out', 'fan_in', 'pass_through')
            OR t.source_account <> t.target_account)
       AND t.event_time >= alert.window_start AND t.event_time < alert.window_end
     ORDER BY t.event_time, t.kafka_partition, t.kafka_offset
     LIMIT "limit";
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_evidence(bigint, bigint) IS
  'The transactions behind an alert that are held, by event time: those that its rule counts in its window, or all of the pair''s. Of a rule that is gone: all of the account''s in the window. The first ones only when there is a limit.';
