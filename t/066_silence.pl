# Whoever says nothing, and does not close its connection either: a server that is
# stopped, a network that swallows everything, and a bridge that is stopped in the
# middle of a COPY and holds what its heir needs.  All three at once, since each
# takes half a minute to be noticed.  Faults 3 and 16 of docs/faults.md.
use strict;
use warnings;

use FintransNamespace;
my $has_namespace;
BEGIN { $has_namespace = FintransNamespace::enter('net') }

use PostgreSQL::Test::Utils;
use Test::More;

use FintransBroker;
use FintransFaults;
use FintransTest;

# a server's address of its own, which can be cut off
my $address = '127.0.0.2';
if ($has_namespace)
{
	system('/sbin/ip link set lo up && /usr/sbin/nft add table ip faults'
		  . q( && /usr/sbin/nft add chain ip faults input '{ type filter hook input priority 0; }')) == 0
	  or die "no network in this namespace\n";
}

my $node = new_node('bridge');
if ($has_namespace)
{
	$node->append_conf('postgresql.conf', "listen_addresses = '$address'");
	$node->restart;
}
audit_offsets($node);
my $broker = FintransBroker->kafka(partitions => 1);

sub sql
{
	my ($query) = @_;

	return $node->safe_psql('postgres', $query);
}

# A bridge for one topic, whose only session the server knows by the bridge's name.
sub start_for
{
	my ($name, $topic, @options) = @_;

	return start_bridge($node, $broker, $name, '--topics' => $topic, '--group' => "of $topic",
		'--database' => $node->connstr('postgres') . " user=bridge application_name=$name",
		'--linger-ms' => 50, '--report-seconds' => 0, '--no-index', @options);
}

sub loaded
{
	my ($topic) = @_;

	return next_offsets($node)->{"$topic 0"} // 0;
}

sub wait_for_load
{
	my ($topic, $what) = @_;
	my $before = loaded($topic);

	wait_for { loaded($topic) > $before } "$topic to be loaded $what";
	return;
}

# The bridge is stopped while PostgreSQL waits for more rows of it: that takes
# some attempts.
sub is_sending
{
	my $does = 'work';

	wait_for {
		$does = sql(q{
			SELECT coalesce(max(CASE WHEN state <> 'active' THEN 'rest'
			                         WHEN wait_event = 'ClientRead' AND query LIKE 'COPY%' THEN 'send'
			                         ELSE 'work' END), 'rest')
			  FROM pg_stat_activity WHERE application_name = 'frozen'});
		$does ne 'work'
	} 'the stopped bridge to be waited for';
	return $does eq 'send';
}

my $generator = start_generator($broker, '--rate' => 3000, '--topics' => 'NYC,SF');
# large batches, so that it is often in the middle of one
my $flood = start_generator($broker, '--rate' => 15_000, '--topics' => 'London');
my %bridge = (
	frozen => start_for('frozen', 'London', '--linger-ms' => 2000),
	patient => start_for('patient', 'NYC'));
$bridge{cut_off} = start_for('cut_off', 'SF', '--database' =>
	"host=$address port=" . $node->port . ' dbname=postgres user=bridge') if $has_namespace;
my @topics = ('London', 'NYC', $has_namespace ? 'SF' : ());
wait_for_load($_, 'at first') foreach @topics;

wait_for {
	$bridge{frozen}->signal('STOP');
	my $is_caught = is_sending();
	$bridge{frozen}->signal('CONT') unless $is_caught;
	$is_caught;
} 'a bridge to be stopped in the middle of a COPY';
is($flood->stop, 0, 'the generator for it delivered everything');
$flood = start_generator($broker, '--rate' => 1000, '--topics' => 'London');
$bridge{heir} = start_for('heir', 'London');

my $backend = sql(q{SELECT pid FROM pg_stat_activity WHERE application_name = 'patient'});
kill 'STOP', $backend or die "kill: $!\n";
system('/usr/sbin/nft', 'add', 'rule', 'ip', 'faults', 'input', 'ip', 'daddr', $address, 'drop') == 0
  or die "nft failed\n" if $has_namespace;

wait_for { $bridge{patient}->logged =~ /event="waiting for the database, fetching stops"/ }
	'the bridge of the stopped server to say so';
pass('a server that is stopped is named');
kill 'CONT', $backend or die "kill: $!\n";
wait_for_load('NYC', 'by the server that goes on');

SKIP:
{
	skip 'there can be no network of its own here', 1 unless $has_namespace;
	wait_for { $bridge{cut_off}->logged =~ /event="no database connection, retrying"/ }
		'the bridge that is cut off to say so';
	pass('a network that swallows everything is noticed');
	system('/usr/sbin/nft', 'flush', 'chain', 'ip', 'faults', 'input') == 0 or die "nft failed\n";
	wait_for_load('SF', 'by the network that works again');
}

wait_for { $bridge{heir}->logged =~ /event="ended the session of a bridge that is frozen/ }
	'the heir to end the session of the bridge that is stopped';
pass('the heir ends the session of the bridge that is stopped');
wait_for_load('London', 'by the heir');
$bridge{frozen}->signal('CONT');
is($bridge{heir}->stop, 0, 'the heir ends well');
wait_for_load('London', 'by the bridge that was stopped');

foreach ($generator, $flood)
{
	is($_->stop, 0, 'the generator delivered everything');
}

# a writer that holds a position, and of which something comes now and then, is
# slow and not frozen: it is waited for, through any number of lock timeouts
sub lock_timeouts
{
	return scalar(() = slurp_file($node->logfile) =~ /canceling statement due to lock timeout/g);
}

$bridge{waiting} = start_for('waiting', 'Moscow');
$broker->produce('Moscow', '1 2 3');
wait_for { loaded('Moscow') == 1 } 'Moscow to be loaded';
my $slow = FintransProcess->start('slow', 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1',
	$node->connstr('postgres') . ' user=bridge application_name=slow');
$slow->say(q{BEGIN;
	SELECT FROM fintrans_offsets WHERE topic = 'Moscow' FOR UPDATE;
	COPY fintrans_dead_letters (topic, kafka_partition, kafka_offset, reason) FROM STDIN;});
wait_for { sql(q{SELECT count(*) FROM pg_stat_activity WHERE application_name = 'slow'
	AND wait_event = 'ClientRead' AND query LIKE '%COPY%' AND state = 'active'}) == 1 }
'the slow session to hold the position';
my $before = lock_timeouts();
my $rows = 0;
$broker->produce('Moscow', '1 2 4');
my $fed = 0;
wait_for {
	# once a second, and more than psql keeps to itself
	$slow->say(join("\n", map { join("\t", 'slow', 0, $rows++, 'empty') } 1 .. 1000))
	  if $fed != time;
	$fed = time;
	lock_timeouts() >= $before + 3
} 'three lock timeouts';
is(sql(q{SELECT count(*) FROM pg_stat_activity WHERE application_name = 'slow'}), 1,
	'the slow session is there still');
$slow->say("\\.\nROLLBACK;");
wait_for { loaded('Moscow') == 2 } 'Moscow to be loaded after it';
$bridge{rest} = start_for('rest', 'SF') unless $has_namespace;
wait_until_loaded($node, $broker);
foreach my $name (grep { $_ ne 'heir' } sort keys %bridge)
{
	is($bridge{$name}->stop, 0, "$name ends well");
}
check_exactly_once($node, $broker, 'silence');

done_testing();
