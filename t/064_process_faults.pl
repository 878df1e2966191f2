# What happens to the bridge's own process: signals, clocks that jump, standard
# descriptors that are closed or lead nowhere, few descriptors, no directory for
# temporary files, and calls of the system that fail at random.
# Faults 22, 34, 35 and 36 of docs/faults.md.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use FintransBroker;
use FintransFaults;
use FintransTest;

my $node = new_node('bridge');
audit_offsets($node);
my $broker = FintransBroker->kafka(partitions => 1);
my @options = ('--brokers' => $broker->bootstrap,
	'--database' => $node->connstr('postgres') . ' user=bridge',
	'--group' => 'fintrans-test', '--batch-rows' => 1000, '--linger-ms' => 20,
	'-X' => 'session.timeout.ms=2000', '-X' => 'heartbeat.interval.ms=500');

# Something that ends by starting a bridge with such options.
sub start_by
{
	my (@command) = @_;

	return FintransProcess->start('bridge', @command, @options);
}

# ----------------------------------------------------------------- signals

my $generator = start_generator($broker, '--rate' => 5000, '--seed' => 64);
my $bridge = start_by('fintrans-bridge');
wait_for { progress($node) > 2000 } 'load';
$bridge->signal('INT');
is($bridge->wait_exit(180), 0, 'SIGINT in mid-load ends a bridge well');

my $holder = start_psql($node, 'holder');
$holder->say(q{BEGIN; LOCK TABLE fintrans_offsets IN SHARE MODE; SELECT 'locked';});
wait_for { $holder->output =~ /locked/ } 'a lock';
$bridge = start_by('fintrans-bridge');
wait_for {
	$node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity
		WHERE usename = 'bridge' AND wait_event_type = 'Lock'}) > 0
} 'the bridge to be in the middle of a batch';
$bridge->signal('TERM');
wait_for { $bridge->logged =~ /event=stopping/ } 'the bridge to stop';
$bridge->signal('TERM');
is($bridge->wait_exit(180), 130, 'a second SIGTERM ends it at once');
$holder->say("COMMIT;\n\\q");
is($generator->stop, 0, 'the generator delivered everything');
$bridge = start_by('fintrans-bridge', '--exit-at-end');
is($bridge->wait_exit(180), 0, 'the next one loads the rest');
check_exactly_once($node, $broker, 'signals');

# ------------------------------------------------------------------- clocks

my $library = file_of('clock.so');
my $clock = file_of('clock');
system('gcc', '-shared', '-fPIC', '-o', $library, "$ENV{FINTRANS_TREE}/t/lib/clock_jump.c") == 0
  or die "gcc failed\n";

# In place: the program sees it at once.
sub set_clock
{
	my ($ahead_seconds) = @_;

	open(my $file, -e $clock ? '+<:raw' : '>:raw', $clock) or die "$clock: $!\n";
	print $file pack('q', $ahead_seconds);
	close($file);
	return;
}

my $century = 75 * 365 * 86_400;
set_clock(0);
$bridge = start_by('env', "LD_PRELOAD=$library", "CLOCK_JUMP=$clock", 'fintrans-bridge',
	'--time-range' => '2020-01-01..2200-01-01', '--status-seconds' => 1);
survive('clocks that jump', { node => $node, broker => $broker, bridge => $bridge }, sub {
	foreach my $ahead_seconds (3600, -3600, $century)
	{
		my $before = progress($node);
		set_clock($ahead_seconds);
		wait_for { progress($node) > $before + 3000 } 'load after a jump';
	}
});
wait_for { $bridge->logged =~ /^21\d\d-/m } 'a line of status in the next century';
is($bridge->stop, 0, 'the bridge ends well in the next century');
# event times are Kafka's, as kcat tells them
my $times = file_of('times');
system("kcat -C -e -q -o beginning -b $broker->{bootstrap} -t London -f '%o %T\\n' > '$times'") == 0
  or die "kcat failed\n";
