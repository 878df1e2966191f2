-- What the roles may not do: the reader reads no payload, nobody but the writer
-- changes a total, and he by transactions alone, whatever they put in the way.
SET client_min_messages = warning;
DROP ROLE IF EXISTS hostile_writer, hostile_reader, hostile_keeper, hostile_operator, hostile_nobody;
RESET client_min_messages;
CREATE ROLE hostile_writer;
CREATE ROLE hostile_reader;
CREATE ROLE hostile_keeper;
CREATE ROLE hostile_operator;
CREATE ROLE hostile_nobody;
SELECT fintrans_ensure_partitions('2026-01-01', '2026-01-01') AS made;
SELECT fintrans_grant(role, ability)
  FROM (VALUES ('hostile_writer'::regrole, 'writer'), ('hostile_reader', 'reader'),
               ('hostile_keeper', 'keeper'), ('hostile_operator', 'operator')) g (role, ability);
SELECT fintrans_set_rule('default', 8000);
INSERT INTO fintrans_transactions VALUES ('2026-01-01', 'London', 'a', 'b', 9000);
INSERT INTO fintrans_offsets (topic, kafka_partition, first_offset, next_offset, dead_lettered)
VALUES ('London', 0, 0, 1, 1);
INSERT INTO fintrans_dead_letters (topic, kafka_partition, kafka_offset, payload, reason)
VALUES ('London', 0, 0, 'DE02120300000000202051 secret', 'field_count');
ANALYZE fintrans_dead_letters;
\set VERBOSITY terse
--
-- Who may read suspects cannot read dead letters.
SET ROLE hostile_reader;
SELECT source_account, target_account, total FROM fintrans_suspects(8000);
SELECT topic, reason, dead_letters FROM fintrans_dead_letter_counts;
SELECT payload FROM fintrans_dead_letters;
SELECT topic FROM fintrans_dead_letters;
SELECT count(*) FROM fintrans_dead_letters;
SELECT d FROM fintrans_dead_letters d;
COPY fintrans_dead_letters TO STDOUT;
SELECT payload FROM fintrans_replayed_letters;
SELECT fintrans_replay_dead_letter('London', 0, 0, 'a b 1');
SELECT fintrans_purge_dead_letters(now());
DELETE FROM fintrans_dead_letters RETURNING payload;
SELECT count(*) FROM pg_stats WHERE tablename = 'fintrans_dead_letters';
RESET ROLE;
-- no output: no column of raw data is open to anybody but the keeper and, as
-- far as it writes them, the writer
SELECT r.rolname, a.attrelid::regclass, a.attname
  FROM pg_attribute a, pg_roles r
 WHERE a.attrelid IN ('fintrans_dead_letters'::regclass, 'fintrans_replayed_letters'::regclass)
   AND a.attnum > 0 AND r.rolname ~ '^hostile_'
   AND has_column_privilege(r.oid, a.attrelid, a.attnum, 'SELECT')
   AND NOT (r.rolname = 'hostile_keeper'
            OR r.rolname = 'hostile_writer'
               AND a.attname IN ('topic', 'kafka_partition', 'kafka_offset', 'reason', 'rejected_at'));
--
-- Nobody writes to what is derived, and nobody but the writer to the rows.
CREATE VIEW hostile_privileges AS
SELECT r.rolname, c.oid::regclass::text AS relation, p.privilege
  FROM pg_roles r, pg_class c,
       unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p (privilege)
 WHERE r.rolname ~ '^hostile_' AND c.relname ~ '^fintrans_' AND c.relkind IN ('r', 'p', 'v')
   AND (has_table_privilege(r.oid, c.oid, p.privilege)
        OR p.privilege IN ('INSERT', 'UPDATE', 'REFERENCES')
           AND has_any_column_privilege(r.oid, c.oid, p.privilege));
-- no output
SELECT * FROM hostile_privileges
 WHERE relation IN ('fintrans_laundering', 'fintrans_magnitudes', 'fintrans_volume',
                    'fintrans_alerts', 'fintrans_reviews', 'fintrans_retention',
                    'fintrans_replayed_letters');
SELECT * FROM hostile_privileges WHERE relation ~ '^fintrans_transactions' ORDER BY relation;
SELECT rolname, relation, string_agg(privilege, ' ' ORDER BY privilege) FROM hostile_privileges
 WHERE relation IN ('fintrans_offsets', 'fintrans_dead_letters', 'fintrans_rules', 'fintrans_settings')
 GROUP BY 1, 2 ORDER BY 1, 2;
