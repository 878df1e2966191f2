# Many sessions insert, update and delete rows of the same few pairs at once,
# while VACUUM runs: totals stay exact, no statement fails, and the table and
# its indexes are sound.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use FintransTest;

my $node = new_node();
$node->append_conf('postgresql.conf', q{
	autovacuum_naptime = 1
	autovacuum_vacuum_threshold = 10
	autovacuum_vacuum_cost_delay = 0
	deadlock_timeout = 100ms
});
$node->restart;
$node->safe_psql('postgres', q{
	CREATE EXTENSION amcheck;
	ALTER TABLE fintrans_laundering SET (autovacuum_vacuum_threshold = 10);
	SELECT fintrans_ensure_partitions('2026-01-01', '2026-01-01'),
	       fintrans_set_rule('default', 20000)});

# Each row belongs to the client that made it, so that no two wait for each
# other's rows: only pairs, minutes and alerts are shared.
my $insert = file_of('insert.sql');
append_to_file($insert, q{
\set n random(1, 60)
\set pairs random(2, 400)
INSERT INTO fintrans_transactions
	(event_time, city, source_account, target_account, amount, reference)
SELECT '2026-01-01 12:00'::timestamptz + i * '20 s'::interval, 'London',
       (random() * 7)::int, (random() * :pairs)::int,
       trunc((random() * 10000)::numeric, 2), :client_id
  FROM generate_series(1, :n) i;
});
my $change = file_of('change.sql');
append_to_file($change, q{
\set source random(0, 7)
\set percent random(1, 60)
BEGIN;
DELETE FROM fintrans_transactions
 WHERE reference = :client_id::text AND source_account = :source::text
   AND random() * 100 < :percent;
COMMIT;
UPDATE fintrans_transactions SET amount = round(amount / 2, 2),
       target_account = (:percent)::text
 WHERE reference = :client_id::text AND source_account = :source::text
   AND random() * 100 < 5;
});
my $result = command_ok_quietly(
	'pgbench', '--no-vacuum', '--client=8', '--jobs=2', '--transactions=400',
	'--random-seed=1', "--file=$insert\@3", "--file=$change\@1",
	$node->connstr('postgres'));
like($result, qr/number of transactions actually processed: 3200\/3200/,
	'every statement of 8 clients succeeds');

is($node->safe_psql('postgres', 'SELECT * FROM fintrans_verify()'), '',
	'totals, volume and alerts are exact');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM fintrans_laundering'),
	'>', 100, 'there are pairs');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM fintrans_alerts'),
	'>', 10, 'there are alerts');
is($node->safe_psql('postgres', q{SELECT * FROM verify_heapam('fintrans_laundering')}),
	'', 'the table is sound');
is($node->safe_psql('postgres', q{
	SELECT count(bt_index_check(indexrelid, true)) >= 2 FROM pg_index
	 WHERE indrelid = 'fintrans_laundering'::regclass AND indisvalid}),
	't', 'its indexes are sound and complete');

done_testing();

sub command_ok_quietly
{
	my @command = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run(\@command, '>', \$out, '2>', \$err)
	  or diag("@command[0 .. 1]: $err");
	return $out;
}
