-- Roles: a writer, a reader, an operator and one who may nothing.
SET client_min_messages = warning;
DROP ROLE IF EXISTS fintrans_test_writer, fintrans_test_reader, fintrans_test_operator, fintrans_test_keeper, fintrans_test_mallory;
RESET client_min_messages;
CREATE ROLE fintrans_test_writer;
CREATE ROLE fintrans_test_reader;
CREATE ROLE fintrans_test_operator;
CREATE ROLE fintrans_test_keeper;
CREATE ROLE fintrans_test_mallory;
SELECT fintrans_ensure_partitions('2026-01-01', '2026-01-01') AS made;
SELECT fintrans_grant('fintrans_test_writer', 'writer');
SELECT fintrans_grant('fintrans_test_reader', 'reader');
SELECT fintrans_grant('fintrans_test_operator', 'operator');
SELECT fintrans_grant('fintrans_test_keeper', 'keeper');
SELECT fintrans_grant('fintrans_test_mallory', 'everything');
-- who has been given an ability lacks nothing of it, and of others what they are made of
SELECT a.ability, r.grantee, (SELECT count(*) FROM fintrans_missing_privileges(r.grantee, a.ability)) > 0 AS lacks
  FROM unnest('{writer,reader,operator,keeper}'::text[]) a (ability),
       unnest('{fintrans_test_writer,fintrans_test_reader,fintrans_test_operator,fintrans_test_keeper}'::regrole[]) r (grantee)
 ORDER BY 1, 2;
SELECT count(*) = (SELECT count(*) FROM fintrans_abilities() a WHERE a.ability = 'reader' AND a.privilege <> 'USAGE') AS lacks_all
  FROM fintrans_missing_privileges('fintrans_test_mallory', 'reader') m WHERE m.privilege <> 'USAGE';