is($node->safe_psql('postgres', qq{
	CREATE TABLE times (kafka_offset bigint, ms bigint);
	COPY times FROM '$times' (DELIMITER ' ');
	SELECT count(*) FROM times FULL JOIN
		(SELECT kafka_offset, event_time FROM fintrans_transactions WHERE city = 'London') t
		USING (kafka_offset)
	 WHERE event_time IS DISTINCT FROM to_timestamp(0) + ms * interval '1 ms'}), 0,
	'event times are those of the messages');

# -------------------------------------------------------------- descriptors

foreach my $way (
	[ 'standard output and error closed', 'exec "$@" >&- 2>&- <&-' ],
	[ 'the log on a full disk', 'exec "$@" 2> /dev/full' ],
	[ '32 descriptors', 'ulimit -n 32; exec "$@"' ],
	[ 'no temporary directory', 'export TMPDIR=/nonexistent HOME=/nonexistent; cd /; exec "$@"' ])
{
	my ($what, $command) = @$way;

	$bridge = start_by('bash', '-c', $command, 'bash', 'fintrans-bridge');
	survive($what, { node => $node, broker => $broker, bridge => $bridge,
			check => $what eq 'no temporary directory' },
		sub { });
	is($bridge->stop, 0, "$what: the bridge ends well");
}

# too few for all that it wants: it does what it can, or says what it cannot, and
# does not wait for more in a hurry
my $few = progress($node);
$broker->produce('London', '1 2 3');
$bridge = start_by('bash', '-c', 'ulimit -n 8; exec "$@"', 'bash', 'fintrans-bridge');
wait_for {
	progress($node) > $few || !$bridge->running
	  || $bridge->logged =~ /retrying"|event="cannot go on"|in trouble"/
} 'a bridge with too few descriptors to load, or to say why not';
pass('a bridge with too few descriptors loads, or says why not');
my $lines = () = $bridge->logged =~ /\n/g;
cmp_ok($lines, '<', 50, 'in few lines');
$bridge->stop if $bridge->running;

# --------------------------------------------------------- failing calls

SKIP:
{
	skip 'there is no libfiu here', 1 if system('command -v fiu-run > /dev/null') != 0;
	my %ends;
	my $generator = start_generator($broker, '--rate' => 5000, '--seed' => 65);
	my $start = progress($node);
	my $run = sub {
		my ($rounds, @points) = @_;

		foreach my $round (1 .. $rounds)
		{
			my $before = progress($node);
			my $failing = FintransProcess->start('failing', 'fiu-run', '-x', '-f', '',
				(map { ('-c', "enable_random name=$_,probability=0.0001") } @points),
				'fintrans-bridge', @options);
			wait_for { progress($node) > $before + 10_000 || !$failing->running } 'load in spite of failing calls';
			my $status = $failing->stop;
			$ends{$status}++;
			ok($status == 0 || $failing->logged =~ /level=error|assert/i,
				"failing calls, round $round: ended with $status, and a reason if not by SIGTERM");
		}
	};
	# librdkafka itself gives up by abort() when there is no memory
	$run->(3, qw(posix/io/rw/* posix/io/net/*));
	ok(!grep({ $_ < 0 } keys %ends), 'no failing call of the system makes it crash');
	$run->(3, qw(libc/mm/* posix/io/rw/* posix/io/net/*));
	is($generator->stop, 0, 'the generator delivered everything');
	$bridge = start_by('fintrans-bridge', '--exit-at-end');
	is($bridge->wait_exit(180), 0, 'the next one loads the rest');
	cmp_ok(progress($node), '>', $start + 20_000, 'it was a load');
	check_exactly_once($node, $broker, 'failing calls');
	figure('failing calls: ended with ' . join(', ', map { "$_ ($ends{$_} times)" } sort keys %ends));
}

done_testing();
