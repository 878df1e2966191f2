-- The abilities that roles can be given, and whether they have them.

CREATE OR REPLACE FUNCTION @extschema@.fintrans_abilities()
RETURNS TABLE (ability text, privilege text, object text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH place AS (
    SELECT quote_ident(n.nspname) AS namespace
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = '@extschema@.fintrans_transactions'::regclass)
  SELECT p.ability, p.privilege, format(p.object, place.namespace)
    FROM place, (VALUES
        ('reader', 'SELECT', '%s.fintrans_transactions'),
        ('reader', 'SELECT', '%s.fintrans_laundering'),
        ('reader', 'SELECT', '%s.fintrans_magnitudes'),
        ('reader', 'SELECT', '%s.fintrans_volume'),
        ('reader', 'SELECT', '%s.fintrans_volume_rollup'),
        ('reader', 'SELECT', '%s.fintrans_volumes'),
        ('reader', 'SELECT', '%s.fintrans_offsets'),
        ('reader', 'SELECT', '%s.fintrans_rules'),
        ('reader', 'SELECT', '%s.fintrans_alerts'),
        ('reader', 'SELECT', '%s.fintrans_reviews'),
        ('reader', 'SELECT', '%s.fintrans_alert_list'),
        ('reader', 'SELECT', '%s.fintrans_exemptions'),
        ('reader', 'SELECT', '%s.fintrans_accounts'),
        ('reader', 'SELECT', '%s.fintrans_settings'),
        ('reader', 'SELECT', '%s.fintrans_retention'),
        ('reader', 'SELECT', '%s.fintrans_dead_letter_counts'),
        ('reader', 'SELECT', '%s.fintrans_bridge_partitions'),
        ('reader', 'SELECT', '%s.fintrans_bridge_minutes'),
        ('reader', 'SELECT', '%s.fintrans_partition_status'),
        ('reader', 'EXECUTE', 'FUNCTION %s.fintrans_verify()'),
        ('writer', 'INSERT', '%s.fintrans_transactions'),
        ('writer', 'INSERT, SELECT (topic, kafka_partition, kafka_offset, reason, rejected_at)', '%s.fintrans_dead_letters'),
        ('writer', 'SELECT, INSERT, UPDATE', '%s.fintrans_offsets'),
        ('writer', 'SELECT, INSERT', '%s.fintrans_settings'),
        ('writer', 'EXECUTE',
         'FUNCTION %s.fintrans_ensure_partitions(timestamptz, timestamptz)'),
        ('writer', 'EXECUTE', 'FUNCTION %s.fintrans_report_bridge(text, text[], integer[], bigint[], text[], boolean[], bigint, bigint, bigint, double precision, double precision, bigint)'),
        ('writer', 'EXECUTE', 'FUNCTION %s.fintrans_make_index(regclass, text)'),
        ('writer', 'EXECUTE', 'PROCEDURE %s.fintrans_index_partitions(timestamptz, bigint)'),
        ('keeper', 'EXECUTE', 'FUNCTION %s.fintrans_retire(timestamptz)'),
        ('keeper', 'EXECUTE', 'FUNCTION %s.fintrans_retired_leaf(timestamptz)'),
        ('keeper', 'EXECUTE', 'FUNCTION %s.fintrans_empty_retired_leaf(timestamptz, text, bigint)'),
        ('keeper', 'EXECUTE', 'FUNCTION %s.fintrans_drop_retired_leaf(timestamptz, text)'),
        ('keeper', 'EXECUTE', 'PROCEDURE %s.fintrans_drop_before(timestamptz, bigint)'),
        ('keeper', 'SELECT', '%s.fintrans_dead_letters'),
        ('keeper', 'SELECT', '%s.fintrans_dead_letter_counts'),
        ('keeper', 'EXECUTE', 'FUNCTION %s.fintrans_verify()'),
        ('keeper', 'SELECT', '%s.fintrans_replayed_letters'),
        ('keeper', 'SELECT', '%s.fintrans_settings'),
        ('keeper', 'EXECUTE', 'FUNCTION %1$s.fintrans_replay_dead_letters(%1$s.fintrans_transactions[])'),
        ('keeper', 'EXECUTE', 'FUNCTION %s.fintrans_replay_dead_letter(text, integer, bigint, text, timestamptz)'),
        ('keeper', 'EXECUTE', 'FUNCTION %s.fintrans_purge_dead_letters(timestamptz)'),
        ('keeper', 'EXECUTE', 'FUNCTION %s.fintrans_purge_batch(timestamptz, integer)'),
        ('keeper', 'EXECUTE', 'PROCEDURE %s.fintrans_purge_before(timestamptz, bigint)'),
        ('operator', 'SELECT, INSERT (name, kind, threshold, enabled, time_window, amount_from, amount_below), UPDATE (name, kind, threshold, enabled, time_window, amount_from, amount_below)',
         '%s.fintrans_rules'),
        ('operator', 'SELECT', '%s.fintrans_alert_list'),
        ('operator', 'SELECT', '%s.fintrans_exemptions'),
        ('operator', 'EXECUTE', 'FUNCTION %s.fintrans_assign(bigint, text, text)'),
        ('operator', 'EXECUTE', 'FUNCTION %s.fintrans_snooze(bigint, timestamptz, text)'),
        ('operator', 'EXECUTE', 'FUNCTION %s.fintrans_exempt(text, timestamptz, text, text, text, text)'),
        ('operator', 'EXECUTE', 'FUNCTION %s.fintrans_end_exemption(bigint)'),
        ('operator', 'SELECT', '%s.fintrans_alerts'),
        ('operator', 'SELECT', '%s.fintrans_reviews'),
        ('operator', 'EXECUTE', 'FUNCTION %s.fintrans_review(bigint, text, text)'))
         p (ability, privilege, object)
   UNION ALL
  SELECT a.ability, 'USAGE', 'SCHEMA ' || place.namespace
    FROM place, (VALUES ('reader'), ('writer'), ('keeper'), ('operator')) a (ability)
$$;

COMMENT ON FUNCTION @extschema@.fintrans_abilities() IS
  'Internal: the privileges that each ability consists of, but for those on partitions.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_missing_privileges(
  grantee regrole, ability text)
