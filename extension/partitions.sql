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
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %I.%I
      FOR VALUES FROM (%L) TO (%L)', parent, namespace, leaf, day, day + '1 day');
    -- not before: PostgreSQL 16.2 attaches no table that has such triggers
    PERFORM @extschema@.fintrans_add_triggers(format('%I.%I', namespace, leaf)::regclass);
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
