# The database is recovered to a point in time before the end of a load: the
# bridge loads what came after that point again, from Kafka, and nothing twice.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use FintransBroker;
use FintransTest;

my $node = new_node('bridge');
$node->append_conf('postgresql.conf', "wal_level = replica\nmax_wal_senders = 4");
$node->enable_archiving;
$node->restart;
$node->backup('base');
my $broker = FintransBroker->kafka;

run_generator($broker, '--count' => 60_000, '--rate' => 0, '--seed' => 35);
my $bridge = start_bridge($node, $broker, 'bridge', '--batch-rows' => 2000,
	'--exit-at-end', '--max-messages' => 30_000);
is($bridge->wait_exit(180), 0, 'a part is loaded');
my $part = progress($node);
$node->safe_psql('postgres', q{SELECT pg_create_restore_point('the_mistake')});
$bridge = start_bridge($node, $broker, 'bridge', '--exit-at-end');
is($bridge->wait_exit(180), 0, 'the rest is loaded');
is(progress($node), 60_000, 'all is loaded');
# somebody makes a mistake, and more comes
$node->safe_psql('postgres', 'DELETE FROM fintrans_transactions');
$node->safe_psql('postgres', 'SELECT pg_switch_wal()');
$node->stop;

my $recovered = PostgreSQL::Test::Cluster->new('recovered');
$recovered->init_from_backup($node, 'base', has_restoring => 1, standby => 0);
$recovered->append_conf('postgresql.conf',
	"recovery_target_name = 'the_mistake'\nrecovery_target_action = promote");
$recovered->start;
$recovered->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
is(progress($recovered), $part, 'the database is as it was before the mistake');
run_generator($broker, '--count' => 5_000, '--rate' => 0, '--seed' => 36);
$bridge = start_bridge($recovered, $broker, 'bridge', '--exit-at-end');
is($bridge->wait_exit(180), 0, 'the bridge loads what is missing');
check_exactly_once($recovered, $broker, 'recovery');

done_testing();
