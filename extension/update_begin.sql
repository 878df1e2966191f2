-- What an update does first: it lets the writers end and holds up new ones, in
-- the order in which they lock, so that it waits once and deadlocks with none.
-- Readers have no such order: one that reads several tables in one transaction
-- may make it fail, which leaves all as it was.
LOCK TABLE @extschema@.fintrans_retention IN EXCLUSIVE MODE;
-- at once as ALTER TABLE wants it: a bridge that moves positions has the table
-- locked to read before it waits to write, and would not let go of that
LOCK TABLE @extschema@.fintrans_offsets IN ACCESS EXCLUSIVE MODE;
LOCK TABLE @extschema@.fintrans_rules,
           @extschema@.fintrans_transactions,
           @extschema@.fintrans_alerts,
           @extschema@.fintrans_reviews
  IN SHARE ROW EXCLUSIVE MODE;

-- what is new belongs to the owner of the extension, whoever updates it
SELECT pg_catalog.set_config('role', r.rolname, true)
  FROM pg_catalog.pg_extension e
  JOIN pg_catalog.pg_roles r ON r.oid = e.extowner
 WHERE e.extname = 'fintrans' AND r.rolsuper;