REVOKE SELECT (reason) ON fintrans_dead_letters FROM fintrans_test_writer;
REVOKE INSERT ON fintrans_transactions_20260101 FROM fintrans_test_writer;
REVOKE EXECUTE ON FUNCTION fintrans_ensure_partitions(timestamptz, timestamptz) FROM fintrans_test_writer;
REVOKE UPDATE ON fintrans_offsets FROM fintrans_test_writer;
SELECT * FROM fintrans_missing_privileges('fintrans_test_writer', 'writer');
SELECT fintrans_grant('fintrans_test_writer', 'writer');
SELECT * FROM fintrans_missing_privileges('fintrans_test_writer', 'writer');
SELECT * FROM fintrans_missing_privileges('fintrans_test_writer', 'everything');
-- the writer adds rows, in the parent and in leaves old and new, and no more
SET ROLE fintrans_test_writer;
SELECT fintrans_ensure_partitions('2026-01-02', '2026-01-02') AS made;
INSERT INTO fintrans_transactions VALUES ('2026-01-01', 'London', 'a', 'b', 9000);
INSERT INTO fintrans_transactions_20260101 VALUES ('2026-01-01', 'London', 'a', 'b', 1);
INSERT INTO fintrans_transactions_20260102 VALUES ('2026-01-02', 'London', 'a', 'b', 2);
INSERT INTO fintrans_dead_letters (topic, kafka_partition, kafka_offset, payload, reason)
VALUES ('London', 0, 0, '\x00', 'bad_encoding');
SELECT kafka_offset, reason FROM fintrans_dead_letters;
CALL fintrans_index_partitions('-infinity');
SELECT count(*) FROM fintrans_transactions;
DELETE FROM fintrans_transactions;
UPDATE fintrans_laundering SET total = 0;
SELECT payload FROM fintrans_dead_letters;
INSERT INTO fintrans_alerts (rule, source_account, target_account, total, transactions, threshold)
VALUES ('default', 'a', 'b', 1, 1, 1);
SELECT fintrans_set_rule('default', 1);
-- the operator makes rules and reviews
SET ROLE fintrans_test_operator;
SELECT fintrans_set_rule('default', 8000);
-- also such as have window states
SELECT fintrans_set_rule('often', 10, kind => 'velocity', "window" => '1 hour');
SELECT fintrans_set_rule('often', 10, false);
SELECT fintrans_review(alert_id, 'reviewing') FROM fintrans_alerts;
SELECT fintrans_review(alert_id, 'confirmed', 'seen before') FROM fintrans_alerts;
SELECT decision, note, reviewed_by = session_user AS by_me FROM fintrans_reviews ORDER BY review_id;
-- by no other way, and nothing else
\set VERBOSITY terse
SELECT fintrans_review(alert_id, 'open') FROM fintrans_alerts;
SELECT fintrans_review(alert_id, NULL, 'a note') FROM fintrans_alerts;
SELECT fintrans_review(0, 'dismissed');
SELECT fintrans_review(NULL, 'dismissed');
\set VERBOSITY default
UPDATE fintrans_alerts SET state = 'dismissed';
INSERT INTO fintrans_reviews (alert_id, decision) SELECT alert_id, 'dismissed' FROM fintrans_alerts;
INSERT INTO fintrans_rules (name, threshold, swept_threshold) VALUES ('unswept', 1, 0);
UPDATE fintrans_rules SET changed_by = 'somebody else';
UPDATE fintrans_alerts SET total = 0;
DELETE FROM fintrans_rules;
DELETE FROM fintrans_reviews;
-- the keeper drops what is old, and nothing else
SET ROLE fintrans_test_keeper;
CALL fintrans_drop_before('2026-01-01');
DELETE FROM fintrans_transactions;
DELETE FROM fintrans_retention;
SELECT count(*) FROM fintrans_transactions;
-- the reader sees all but raw payloads, and changes nothing
SET ROLE fintrans_test_reader;
SELECT source_account, target_account, total FROM fintrans_suspects(8000);
SELECT source_account, total FROM fintrans_suspects(8000, '100 years', 1);
SELECT sum(amount) FROM fintrans_pair_transactions('a', 'b');
SELECT count(*) FROM fintrans_volume_by('1 day', NULL, NULL);
CALL fintrans_index_partitions();
SELECT topic, reason, dead_letters FROM fintrans_dead_letter_counts;
SELECT problem FROM fintrans_verify();
SELECT rule, total, state FROM fintrans_alerts;
SELECT payload FROM fintrans_dead_letters;
INSERT INTO fintrans_transactions VALUES ('2026-01-01', 'London', 'a', 'b', 9000);
SELECT fintrans_ensure_partitions('2026-01-03', '2026-01-03');
SELECT fintrans_set_rule('default', 1);
SELECT fintrans_review(alert_id, 'dismissed') FROM fintrans_alerts;
-- the other nothing at all, not even by a trigger of his own
RESET ROLE;
GRANT CREATE ON SCHEMA public TO fintrans_test_mallory;
SET ROLE fintrans_test_mallory;
SELECT * FROM fintrans_suspects(8000);
SELECT fintrans_verify();
CALL fintrans_drop_before('2026-01-01');
CREATE TABLE mallory (event_time timestamptz, city text, source_account text,
  target_account text, amount numeric);
CREATE TRIGGER mallory AFTER INSERT ON mallory REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION fintrans_transactions_changed();
DROP TABLE mallory;
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM fintrans_test_mallory;
DELETE FROM fintrans_transactions;
DELETE FROM fintrans_dead_letters;
DELETE FROM fintrans_reviews;
DELETE FROM fintrans_alerts;
DELETE FROM fintrans_rules;
DELETE FROM fintrans_retention;
DROP OWNED BY fintrans_test_writer, fintrans_test_reader, fintrans_test_operator, fintrans_test_keeper, fintrans_test_mallory;
DROP ROLE fintrans_test_writer, fintrans_test_reader, fintrans_test_operator, fintrans_test_keeper, fintrans_test_mallory;
