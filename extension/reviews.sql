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
