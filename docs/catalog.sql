-- For docs/weave: what the catalogs say of each object that is not internal.
WITH objects AS (
  SELECT d.classid, d.objid,
         obj_description(d.objid, d.classid::regclass::name) AS purpose
    FROM pg_depend d
    JOIN pg_extension e ON e.oid = d.refobjid
   WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
     AND e.extname = 'fintrans'),
columns AS (
  SELECT a.attrelid,
         string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, NULL),
                    ', ' ORDER BY a.attnum) AS list,
         string_agg('- `' || a.attname || '`: ' || col_description(a.attrelid, a.attnum),
                    E'\n' ORDER BY a.attnum) AS comments
    FROM pg_attribute a
   WHERE a.attnum > 0 AND NOT a.attisdropped
   GROUP BY a.attrelid),
described AS (
  SELECT p.proname AS name,
         CASE p.prokind WHEN 'a' THEN 'aggregate' WHEN 'p' THEN 'procedure'
                        ELSE 'function' END AS kind,
         pg_get_function_arguments(p.oid) AS list,
         pg_get_function_result(p.oid) AS result, o.purpose, NULL AS comments
    FROM objects o
    JOIN pg_proc p ON (o.classid, o.objid) = ('pg_proc'::regclass, p.oid)
   WHERE p.prorettype <> 'trigger'::regtype
  UNION ALL
  SELECT c.relname,
         CASE c.relkind WHEN 'v' THEN 'view' WHEN 'c' THEN 'type' ELSE 'table' END,
         l.list, NULL, o.purpose, l.comments
    FROM objects o
    JOIN pg_class c ON (o.classid, o.objid) IN (('pg_class'::regclass, c.oid),
                                                ('pg_type'::regclass, c.reltype))
    JOIN columns l ON l.attrelid = c.oid
   WHERE c.relkind <> 'S'
  UNION ALL
  SELECT t.typname, 'type', NULL, NULL, o.purpose, NULL
    FROM objects o
    JOIN pg_type t ON (o.classid, o.objid) = ('pg_type'::regclass, t.oid)
   WHERE t.typrelid = 0)
SELECT name, kind || ' ' || name || coalesce('(' || list || ')', '') AS signature,
       result, purpose, comments
  FROM described
 WHERE purpose !~ '^Internal'
 ORDER BY name, signature;
