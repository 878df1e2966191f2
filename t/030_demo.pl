# `make demo` shows the whole pipeline, comes to a good end, and leaves
# nothing behind; nor does it when it is interrupted.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use FintransBroker;
use FintransProcess;
use FintransTest;

# whatever the demo leaves is left here, and it shall leave nothing
delete $ENV{KEEP};
$ENV{TMPDIR} = PostgreSQL::Test::Utils::tempdir_short();

sub start_demo
{
	my ($name, @variables) = @_;

	return FintransProcess->start($name, 'make', '-s', '-C',
		$ENV{FINTRANS_TREE}, 'demo', @variables);
}

# Files, and processes that work in a directory of the demo's or did.
sub leftovers
{
	my @processes = grep { (readlink("$_/cwd") // '') =~ /^\Q$ENV{TMPDIR}\E\// }
	  glob('/proc/[0-9]*');

	return join ' ', glob("$ENV{TMPDIR}/*"), @processes;
}

# The last of them may be on its way out still, as on a terminal that is gone.
sub nothing_left
{
	my ($what) = @_;
	my $deadline = time + 60;

	sleep(0.1) while leftovers() ne '' && time < $deadline;
	is(leftovers(), '', "$what: nothing is left behind");
	return;
}

sub number
{
	my ($text) = @_;

	return ($text // 'none') =~ tr/,//dr;
}

# the last is a broker of the user's own, on which the bridge begins at the end
my $own = FintransBroker->embedded;

foreach my $broker ('embedded', 'kafka', $own->bootstrap)
{
	my $format = { embedded => 'json', kafka => 'csv' }->{$broker} // 'text';
	my $demo = start_demo($broker, 'SECONDS=3', 'RATE=5000', "FORMAT=$format",
		"BROKER=$broker");

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
	cmp_ok(number($transactions), '>', 7500, "$broker: transactions came at the rate wanted");
	my ($alerts) =
	  $output =~ /^Generator stopped, all it sent is loaded: .* ([\d,]+) alerts$/m;
	my ($suspects) = $output =~ / of (\d+) in all:$/m;
	is(number($alerts), $suspects, "$broker: the alerts at the end are the suspects");
	my $shown = () = $output =~ /^POTENTIAL /mg;
	$shown += number($_) foreach $output =~ /\(and ([\d,]+) more\)$/mg;
	is($shown, $suspects, "$broker: and all of them were shown or counted");
	nothing_left($broker);
}

# one that runs for ever comes to the same end by Ctrl-C
{
	local $ENV{FOREVER} = 1;
	my $demo = FintransProcess->start('forever', "$ENV{FINTRANS_TREE}/bridge/demo");

	wait_for { $demo->output =~ /^ +\d+ s  /m } 'progress';
	my ($user, $psql) = $demo->output =~ /^connect, as (\S+) or root, with: (psql .*)$/m;
	is($user, getpwuid($<), 'for ever: who can connect is told');
	like(`$psql -X -A -t -c 'SELECT count(*) FROM fintrans_offsets'`, qr/^20$/,
		'for ever: the way to connect works');
	`$psql -X -c "SELECT fintrans_set_rule('busy', 1, true, 'velocity', '1 hour')"`;
	is($?, 0, 'for ever: another rule may be made');
	$demo->signal('INT');
	is($demo->wait_exit(180), 0, 'for ever: Ctrl-C brings it to a good end');
	like($demo->output, qr/^interrupted, stopping; the summary follows/m,
		'for ever: which it says');
	like($demo->output, qr/^no differences: /m, 'for ever: with its results');
	nothing_left('for ever');
}

# one that was to run for a while breaks off
{
	local $ENV{DEMO_SECONDS} = 600;
	my $demo = FintransProcess->start('interrupted', "$ENV{FINTRANS_TREE}/bridge/demo");

	wait_for { $demo->output =~ /^ +\d+ s  /m } 'progress';
	is($demo->stop, 143, 'interrupted: the exit status says so');
	unlike($demo->output, qr/^no differences: /m, 'interrupted: without results');
	nothing_left('interrupted');
}

# on a terminal, where Ctrl-C reaches all that make has started
{
	my $demo = FintransProcess->start_on_terminal('terminal', 'make', '-s',
		'-C', $ENV{FINTRANS_TREE}, 'demo', 'SECONDS=600');

	wait_for { $demo->output =~ /\r\e\[K +\d+ s  / } 'progress';
	$demo->type("\cC");
	isnt($demo->wait_exit(180), 0, 'terminal: Ctrl-C ends it');
	like($demo->output, qr/\e\[Kinterrupted, stopping; further results are skipped\r\n/,
		'terminal: which it says');
	nothing_left('terminal');
}

# so much is sent that its summary has to wait
{
	my $demo = FintransProcess->start_on_terminal('impatient', 'make', '-s',
		'-C', $ENV{FINTRANS_TREE}, 'demo', 'FOREVER=1', 'RATE=0');

	wait_for { $demo->output =~ /lag \d+,\d+,\d+ / } 'a backlog';
	$demo->type("\cC");
	wait_for { $demo->output =~ /interrupted, stopping; the summary follows/ }
	'the end to begin';
	$demo->type("\cC");
	isnt($demo->wait_exit(180), 0, 'impatient: a second Ctrl-C ends it');
	like($demo->output, qr/\e\[Kinterrupted, stopping; further results are skipped\r\n/,
		'impatient: which it says');
	nothing_left('impatient');
}

done_testing();
