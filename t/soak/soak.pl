# The long form of the faults, `make soak`: SOAK_KILLS times kill -9 at random
# moments under load, a storm of rebalances of SOAK_STORM_SECONDS with three bridges,
# and SOAK_MINUTES at SOAK_RATE messages a second, while memory, descriptors, dead
# tuples and latency are looked at.  What it prints as a figure is no condition;
# that memory, descriptors and dead tuples stay flat is one.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use FintransBroker;
use FintransFaults;
use FintransTest;

my $kills = $ENV{SOAK_KILLS} // 200;
my $storm_seconds = $ENV{SOAK_STORM_SECONDS} // 600;
my $minutes = $ENV{SOAK_MINUTES} // 60;
my $rate = $ENV{SOAK_RATE} // 30_000;
my $sample_seconds = 5;
my $seed = srand($ENV{FINTRANS_TEST_SEED} // time);
note("seed $seed");

my @names = qw(bridge_a bridge_b bridge_c);
my $node = new_node(@names);
audit_offsets($node);
my $broker = FintransBroker->kafka;

# -------------------------------------------------------------------- kills

my $generator = start_generator($broker, '--rate' => 20_000, '--seed' => $seed);
kill_bridges($node, $broker, 'bridge_a', $kills);
my $bridge = start_bridge($node, $broker, 'bridge_a');
is($generator->stop, 0, 'the generator delivered everything');
wait_until_loaded($node, $broker);
is($bridge->stop, 0, 'the last bridge ends well');
check_exactly_once($node, $broker, 'kills', undef, { large => 1 });
recovery_figures('kills');

# -------------------------------------------------------------------- storm

$generator = start_generator($broker, '--rate' => 5000, '--seed' => $seed + 1);
my %bridge = storm($node, $broker, $storm_seconds, @names);
note_recovery($node, 'the storm');
is($generator->stop, 0, 'the generator delivered everything');
wait_until_loaded($node, $broker);
is($bridge{$_}->stop, 0, "$_ ends well") foreach @names;
check_exactly_once($node, $broker, 'storm', undef, { large => 1 });
recovery_figures('storm');

# ---------------------------------------------------------------- endurance

my @samples;

# rows of the status file in kB; descriptors; dead tuples; the age of the newest
# message of the partition that is furthest behind, when its batch began
sub take_sample
{
	my ($status) = slurp_file('/proc/' . $bridge->pid . '/status') =~ /^VmRSS:\s+(\d+)/m;
	my $descriptors = () = glob('/proc/' . $bridge->pid . '/fd/*');
	my ($dead, $latency_ms) = split /\|/, $node->safe_psql('postgres', q{
		SELECT pg_stat_get_dead_tuples('fintrans_laundering'::regclass),
		       round(max(extract(epoch FROM updated_at) * 1000 - last_event_time_ms))
		  FROM fintrans_offsets WHERE updated_at > now() - interval '10 s'});

	push @samples, { memory => $status, descriptors => $descriptors, dead => $dead,
		latency_ms => $latency_ms || 0, progress => progress($node) };
	return;
}

# The median of a part of the samples, from one fraction of them to another.
sub median
{
	my ($what, $from, $to) = @_;
	my @part = sort { $a <=> $b }
	  map { $_->{$what} } @samples[ int($from * @samples) .. int($to * @samples) - 1 ];

	return $part[ @part / 2 ];
}

if ($minutes > 0)
{
	my $began = progress($node);
	my $start = time;
	$generator = start_generator($broker, '--rate' => $rate, '--seed' => $seed + 2);
	$bridge = start_bridge($node, $broker, 'bridge_a');
	while (time < $start + 60 * $minutes)
	{
		sleep($sample_seconds);
		take_sample();
	}
	my $seconds = time - $start;
	is($generator->stop, 0, 'the generator delivered everything');
	wait_until_loaded($node, $broker);
	figure(sprintf 'endurance: %d messages in %d s', progress($node) - $began, $seconds);
	# the first quarter fills what is to be filled
	foreach my $what (qw(memory descriptors dead latency_ms))
	{
		figure("endurance: $what: " . join(', ', map { median($what, $_ / 4, ($_ + 1) / 4) } 0 .. 3)
			  . ' (medians of the quarters)');
	}
	cmp_ok(median('memory', 0.75, 1), '<', 1.1 * median('memory', 0.25, 0.5), 'memory is flat');
	cmp_ok(median('descriptors', 0.75, 1), '<=', median('descriptors', 0.25, 0.5),
		'no descriptor is left open');
	my ($updates, $hot) = split /\|/, $node->safe_psql('postgres', q{
		SELECT pg_stat_get_tuples_updated(c), pg_stat_get_tuples_hot_updated(c)
		  FROM (SELECT 'fintrans_laundering'::regclass) t (c)});
	figure("endurance: $hot of $updates updates of totals were HOT");
	is($bridge->stop, 0, 'the bridge ends well');
	check_exactly_once($node, $broker, 'endurance', undef, { large => 1 });
}

done_testing();
