# `make demo` shows the whole pipeline, comes to a good end, and leaves
# nothing behind; nor does it when it is interrupted.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use FintransBroker;
use FintransProcess;
use FintransTest;

# whatever the demo leaves is left here
$ENV{TMPDIR} = PostgreSQL::Test::Utils::tempdir_short();

sub start_demo
{
	my ($name, @variables) = @_;

	return FintransProcess->start($name, 'make', '-s', '-C',
		$ENV{FINTRANS_TREE}, 'demo', @variables);
}

sub leftovers
{
	return join ' ', glob("$ENV{TMPDIR}/*");
}

# the last is a broker of the user's own, on which the bridge begins at the end
my $own = FintransBroker->embedded;

foreach my $broker ('embedded', 'kafka', $own->bootstrap)
{
	my $demo = start_demo($broker, 'SECONDS=3', 'RATE=5000', "BROKER=$broker");

	is($demo->wait_exit(180), 0, "$broker: the demo ends well");
	my $output = $demo->output;
	foreach my $city (qw(London NYC SF Moscow Tokyo))
	{
		like($output, qr/^ \Q$city\E +\| +\d+ \| +\d+ \| [45]\d{3}\.\d\d$/m,
			"$broker: the volume of $city has a likely average");
	}
	like($output, qr/^POTENTIAL MONEY LAUNDERING: \d+ -> \d+ totalling \d+ now /m,
		"$broker: alerts are shown");
	like($output, qr/^ +\d+ s  [\d,]+ transactions  [\d,]+\/s  lag [\d,]+  [\d,]+ pairs  [\d,]+ alerts$/m,
		"$broker: progress is shown");
	my ($transactions) = $output =~ /^no differences: ([\d,]+) transactions/m;
	$transactions =~ tr/,//d if defined $transactions;
	cmp_ok($transactions // 0, '>', 7500, "$broker: transactions came at the rate wanted");
	is(leftovers(), '', "$broker: nothing is left behind");
}

# one that runs for ever comes to the same end by Ctrl-C
{
	local $ENV{FOREVER} = 1;
	my $demo = FintransProcess->start('forever', "$ENV{FINTRANS_TREE}/bridge/demo");

	wait_for { $demo->output =~ /^ +\d+ s  /m } 'progress';
	my ($socket) = $demo->output =~ /psql -h (\S+) /;
	ok(defined $socket && -d $socket, 'for ever: the way to connect is told');
	$demo->signal('INT');
	is($demo->wait_exit(180), 0, 'for ever: Ctrl-C brings it to a good end');
	like($demo->output, qr/^no differences: /m, 'for ever: with its results');
	is(leftovers(), '', 'for ever: nothing is left behind');
}

# one that was to run for a while breaks off
{
	local $ENV{DEMO_SECONDS} = 600;
	my $demo = FintransProcess->start('interrupted', "$ENV{FINTRANS_TREE}/bridge/demo");

	wait_for { $demo->output =~ /^ +\d+ s  /m } 'progress';
	is($demo->stop, 143, 'interrupted: the exit status says so');
	unlike($demo->output, qr/^no differences: /m, 'interrupted: without results');
	is(leftovers(), '', 'interrupted: nothing is left behind');
}

done_testing();
