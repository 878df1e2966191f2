# The main job on a real Apache Kafka, at full speed.
use strict;
use warnings;

use Test::More;

use FintransBroker;
use FintransTest;

my $node = new_node('bridge');
my $broker = FintransBroker->kafka;
my $bridge = start_bridge($node, $broker, 'bridge');

# the load begins before the bridge has its partitions and ends after it
run_generator($broker, '--count' => 500_000, '--rate' => 0, '--seed' => 11);
wait_until_loaded($node, $broker);
is(progress($node), 500_000, 'all messages are handled');
is($bridge->stop, 0, 'the bridge ends well on SIGTERM');
check_exactly_once($node, $broker, 'load');

# a group that starts anew in Kafka goes on where the database is
$bridge = start_bridge($node, $broker, 'bridge', '--group' => 'another',
	'--exit-at-end');
is($bridge->wait_exit(180), 0, 'a bridge with nothing to do ends at the end');
check_exactly_once($node, $broker, 'another group');

done_testing();
