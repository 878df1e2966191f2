# Kafka stopped, and killed, in mid-load and started again: generator and
# bridge go on by themselves.
use strict;
use warnings;

use Test::More;

use FintransBroker;
use FintransFaults;
use FintransTest;

my $node = new_node('bridge');
audit_offsets($node);
my $broker = FintransBroker->kafka;
my $generator = start_generator($broker, '--rate' => 20_000, '--seed' => 24);
my $bridge = start_bridge($node, $broker, 'bridge',
	'--batch-rows' => 5000, '--linger-ms' => 50);

foreach my $signal (qw(TERM KILL))
{
	my $before = progress($node);
	wait_for { progress($node) > $before + 20_000 } "load before SIG$signal";
	$broker->process->signal($signal);
	$broker->process->wait_exit(180);
	$broker->start;
	note_recovery($node, "SIG$signal");
	ok($bridge->running, "SIG$signal: the bridge goes on");
	ok($generator->running, "SIG$signal: the generator goes on");
}

is($generator->stop, 0, 'the generator delivered everything');
wait_until_loaded($node, $broker);
is($bridge->stop, 0, 'the bridge ends well');
check_exactly_once($node, $broker, 'Kafka restarts');
recovery_figures('Kafka stopped');

done_testing();
