# A backlog larger than what a bridge may hold in memory, and then messages among
# which the table refuses one: all are loaded, at a peak of resident memory below
# 192 MB (`make bench-backlog` has five million, under a real limit), and one
# becomes a dead letter.  Faults 11 and 24 of docs/faults.md.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

use FintransBroker;
use FintransTest;

my $limit_mb = 192;
# more than librdkafka fetches ahead, and two batches, together
my $messages = 600_000;

my $node = new_node('bridge');
audit_offsets($node);
my $broker = FintransBroker->kafka;
run_generator($broker, '--count' => $messages, '--rate' => 0, '--seed' => 70);

# Peak of a process's resident memory in MB, until it has ended; of what comes in
# the last moment nothing is known.
sub peak_of
{
	my ($process) = @_;
	my $peak = 0;

	while ($process->running)
	{
		if (open(my $status, '<', '/proc/' . $process->pid . '/status'))
		{
			my ($now) = join('', <$status>) =~ /^VmHWM:\s+(\d+)/m;
			$peak = $now / 1024 if defined $now;
			close($status);
		}
		sleep(0.02);
	}
	return $peak;
}

# the totals cannot be written at first, so as much is fetched as ever can be
my $holder = start_psql($node, 'holder');
$holder->say(q{BEGIN; LOCK TABLE fintrans_laundering IN SHARE MODE; SELECT 'held';});
wait_for { $holder->output =~ /held/ } 'the lock';
my $bridge = start_bridge($node, $broker, 'bridge', '--exit-at-end');
wait_for {
	$node->safe_psql('postgres', q{
		SELECT count(*) FROM pg_stat_activity
		 WHERE usename = 'bridge' AND wait_event_type = 'Lock'}) > 0
} 'the bridge to wait';
$holder->say("COMMIT;\n\\q");
my $peak = peak_of($bridge);
is($bridge->wait_exit(180), 0, 'the bridge ends at the end');
is(progress($node), $messages, 'it has loaded the backlog');
cmp_ok($peak, '<', $limit_mb, "in less than $limit_mb MB");
note(sprintf 'figure: backlog of %d: peak of resident memory %.0f MB', $messages, $peak);

# one message in the middle of a batch
$node->safe_psql('postgres', q{
	ALTER TABLE fintrans_transactions ADD CONSTRAINT dba_check CHECK (amount <> 777777)});
run_generator($broker, '--count' => 5000, '--rate' => 0, '--seed' => 71);
$broker->produce('London', 'poisoned poisoned 777777');
run_generator($broker, '--count' => 5000, '--rate' => 0, '--seed' => 72);
$bridge = start_bridge($node, $broker, 'bridge', '--exit-at-end', '--batch-rows' => 10_000);
is($bridge->wait_exit(180), 0, 'the bridge ends at the end');
is($node->safe_psql('postgres', q{
	SELECT count(*), min(convert_from(payload, 'UTF8')), min(reason) FROM fintrans_dead_letters}),
	'1|poisoned poisoned 777777|refused', 'one message is a dead letter');
check_exactly_once($node, $broker, 'backlog and poison', '$6 == 777777');

done_testing();
