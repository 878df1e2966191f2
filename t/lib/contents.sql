-- For psql: all that the extension's tables hold, as text in a fixed order, and
-- where its sequences are.
SELECT format('SELECT %L AS relation, t::text FROM (SELECT %s FROM %s) t ORDER BY t::text COLLATE "C"',
              c.relname, CASE c.relkind WHEN 'S' THEN 'last_value, is_called' ELSE '*' END,
              c.oid::regclass)
  FROM pg_class c
  JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
  JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
 WHERE e.extname = 'fintrans' AND d.deptype = 'e' AND c.relkind IN ('r', 'p', 'S')
 ORDER BY c.relname
\gexec
