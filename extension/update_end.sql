-- What an update does last.  It cannot give roles what is new: pg_dump would
-- take privileges given here for the extension's own, and leave them out.
DO $$
DECLARE
  statements text;
BEGIN
  SELECT string_agg(format('SELECT %s.fintrans_grant(%L, %L);',
                           '@extschema@', h.grantee::regrole, h.ability),
                    E'\n' ORDER BY h.grantee::regrole::text, h.ability)
    INTO statements
    FROM (SELECT m.ability, a.grantee
            FROM (VALUES ('reader', '@extschema@.fintrans_volume', 'SELECT'),
                         ('writer', '@extschema@.fintrans_offsets', 'INSERT'),
                         ('keeper', '@extschema@.fintrans_replayed_letters', 'SELECT'))
                 m (ability, relation, privilege)
            JOIN pg_class c ON c.oid = m.relation::regclass
           CROSS JOIN aclexplode(c.relacl) a
           WHERE a.privilege_type = m.privilege AND a.grantee NOT IN (0, c.relowner)
          UNION
          SELECT 'operator', a.grantee
            FROM pg_proc p
           CROSS JOIN aclexplode(p.proacl) a
           WHERE p.oid = '@extschema@.fintrans_review(bigint, text, text)'::regprocedure
             AND a.grantee NOT IN (0, p.proowner)) h;
  IF statements IS NOT NULL THEN
    RAISE WARNING 'roles keep the abilities they have, but without what is new'
      USING HINT = concat('To give it to them:', E'\n', statements);
  END IF;
END
$$;
