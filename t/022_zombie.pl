# A bridge stopped in mid-load (SIGSTOP) loses its partitions to another; when
# it wakes up it writes nothing twice, and takes part again.  Not while it is
# sending a COPY: PostgreSQL waits for the rest of that, and whatever the
# database transaction has locked stays so (see the README's caveats).
use strict;
use warnings;

use Test::More;

use FintransBroker;
use FintransTest;

my @options = ('--batch-rows' => 5000, '--linger-ms' => 50);
my $node = new_node(qw(bridge_a bridge_b));
audit_offsets($node);
my $broker = FintransBroker->kafka;
my $generator = start_generator($broker, '--rate' => 30_000, '--seed' => 22);

my $zombie = start_bridge($node, $broker, 'bridge_a', @options);
my $heir = start_bridge($node, $broker, 'bridge_b', @options);

# PostgreSQL ends a session that is idle in a transaction after 30 seconds, but
# not one that waits for more of a COPY.
sub is_sending
{
	my $does = 'work';

	wait_for {
		$does = $node->safe_psql('postgres', q{
			SELECT coalesce(max(CASE WHEN state <> 'active' THEN 'rest'
			                         WHEN wait_event = 'ClientRead' THEN 'send'
			                         ELSE 'work' END), 'rest')
			  FROM pg_stat_activity WHERE usename = 'bridge_a'});
		$does ne 'work'
	} 'the stopped bridge to be waited for';
	return $does eq 'send';
}

for my $round (1 .. 3)
{
	my $start = last_move($node);
	wait_for { moves_of($node, 'bridge_a', $start) > 20
		  && moves_of($node, 'bridge_b', $start) > 20 }
	"round $round: both bridges to commit";

	wait_for {
		$zombie->signal('STOP');
		my $is_caught = !is_sending();
		$zombie->signal('CONT') unless $is_caught;
		$is_caught;
	} "round $round: the bridge to be stopped";
	my $stopped = last_move($node);
	my $partitions = scalar(keys %{ next_offsets($node) });
	wait_for {
		$node->safe_psql('postgres', "
			SELECT count(DISTINCT (topic, kafka_partition)) FROM moves
			 WHERE bridge = 'bridge_b' AND move > $stopped") == $partitions
	} "round $round: the other bridge to take over all partitions";
	pass("round $round: its partitions are taken over");

	my $woken = last_move($node);
	$zombie->signal('CONT');
	wait_for { moves_of($node, 'bridge_a', $woken) > 20 }
	"round $round: the stopped bridge to commit again";
	pass("round $round: the stopped bridge takes part again");
}

is($generator->stop, 0, 'the generator delivered everything');
wait_until_loaded($node, $broker);
is($zombie->stop, 0, 'the stopped bridge ends well');
is($heir->stop, 0, 'the other bridge ends well');
check_exactly_once($node, $broker, 'zombie');

done_testing();