-- no output: what runs as the owner is not open to one who was granted nothing
SELECT p.oid::regprocedure FROM pg_proc p
 WHERE p.proname ~ '^fintrans_' AND p.prosecdef
   AND has_function_privilege('hostile_nobody', p.oid, 'EXECUTE');
-- no output: what changes totals is open to the keeper alone, who is traced
SELECT r.rolname, p.oid::regprocedure FROM pg_proc p, pg_roles r
 WHERE p.proname IN ('fintrans_replay_dead_letter', 'fintrans_replay_dead_letters',
                     'fintrans_drop_before', 'fintrans_empty_retired_leaf',
                     'fintrans_drop_retired_leaf', 'fintrans_rebuild', 'fintrans_add_triggers',
                     'fintrans_transactions_changed')
   AND r.rolname ~ '^hostile_' AND r.rolname <> 'hostile_keeper'
   AND has_function_privilege(r.oid, p.oid, 'EXECUTE');
DROP VIEW hostile_privileges;
-- the keeper puts a transaction where a dead letter is, and nowhere else
SET ROLE hostile_keeper;
SELECT fintrans_replay_dead_letter('London', 0, 1, 'a b 1000000');
INSERT INTO fintrans_transactions VALUES ('2026-01-01', 'London', 'a', 'b', 1);
SELECT fintrans_rebuild();
SELECT fintrans_add_triggers('fintrans_laundering');
--
-- The writer cannot get around the triggers, nor use their rights.
SET ROLE hostile_writer;
SET session_replication_role = replica;
ALTER TABLE fintrans_transactions_20260101 DISABLE TRIGGER ALL;
DROP TRIGGER fintrans_inserted ON fintrans_transactions_20260101;
CREATE TRIGGER mine AFTER INSERT ON fintrans_transactions_20260101 EXECUTE FUNCTION fintrans_transactions_changed();
TRUNCATE fintrans_transactions;
DELETE FROM fintrans_transactions_20260101;
UPDATE fintrans_transactions_20260101 SET amount = 0;
INSERT INTO fintrans_laundering SELECT * FROM fintrans_laundering;
MERGE INTO fintrans_laundering l USING (VALUES (1)) v (i) ON true
 WHEN MATCHED THEN UPDATE SET total = 0;
INSERT INTO fintrans_dead_letter_counts VALUES ('London', 0);
SELECT fintrans_transactions_changed();
SELECT fintrans_rebuild();
SELECT nextval('fintrans_alerts_alert_id_seq');
SELECT setval('fintrans_alerts_alert_id_seq', 1);
RESET ROLE;
-- tables of his own in front of the extension's, and operators in front of PostgreSQL's
CREATE SCHEMA mallory AUTHORIZATION hostile_writer;
GRANT USAGE ON SCHEMA mallory TO hostile_reader;
DO $$ BEGIN
  EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO hostile_writer', current_database());
END $$;
SET ROLE hostile_writer;
CREATE TEMPORARY TABLE fintrans_laundering (source_account text, target_account text, total numeric, transactions bigint,
  first_time timestamptz, last_time timestamptz, magnitude smallint);
CREATE TEMPORARY TABLE fintrans_volume (city text, minute timestamptz, transactions bigint,
  total numeric, minimum numeric, maximum numeric);
CREATE TEMPORARY TABLE fintrans_rules (name text, kind text, threshold numeric, enabled boolean);
CREATE TEMPORARY TABLE fintrans_alerts (rule text, source_account text, target_account text);
CREATE TABLE mallory.fintrans_laundering (LIKE pg_temp.fintrans_laundering);
CREATE TABLE mallory.fintrans_magnitudes (magnitude smallint, ceiling numeric);
INSERT INTO mallory.fintrans_magnitudes VALUES (1, 0);
CREATE FUNCTION mallory.trap(numeric, numeric) RETURNS numeric LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'ran as %', current_user;
END $$;
CREATE FUNCTION mallory.trapped(numeric, numeric) RETURNS boolean LANGUAGE sql
  RETURN mallory.trap($1, $2) = 0;
CREATE FUNCTION mallory.same(text, text) RETURNS boolean LANGUAGE sql
  RETURN mallory.trap(0, 0) = 0;
