# From extension 0.1.0 to the version of this tree while the bridge loads, the
# detector watches and others COPY: nothing is lost, nobody stops, roles can do
# what they could, and the database is then as if it had been made new.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use FintransBroker;
use FintransProcess;
use FintransTest;

my $old = '0.1.0';
my $node = new_node();
my $new = $node->safe_psql('postgres', q{
	SELECT default_version FROM pg_available_extensions WHERE name = 'fintrans'});
isnt($old, $new, 'there is something to update to');
$node->safe_psql('postgres', 'DROP EXTENSION fintrans');

# Everything in a database is under the test's superuser, unless it says so.
sub sql
{
	my ($statements, $database) = @_;

	return $node->safe_psql($database // 'postgres', $statements);
}

sub version
{
	my ($database) = @_;

	return sql(q{SELECT extversion FROM pg_extension WHERE extname = 'fintrans'}, $database);
}

sub installed_old
{
	my ($database) = @_;

	sql("CREATE DATABASE $database") if $database ne 'postgres';
	sql("CREATE EXTENSION fintrans VERSION '$old'", $database);
	return;
}

# ------------------------------------------- the new library, the old scripts

installed_old('postgres');
sql(q{
	CREATE ROLE bridge LOGIN;
	CREATE ROLE reader LOGIN;
	CREATE ROLE keeper LOGIN;
	CREATE ROLE operator LOGIN;
	CREATE ROLE another_superuser SUPERUSER;
	SELECT fintrans_grant('bridge', 'writer'), fintrans_grant('reader', 'reader'),
	       fintrans_grant('keeper', 'keeper'), fintrans_grant('operator', 'operator');
	SELECT fintrans_set_rule('default', 60000), fintrans_set_rule('off', 1, false)});

my $broker = FintransBroker->embedded;
my $generator = start_generator($broker, '--rate' => 10_000, '--seed' => 40,
	'--accounts' => 60);
my $bridge = start_bridge($node, $broker, 'bridge', '--batch-rows' => 2000,
	'--linger-ms' => 20, '--log-level' => 'info');
my $detector = FintransProcess->start('detector', 'fintrans-detector',
	'--database' => $node->connstr('postgres') . ' user=operator',
	'--rule' => 'default');
wait_for { sql('SELECT count(*) FROM fintrans_alerts') > 50 } 'alerts under the old version';
wait_for { $detector->output =~ /POTENTIAL/ } 'the detector under the old version';
is(version('postgres'), $old, 'the programs work with the old version');
sql(q{SELECT fintrans_review(min(alert_id), 'reviewing', 'before the update') FROM fintrans_alerts});
is(sql('SELECT * FROM fintrans_verify()'), '', 'the new library keeps the old tables exact');
is(sql(q{
	SELECT t FROM unnest(ARRAY[0, 1000, 20000, 50000, 70000, 1e6]) t
	 WHERE (SELECT count(*) FROM fintrans_suspects(t))
	       <> (SELECT count(*) FROM fintrans_laundering WHERE total > t)}), '',
	'and the old scripts find all suspects');

# ------------------------------------------------------- the update under load

my $kept = q{
	SELECT alert_id, rule, source_account, target_account, total, transactions, threshold, state
	  FROM fintrans_alerts WHERE alert_id <= %s ORDER BY alert_id;
	SELECT name, kind, threshold, enabled, swept_threshold, created_at, created_by FROM fintrans_rules ORDER BY name;
	SELECT alert_id, decision, note, reviewed_by, reviewed_at FROM fintrans_reviews};
my $last = sql('SELECT max(alert_id) FROM fintrans_alerts');
my $before = sql(sprintf($kept, $last));
my $loaded = progress($node);
wait_for { progress($node) > $loaded } 'the bridge to be loading';
my ($status, $out, $messages) = $node->psql('postgres', q{
	SET ROLE another_superuser;
	ALTER EXTENSION fintrans UPDATE});
is($status, 0, 'the update succeeds at once');
like($messages, qr/fintrans_grant\('$_'/, "it names the role $_")
  foreach qw(bridge reader keeper operator);
is(version('postgres'), $new, 'the extension has the new version');
is(sql(sprintf($kept, $last)), $before, 'alerts, rules and reviews survive');

my $updated = progress($node);
wait_for { progress($node) > $updated + 20_000 } 'the bridge to go on by itself';
sql(q{
	INSERT INTO fintrans_rules (name, threshold) VALUES ('newer', 100)
	ON CONFLICT DO NOTHING});
cmp_ok(sql(q{SELECT count(*) FROM fintrans_alerts WHERE rule = 'newer'}), '>', 1000,
	'a new rule alerts on what is already there');

# A session that began before the update has the old library, whose trigger
# finds the tables not as it expects: an internal error.
sql(q{
	CREATE TABLE old_sessions AS
	SELECT pid FROM pg_stat_activity WHERE usename = 'bridge';
	CREATE FUNCTION refuse_old() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
	BEGIN
		IF EXISTS (SELECT FROM public.old_sessions WHERE pid = pg_backend_pid()) THEN
			RAISE EXCEPTION 'old library' USING ERRCODE = 'internal_error';
		END IF;
		RETURN NULL;
	END $$;
	CREATE TRIGGER refuse_old BEFORE UPDATE ON fintrans_offsets
		FOR EACH STATEMENT EXECUTE FUNCTION refuse_old()});
cmp_ok(sql('SELECT count(*) FROM old_sessions'), '>', 0, 'the bridge has sessions of before');
my $refused = progress($node);
wait_for { progress($node) > $refused + 20_000 } 'the bridge to begin new sessions';
like($bridge->logged, qr/XX000/, 'the old ones were of no use any more');
sql('DROP TRIGGER refuse_old ON fintrans_offsets');

my $seen = length($detector->output);
wait_for { length($detector->output) > $seen } 'the detector to go on by itself';
ok($detector->running && $bridge->running, 'neither program stopped');
is($generator->stop, 0, 'the generator delivered everything');
wait_until_loaded($node, $broker);
is($bridge->stop, 0, 'the bridge ends well');
is($detector->stop, 0, 'the detector ends well');
check_exactly_once($node, $broker, 'update under load');

# ---------------------------------------------------- roles keep their abilities

my %works = (
	bridge => q{
		SELECT fintrans_ensure_partitions('2026-02-01', '2026-02-01');
		INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
		VALUES ('2026-02-01', 'London', 'a', 'b', 1);
		INSERT INTO fintrans_dead_letters (topic, kafka_partition, kafka_offset, payload, reason)
		VALUES ('gone', 0, 1, 'x', 'empty')},
	reader => q{
		SELECT count(*) FROM fintrans_suspects(100);
		SELECT count(*) FROM fintrans_verify();
		SELECT count(*) FROM fintrans_transactions},
	operator => q{
		SELECT fintrans_set_rule('default', %d), fintrans_set_rule('another', 1e6);
		SELECT fintrans_review(max(alert_id), 'reviewing') FROM fintrans_alerts},
	keeper => q{
		SELECT count(payload) FROM fintrans_dead_letters;
		SELECT fintrans_purge_dead_letters(now())});
my @order = qw(bridge reader operator keeper);

sub roles_work
{
	my ($when, $threshold) = @_;

	foreach my $role (@order)
	{
		my $statements = $works{$role} =~ s/%d/$threshold/r;
		my ($result, undef, $error) = $node->psql('postgres', "SET ROLE $role; $statements",
			on_error_stop => 1);
		is($result, 0, "$role can do what it could, $when") or diag($error);
	}
	return;
}

roles_work('with what was granted before the update', 70_000);
my @statements = $messages =~ /^(SELECT \S*fintrans_grant\(.*\);)$/mg;
is(scalar(@statements), 4, 'the update says how to give the roles what is new');
sql(join ' ', @statements);
sql(q{DELETE FROM fintrans_dead_letters});
roles_work('with what was granted again', 80_000);

# ------------------------------- rules that the old version let be deleted

installed_old('orphans');
sql(q{
	SELECT fintrans_ensure_partitions('2026-01-01', '2026-01-01'),
	       fintrans_set_rule('gone', 100), fintrans_set_rule('kept', 100);
	INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
	VALUES ('2026-01-01', 'London', 'a', 'b', 101);
	DELETE FROM fintrans_rules WHERE name = 'gone';
	ALTER EXTENSION fintrans UPDATE;
	SELECT fintrans_set_rule('kept', 50)}, 'orphans');
my (undef, undef, $taken) = $node->psql('orphans', q{SELECT fintrans_set_rule('gone', 50)});
like($taken, qr/ERROR:  another rule "gone" has raised alerts\nHINT:  Give the rule a name that none has had\.$/m,
	'alerts of a rule that is gone are not mixed with those of a new one');
is(sql('SELECT string_agg(name, chr(32)) FROM fintrans_rules', 'orphans'), 'kept', 'which is not made');

# ------------------------------------------------- COPYs while the update runs

my $rows = 3000;
my $rounds = 40;
my $sessions = 3;
installed_old('copied');
sql(q{
	SELECT fintrans_ensure_partitions('2026-01-01', '2026-01-01'),
	       fintrans_set_rule('default', 1000)}, 'copied');
my $lines = file_of('copied.txt');
append_to_file($lines, join '', map {
	"2026-01-01 00:00:00+00\tLondon\t" . $_ % 53 . "\t" . $_ % 11 . "\t" . $_ % 100 . "\n"
} 1 .. $rows);
my $script = file_of('copy.sql');
append_to_file($script,
	"\\copy fintrans_transactions (event_time, city, source_account, target_account, amount) from '$lines'\n"
	x $rounds);
my @copies = map {
	FintransProcess->start("copy$_", 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1',
		'-f', $script, $node->connstr('copied'))
} 1 .. $sessions;
wait_for { sql('SELECT count(*) FROM fintrans_transactions', 'copied') > $rows * $sessions * 3 }
'some COPYs to be done';
sql('ALTER EXTENSION fintrans UPDATE', 'copied');
ok((grep { $_->running } @copies) > 0, 'others still COPY when the update is done');
is($_->wait_exit(180), 0, 'a session that COPYs is not disturbed') foreach @copies;

my %total;
my %count;
foreach (1 .. $rows)
{
	$total{ $_ % 53 . '|' . $_ % 11 } += $_ % 100;
	$count{ $_ % 53 . '|' . $_ % 11 }++;
}
my $times = $rounds * $sessions;
is(sql(q{SELECT source_account, target_account, total, transactions FROM fintrans_laundering
		ORDER BY source_account COLLATE "C", target_account COLLATE "C"}, 'copied'),
	join("\n", map { join '|', $_, $total{$_} * $times, $count{$_} * $times }
		sort { join("\0", split /\|/, $a) cmp join("\0", split /\|/, $b) } keys %total),
	'totals are those that Perl counts');
is(sql('SELECT count(*) FROM fintrans_alerts', 'copied'),
	scalar(grep { $total{$_} * $times > 1000 } keys %total), 'and so are the alerts');
is(sql('SELECT * FROM fintrans_verify()', 'copied'), '', 'verify finds no difference');

# ------------------------------------------------------- as if it were made new

# With its members no longer noted as such, pg_dump writes them all out.
sub definitions
{
	my ($database) = @_;
	my $file = file_of("$database.sql");

	sql(q{
		DELETE FROM pg_depend
		 WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
		   AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'fintrans');
		DELETE FROM pg_init_privs}, $database);
	command_ok([ 'pg_dump', '--schema-only', '-f', $file, $node->connstr($database) ],
		"$database: dumped");
	# a random key, in newer minor versions
	return slurp_file($file) =~ s/^\\(?:un)?restrict .*\n//mgr;
}

my $marks = q{
	SELECT c.oid::regclass::text, e.condition
	  FROM pg_extension x, unnest(x.extconfig, x.extcondition) e (relation, condition)
	  JOIN pg_class c ON c.oid = e.relation
	 WHERE x.extname = 'fintrans' ORDER BY 1};
foreach my $schema (qw(public "Bank"))
{
	my $suffix = $schema eq 'public' ? '' : '_elsewhere';
	foreach my $name ("fresh$suffix", "updated$suffix")
	{
		sql("CREATE DATABASE $name");
		sql("CREATE SCHEMA IF NOT EXISTS $schema; CREATE EXTENSION fintrans SCHEMA $schema"
			. ($name =~ /updated/ ? " VERSION '$old'" : ''), $name);
	}
	sql('SET ROLE another_superuser; ALTER EXTENSION fintrans UPDATE', "updated$suffix");
	is(sql($marks, "updated$suffix"), sql($marks, "fresh$suffix"),
		"$schema: pg_dump carries the same of an updated one as of a fresh one");
	my $fresh = definitions("fresh$suffix");
	like($fresh, qr/CREATE FUNCTION \Q$schema\E\.fintrans_suspects/, "$schema: definitions are compared");
	is(definitions("updated$suffix"), $fresh, "$schema: an updated one equals a fresh one");
}

# ------------------------------------- versions that a program does not work with

sub with_version
{
	my ($version, $program, @options) = @_;
	my $role = $program =~ /bridge/ ? 'bridge' : 'operator';

	sql("UPDATE pg_extension SET extversion = '$version' WHERE extname = 'fintrans'");
	my $process = FintransProcess->start('versions', $program,
		'--database' => $node->connstr('postgres') . " user=$role", @options);
	return ($process->wait_exit(180), $process->logged);
}

my %run = (
	'fintrans-bridge' => [ '--brokers' => $broker->bootstrap, '--exit-at-end' ],
	'fintrans-detector' => ['--once']);
foreach my $program (sort keys %run)
{
	foreach my $version ('0.0.9', '99.0.0')
	{
		my ($result, $log) = with_version($version, $program, @{ $run{$program} });
		isnt($result, 0, "$program does not work with $version");
		like($log, qr/has version \Q$version\E, and this program, version \Q$new\E, works with/,
			"$program says so");
	}
	my ($result) = with_version('0.999.0', $program, @{ $run{$program} });
	is($result, 0, "$program works with a later version");
}

done_testing();
