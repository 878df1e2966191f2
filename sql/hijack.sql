-- Functions and operators that others make in the extension's schema, before
-- or after it, are not run by the extension, though their argument types fit
-- better than those of PostgreSQL's own.
SET client_min_messages = warning;
DROP EXTENSION fintrans CASCADE;
RESET client_min_messages;
CREATE SCHEMA shared;
CREATE FUNCTION shared.trap() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'hijacked';
END $$;
CREATE FUNCTION shared.format(text, text) RETURNS text LANGUAGE sql AS 'SELECT shared.trap()';
CREATE FUNCTION shared.format(text, text, text) RETURNS text LANGUAGE sql AS 'SELECT shared.trap()';
CREATE FUNCTION shared.format(text, name, name) RETURNS text LANGUAGE sql AS 'SELECT shared.trap()';
CREATE FUNCTION shared.format(text, numeric, bigint) RETURNS text LANGUAGE sql AS 'SELECT shared.trap()';
CREATE FUNCTION shared.quote_ident(name) RETURNS text LANGUAGE sql AS 'SELECT shared.trap()';
CREATE FUNCTION shared.to_regclass(text) RETURNS regclass LANGUAGE sql AS 'SELECT shared.trap()::regclass';
CREATE FUNCTION shared.pow(numeric, integer) RETURNS numeric LANGUAGE sql AS 'SELECT shared.trap()::numeric';
CREATE OPERATOR shared.^ (leftarg = numeric, rightarg = integer, function = shared.pow);
CREATE FUNCTION shared.generate_series(integer, integer) RETURNS SETOF integer LANGUAGE sql AS 'SELECT shared.trap()::integer';
CREATE FUNCTION shared.round(numeric, integer) RETURNS numeric LANGUAGE sql AS 'SELECT shared.trap()::numeric';
CREATE FUNCTION shared.ge(numeric, integer) RETURNS boolean LANGUAGE sql AS 'SELECT shared.trap()::boolean';
CREATE OPERATOR shared.>= (leftarg = numeric, rightarg = integer, function = shared.ge);
CREATE FUNCTION shared.octet_length(text) RETURNS integer LANGUAGE sql AS 'SELECT shared.trap()::integer';
CREATE EXTENSION fintrans SCHEMA shared;
-- no output: nothing stored refers to what is not PostgreSQL's or fintrans' own
SELECT pg_describe_object(d.classid, d.objid, d.objsubid) AS of, pg_describe_object(d.refclassid, d.refobjid, 0) AS refers_to
  FROM pg_depend d
  JOIN pg_depend m ON (m.classid, m.objid) = (d.refclassid, d.refobjid)
 WHERE m.refobjid = 'shared'::regnamespace
   AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
   AND pg_describe_object(d.refclassid, d.refobjid, 0) !~ 'fintrans_'
   AND pg_describe_object(d.classid, d.objid, d.objsubid) ~ 'fintrans_';
CREATE FUNCTION shared.fintrans_has_leaf(text) RETURNS boolean LANGUAGE sql AS 'SELECT shared.trap()::boolean';
CREATE ROLE fintrans_test_grantee;
CREATE VIEW shared.fintrans_guard AS SELECT 1;
SELECT shared.fintrans_ensure_partitions('2026-01-01', '2026-01-02') AS made;
DROP VIEW shared.fintrans_guard;
SELECT shared.fintrans_ensure_partitions('2026-01-01', '2026-01-02') AS made;
SELECT shared.fintrans_grant('fintrans_test_grantee', 'writer');
SELECT shared.fintrans_set_rule('default', 100);
-- enough pairs to tune magnitudes
INSERT INTO shared.fintrans_transactions (event_time, city, source_account, target_account, amount)
SELECT '2026-01-01 12:00+00', 'London', i, 'b', i FROM generate_series(1, 1500) i;
SELECT count(*) > 0 AS tuned FROM shared.fintrans_magnitudes;
SELECT count(*) FROM shared.fintrans_suspects(1400);
SELECT shared.fintrans_set_rule('default', 50);
-- differences of every kind that takes formatting
UPDATE shared.fintrans_laundering SET total = total + 1 WHERE source_account = '7';
UPDATE shared.fintrans_volume SET maximum = 1501;
SELECT problem, expected, found FROM shared.fintrans_verify() ORDER BY problem;
-- a procedure that commits can pin no search_path
SET search_path = shared, pg_catalog;
CALL fintrans_index_partitions('2026-01-02');
CALL fintrans_drop_before('2026-01-02');
RESET search_path;
SELECT count(*) FROM shared.fintrans_transactions;
SET client_min_messages = warning;
DROP SCHEMA shared CASCADE;
DROP ROLE fintrans_test_grantee;
CREATE EXTENSION fintrans;
