# While the primary is away the bridge finds a standby, which takes no writes: it
# does not stay there, and goes on when the primary is back.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use FintransBroker;
use FintransTest;

my $primary = new_node('bridge');
audit_offsets($primary);
my $standby = start_standby($primary);
my $broker = FintransBroker->embedded;

my $bridge = start_bridge($primary, $broker, 'bridge',
	'--time-range' => '2020-01-01..',
	'--database' => 'dbname=postgres user=bridge host='
	  . join(',', $primary->host, $standby->host) . ' port='
	  . join(',', $primary->port, $standby->port));
$broker->produce('London', '1 2 3');
wait_for { progress($primary) == 1 } 'the first message';
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));

sub is_refused_by_standby
{
	my ($command) = @_;

	wait_for { $bridge->logged =~ /sqlstate=25006 text="cannot execute $command / }
	"$command to be refused";
	pass("the standby refuses $command");
	$primary->start;
	wait_until_loaded($primary, $broker);
	pass('the bridge goes on with the primary');
	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
	return;
}

# a row for a partition that is there
$primary->stop('immediate');
$broker->produce('London', '1 2 4');
is_refused_by_standby('UPDATE');

# and one for a partition that has to be made
my $csv = file_of('transactions.csv');
append_to_file($csv, "source,target,amount,time\n1,2,5,0\n");
$primary->stop('immediate');
run_generator(
	$broker,
	'--file' => $csv,
	'--columns' => 'source=source,target=target,amount=amount,time=time',
	'--time-unit' => 'day',
	'--time-origin' => '2020-01-01');
is_refused_by_standby('LOCK TABLE');

is($bridge->stop, 0, 'the bridge ends well');
check_exactly_once($primary, $broker, 'standby');

done_testing();
