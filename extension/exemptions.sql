-- Exemptions: known-good traffic whose alerts are raised quiet.

CREATE OR REPLACE FUNCTION @extschema@.fintrans_exempt(
  reason text, valid_until timestamptz, account text DEFAULT NULL,
  source_account text DEFAULT NULL, target_account text DEFAULT NULL,
  rule text DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  made bigint;
BEGIN
  -- a CHECK that fails would put accounts and reason into the server's log
  IF coalesce($1, '') = '' THEN
    RAISE EXCEPTION 'an exemption needs a reason'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF NOT coalesce($2 > now(), false) THEN
    RAISE EXCEPTION 'an exemption cannot end at %', coalesce($2::text, 'NULL')
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'It must be a time in the future.';
  END IF;
  IF num_nulls($4, $5) = 1 OR num_nulls($3, $4) <> 1 THEN
    RAISE EXCEPTION 'an exemption is about an account, or about a source and a target account'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF $6 IS NOT NULL AND NOT EXISTS (SELECT FROM @extschema@.fintrans_rules r
                                     WHERE r.name = $6) THEN
    RAISE EXCEPTION 'there is no rule "%"', $6 USING ERRCODE = 'no_data_found';
  END IF;
  INSERT INTO @extschema@.fintrans_exemptions
         (rule, source_account, target_account, account, valid_until, reason)
  VALUES ($6, $4, $5, $3, $2, $1)
  RETURNING exemption_id INTO made;
  UPDATE @extschema@.fintrans_alerts a SET quiet_until = $2, exemption_id = made
   WHERE a.state = 'open' AND coalesce(a.quiet_until < $2, true)
     AND ($6 IS NULL OR a.rule = $6)
     AND (a.account = $3 OR (a.source_account, a.target_account) = ($4, $5));
  RETURN made;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_exempt(
  text, timestamptz, text, text, text, text) IS
  'Makes alerts quiet until valid_until, new ones and open ones: about the account, or about the pair of source_account and target_account; of one rule, or of all. Notes who did it and why; returns the exemption''s id. When it ends, those raised meanwhile are as any other.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_end_exemption(exemption_id bigint)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM @extschema@.fintrans_require_read_committed();
  -- as by a change of the rules: the batches in flight still see it in force
  UPDATE @extschema@.fintrans_rules SET enabled = enabled WHERE false;
  UPDATE @extschema@.fintrans_exemptions e SET valid_until = now()
   WHERE e.exemption_id = $1 AND e.valid_until > now();
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no exemption % in force', coalesce($1::text, 'NULL')
      USING ERRCODE = 'no_data_found';
  END IF;
  UPDATE @extschema@.fintrans_alerts a
     SET quiet_until = coalesce(o.valid_until, now()),
         exemption_id = coalesce(o.exemption_id, a.exemption_id)
    FROM (SELECT q.alert_id, f.valid_until, f.exemption_id
            FROM @extschema@.fintrans_alerts q
            LEFT JOIN LATERAL @extschema@.fintrans_exemption_in_force(
                        q.rule, q.source_account, q.target_account, q.account) f
                   ON true
           WHERE q.exemption_id = $1 AND q.quiet_until > now()) o
   WHERE a.alert_id = o.alert_id;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_end_exemption(bigint) IS
  'Ends an exemption now; the alerts raised under it are quiet no more, unless another exemption covers them. Waits for the batches in flight.';

REVOKE EXECUTE ON FUNCTION
  @extschema@.fintrans_exempt(text, timestamptz, text, text, text, text),
  @extschema@.fintrans_end_exemption(bigint)
  FROM PUBLIC;