RETURNS TABLE (privilege text, object text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM @extschema@.fintrans_abilities() a
                  WHERE a.ability = fintrans_missing_privileges.ability) THEN
    RAISE EXCEPTION 'no ability "%"', ability
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Abilities are reader, writer, keeper and operator.';
  END IF;
  RETURN QUERY
  WITH wanted AS (
    SELECT item[1] AS kind, item[2] AS columns, a.object,
           split_part(a.object, ' ', 1) AS class,
           substr(a.object, position(' ' IN a.object) + 1) AS name
      FROM @extschema@.fintrans_abilities() a
     CROSS JOIN regexp_matches(a.privilege, '([A-Z]+)(?: \(([^)]*)\))?', 'g') item
     WHERE a.ability = fintrans_missing_privileges.ability
     UNION ALL
    SELECT 'INSERT', NULL, r.relation::text, NULL, NULL
      FROM @extschema@.fintrans_relations() r
     WHERE r.is_leaf AND fintrans_missing_privileges.ability = 'writer')
  SELECT w.kind || coalesce(' (' || w.columns || ')', ''), w.object
    FROM wanted w
   WHERE NOT CASE
           WHEN w.class = 'SCHEMA'
           THEN has_schema_privilege(grantee, to_regnamespace(w.name)::oid, w.kind)
           WHEN w.class IN ('FUNCTION', 'PROCEDURE')
           THEN has_function_privilege(grantee, to_regprocedure(w.name)::oid, w.kind)
           WHEN w.columns IS NOT NULL
           THEN (SELECT bool_and(has_column_privilege(grantee, to_regclass(w.object)::oid,
                                                      c.name, w.kind))
                   FROM regexp_split_to_table(w.columns, ', ') c (name))
           ELSE has_table_privilege(grantee, to_regclass(w.object)::oid, w.kind)
         END
   ORDER BY w.object, w.kind;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_missing_privileges(regrole, text) IS
  'The privileges that a role lacks for an ability; no rows when it has it.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_grant(grantee regrole, ability text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  privilege text;
  object    text;
  known     boolean := false;
BEGIN
  FOR privilege, object IN
    SELECT a.privilege, a.object
      FROM @extschema@.fintrans_abilities() a
     WHERE a.ability = fintrans_grant.ability
  LOOP
    EXECUTE format('GRANT %s ON %s TO %s', privilege, object, grantee);
    known := true;
  END LOOP;
  IF NOT known THEN
    RAISE EXCEPTION 'no ability "%"', ability
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Abilities are reader, writer, keeper and operator.';
  END IF;
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
