# All programs end alike: with 2 when they are used or configured wrongly,
# saying so in one line and doing nothing, with 1 when something fails later.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use FintransProcess;
use FintransTest;

my %programs = (
	bridge => [], generator => [], detector => ['--once'], broker => []);
my $number = 0;

# The exit status of a program and what it printed on standard error.
sub run_program
{
	my ($program, @options) = @_;
	my $process = FintransProcess->start("run" . ++$number,
		"fintrans-$program", @{ $programs{$program} }, @options);
	my $status = $process->wait_exit(180);

	return ($status, $process->logged);
}

sub refused_ok
{
	my ($program, @options) = @_;
	my ($status, $said) = run_program($program, @options);

	is($status, 2, "fintrans-$program @options is wrong use");
	like($said, qr/\Afintrans-$program: [^\n]+\n\z/, 'and all it says is why');
	return;
}

# ------------------------------------------------------------ wrong use: 2

foreach my $program (sort keys %programs)
{
	refused_ok($program, '--nonsense');
	refused_ok($program, 'argument');
	refused_ok($program, '--log-level=loud');
	like(slurp_file("$ENV{FINTRANS_TREE}/docs/fintrans-$program.txt"),
		qr/^Exit status:\n  0  .+\n  1  .+\n  2  wrong use or configuration\n/m,
		"fintrans-$program --help tells the exit status");
}

# what is found wrong only when it is put to use
foreach my $program (qw(bridge generator))
{
	refused_ok($program, '-X', 'nonsense=1');
	refused_ok($program, '-X', 'socket.timeout.ms=soon');
	refused_ok($program, '-X', 'sasl.password=hunter2');
	refused_ok($program, '-X', 'sasl.password.file=/nonexistent');
	refused_ok($program, '-F', '/nonexistent');
	refused_ok($program, '--brokers=');
}
foreach my $program (qw(bridge detector))
{
	refused_ok($program, '--database=mysql://here/there');
	refused_ok($program, '--database=nonsense=1');
	refused_ok($program, '--database=password=hunter2');
	refused_ok($program, '--password-file=/nonexistent');
}
refused_ok($_, '--http-listen=here') foreach qw(bridge generator detector);
refused_ok('bridge', '--start=yesterday');
refused_ok('bridge', '--time-range=always');
refused_ok('bridge', '--currency=euro');
refused_ok('generator', '--topics=');
refused_ok('generator', '--file=/nonexistent');
refused_ok('generator', '--file=/dev/null', '--columns=source');
refused_ok('generator', '--file=/dev/null', '--time-origin=then');
refused_ok('generator', '--plant=/nonexistent/plant');
refused_ok('generator', '--plant=/nonexistent/plant', '--count=1000000');
refused_ok('generator', '--plant=/nonexistent/plant', '--count=1000000', '--days=6');
refused_ok('generator', '--days=30');
refused_ok('detector', '--threshold=much');
refused_ok('detector', '--min-amount=-1');
refused_ok('detector', '--state=closed');
refused_ok('detector', '--format=xml');
refused_ok('detector', '--rule=a', '--rule=b', '--threshold=1');
refused_ok('broker', '--topics=London,New York');
refused_ok('broker', '--topics=London,London');

# ------------------------------------------------- failure at run time: 1

my $node = new_node();
my $database = $node->connstr('template1');    # has no extension

foreach my $program (qw(bridge detector))
{
	my ($status, $said) = run_program($program, '--database' => $database);

	is($status, 1, "fintrans-$program fails without the extension");
	like($said, qr/level=error .*reason=/, 'and logs the reason');
}

my ($undelivered_status, $said) = run_program('generator',
	'--brokers=127.0.0.1:1', '--count=1', '--rate=0',
	'-X', 'message.timeout.ms=100');
is($undelivered_status, 1, 'fintrans-generator fails when it cannot deliver');
like($said, qr/level=error .*event="messages not delivered"/, 'and logs that');

# ------------------------------------------- wrong use, but seen late: 2

my %database = (
	bridge => [ '--database' => $node->connstr('postgres') ], generator => []);
foreach my $program (sort keys %database)
{
	my ($status, $said) = run_program($program, @{ $database{$program} },
		'-X', 'security.protocol=ssl', '-X', 'ssl.ca.location=/nonexistent');

	is($status, 2, "fintrans-$program without its certificate is wrong use");
	like($said, qr/^fintrans-$program: ssl\.ca\.location failed/m, 'and says so');
}

# ------------------------------------------------------------ lost output: 1

foreach my $program (sort keys %programs)
{
	is(system("fintrans-$program --help > /dev/full 2>&1") >> 8, 1,
		"fintrans-$program fails when its output gets lost");
}

done_testing();
