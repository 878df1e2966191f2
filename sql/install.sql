-- The extension installs, every object it makes carries a comment, and none
-- is open to search_path tricks.
CREATE EXTENSION fintrans;
-- no output: nothing lacks a comment
SELECT pg_describe_object(d.classid, d.objid, 0) AS without_comment
  FROM pg_depend d
  JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
 WHERE e.extname = 'fintrans' AND d.deptype = 'e'
   AND d.classid IN ('pg_class'::regclass, 'pg_proc'::regclass)
   AND obj_description(d.objid, d.classid::regclass::name) IS NULL
   AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = d.objid AND c.relkind IN ('i', 'S'))
 ORDER BY 1;
-- no output: pg_dump carries all that the tables and sequences hold, but for
-- fintrans_transactions, whose rows are in partitions that are no members, and
-- what bridges tell of themselves
SELECT c.oid::regclass AS not_dumped
  FROM pg_extension e
  JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
  JOIN pg_class c ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
 WHERE e.extname = 'fintrans' AND d.deptype = 'e' AND c.relkind IN ('r', 'p', 'S')
   AND c.relname <> 'fintrans_transactions' AND c.relname !~ '^fintrans_bridge_'
   AND coalesce(e.extcondition[array_position(e.extconfig, c.oid)] <> '', true)
 ORDER BY 1;
-- no output: definer and PL/pgSQL functions pin their search_path; procedures
-- that commit cannot, nor may they then be definers (sql/hijack.sql tries one)
SELECT p.oid::regprocedure AS without_search_path
  FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
 WHERE p.proname ~ '^fintrans_' AND (p.prosecdef OR l.lanname = 'plpgsql' AND p.prokind <> 'p')
   AND NOT coalesce(array_to_string(p.proconfig, ',') ~ 'search_path=pg_catalog', false)
 ORDER BY 1;
-- no output: PUBLIC may execute nothing that writes or runs as the owner
SELECT p.oid::regprocedure AS open_to_public
  FROM pg_proc p
 WHERE p.proname ~ '^fintrans_' AND (p.prosecdef OR p.prorettype = 'trigger'::regtype)
   AND (p.proacl IS NULL
        OR EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0))
 ORDER BY 1;
-- no row comes with the extension
SELECT count(*) FROM fintrans_rules;
SELECT * FROM fintrans_relations();
-- no output: what plans queries over all partitions does not compile them
SELECT p.oid::regprocedure AS compiles_plans
  FROM pg_proc p
 WHERE p.proname IN ('fintrans_transactions_changed', 'fintrans_rule_changed', 'fintrans_verify', 'fintrans_rebuild')
   AND NOT 'jit=off' = ANY (p.proconfig);
