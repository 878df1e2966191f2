# A topic deleted and made anew: whether it is shorter, as long, or longer than
# what was loaded, the partition halts and nothing is mixed, until the operator
# has decided.  The embedded broker forgets all when it ends, so another one is
# the same topics made anew.
use strict;
use warnings;

use Test::More;

use FintransBroker;
use FintransTest;

my $node = new_node('bridge');
my $broker = FintransBroker->embedded(partitions => 1);
my @options = ('--topics' => 'London,NYC', '--linger-ms' => 20);
# what a topic's id tells, where it is known, is told first
my $other_id = FintransBroker->librdkafka >= 20300 ?
  'topic was made anew: it had the id \S{22}, and has \S{22}' : undef;

sub psql
{
	my ($query) = @_;

	return $node->safe_psql('postgres', $query);
}

my $loads = 0;

# Load to the end; returns the exit status and the log.  A group of its own
# need not wait for the member before.
sub load
{
	my (@more) = @_;
	my $bridge = start_bridge($node, $broker, 'bridge', @options,
		'--exit-at-end', '--group' => 'load ' . ++$loads, @more);
	my $status = $bridge->wait_exit(180);

	return ($status, $bridge->logged);
}

sub rows
{
	my ($city) = @_;

	return psql("SELECT count(*) FROM fintrans_transactions WHERE city = '$city'");
}

sub check_halt
{
	my ($what, $reason, @more) = @_;
	my $before = psql('SELECT * FROM fintrans_offsets');
	my ($status, $log) = load(@more);

	is($status, 1, "$what: the end is not as asked");
	like($log, qr/event="partition halted" topic=London partition=0 reason="$reason/,
		"$what: the partition halts, and says why");
	unlike($log, qr/ 4711\b/, "$what: but not what the message holds");
	like(psql(q{SELECT topic, kafka_partition, halted FROM fintrans_partition_status
			WHERE halted IS NOT NULL}), qr/^London\|0\|$reason/, "$what: so the database is told");
	is(psql('SELECT * FROM fintrans_offsets'), $before, "$what: nothing moves");
	return;
}

# the last of London is a dead letter, that of NYC a row
$broker->produce('London', '1 2 3', '1 2 4', '1 2 x');
$broker->produce('NYC', '1 2 3');
is((load())[0], 0, 'topics are loaded');
is(psql(q{SELECT topic, last_offset, last_checksum BETWEEN 0 AND 65535
			FROM fintrans_offsets ORDER BY topic}), "London|2|t\nNYC|0|t",
	'their last messages are kept in mind');

# the same topics
$broker->produce('London', '1 2 5');
is((load('--max-messages' => 1))[0], 0, 'one more message is asked for');
is(rows('London'), 3, 'one more is loaded, since the last one does not count');
my ($status, $log) = load();
is($status, 0, 'with nothing new the end is reached');
unlike($log, qr/halted=[1-9]|event="partition halted"/, 'and nothing halts');
is(psql('SELECT sum(next_offset), sum(dead_lettered) FROM fintrans_offsets'),
	'5|1', 'every message was counted once');

# made anew, shorter
$broker->stop;
$broker = FintransBroker->embedded(partitions => 1);
$broker->produce('London', '4711 1 1');
$broker->produce('NYC', '4711 1 1');
check_halt('shorter', $other_id // 'topic was re-created or truncated: ');

# as long: only the message itself tells
$broker->produce('London', ('4711 1 1') x 3);
my $another = $other_id // 'topic was made anew: the message at offset 3 has another timestamp';
check_halt('as long', $another);

# longer
$broker->produce('London', ('4711 1 1') x 3);
check_halt('longer', $another);
check_halt('longer, with --on-gap earliest', $another, '--on-gap' => 'earliest');
is(rows('London'), 3, 'nothing of it is loaded');
is(psql('SELECT * FROM fintrans_verify()'), '', 'verify finds no difference');

# a bridge that stays loads the topic that is the same
psql("UPDATE fintrans_offsets SET last_offset = NULL WHERE topic = 'NYC'");
my $bridge = start_bridge($node, $broker, 'bridge', @options);
$broker->produce('NYC', '1 1 1');
wait_for { rows('NYC') == 2 } 'the other topic to be loaded';
pass('the other topic is loaded, as its operator has decided');
is($bridge->stop, 0, 'the bridge ends well');
is(rows('London'), 3, 'still nothing of the one made anew');

# the operator decides, as docs/operations.md has it: the new topic is loaded as well
psql(q{
	BEGIN;
	UPDATE fintrans_transactions SET kafka_partition = NULL, kafka_offset = NULL
	 WHERE city = 'London' AND kafka_partition = 0;
	DELETE FROM fintrans_dead_letters WHERE topic = 'London' AND kafka_partition = 0;
	DELETE FROM fintrans_offsets WHERE topic = 'London' AND kafka_partition = 0;
	COMMIT});
is((load())[0], 0, 'then it is loaded');
is(rows('London'), 3 + 7, 'all of it');
is(psql('SELECT * FROM fintrans_verify()'), '', 'verify finds no difference');

# a topic that vanishes under a running bridge is looked at again
$bridge = start_bridge($node, $broker, 'bridge', @options,
	'--group' => 'watcher');
wait_for { $bridge->logged =~ /event=loading / } 'a bridge to load';
$broker->command('topic-error London UNKNOWN_TOPIC_OR_PART');
wait_for { (() = $bridge->logged =~ /event=loading /g) > 1 }
'it to look up positions again';
pass('a topic that vanishes has its positions looked up again');
$broker->command('topic-error London NO_ERROR');
$broker->produce('London', '1 1 1');
wait_for { rows('London') == 3 + 8 } 'the topic to be back';
pass('the same one is loaded on');
is($bridge->stop, 0, 'the bridge ends well');

# a gap that is passed over takes the last message with it
my $huge = 'x' x 900_000;
is((load('--topics' => 'SF'))[0], 0, 'an empty topic is taken up');
$broker->produce('SF', '1 2 3');
is((load('--topics' => 'SF'))[0], 0, 'a topic is loaded');
$broker->produce('SF', ($huge) x 12);
($status, $log) = load('--topics' => 'SF');
is($status, 1, 'a gap halts');
like($log, qr/reason="offsets 1 to \d+ \(\d+\) were deleted/, 'as a gap');
is((load('--topics' => 'SF', '--on-gap' => 'earliest'))[0], 0,
	'it is passed over when allowed');
is(psql(q{SELECT next_offset, last_offset, skipped > 0
			FROM fintrans_offsets WHERE topic = 'SF'}), '13|12|t',
	'and counted');
$broker->produce('SF', '1 2 3');
is((load('--topics' => 'SF'))[0], 0, 'loading goes on after it');
is(rows('SF'), 2, 'with what comes');
is(psql('SELECT * FROM fintrans_verify()'), '', 'verify finds no difference');

done_testing();
