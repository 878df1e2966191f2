# PostgreSQL stopped, `immediate` and `fast`, in mid-load and started again: the
# same bridge goes on by itself, nothing is lost, doubled or refused.
use strict;
use warnings;

use Test::More;

use FintransBroker;
use FintransFaults;
use FintransTest;

my $node = new_node('bridge');
audit_offsets($node);
my $broker = FintransBroker->kafka;
my $generator = start_generator($broker, '--rate' => 30_000, '--seed' => 23);
my $bridge = start_bridge($node, $broker, 'bridge',
	'--batch-rows' => 5000, '--linger-ms' => 50);

foreach my $mode (qw(immediate fast immediate))
{
	my $before = progress($node);
	wait_for { progress($node) > $before + 20_000 } "load before it is stopped $mode";
	$node->stop($mode);
	$node->start;
	note_recovery($node, "it was stopped $mode");
	ok($bridge->running, "stopped $mode: the bridge goes on");
}

is($generator->stop, 0, 'the generator delivered everything');
wait_until_loaded($node, $broker);
is($bridge->stop, 0, 'the bridge ends well');
check_exactly_once($node, $broker, 'crashes');
recovery_figures('PostgreSQL stopped');

done_testing();
