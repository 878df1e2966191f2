# PostgreSQL stopped `immediate` in mid-load and started again: the same
# bridge goes on by itself, nothing is lost, doubled or refused.
use strict;
use warnings;

use Test::More;

use FintransBroker;
use FintransTest;

my $node = new_node('bridge');
my $broker = FintransBroker->kafka;
my $generator = start_generator($broker, '--rate' => 30_000, '--seed' => 23);
my $bridge = start_bridge($node, $broker, 'bridge',
	'--batch-rows' => 5000, '--linger-ms' => 50);

for my $crash (1 .. 3)
{
	my $before = progress($node);
	wait_for { progress($node) > $before + 20_000 } "load before crash $crash";
	$node->stop('immediate');
	$node->start;
	my $after = progress($node);
	wait_for { progress($node) > $after } "load after crash $crash";
	ok($bridge->running, "crash $crash: the bridge goes on");
}

is($generator->stop, 0, 'the generator delivered everything');
wait_until_loaded($node, $broker);
is($bridge->stop, 0, 'the bridge ends well');
check_exactly_once($node, $broker, 'crashes');

done_testing();
