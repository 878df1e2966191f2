-- Reviews: what people decide about alerts, kept for good.

CREATE OR REPLACE FUNCTION @extschema@.fintrans_record_review(
  alert_id bigint, decision text, note text)
RETURNS void
LANGUAGE sql
BEGIN ATOMIC
  INSERT INTO @extschema@.fintrans_reviews
         (alert_id, decision, note, level, quiet_until, assigned_to)
  SELECT a.alert_id, $2, $3, a.level,
         CASE WHEN $2 = 'snoozed' THEN a.quiet_until END,
         CASE WHEN $2 = 'assigned' THEN a.assigned_to END
    FROM @extschema@.fintrans_alert_list a
   WHERE a.alert_id = $1;
END;

COMMENT ON FUNCTION @extschema@.fintrans_record_review(bigint, text, text) IS
  'Internal: notes what was done about an alert.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_lock_alert(alert_id bigint)
RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  state text;
BEGIN
  SELECT a.state INTO state FROM @extschema@.fintrans_alerts a
   WHERE a.alert_id = $1 FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no alert %', coalesce($1::text, 'NULL')
      USING ERRCODE = 'no_data_found';
  END IF;
  RETURN state;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_lock_alert(bigint) IS
  'Internal: keeps others from changing the alert until the database transaction ends; returns its state.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_review(
  alert_id bigint, decision text, note text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  state text;
BEGIN
  -- a CHECK that fails would put the note into the server's log
  IF coalesce($2, '') NOT IN ('reviewing', 'confirmed', 'dismissed') THEN
    RAISE EXCEPTION 'no decision "%"', coalesce($2, 'NULL')
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Decisions are reviewing, confirmed and dismissed.';
  END IF;
  state := @extschema@.fintrans_lock_alert($1);
  IF $2 <> 'reviewing' AND state <> 'reviewing' THEN
    RAISE EXCEPTION 'alert % is %, and not being reviewed', $1, state
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = format('SELECT fintrans_review(%s, ''reviewing'') begins a review.', $1);
  END IF;
  IF $2 <> 'reviewing'
     AND EXISTS (SELECT FROM @extschema@.fintrans_settings s
                  WHERE (s.name, s.value) = ('separate_duties', 'on'))
     AND session_user = (SELECT r.reviewed_by FROM @extschema@.fintrans_reviews r
                          WHERE r.alert_id = $1 AND r.decision = 'reviewing'
                          ORDER BY r.review_id DESC LIMIT 1) THEN
    RAISE EXCEPTION 'alert % must be decided by somebody else than who reviews it', $1
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  UPDATE @extschema@.fintrans_alerts a SET state = $2 WHERE a.alert_id = $1;
  PERFORM @extschema@.fintrans_record_review($1, $2, $3);
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_review(bigint, text, text) IS
  'Decides about an alert: reviewing begins a review, or begins it again; confirmed and dismissed end one. Records who did that, when, why, and at what level of the alert. With the setting separate_duties on, who began a review cannot end it.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_assign(
  alert_id bigint, assignee text, note text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM @extschema@.fintrans_lock_alert($1);
  UPDATE @extschema@.fintrans_alerts a SET assigned_to = $2 WHERE a.alert_id = $1;
  PERFORM @extschema@.fintrans_record_review($1, 'assigned', $3);
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_assign(bigint, text, text) IS
  'Says who is to look at an alert; NULL for nobody. Any name will do.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_snooze(
  alert_id bigint, quiet_until timestamptz, note text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF $2 IS NULL OR NOT isfinite($2) THEN
    RAISE EXCEPTION 'an alert cannot be quiet until %', coalesce($2::text, 'NULL')
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'It must be a time; one in the past ends the quiet.';
  END IF;
  PERFORM @extschema@.fintrans_lock_alert($1);
  UPDATE @extschema@.fintrans_alerts a SET quiet_until = $2 WHERE a.alert_id = $1;
  PERFORM @extschema@.fintrans_record_review($1, 'snoozed', $3);
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_snooze(bigint, timestamptz, text) IS
  'Makes an alert quiet until then; a time in the past ends that.';

REVOKE EXECUTE ON FUNCTION
  @extschema@.fintrans_record_review(bigint, text, text),
  @extschema@.fintrans_lock_alert(bigint),
  @extschema@.fintrans_review(bigint, text, text),
  @extschema@.fintrans_assign(bigint, text, text),
  @extschema@.fintrans_snooze(bigint, timestamptz, text)
  FROM PUBLIC;
