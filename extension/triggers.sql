-- The triggers of fintrans_transactions and its partitions; see fintrans.c.

CREATE OR REPLACE FUNCTION @extschema@.fintrans_transactions_changed()
RETURNS trigger
AS 'MODULE_PATHNAME', 'fintrans_transactions_changed'
LANGUAGE C SECURITY DEFINER SET search_path = pg_catalog, pg_temp
-- compiling a plan over hundreds of partitions takes many seconds
SET jit = off;

COMMENT ON FUNCTION @extschema@.fintrans_transactions_changed() IS
  'Statement trigger: carries the rows of one INSERT, COPY, UPDATE or DELETE into totals, volume and alerts.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_transactions_truncated()
RETURNS trigger
AS 'MODULE_PATHNAME', 'fintrans_transactions_truncated'
LANGUAGE C SET search_path = pg_catalog, pg_temp;

COMMENT ON FUNCTION @extschema@.fintrans_transactions_truncated() IS
  'Statement trigger: refuses TRUNCATE, which would leave totals without rows.';

REVOKE EXECUTE ON FUNCTION @extschema@.fintrans_transactions_changed(),
                           @extschema@.fintrans_transactions_truncated()
  FROM PUBLIC;

-- The four triggers of the parent and of each leaf.  Of those exactly the ones
-- of the table named in a statement fire.
CREATE OR REPLACE FUNCTION @extschema@.fintrans_triggers()
RETURNS TABLE (name name, event text, function regprocedure)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT t.name::name, t.event, t.function
    FROM (VALUES
      ('fintrans_inserted', 'AFTER INSERT ON %s REFERENCING NEW TABLE AS new_rows',
       '@extschema@.fintrans_transactions_changed()'::regprocedure),
      ('fintrans_updated', 'AFTER UPDATE ON %s REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows',
       '@extschema@.fintrans_transactions_changed()'),
      ('fintrans_deleted', 'AFTER DELETE ON %s REFERENCING OLD TABLE AS old_rows',
       '@extschema@.fintrans_transactions_changed()'),
      ('fintrans_truncated', 'BEFORE TRUNCATE ON %s',
       '@extschema@.fintrans_transactions_truncated()'))
      t (name, event, function);
END;

COMMENT ON FUNCTION @extschema@.fintrans_triggers() IS
  'Internal: the triggers that fintrans_transactions and its partitions have.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_add_triggers(target regclass)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  missing record;
BEGIN
  FOR missing IN
    SELECT n.name, format(n.event, target) AS event, n.function
      FROM @extschema@.fintrans_triggers() n
     WHERE NOT EXISTS (SELECT FROM pg_trigger t
                        WHERE t.tgrelid = target AND t.tgname = n.name)
  LOOP
    EXECUTE 'CREATE TRIGGER ' || missing.name || ' ' || missing.event
            || ' FOR EACH STATEMENT EXECUTE FUNCTION ' || missing.function;
  END LOOP;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_add_triggers(regclass) IS
  'Internal: puts the triggers it lacks on a table that is, or is about to become, a partition of fintrans_transactions.';

REVOKE EXECUTE ON FUNCTION @extschema@.fintrans_add_triggers(regclass) FROM PUBLIC;
