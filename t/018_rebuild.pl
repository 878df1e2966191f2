# fintrans_rebuild() corrects totals and volume while others insert, update and
# delete rows of the same pairs and minutes, and takes nothing of theirs away.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use FintransProcess;
use FintransTest;

my $node = new_node();
$node->append_conf('postgresql.conf', 'deadlock_timeout = 100ms');
$node->restart;
$node->safe_psql('postgres', q{
	SELECT fintrans_ensure_partitions('2026-01-01', '2026-01-01'),
	       fintrans_set_rule('default', 2000);
	INSERT INTO fintrans_transactions
		(event_time, city, source_account, target_account, amount)
	SELECT '2026-01-01 12:00'::timestamptz + i * '1 s'::interval, 'London',
	       i % 8, i % 31, 1 FROM generate_series(1, 2000) i});

my $writer = file_of('writer.sql');
append_to_file($writer, q{
\set n random(1, 40)
INSERT INTO fintrans_transactions
	(event_time, city, source_account, target_account, amount, reference)
SELECT '2026-01-01 12:00'::timestamptz + i * '20 s'::interval, 'London',
       (random() * 7)::int, (random() * 50)::int, i, :client_id
  FROM generate_series(1, :n) i;
UPDATE fintrans_transactions SET amount = amount + 1
 WHERE reference = :client_id::text AND source_account = (:n % 8)::text;
DELETE FROM fintrans_transactions
 WHERE reference = :client_id::text AND target_account = :n::text;
});
my $writers = FintransProcess->start('writers', 'pgbench', '--no-vacuum',
	'--client=4', '--jobs=2', '--transactions=150', "--file=$writer",
	$node->connstr('postgres'));

# too much, so that no writer finds less than it wants to take away
my $corrected = 0;
my $rounds = 0;
while ($writers->running || $rounds < 3)
{
	$node->safe_psql('postgres', q{
		BEGIN;
		-- or its order of rows would not be the writers'
		LOCK TABLE fintrans_laundering, fintrans_volume IN SHARE ROW EXCLUSIVE MODE;
		UPDATE fintrans_laundering SET total = total + 3, transactions = transactions + 1
		 WHERE source_account < '5';
		INSERT INTO fintrans_laundering
		SELECT 'none', i, 1, 1, now(), now(), 32767 FROM generate_series(1, 9) i;
		UPDATE fintrans_volume SET transactions = transactions + 1, minimum = 0
		 WHERE minute < '2026-01-01 12:06';
		COMMIT});
	$corrected += $node->safe_psql('postgres', q{
		SELECT sum(corrected) FROM fintrans_rebuild()
		 WHERE problem IN ('pair', 'volume')});
	$rounds++;
}
is($writers->wait_exit(180), 0, 'no writer failed');
like($writers->output, qr/number of transactions actually processed: 600\/600/,
	'all writers wrote all');
cmp_ok($corrected, '>=', $rounds * 100, "there was much to correct, in $rounds rounds");
is($node->safe_psql('postgres', 'SELECT * FROM fintrans_verify()'), '',
	'all is exact');

done_testing();
