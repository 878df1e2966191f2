# Faults in the middle of a load, one after the other on the same servers: each
# begins while rows are coming in, ends, must be survived by the same bridge
# without help, and is followed by a look at all invariants.
package FintransFaults;

use strict;
use warnings;

use Exporter 'import';
use Test::More;
use Time::HiRes qw(sleep time);

use FintransTest;

our @EXPORT = qw(
  figure
  kill_bridges
  note_recovery
  recovery_figures
  storm
  survive
);

my $seed = 60;
my @recoveries;    # seconds

# survive WHAT, { node, broker, bridge, rate, check }, FAULT: FAULT is called in mid-load,
# and returns when the fault is over; `check` is false when more of the kind
# follow, the last of which is looked at for all.
sub survive
{
	my ($what, $at, $fault) = @_;
	my ($node, $broker, $bridge) = @$at{qw(node broker bridge)};
	my $generator = start_generator($broker, '--rate' => $at->{rate} // 5000,
		'--seed' => ++$seed);
	my $before = progress($node);

	wait_for { progress($node) > $before + 2000 } "load before $what";
	$fault->();
	note_recovery($node, $what);
	ok($bridge->running, "$what: the bridge goes on");
	is($generator->stop, 0, "$what: the generator delivered everything");
	wait_until_loaded($node, $broker);
	check_exactly_once($node, $broker, $what, undef, $at->{unusual})
	  if $at->{check} // 1;
	return;
}

# Wait for what comes after now, when a fault is over, and remember how long that
# took: a figure, and no condition.
sub note_recovery
{
	my ($node, $what) = @_;
	my $over = time;
	my $before = progress($node);

	wait_for { progress($node) > $before } "load after $what";
	push @recoveries, time - $over;
	return;
}

# kill_bridges NODE, BROKER, NAME, KILLS: kill -9 at random moments under load.
sub kill_bridges
{
	my ($node, $broker, $name, $kills) = @_;

	for my $kill (1 .. $kills)
	{
		my $bridge = start_bridge($node, $broker, $name,
			# small batches, so that a kill may meet any step of a commit
			'--batch-rows' => 2000, '--linger-ms' => 20);

		note_recovery($node, "kill " . ($kill - 1));
		sleep(rand(0.4));
		is($bridge->kill9, -9, "kill $kill was in mid-load");
	}
	return;
}

# storm NODE, BROKER, SECONDS, NAMES...: bridges of one group under these names;
# every two seconds one of them joins, leaves, dies or is stopped for a while.
# They are all there in the end, and are returned, by name.
sub storm
{
	my ($node, $broker, $seconds, @names) = @_;
	my %bridge;
	my %done;
	my $stopped;
	my $end = time + $seconds;
	my $turns = 0;
	my $start = sub {
		my ($name) = @_;

		# no two are alike, as while they are replaced one by one
		$bridge{$name} = start_bridge($node, $broker, $name,
			'--linger-ms' => 20 + int(rand(200)), '--batch-rows' => 500 + int(rand(20_000)),
			'-X' => 'partition.assignment.strategy=' . (rand() < 0.5 ? 'range' : 'range,roundrobin'));
	};
	my $wake = sub {
		$stopped->signal('CONT') if $stopped;
		undef $stopped;
	};

	$start->($_) foreach @names;
	while (time < $end)
	{
		my $name = $names[ rand @names ];
		my $deed = $bridge{$name} ? (qw(leave die stop))[ rand 3 ] : 'join';

		sleep(2);
		$wake->();
		if ($deed eq 'join') { $start->($name) }
		elsif ($deed eq 'stop') { ($stopped = $bridge{$name})->signal('STOP') }
		elsif ($deed eq 'die') { (delete $bridge{$name})->kill9 }
		elsif ((delete $bridge{$name})->stop != 0) { fail("$name ends well") }
		$done{$deed}++;
		$turns++;
	}
	$wake->();
	$start->($_) foreach grep { !$bridge{$_} } @names;
	figure("storm: $turns changes of a group in $seconds s: "
		  . join(', ', map { "$_ $done{$_}" } sort keys %done));
	return %bridge;
}

# What .ci/check prints beside the counts.
sub figure
{
	my ($text) = @_;

	note("figure: $text");
	return;
}

sub recovery_figures
{
	my ($what) = @_;
	my @sorted = sort { $a <=> $b } @recoveries;

	figure(sprintf '%s: %d survived, time to recover %.1f s (median), %.1f s (longest)',
		$what, scalar @sorted, $sorted[ @sorted / 2 ], $sorted[-1]) if @sorted;
	@recoveries = ();
	return;
}

1;
