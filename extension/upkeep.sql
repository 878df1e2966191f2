-- What retention and rebuilds have in common: one at a time, with the newest snapshot.

CREATE OR REPLACE FUNCTION @extschema@.fintrans_require_read_committed()
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- an older snapshot would not see what others have committed meanwhile
  IF current_setting('transaction_isolation')
     NOT IN ('read committed', 'read uncommitted') THEN
    RAISE EXCEPTION 'this can be done at isolation level READ COMMITTED only'
      USING ERRCODE = 'invalid_transaction_state';
  END IF;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_require_read_committed() IS
  'Internal: refuses to go on with a snapshot that is older than the statement.';

CREATE OR REPLACE FUNCTION @extschema@.fintrans_begin_upkeep()
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM @extschema@.fintrans_require_read_committed();
  -- one at a time, and before any lock that others may wait for
  LOCK TABLE @extschema@.fintrans_retention IN EXCLUSIVE MODE;
END
$$;

COMMENT ON FUNCTION @extschema@.fintrans_begin_upkeep() IS
  'Internal: keeps steps of retention and rebuilds apart until the end of the database transaction.';
