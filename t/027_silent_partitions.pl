# Partitions without a leader: the others are loaded meanwhile, these are named
# and counted, and join by themselves when they have a leader again.
use strict;
use warnings;

use Test::More;

use FintransBroker;
use FintransTest;

my $node = new_node('bridge');
my $broker = FintransBroker->embedded(partitions => 2, brokers => 2);

# { "topic partition" => [ "source target amount", ... ] } as stored
sub stored
{
	my $answer = $node->safe_psql('postgres', q{
		SELECT city || ' ' || kafka_partition || '|' || source_account || ' ' ||
		       target_account || ' ' || amount
		  FROM fintrans_transactions ORDER BY 1, kafka_offset});
	my %stored;

	foreach (split /\n/, $answer)
	{
		my ($partition, $message) = split /\|/;
		push @{ $stored{$partition} }, $message;
	}
	return \%stored;
}

sub wait_for_log
{
	my ($bridge, $pattern, $what) = @_;

	wait_for { $bridge->logged =~ $pattern } $what;
	return;
}

# broker 1 leads all, and is there to answer
foreach ('London 0', 'London 1', 'NYC 0', 'NYC 1')
{
	$broker->command("leader $_ 1");
}
$broker->command('coordinator fintrans-test 1');

my @options = ('--topics' => 'London,NYC', '--status-seconds' => 1,
	'--linger-ms' => 20);

# partitions that the table knows
$broker->produce_to('London', $_, "1 $_ 1") foreach (0, 1);
is(start_bridge($node, $broker, 'bridge', @options, '--exit-at-end')
	->wait_exit(180), 0, 'a first bridge loads what is there');
$broker->produce_to('London', $_, "2 $_ 2") foreach (0, 1);
$broker->command('leader London 1 -1');

my $bridge =
  start_bridge($node, $broker, 'bridge', @options, '--exit-at-end');
wait_for { @{ stored()->{'London 0'} } == 2 } 'the partition with a leader';
pass('the partition with a leader is loaded');
wait_for_log($bridge, qr/event=status .* unanswered=1\n.*event=status /s,
	'a line of status');
like($bridge->logged, qr/text="London \[1\]"/, 'the other one is named');
ok($bridge->running, 'and not taken for finished');
is_deeply(stored()->{'London 1'}, ['1 1 1'], 'since it is not');
$broker->command('leader London 1 1');
is($bridge->wait_exit(180), 0, 'with a leader the end is reached');
is_deeply(stored()->{'London 1'}, [ '1 1 1', '2 1 2' ], 'it is loaded');
my $begun = () = $bridge->logged =~ /event=loading /g;
is($begun, 1, 'which has not interrupted the others');

# a topic never seen, from its start
$broker->command('topic Oslo 2');
$broker->produce_to('Oslo', $_, "3 $_ 3") foreach (0, 1);
$broker->command('leader Oslo 1 -1');
$bridge = start_bridge($node, $broker, 'bridge', @options,
	'--topics' => 'London,Oslo', '--exit-at-end');
wait_for { stored()->{'Oslo 0'} } 'the other partition of a new topic';
pass('the other partition of a new topic is loaded');
wait_for_log($bridge, qr/event=status .* unanswered=1$/m, 'a line of status');
ok($bridge->running, 'the new one is waited for');
$broker->command('leader Oslo 1 1');
is($bridge->wait_exit(180), 0, 'with a leader the end is reached');
is_deeply(stored()->{'Oslo 1'}, ['3 1 3'], 'it is loaded from its start');

# a topic never seen, from its end: not before the end is known of all of it
$broker->command('topic Rome 2');
$broker->produce_to('Rome', $_, "4 $_ 4") foreach (0, 1);
$broker->command('leader Rome 1 -1');
$bridge = start_bridge($node, $broker, 'bridge', @options,
	'--topics' => 'London,Rome', '--start' => 'latest');
$broker->produce('London', '5 0 5');
wait_for { @{ stored()->{'London 0'} } == 3 } 'a topic known before';
pass('a topic known before is loaded');
wait_for_log($bridge, qr/event=status .* unanswered=2$/m, 'a line of status');
is($node->safe_psql('postgres',
	q{SELECT count(*) FROM fintrans_offsets WHERE topic = 'Rome'}), 0,
	'the new one is not begun in part');
$broker->command('leader Rome 1 1');
wait_for { $node->safe_psql('postgres',
	q{SELECT count(*) FROM fintrans_offsets WHERE topic = 'Rome'}) == 2 }
'the new one to be begun';
$broker->produce_to('Rome', $_, "6 $_ 6") foreach (0, 1);
wait_for { my $stored = stored(); $stored->{'Rome 0'} && $stored->{'Rome 1'} }
'new messages of the new one';
is($bridge->stop, 0, 'the bridge ends well');
is_deeply([ map { stored()->{"Rome $_"} } (0, 1) ], [ ['6 0 6'], ['6 1 6'] ],
	'nothing older than the start point is loaded');
# a leader that is away
$broker->command('leader London 1 2');
$broker->produce_to('London', $_, "7 $_ 7") foreach (0, 1);
$broker->command('down 2');
$bridge = start_bridge($node, $broker, 'bridge', @options, '--exit-at-end');
wait_for { stored()->{'London 0'}[-1] eq '7 0 7' }
'the partition of the other broker';
pass('the partition of the other broker is loaded');
wait_for_log($bridge, qr/event=status .* unanswered=1$/m, 'a line of status');
ok($bridge->running, 'the end is not reached');
$broker->command('up 2');
is($bridge->wait_exit(180), 0, 'until the leader is back');
is(stored()->{'London 1'}[-1], '7 1 7', 'and its partition loaded');

is($node->safe_psql('postgres', 'SELECT * FROM fintrans_verify()'), '',
	'verify finds no difference');

done_testing();
