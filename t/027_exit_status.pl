# How a bridge ends: what it refuses at the start, what --exit-at-end makes of
# a topic that is not there, and what SIGTERM does without a database.
use strict;
use warnings;

use Test::More;

use FintransBroker;
use FintransTest;

# what cannot be meant is refused at once, before anything is asked for
foreach my $wrong (
	[ '--topics' => ',,', qr/topics ",,": "" is not a name/ ],
	[ '--topics' => 'London,,NYC', qr/"" is not a name/ ],
	[ '--topics' => 'London, NYC', qr/" NYC" is not a name/ ],
	[ '--topics' => '^Lon.*', qr/"\^Lon\.\*" is not a name/ ],
	[ '--brokers' => ',,', qr/no broker is named/ ])
{
	my ($option, $value, $reason) = @$wrong;
	my $bridge =
	  FintransProcess->start('bridge', 'fintrans-bridge', $option, $value);

	is($bridge->wait_exit(180), 2, "$option '$value' is wrong usage");
	like($bridge->logged, $reason, 'and the reason is given');
}

done_testing();
