# kill -9 of the bridge at random moments under load, again and again: every
# offset is in the database exactly once.
use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep);

use FintransBroker;
use FintransTest;

my $kills = 20;
my $seed = srand($ENV{FINTRANS_TEST_SEED} // time);
note("seed $seed");

my $node = new_node('bridge');
my $broker = FintransBroker->kafka;
my $generator = start_generator($broker, '--rate' => 30_000, '--seed' => $seed);

for my $kill (1 .. $kills)
{
	my $before = progress($node);
	# small batches, so that a kill may meet any step of a commit
	my $bridge = start_bridge($node, $broker, 'bridge',
		'--batch-rows' => 2000, '--linger-ms' => 20);

	wait_for { progress($node) > $before } "rows of bridge $kill";
	sleep(rand(0.4));
	is($bridge->kill9, -9, "kill $kill was in mid-load");
}

my $bridge = start_bridge($node, $broker, 'bridge');
is($generator->stop, 0, 'the generator delivered everything');
wait_until_loaded($node, $broker);
is($bridge->stop, 0, 'the last bridge ends well');
cmp_ok(progress($node), '>', 100_000, 'it was a load');
check_exactly_once($node, $broker, "$kills kills");

done_testing();
