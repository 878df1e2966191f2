# kill -9 of the bridge at every step of a commit, and at random moments under
# load, again and again: every offset is in the database exactly once.
use strict;
use warnings;

use Test::More;

use FintransBroker;
use FintransFaults;
use FintransTest;

my $kills = 20;
my $seed = srand($ENV{FINTRANS_TEST_SEED} // time);
note("seed $seed");

my $node = new_node('bridge');
$node->append_conf('postgresql.conf', "wal_level = replica\nmax_wal_senders = 1");
$node->restart;
audit_offsets($node);
my $broker = FintransBroker->kafka;

# where it is held up => what holds it, and what PostgreSQL says that it waits for;
# a COMMIT that waits for a standby has happened, but is not answered
my %points = (
	'before it moves its positions' => [ 'BEGIN; LOCK TABLE fintrans_offsets IN SHARE MODE;', 'relation' ],
	'while its rows are counted' => [ 'BEGIN; LOCK TABLE fintrans_laundering IN SHARE MODE;', 'relation' ],
	'after COMMIT' => [ q{
		SET synchronous_commit = local;
		ALTER SYSTEM SET synchronous_standby_names = 'nobody';
		SELECT pg_reload_conf();
		BEGIN;}, 'SyncRep' ]);

$broker->produce('London', '1 2 3');
foreach my $point (sort keys %points)
{
	my ($hold, $waits_for) = @{ $points{$point} };
	my $bridge = start_bridge($node, $broker, 'bridge');
	my $holder = start_psql($node, 'holder');

	wait_until_loaded($node, $broker);
	$holder->say("$hold SELECT 'held';");
	wait_for { $holder->output =~ /held/ } 'somebody to hold it up';
	$broker->produce('London', '1 2 3', '1 2 4');
	wait_for {
		$node->safe_psql('postgres', qq{SELECT count(*) FROM pg_stat_activity
			WHERE usename = 'bridge' AND wait_event = '$waits_for'}) > 0
	} "the bridge to be $point";
	is($bridge->kill9, -9, "a bridge is killed $point");
	$holder->say(q{
		COMMIT;
		ALTER SYSTEM RESET synchronous_standby_names;
		SELECT pg_reload_conf();
		\q});
	is($holder->wait_exit(180), 0, 'nobody is held up any more');
}

my $generator = start_generator($broker, '--rate' => 10_000, '--seed' => $seed);
kill_bridges($node, $broker, 'bridge', $kills);
my $bridge = start_bridge($node, $broker, 'bridge');
is($generator->stop, 0, 'the generator delivered everything');
wait_until_loaded($node, $broker);
is($bridge->stop, 0, 'the last bridge ends well');
cmp_ok(progress($node), '>', 50_000, 'it was a load');
check_exactly_once($node, $broker, "$kills kills");
recovery_figures('kills');

done_testing();
