# What PostgreSQL does to a bridge that writes to it: tables locked or rewritten
# under it, sessions ended, a deadlock, temporary files and disks that are full.
# The same bridge survives all of it; no message is refused for it.
# Faults 4, 14, 15, 30, 31 and 37 of docs/faults.md.
use strict;
use warnings;

use FintransNamespace;
my $has_namespace;
BEGIN { $has_namespace = FintransNamespace::enter('mount') }

use PostgreSQL::Test::Utils;
use Test::More;

use FintransBroker;
use FintransFaults;
use FintransTest;

my $node = new_node('bridge');
audit_offsets($node);
my $broker = FintransBroker->kafka(partitions => 2);
my $bridge = start_bridge($node, $broker, 'bridge', '--batch-rows' => 1000,
	'--linger-ms' => 20, '-X' => 'max.poll.interval.ms=6000');
my $at = { node => $node, broker => $broker, bridge => $bridge };

sub sql
{
	my ($statements) = @_;

	return $node->safe_psql('postgres', $statements);
}

sub refused_with
{
	my ($sqlstate) = @_;
	my $before = length($bridge->logged);

	return sub {
		wait_for { substr($bridge->logged, $before) =~ /retrying" sqlstate=$sqlstate / }
		"SQLSTATE $sqlstate";
	};
}

# ------------------------------------------------------------------- locks

survive('tables rewritten', $at, sub {
	foreach my $statement (
		'VACUUM FULL fintrans_laundering',
		'VACUUM FULL fintrans_offsets',
		'ALTER TABLE fintrans_laundering SET (fillfactor = 60)',
		'ALTER TABLE fintrans_transactions ADD CONSTRAINT fine CHECK (amount >= 0)',
		'ALTER TABLE fintrans_transactions DROP CONSTRAINT fine',
		'REINDEX TABLE fintrans_laundering')
	{
		my $before = progress($node);
		sql($statement);
		wait_for { progress($node) > $before } "load after $statement";
	}
});

# longer than the lock timeout (30 s), which is longer than Kafka waits for a poll
# (6 s): consumption stops, and the group does not notice
survive('totals locked', $at, sub {
	my $refused = refused_with('55P03');
	my $holder = start_psql($node, 'holder');
	$holder->say('BEGIN; LOCK TABLE fintrans_laundering IN SHARE MODE;');
	$refused->();
	$holder->say("COMMIT;\n\\q");
	is($holder->wait_exit(180), 0, 'the lock is given back');
});
like($bridge->logged, qr/event="waiting for the database, fetching stops"/, 'consumption had stopped');
unlike($bridge->logged, qr/_MAX_POLL_EXCEEDED|event="(?:membership lost|partitions revoked)"/,
	'Kafka never gave its partitions away');
my $assigned = () = $bridge->logged =~ /event="partitions assigned"/g;
is($assigned, 1, 'since the first time');

survive('sessions terminated', $at, sub {
	foreach my $time (1 .. 20)
	{
		my $before = progress($node);
		sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'bridge'});
		wait_for { progress($node) > $before } 'load in another session';
	}
});

survive('too many connections', $at, sub {
	my $refused = refused_with('53300');
	sql(q{
		ALTER ROLE bridge CONNECTION LIMIT 0;
		SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'bridge'});
	$refused->();
	sql('ALTER ROLE bridge CONNECTION LIMIT -1');
});

survive('statements cancelled', $at, sub {
	my $refused = refused_with('57014');
	foreach my $time (1 .. 50)
	{
		sql(q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity
			   WHERE usename = 'bridge' AND state = 'active'});
	}
	$refused->();
});

# ---------------------------------------------------------------- deadlock

# Somebody locks totals in the other order; the bridge, which waits first, is told
# so.  Whoever waits looks for a deadlock once, after this time.
sql(q{
	ALTER ROLE bridge SET deadlock_timeout = '3s';
	SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'bridge'});
$broker->produce('London', 'aaaa bbbb 1', 'zzzz bbbb 1');
wait_until_loaded($node, $broker);
my $deadlock = refused_with('40P01');
my $foreign = start_psql($node, 'foreign');
$foreign->say(q{
	SET deadlock_timeout = '10min';
	BEGIN;
	SELECT 'first' FROM fintrans_laundering WHERE source_account = 'zzzz' FOR UPDATE;});
wait_for { $foreign->output =~ /first/ } 'the foreign lock';
my $csv = file_of('pairs.csv');
append_to_file($csv, "source,target,amount\naaaa,bbbb,2\nzzzz,bbbb,2\n");
run_generator($broker, '--file' => $csv, '--topics' => 'London',
	'--columns' => 'source=source,target=target,amount=amount');
wait_for {
	sql(q{SELECT count(*) FROM pg_stat_activity
		   WHERE usename = 'bridge' AND wait_event_type = 'Lock'}) > 0
} 'the bridge to wait';
$foreign->say(q{SELECT 'second' FROM fintrans_laundering WHERE source_account = 'aaaa' FOR UPDATE;});
$deadlock->();
wait_for { $foreign->output =~ /second/ } 'the foreign session to get its lock';
$foreign->say("COMMIT;\n\\q");
is($foreign->wait_exit(180), 0, 'it goes on');
wait_until_loaded($node, $broker);
check_exactly_once($node, $broker, 'deadlock');

# --------------------------------------------------------------- no space

# what the trigger reads is kept in a temporary file
survive('no temporary files', $at, sub {
	my $refused = refused_with('53400');
	sql($_) foreach q{ALTER SYSTEM SET work_mem = '64kB'},
	  q{ALTER SYSTEM SET temp_file_limit = 0}, 'SELECT pg_reload_conf()';
	$refused->();
	sql($_) foreach 'ALTER SYSTEM RESET work_mem', 'ALTER SYSTEM RESET temp_file_limit',
	  'SELECT pg_reload_conf()';
});

SKIP:
{
	skip 'there can be no small disk here', 1 unless $has_namespace;
	my $disk = PostgreSQL::Test::Utils::tempdir();
	system('mount', '-t', 'tmpfs', '-o', 'size=24m,mode=0700', 'tmpfs', $disk) == 0
	  or die "mount failed\n";
	# the server came before the disk, but in this namespace
	mkdir "$disk/space" or die "$disk/space: $!\n";
	sql("CREATE TABLESPACE small LOCATION '$disk/space'");
	my $leaf = sql(q{SELECT format('fintrans_transactions_%s', to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD'))});
	sql("ALTER TABLE $leaf SET TABLESPACE small");
	survive('disk full', $at, sub {
		my $refused = refused_with('53100');
		system("dd if=/dev/zero of='$disk/filler' bs=64k 2> /dev/null");
		$refused->();
		unlink "$disk/filler" or die "$disk/filler: $!\n";
	});
	sql("ALTER TABLE $leaf SET TABLESPACE pg_default; DROP TABLESPACE small");
	system('umount', $disk);
}

is($bridge->stop, 0, 'the bridge ends well');
recovery_figures('faults of PostgreSQL');

done_testing();
