# A change of what is sent makes a partition unreadable: it is halted at the
# message that would be one dead letter too many, exactly there and for as long
# as nothing is mended, while the others are loaded; then nothing is lost.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use FintransBroker;
use FintransTest;

my $node = new_node('bridge');
my $broker = FintransBroker->embedded(partitions => 1);
my $config = file_of('bridge.conf');

# more than 20 among 100 offsets
my @options = ('--max-reject-percent' => 20, '--reject-window' => 100);

sub set_config
{
	my (@lines) = @_;

	unlink $config;
	append_to_file($config, join('', map { "$_\n" } @lines));
	return;
}

# Lines of a file, each a message, to partition 0 of a topic.
sub produce_lines
{
	my ($topic, @lines) = @_;
	my $file = file_of('lines');

	unlink $file;
	append_to_file($file, join('', map { "$_\n" } @lines));
	system('kcat', '-P', '-q', '-b', $broker->bootstrap, '-t', $topic, '-p',
		0, '-l', $file) == 0
	  or die "could not produce to $topic\n";
	return;
}

# next offset, rows and dead letters of a topic
sub standing
{
	my ($topic) = @_;

	return $node->safe_psql('postgres', "
		SELECT next_offset, stored, dead_lettered FROM fintrans_offsets
		 WHERE topic = '$topic'");
}

# Which partitions have been told to be halted, since so many bytes of log.
sub halted
{
	my ($bridge, $since) = @_;
	my %topics = map { $_ => 1 } substr($bridge->logged, $since // 0) =~
	  /event="partition halted" topic=(\w+)/g;

	return join ' ', sort keys %topics;
}

# Seconds between two lines that tell the same halt, at least.
sub shortest_pause
{
	my ($bridge) = @_;
	my ($shortest, %last) = (3600);

	foreach ($bridge->logged =~ /^(\S+ .*event="partition halted".*)$/mg)
	{
		my ($hour, $minute, $second, $topic) =
		  /^[0-9-]+T(\d+):(\d+):([0-9.]+)Z .* topic=(\w+)/;
		my $at = ($hour * 60 + $minute) * 60 + $second;

		my $pause = ($at - ($last{$topic} // $at - 3600)) % 86400;
		$shortest = $pause if $pause < $shortest;
		$last{$topic} = $at;
	}
	return $shortest;
}

# 30 good ones, then a schema that only JSON could read, then good ones again
my @good = map { "1 2 $_" } 1 .. 30;
my @poison = map { qq({"from": "7654321", "to": "b", "amount": $_}) } 1 .. 300;
produce_lines('London', @good, @poison, @good);
produce_lines('NYC', @good);
my $bridge = start_bridge($node, $broker, 'bridge', @options, '--report-seconds' => 1);
wait_for { standing('London') eq '50|30|20' } 'London to be halted';
wait_for { standing('NYC') eq '30|30|0' } 'NYC to be loaded';
wait_for { halted($bridge) eq 'London' } 'the halt to be told';
like($bridge->logged,
	qr/event="partition halted" topic=London partition=0 reason="offset 50 \(\w+\) would be dead letter 21 of 100 offsets: [^"]*--max-reject-percent/,
	'which offset, which reason and which option');
unlike($bridge->logged, qr/7654321/, 'and no payload');

# its lag is told as Kafka has it, though nothing of it is fetched
produce_lines('London', @good);
wait_for {
	$node->safe_psql('postgres', q{
		SELECT lag FROM fintrans_partition_status WHERE topic = 'London'}) eq 390 - 50
}
'the lag of a halted partition to grow';

# the others go on; a second one that halts does not have the first told again
produce_lines('NYC', @good);
wait_for { standing('NYC') eq '60|60|0' } 'NYC to be loaded on';
produce_lines('SF', @poison);
wait_for { standing('SF') eq '20|0|20' } 'SF to be halted';
wait_for { halted($bridge) eq 'London SF' } 'that to be told';
wait_for { $bridge->logged =~ /event=loading partitions=\d+ halted=2 / }
'the others to be loaded again';
cmp_ok(shortest_pause($bridge), '>', 55, 'no halt is told again within a minute');
is($bridge->stop, 0, 'the bridge stops');

# neither a restart nor a crash eats on: the same message halts it again
$bridge = start_bridge($node, $broker, 'bridge', @options);
wait_for { halted($bridge) eq 'London SF' } 'halts after a start';
is($bridge->kill9, -9, 'the bridge is killed');
is(standing('London'), '50|30|20', 'London stays where it is');
is(standing('SF'), '20|0|20', 'and SF');
$bridge = start_bridge($node, $broker, 'bridge', @options, '--exit-at-end');
is($bridge->wait_exit(180), 1, 'a halted partition is not the end asked for');
like($bridge->logged, qr/reason="partition 0 of topic \\"\w+\\" is halted/,
	'which is told');

# batches of any size halt at the same message: what they commit is the same
$node->safe_psql('postgres', q{
	CREATE TABLE kept AS SELECT * FROM fintrans_dead_letters;
	DELETE FROM fintrans_transactions;
	DELETE FROM fintrans_dead_letters;
	DELETE FROM fintrans_offsets});
$bridge = start_bridge($node, $broker, 'bridge', @options, '--exit-at-end',
	'--batch-rows' => 7);
is($bridge->wait_exit(180), 1, 'with small batches the end is the same');
is(standing('London'), '50|30|20', 'London is where it was');
is(standing('SF'), '20|0|20', 'and SF');
is($node->safe_psql('postgres', q{
		SELECT count(*) FROM fintrans_dead_letters d JOIN kept k
		 USING (topic, kafka_partition, kafka_offset, payload, reason)}),
	40, 'the dead letters are the same');

# dead letters that were replayed or purged do not count any more
$node->safe_psql('postgres', q{
	UPDATE fintrans_dead_letters SET rejected_at = '2020-01-01'
	 WHERE topic = 'SF' AND kafka_offset < 15;
	SELECT fintrans_purge_dead_letters('2021-01-01')});
$bridge = start_bridge($node, $broker, 'bridge', @options, '--exit-at-end');
is($bridge->wait_exit(180), 1, 'a bridge after a purge');
is(standing('SF'), '35|0|20', 'SF has come on by what was purged');

# the operator lets them pass, without a restart; what is good is loaded
set_config('max-reject-percent=20', 'reject-window=100');
$bridge = start_bridge($node, $broker, 'bridge', '--config' => $config);
wait_for { halted($bridge) eq 'London SF' } 'both to be halted again';
my $known = length($bridge->logged);
$bridge->signal('HUP');
wait_for { $bridge->logged =~ /event="configuration read" changes=0/ }
'the configuration to be read';
wait_for { halted($bridge, $known) eq 'London SF' } 'both to be tried, and halted as before';
is(standing('London'), '50|30|20', 'nothing changed, so London stays');
set_config('max-reject-percent=100', 'reject-window=100');
$bridge->signal('HUP');
wait_until_loaded($node, $broker);
is(standing('London'), '390|90|300', 'London is loaded to its end');
is(standing('SF'), '300|0|285', 'and SF, but for what was purged');
is($bridge->stop, 0, 'the bridge stops');
is($node->safe_psql('postgres', 'SELECT * FROM fintrans_verify()'), '',
	'verify finds no difference');

# each message is there once, as a row or byte for byte as a dead letter
my $messages = file_of('messages');
$broker->write_messages($messages);
my @wanted = sort grep { !/^SF 0 (\d+) / || $1 >= 15 } split /\n/,
  slurp_file($messages);
my @found = sort split /\n/, $node->safe_psql('postgres', q{
	SELECT concat_ws(' ', city, kafka_partition, kafka_offset, source_account,
	                 target_account, amount) FROM fintrans_transactions
	UNION ALL
	SELECT concat_ws(' ', topic, kafka_partition, kafka_offset,
	                 convert_from(payload, 'UTF8')) FROM fintrans_dead_letters});
is_deeply(\@found, \@wanted, 'nothing is lost or doubled');

# times out of range are a change of what is sent as well
produce_lines('Tokyo', ('1 2 3') x 60);
$bridge = start_bridge($node, $broker, 'bridge', @options, '--exit-at-end',
	'--time-range' => '2020-01-01..2020-12-31');
is($bridge->wait_exit(180), 1, 'a range that nothing is in');
is(standing('Tokyo'), '20|0|20', 'halts as well');
$bridge = start_bridge($node, $broker, 'bridge', @options, '--exit-at-end');
is($bridge->wait_exit(180), 0, 'with the right one');
is(standing('Tokyo'), '60|40|20', 'the rest is loaded');

# at 0 the first one halts
produce_lines('Moscow', '1 2 3', 'x', '1 2 4');
$bridge = start_bridge($node, $broker, 'bridge', '--exit-at-end',
	'--max-reject-percent' => 0);
is($bridge->wait_exit(180), 1, 'no dead letter is allowed');
is(standing('Moscow'), '1|1|0', 'and none is made');

done_testing();
