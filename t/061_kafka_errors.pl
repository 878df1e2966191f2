# What Kafka's brokers answer when something is wrong with them, by the errors
# that the embedded broker gives on command: one position refused by mistake,
# brokers away, leaders and coordinators that move, slow answers, a topic that
# may not be read, and what a bridge cannot go on after.
# Faults 10, 17, 18, 19 and 20 of docs/faults.md.
use strict;
use warnings;

use Test::More;

use FintransBroker;
use FintransFaults;
use FintransTest;

my $brokers = 3;
my $node = new_node('bridge');
audit_offsets($node);
my $broker = FintransBroker->embedded(partitions => 2, brokers => $brokers);
my $bridge = start_bridge($node, $broker, 'bridge', '--batch-rows' => 2000,
	'--linger-ms' => 50, '--status-seconds' => 1);
my $at = { node => $node, broker => $broker, bridge => $bridge };

sub times_logged
{
	my ($pattern) = @_;

	return scalar(() = $bridge->logged =~ /$pattern/g);
}

sub wait_for_log
{
	my ($pattern) = @_;
	my $before = times_logged($pattern);

	return sub { wait_for { times_logged($pattern) > $before } "the log to have $pattern" };
}

survive('one position refused by mistake', $at, sub {
	my $named = wait_for_log(qr/event="Kafka does not have a position"/);
	$broker->command('error Fetch OFFSET_OUT_OF_RANGE 1');
	$named->();
});
unlike($bridge->logged, qr/halted=[1-9]|event="partition halted"/, 'nothing halts for it');

survive('all brokers away for a moment', { %$at, check => 0 }, sub {
	my $named = wait_for_log(qr/error=_ALL_BROKERS_DOWN/);
	$broker->command('down');
	$named->();
	$broker->command('up');
});

# longer than the group waits for a member
survive('all brokers away until the membership is lost', $at, sub {
	my $lost = wait_for_log(qr/event="membership lost"/);
	my $before = times_logged(qr/\n/);
	my $status = times_logged(qr/event=status/);
	$broker->command('down');
	$lost->();
	my $lines = times_logged(qr/\n/) - $before - (times_logged(qr/event=status/) - $status);
	cmp_ok($lines, '<', 50, "which is told in few lines: $lines");
	$broker->command('up');
});

survive('leaders move', { %$at, check => 0 }, sub {
	foreach my $round (1 .. 2 * $brokers)
	{
		my $before = progress($node);
		foreach my $partition (qw(London NYC SF Moscow Tokyo))
		{
			$broker->command("leader $partition $_ " . (1 + ($round + $_) % $brokers))
			  foreach (0, 1);
		}
		wait_for { progress($node) > $before + 1000 } "load by other leaders";
	}
});

survive('the coordinator moves', { %$at, check => 0 }, sub {
	foreach my $round (1 .. $brokers)
	{
		my $before = progress($node);
		$broker->command("coordinator fintrans-test $round");
		wait_for { progress($node) > $before + 2000 } "load with coordinator $round";
	}
});

survive('answers after two seconds', $at, sub {
	my $before = progress($node);
	$broker->command('rtt 2000');
	wait_for { progress($node) > $before + 20_000 } 'load all the same';
	$broker->command('rtt 0');
});

# the other topics go on while one may not be read
my $before = next_offsets($node);
$broker->command('topic-error SF TOPIC_AUTHORIZATION_FAILED');
my $generator = start_generator($broker, '--topics' => 'London,NYC,Moscow,Tokyo',
	'--rate' => 2000);
foreach my $topic (qw(London NYC Moscow Tokyo))
{
	wait_for { next_offsets($node)->{"$topic 0"} > $before->{"$topic 0"} + 500 } "load of $topic";
}
pass('with one topic unauthorized the others are loaded');
wait_for { $bridge->logged =~ /TOPIC_AUTHORIZATION_FAILED.*SF/ } 'it to be named';
$broker->command('topic-error SF NO_ERROR');
is($generator->stop, 0, 'the generator delivered everything');
$broker->produce('SF', '1 2 3');
wait_until_loaded($node, $broker);
is($bridge->stop, 0, 'the bridge ends well');
check_exactly_once($node, $broker, 'a topic unauthorized');

foreach my $fatal ([ 'Heartbeat', 'FENCED_INSTANCE_ID' ],
	[ 'JoinGroup', 'GROUP_AUTHORIZATION_FAILED' ])
{
	my ($request, $error) = @$fatal;

	$broker->command("error $request $error 1");
	my $ended = start_bridge($node, $broker, 'bridge');
	is($ended->wait_exit(180), 1, "$error ends a bridge");
	like($ended->logged, qr/level=error .*event="cannot go on" reason="[^"]+"/, 'which says why');
	note((grep { /level=error/ } split /\n/, $ended->logged)[0]);
	$broker->command("clear $request");
}
$bridge = start_bridge($node, $broker, 'bridge', '--exit-at-end');
is($bridge->wait_exit(180), 0, 'the next one has nothing to do');
check_exactly_once($node, $broker, 'fatal errors');
recovery_figures('errors of Kafka');

done_testing();
