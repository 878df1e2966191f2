# A rule is changed while a transaction that has inserted rows stays open: other
# batches go on, and the change comes through once the transaction ends.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use FintransTest;

my $node = new_node();
$node->safe_psql('postgres', q{
	SELECT fintrans_ensure_partitions('2026-01-01', '2026-01-01'),
	       fintrans_set_rule('default', 1000)});

# Nobody shares a row: only the rules are between the sessions.
sub insert
{
	my ($target, $amount) = @_;
	return "INSERT INTO fintrans_transactions
		(event_time, city, source_account, target_account, amount)
		VALUES ('2026-01-01', '$target', 'a', '$target', $amount);\n";
}

my $idle = start_psql($node, 'idle');
$idle->say('BEGIN; ' . insert('idle', 500) . "\\echo inserted");
wait_for { $idle->output =~ /inserted/ } 'the transaction that stays open';

my $operator = start_psql($node, 'operator');
$operator->say("SELECT fintrans_set_rule('default', 100);");
ok($node->poll_query_until('postgres', q{
	SELECT EXISTS (SELECT FROM pg_locks
	 WHERE objid = 'fintrans_rules'::regclass AND NOT granted)}),
	'a change of the rule waits for the open transaction');

# did the change not give way, this would wait for the idle session
is($node->psql('postgres', "SET statement_timeout = '170s';" . insert('busy', 200)),
	0, 'a batch goes on');
is($node->safe_psql('postgres', 'SELECT threshold FROM fintrans_rules'),
	'1000', 'while the change is still to come');

$idle->say("COMMIT;\n\\q");
$operator->say('\q');
is($operator->wait_exit(180), 0, 'then the rule is changed');
is($node->safe_psql('postgres', q{
	SELECT target_account, total FROM fintrans_alerts ORDER BY 1}),
	"busy|200\nidle|500", 'and alerts on what both have brought');
is($node->safe_psql('postgres', 'SELECT * FROM fintrans_verify()'), '',
	'all is well');
is($idle->wait_exit(180), 0, 'the idle session ends');

done_testing();