CREATE OPERATOR mallory.+ (leftarg = numeric, rightarg = numeric, function = mallory.trap);
CREATE OPERATOR mallory.- (leftarg = numeric, rightarg = numeric, function = mallory.trap);
CREATE OPERATOR mallory.> (leftarg = numeric, rightarg = numeric, function = mallory.trapped);
CREATE OPERATOR mallory.< (leftarg = numeric, rightarg = numeric, function = mallory.trapped);
CREATE OPERATOR mallory.= (leftarg = text, rightarg = text, function = mallory.same);
CREATE AGGREGATE mallory.sum(numeric) (sfunc = mallory.trap, stype = numeric);
CREATE FUNCTION mallory.now() RETURNS timestamptz LANGUAGE sql RETURN '-infinity'::timestamptz;
SET search_path = mallory, pg_temp, public, pg_catalog;
SELECT 1::numeric + 1;
INSERT INTO public.fintrans_transactions VALUES ('2026-01-01', 'London', 'a', 'b', 500);
INSERT INTO public.fintrans_transactions VALUES ('2026-01-01', 'London', 'c', 'd', 8001);
SELECT count(*) FROM pg_temp.fintrans_laundering;
SELECT count(*) FROM pg_temp.fintrans_alerts;
SELECT count(*) FROM mallory.fintrans_laundering;
SET ROLE hostile_reader;
SELECT total FROM public.fintrans_suspects(9400);
SELECT count(*) FROM public.fintrans_verify();
RESET ROLE;
SELECT public.fintrans_ensure_partitions('2026-01-02', '2026-01-02') AS made;
RESET search_path;
-- 9000 + 500, and 8001; an alert for each, raised at a time that is none of his
SELECT source_account, total, transactions FROM public.fintrans_laundering ORDER BY 1;
SELECT source_account, total, raised_at > '2026-01-01' AS now FROM public.fintrans_alerts ORDER BY 1;
SELECT * FROM public.fintrans_verify();
SET client_min_messages = warning;
DROP SCHEMA mallory CASCADE;
DROP TABLE pg_temp.fintrans_laundering, pg_temp.fintrans_volume, pg_temp.fintrans_rules, pg_temp.fintrans_alerts;
RESET client_min_messages;
--
-- One who may create tables beside the extension's takes no part in them.
GRANT CREATE ON SCHEMA public TO hostile_nobody;
SET ROLE hostile_nobody;
CREATE TABLE pairs () INHERITS (fintrans_laundering);
CREATE TABLE leaf (event_time timestamptz, city text, source_account text,
  target_account text, amount numeric);
ALTER TABLE fintrans_transactions ATTACH PARTITION leaf FOR VALUES FROM ('2027-01-01') TO ('2027-01-02');
CREATE TABLE other PARTITION OF fintrans_transactions FOR VALUES FROM ('2027-01-01') TO ('2027-01-02');
CREATE TRIGGER mine AFTER INSERT ON leaf REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION fintrans_transactions_changed();
CREATE RULE mine AS ON INSERT TO fintrans_transactions DO INSTEAD NOTHING;
CREATE POLICY mine ON fintrans_laundering USING (true);
CREATE INDEX mine ON fintrans_laundering (total);
CREATE STATISTICS mine ON total, transactions FROM fintrans_laundering;
CREATE OR REPLACE FUNCTION fintrans_suspects(threshold numeric)
RETURNS SETOF fintrans_laundering LANGUAGE sql RETURN NULL;
ALTER FUNCTION fintrans_transactions_changed() RESET ALL;
ALTER EXTENSION fintrans UPDATE;
-- functions take numbers that no transaction leads to
SELECT * FROM fintrans_window_hits('velocity', 1, NULL, ARRAY[-9223372036854775808, 9223372036854775807, 0], ARRAY[0, 0, 0], ARRAY[3, 2, 1], ARRAY[0, 0, 0]);
ALTER EXTENSION fintrans ADD TABLE leaf;
DROP EXTENSION fintrans CASCADE;
GRANT SELECT ON fintrans_dead_letters TO hostile_nobody;
SELECT fintrans_grant('hostile_nobody', 'reader');
SELECT count(*) FROM fintrans_suspects(1);
DROP TABLE leaf;
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM hostile_nobody;
\set VERBOSITY default
DROP TABLE fintrans_transactions_20260101, fintrans_transactions_20260102;
DELETE FROM fintrans_laundering;
DELETE FROM fintrans_volume;
DELETE FROM fintrans_volume_rollup;
DELETE FROM fintrans_alerts;
DELETE FROM fintrans_rules;
DELETE FROM fintrans_offsets;
DELETE FROM fintrans_dead_letters;
SELECT * FROM fintrans_verify();
DROP OWNED BY hostile_writer, hostile_reader, hostile_keeper, hostile_operator, hostile_nobody;
DROP ROLE hostile_writer, hostile_reader, hostile_keeper, hostile_operator, hostile_nobody;
