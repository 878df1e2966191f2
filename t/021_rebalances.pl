# Three bridges in one group, one of which joins and one of which is killed in
# mid-load; each has committed rows of its own, and every offset once.
use strict;
use warnings;

use Test::More;

use FintransBroker;
use FintransTest;

my @options = ('--batch-rows' => 5000, '--linger-ms' => 50);
my $node = new_node(qw(bridge_a bridge_b bridge_c));
audit_offsets($node);
my $broker = FintransBroker->kafka(partitions => 4);
my $generator = start_generator($broker, '--rate' => 30_000, '--seed' => 21);

my %bridge;
foreach my $name (qw(bridge_a bridge_b))
{
	$bridge{$name} = start_bridge($node, $broker, $name, @options);
}
wait_for { moves_of($node, 'bridge_a') > 20 && moves_of($node, 'bridge_b') > 20 }
'both bridges to commit';

$bridge{bridge_c} = start_bridge($node, $broker, 'bridge_c', @options);
wait_for { moves_of($node, 'bridge_c') > 20 } 'the one that joined to commit';
my $joined = last_move($node);
wait_for { moves_of($node, 'bridge_a', $joined) > 20
	  && moves_of($node, 'bridge_b', $joined) > 20 } 'the others to go on';

my @was_b = split /\n/, $node->safe_psql('postgres', "
	SELECT DISTINCT topic || ' ' || kafka_partition FROM moves
	 WHERE bridge = 'bridge_b' AND move > $joined");
cmp_ok(scalar(@was_b), '>', 0, 'the one to be killed has partitions');
is($bridge{bridge_b}->kill9, -9, 'it is killed in mid-load');
my $killed = last_move($node);
foreach my $partition (@was_b)
{
	wait_for {
		$node->safe_psql('postgres', "
			SELECT count(*) FROM moves
			 WHERE topic || ' ' || kafka_partition = '$partition'
			   AND bridge <> 'bridge_b' AND move > $killed") > 0
	} "$partition to be taken over";
}
pass('its partitions are taken over');

is($generator->stop, 0, 'the generator delivered everything');
wait_until_loaded($node, $broker);
foreach my $name (qw(bridge_a bridge_c))
{
	is($bridge{$name}->stop, 0, "$name ends well");
}
check_exactly_once($node, $broker, 'rebalances');

done_testing();
