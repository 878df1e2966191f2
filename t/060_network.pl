# The network between the bridge and PostgreSQL: connections that are cut at any
# byte, answers to COMMIT that get lost, delays, a server that cannot be reached.
# Faults 2 and 5 of docs/faults.md.
use strict;
use warnings;

use Test::More;

use FintransBroker;
use FintransFaults;
use FintransProxy;
use FintransTest;

note('seed ' . srand($ENV{FINTRANS_TEST_SEED} // time));

my $node = new_node('bridge');
audit_offsets($node);
my $proxy = FintransProxy->start($node);
my $broker = FintransBroker->kafka(partitions => 2);
my $bridge = start_bridge($node, $broker, 'bridge',
	'--database' => $proxy->connstr('bridge'),
	# small batches, so that a cut may meet any step of a commit
	'--batch-rows' => 1000, '--linger-ms' => 20);
my $at = { node => $node, broker => $broker, bridge => $bridge };

# the connection must be a new one
sub reconnected
{
	my ($before) = @_;

	return connections() > $before;
}

sub connections
{
	return scalar(() = $bridge->logged =~ /event="connected to the database"/g);
}

survive('connections reset', $at, sub {
	foreach my $time (1 .. 5)
	{
		my $before = connections();
		$proxy->command('reset');
		wait_for { reconnected($before) } 'a new connection';
	}
});

# the first kilobytes hold BEGIN and the moves of positions, some ten more the
# rows, then comes COMMIT: 30 cuts find each of them
survive('connections cut at any byte', $at, sub {
	foreach my $time (1 .. 30)
	{
		my $before = connections();
		$proxy->command('cut ' . (1 + int(rand($time % 2 ? 2000 : 100_000))));
		wait_for { reconnected($before) } 'a new connection';
	}
});

survive('answers to COMMIT lost', $at, sub {
	foreach my $time (1 .. 5)
	{
		my $before = connections();
		$proxy->command('lose-commit 1');
		wait_for { reconnected($before) } 'a new connection';
	}
});
unlike($bridge->logged, qr/another writer/, 'each time it saw what had been committed');

# the next COMMIT too is answered by a cut, before anything else has worked
survive('answers to COMMIT lost in succession', $at, sub {
	my $before = connections();
	$proxy->command('lose-commit 4');
	wait_for { connections() >= $before + 4 } 'new connections';
});

survive('a slow network', $at, sub {
	$proxy->command('delay 200');
	my $before = progress($node);
	wait_for { progress($node) > $before + 2000 } 'load over it';
	$proxy->command('pass');
});

survive('a server that cannot be reached', $at, sub {
	$proxy->command('refuse');
	wait_for { $bridge->logged =~ /event="no database connection, retrying"/ } 'word of it';
	$proxy->command('pass');
});
like($bridge->logged, qr/event="database works again"/, 'it says when it is over');

is($bridge->stop, 0, 'the bridge ends well');
recovery_figures('network faults');

done_testing();
