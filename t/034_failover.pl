# A standby that is behind is promoted in mid-load: the bridge follows it, finds
# that positions have gone back with the rows, and loads what is missing again.
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
my $broker = FintransBroker->kafka;

my $generator = start_generator($broker, '--rate' => 20_000, '--seed' => 34);
my $bridge = start_bridge($primary, $broker, 'bridge',
	'--batch-rows' => 2000, '--linger-ms' => 50,
	'--database' => 'dbname=postgres user=bridge target_session_attrs=read-write host='
	  . join(',', $primary->host, $standby->host) . ' port='
	  . join(',', $primary->port, $standby->port));
wait_for { progress($primary) > 20_000 } 'load';

# what is committed from now on the standby never gets to know
wait_for { progress($standby) > 10_000 } 'the standby';
my $receiver = $standby->safe_psql('postgres', 'SELECT pid FROM pg_stat_wal_receiver');
kill 'STOP', $receiver or die "kill: $!\n";
my $before = progress($primary);
wait_for { progress($primary) > $before + 20_000 } 'load that will be lost';
my $lost = progress($primary);
$primary->stop('immediate');
kill 'CONT', $receiver;
$standby->promote;
my $kept = progress($standby);
cmp_ok($kept, '<', $lost, "the standby is behind: $kept of $lost");

wait_for { progress($standby) > $lost } 'load on the promoted standby';
ok($bridge->running, 'the bridge has followed');
is($generator->stop, 0, 'the generator delivered everything');
wait_until_loaded($standby, $broker);
is($bridge->stop, 0, 'the bridge ends well');
check_exactly_once($standby, $broker, 'failover');

done_testing();
