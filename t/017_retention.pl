# fintrans_drop_before() while others write and read: no writer fails or waits
# for long, nothing is lost, totals and offsets are exact.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use FintransProcess;
use FintransTest;

# two days of 150,000 rows each are dropped, of one topic with three partitions
my $rows = 300_000;
my $node = new_node();
$node->append_conf('postgresql.conf', 'deadlock_timeout = 100ms');
$node->restart;
$node->safe_psql('postgres', qq{
	SELECT fintrans_ensure_partitions('2026-01-01', '2026-01-04'),
	       fintrans_set_rule('default', 100000);
	INSERT INTO fintrans_transactions
	SELECT '2026-01-01'::timestamptz + i * (interval '2 days' / $rows), 'London',
	       i % 800, i % 7, (i % 1000) * 0.125, NULL, i % 3, i / 3
	  FROM generate_series(0, $rows - 1) i;
	INSERT INTO fintrans_offsets (topic, kafka_partition, first_offset, next_offset, stored)
	SELECT 'London', p, 0, $rows / 3, $rows / 3 FROM generate_series(0, 2) p});
my $volume = $node->safe_psql('postgres',
	'SELECT sum(transactions), sum(total) FROM fintrans_volume');

# writers move on, as bridges do: offsets first, then rows of the same pairs
my $writer = file_of('writer.sql');
append_to_file($writer, q{
BEGIN;
UPDATE fintrans_offsets SET next_offset = next_offset + 40, stored = stored + 40
 WHERE kafka_partition = :client_id % 3 RETURNING next_offset \gset
INSERT INTO fintrans_transactions
SELECT '2026-01-03 12:00'::timestamptz + :client_id * '1 s'::interval, 'London',
       (random() * 800)::int, i % 7, 1, NULL, :client_id % 3, :next_offset - i
  FROM generate_series(1, 40) i;
COMMIT;
});
my $writers = FintransProcess->start('writers', 'pgbench', '--no-vacuum',
	'--client=4', '--jobs=2', '--transactions=1500', "--file=$writer",
	$node->connstr('postgres'));

# a reader that does not end its transaction keeps the partition from being
# dropped, but not its transactions from going, nor anybody else from reading
my $reader = start_psql($node, 'reader');
$reader->say("BEGIN; SELECT count(*) FROM fintrans_transactions_20260101;");
wait_for { $reader->output ne '' } 'the reader';
my $keeper = start_psql($node, 'keeper');
$keeper->say(q{CALL fintrans_drop_before('2026-01-03');});
wait_for { $keeper->logged =~ /fintrans_transactions_20260101" cannot be dropped yet: it is in use/ }
	'word of the partition in use';
is($node->psql('postgres', q{SET statement_timeout = '170s';
	SELECT count(*) FROM fintrans_transactions WHERE event_time < '2026-01-02'}),
	0, 'others read meanwhile');
is($node->safe_psql('postgres', q{SELECT * FROM fintrans_verify()}), '',
	'all is exact in the middle of it');
$reader->say("COMMIT;\n\\q");
$keeper->say('\\q');
is($keeper->wait_exit(180), 0, 'retention ends');
is($reader->wait_exit(180), 0, 'the reader was not disturbed');
is($writers->wait_exit(180), 0, 'no writer failed');
like($writers->output, qr/number of transactions actually processed: 6000\/6000/,
	'all writers wrote all');

is($node->safe_psql('postgres', q{
	SELECT string_agg(relation::text, ' ' ORDER BY relation::text)
	  FROM fintrans_relations() WHERE is_leaf}),
	'fintrans_transactions_20260103 fintrans_transactions_20260104',
	'two partitions are gone');
is($node->safe_psql('postgres', q{
	SELECT count(*), sum(amount) FROM fintrans_transactions}),
	'240000|240000', 'what was written meanwhile is there');
is($node->safe_psql('postgres', q{
	SELECT sum(dropped), sum(stored), sum(next_offset) FROM fintrans_offsets}),
	"$rows|240000|" . ($rows + 240_000), 'every offset is accounted for');
is($node->safe_psql('postgres', q{
	SELECT sum(transactions), sum(total) FROM fintrans_volume
	 WHERE minute < '2026-01-03'}), $volume, 'volume outlives the rows');
is($node->safe_psql('postgres', 'SELECT * FROM fintrans_verify()'), '',
	'all is exact');

done_testing();
