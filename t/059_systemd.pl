# The unit for systemd, as it is installed: valid, closed to what the bridge
# does not need, more patient than the bridge, and not for ever after a wrong
# configuration.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

my $tree = $ENV{FINTRANS_TREE};
my $place = PostgreSQL::Test::Utils::tempdir();
my $unit = "$place/units/fintrans-bridge.service";
my @make = ('make', '-s', '-C', "$tree/bridge", "prefix=$place", "systemd_unitdir=$place/units");

is(system(@make, 'install'), 0, 'the unit is installed on request');
is(`systemd-analyze verify --man=no '$unit' 2>&1`, '', 'systemd has nothing to say against it');
is($?, 0, 'and accepts it');

# exposure in tenths; 2 is what systemd calls OK
my $judged = `systemd-analyze security --no-pager --offline=true --threshold=20 '$unit' 2>&1`;
is($?, 0, 'the service can do little else') or diag($judged);

my $text = slurp_file($unit);
my %setting = $text =~ /^(\w+)=(.*)$/mg;
like($setting{ExecStart}, qr{^\Q$place\E/bin/fintrans-bridge -F \$\{CREDENTIALS_DIRECTORY\}/kafka\.properties$},
	'it runs the program where that was installed');

my $c = join '', map { slurp_file("$tree/bridge/$_") } qw(bridge.c ingest/ingest.c program/program.h);
my %limit = $c =~ /^#define (\w+) (\d+)$/mg;
cmp_ok($setting{TimeoutStopSec}, '>',
	$limit{DRAIN_MS} / 1000 + $limit{CLOSE_SECONDS} + 2 * $limit{THREAD_STOP_MS} / 1000,
	'it is not killed while it stores what it has read');
is($setting{KillSignal}, 'SIGTERM', 'it is told to do so');
is($setting{Restart}, 'on-failure', 'it is started again after a failure');
is($setting{RestartPreventExitStatus}, $limit{EXIT_USAGE},
	'but not with a wrong configuration');

# what the unit and its example name are options of the program
my $help = slurp_file("$tree/docs/fintrans-bridge.txt");
foreach my $variable (($text . slurp_file("$tree/bridge/systemd/bridge.env")) =~ /\b(FINTRANS_\w+)=/g)
{
	like($help, qr/\[\Q$variable\E\]/, "$variable is an option");
}
unlike($text, qr/password=/i, 'no password stands in it');

is(system(@make, 'uninstall'), 0, 'it can be removed');
ok(!-e $unit, 'and is gone then');

done_testing();
