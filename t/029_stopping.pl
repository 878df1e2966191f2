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
	[ '--brokers' => ',,', qr/option --brokers: no broker is named/ ],
	[ '--brokers' => 'a:9092,host:abc', qr/option --brokers: "host:abc" has no port/ ],
	[ '--start' => 'soon', qr/option --start: "soon"/ ],
	[ '--time-range' => 'soon', qr/option --time-range: "soon"/ ],
	[ '--currency' => 'euro', qr/option --currency: "euro"/ ],
	[ '--retain' => 'soon', qr/option --retain: "soon"/ ])
{
	my ($option, $value, $reason) = @$wrong;
	my $bridge =
	  FintransProcess->start('bridge', 'fintrans-bridge', $option, $value);

	is($bridge->wait_exit(180), 2, "$option '$value' is wrong usage");
	like($bridge->logged, $reason, 'and the reason is given');
}

my $node = new_node('bridge');
audit_offsets($node);
# the embedded broker makes every topic that it is asked about
my $broker = FintransBroker->kafka(partitions => 1);

# with --exit-at-end a topic that is not there is no success, but the others
# are loaded; with nothing else to load there is nothing to wait for
$broker->produce('London', '1 2 3');
foreach my $topics ('London,Oslo', 'Oslo')
{
	my $bridge = start_bridge($node, $broker, 'bridge',
		'--topics' => $topics, '--exit-at-end');

	is($bridge->wait_exit(180), 1, "$topics: the end is not as asked");
	like($bridge->logged, qr/event="cannot go on" reason="topic \\"Oslo\\" /,
		"$topics: what is missing is named");
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM fintrans_transactions'),
	1, 'the topic that is there is loaded');

# SIGTERM without a database: what was read and not stored is told, and read
# again by the next bridge
my $bridge =
  start_bridge($node, $broker, 'bridge', '--topics' => 'London,NYC');
$broker->produce('NYC', '1 2 3');
wait_for { progress($node) == 2 } 'a load';
$node->stop('immediate');
$broker->produce('NYC', '1 2 4');
wait_for { $bridge->logged =~ /event="no database connection, retrying"/ }
'the bridge to miss the database';
is($bridge->stop, 0, 'SIGTERM without a database ends well');
like($bridge->logged, qr/event=stopping messages=1$/m,
	'what is to be stored is told');
like($bridge->logged, qr/event="stopped before all was stored, [^"]*" messages=1$/m,
	'and what was not');

$bridge = start_bridge($node, $broker, 'bridge', '--topics' => 'London,NYC');
wait_for { $bridge->logged =~ /event="no database connection, retrying"/ }
'the next bridge to miss the database';
is($bridge->stop, 0, 'so it does before the first connection');
like($bridge->logged, qr/event=stopping messages=0$/m, 'with nothing read');

$node->start;
is(start_bridge($node, $broker, 'bridge', '--topics' => 'London,NYC',
	'--exit-at-end')->wait_exit(180), 0, 'a bridge with a database');
check_exactly_once($node, $broker, 'SIGTERM without a database');

done_testing();
