# Dump and restore in every way that works, with all that is kept as it was and
# going on from there; ways that do not are found by fintrans_verify(), and
# cured by fintrans_rebuild().
use strict;
use warnings;

use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use FintransTest;

my $node = new_node();
my $folder = PostgreSQL::Test::Utils::tempdir();
$node->safe_psql('postgres', q{
	SELECT fintrans_ensure_partitions('2026-01-01', '2026-01-04'),
	       fintrans_set_rule('default', 4000), fintrans_set_rule('never', 5, false);
	INSERT INTO fintrans_transactions
	SELECT '2026-01-01'::timestamptz + i * '25 s'::interval, 'London',
	       i % 40, i % 7, i % 10, NULL, 0, i
	  FROM generate_series(0, 9999) i;
	-- as many pairs as magnitudes are tuned for
	INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
	SELECT '2026-01-02', 'London', 'm' || i, 'b', 1 + i % 100 FROM generate_series(1, 1500) i;
	INSERT INTO fintrans_offsets (topic, kafka_partition, first_offset, next_offset, stored, dead_lettered)
	VALUES ('London', 0, 0, 10001, 10000, 1);
	INSERT INTO fintrans_dead_letters (topic, kafka_partition, kafka_offset, payload, reason)
	VALUES ('London', 0, 10000, '\x00ff', 'bad_encoding');
	SELECT fintrans_set_rule('default', 150), fintrans_set_rule('former', 200);
	SELECT fintrans_set_rule('former', 200, false);
	SELECT fintrans_review(min(alert_id), 'reviewing') FROM fintrans_alerts;
	SELECT fintrans_review(min(alert_id), 'confirmed', 'seen') FROM fintrans_alerts;
	INSERT INTO fintrans_dead_letters (topic, kafka_partition, kafka_offset, payload, reason, event_time)
	VALUES ('London', 0, 10001, '\x01', 'empty', '2026-01-03');
	UPDATE fintrans_offsets SET next_offset = 10002, dead_lettered = 2;
	SELECT fintrans_replay_dead_letter('London', 0, 10001, 'a b 1');
	INSERT INTO fintrans_settings VALUES ('currency', 'EUR');
	SELECT fintrans_set_rule('much', 1e6, true, 'outgoing_total', '30 days');
	SELECT fintrans_exempt('an account of our own', '2099-01-01', account => '39');
	CREATE TABLE summaries AS
	SELECT source_account, fintrans_summary(amount) FROM fintrans_transactions GROUP BY 1;
	INSERT INTO summaries SELECT 'odd', fintrans_summary(x)
	  FROM (VALUES (1e40), (-1e-40), ('NaN')) v (x)});
$node->safe_psql('postgres', q{CALL fintrans_drop_before('2026-01-02')});

# all that is kept, as text
my $contents = slurp_file(dirname(__FILE__) . '/lib/contents.sql');

sub contents
{
	my ($database) = @_;
	return $node->safe_psql($database,
		"$contents SELECT s FROM summaries s ORDER BY s::text COLLATE \"C\"");
}

sub differences
{
	my ($database) = @_;
	return $node->safe_psql($database, q{
		SELECT string_agg(DISTINCT problem, ' ' ORDER BY problem) FROM fintrans_verify()});
}

sub create_database
{
	my ($database, @statements) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, $_) foreach @statements;
	return $node->connstr($database);
}

my $before = contents('postgres');
my $tables = $node->safe_psql('postgres', q{
	SELECT string_agg(c.relname, ' ' ORDER BY c.relname)
	  FROM pg_class c
	  JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
	  JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
	 WHERE e.extname = 'fintrans' AND d.deptype = 'e' AND c.relkind IN ('r', 'p', 'S')
	   -- about programs that run: not dumped
	   AND c.relname !~ '^fintrans_bridge_'});
is(join(' ', grep { $before !~ /^$_\|/m } split / /, $tables), '',
	'there is something to keep in every table');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM fintrans_alerts'),
	'>', 100, 'there are alerts to keep');
cmp_ok($node->safe_psql('postgres', q{SELECT count(*) FROM fintrans_alerts WHERE rule = 'former'}),
	'>', 0, 'also of a rule that is disabled');

# The whole database, in every format, also into a later version.
# the server's own directory: pg_config may be that of another installation
my $version = $node->safe_psql('postgres',
	q{SELECT default_version FROM pg_available_extensions WHERE name = 'fintrans'});
my $script = $node->safe_psql('postgres',
	q{SELECT setting FROM pg_config WHERE name = 'SHAREDIR'})
	. "/extension/fintrans--$version--$version.1.sql";
unlink $script;
append_to_file($script,
	"CREATE FUNCTION \@extschema\@.fintrans_later() RETURNS integer LANGUAGE sql RETURN 1;\n");
my @created = ('CREATE EXTENSION fintrans');
my @later = ("CREATE EXTENSION fintrans VERSION '$version.1'");
my @whole = (
	[ 'plain', [], 0 ],
	[ 'custom', ['-Fc'], ['-j1'] ],
	[ 'directory', [ '-Fd', '-j4' ], ['-j4'] ],
	[ 'later', ['-Fc'], ['-j4'], \@later ]);
foreach (@whole)
{
	my ($name, $dump, $restore, $prepare) = @$_;
	my $database = create_database($name, $prepare ? @$prepare : ());
	command_ok([ 'pg_dump', @$dump, '-f', "$folder/$name", $node->connstr('postgres') ],
		"$name: dumped");
	command_ok($restore
		? [ 'pg_restore', '--exit-on-error', @$restore, '-d', $database, "$folder/$name" ]
		: [ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-o', "$folder/out", '-f', "$folder/$name", $database ],
		"$name: restored");
	is(contents($name), $before, "$name: everything is as it was");
	is(differences($name), '', "$name: all is well");

	# and goes on: ids, totals, alerts, and a rule that was changed
	$node->safe_psql($name, q{
		INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
		VALUES ('2026-01-03', 'London', 'new', 'pair', 151), ('2026-01-03', 'London', '1', '1', 1)});
	is($node->safe_psql($name, q{
		SELECT count(*), min(alert_id) > (SELECT max(alert_id) FROM fintrans_alerts WHERE source_account <> 'new')
		  FROM fintrans_alerts WHERE source_account = 'new'}), '1|t', "$name: alerts go on");
	$node->safe_psql($name, q{SELECT fintrans_review(max(alert_id), 'reviewing') FROM fintrans_alerts});
	$node->safe_psql($name, q{SELECT fintrans_ensure_partitions('2026-01-01', '2026-01-06')});
	is(differences($name), '', "$name: all is well after more of everything");
}
is($node->safe_psql('later', q{
	SELECT extversion, fintrans_later() FROM pg_extension WHERE extname = 'fintrans'}),
	"$version.1|1", 'the later version has it');

# Data only, into partitions that are there: only with triggers disabled.
my @made = (@created,
	'CREATE TABLE summaries (source_account text, fintrans_summary fintrans_summary)',
	q{SELECT fintrans_ensure_partitions('2026-01-02', '2026-01-04')});
my $dump = "$folder/data";
command_ok([ 'pg_dump', '-Fc', '--data-only', '-f', $dump, $node->connstr('postgres') ],
	'data only: dumped');
command_ok([ 'pg_restore', '--exit-on-error', '--disable-triggers', '-d',
	create_database('data_only', @made), $dump ], 'data only: restored without triggers');
is(contents('data_only'), $before, 'data only: everything is as it was');
is(differences('data_only'), '', 'data only: all is well');

# What is not supported is found, and cured but for what takes a decision.
my %unsupported = (
	with_triggers => [ '--data-only' ],
	via_root => [ '--load-via-partition-root' ]);
foreach my $name (sort keys %unsupported)
{
	my $database = create_database($name, $name eq 'via_root' ? () : @made);
	command_ok([ 'pg_dump', '-Fc', @{ $unsupported{$name} }, '-f', "$folder/$name",
		$node->connstr('postgres') ], "$name: dumped");
	# whether it fails is pg_restore's business
	run_log([ 'pg_restore', '-d', $database, "$folder/$name" ]);
	isnt(differences($name), '', "$name: found");
	$node->safe_psql($name, 'SELECT fintrans_rebuild()');
	unlike(differences($name), qr/pair|volume|magnitude|alert|trigger/, "$name: cured");
}

# One partition alone
command_ok([ 'pg_dump', '-Fc', '-t', 'fintrans_transactions_20260103', '-f',
	"$folder/leaf", $node->connstr('postgres') ], 'one partition: dumped');
command_ok([ 'pg_restore', '--exit-on-error', '-d', create_database('leaf', @created),
	"$folder/leaf" ], 'one partition: restored');
is(differences('leaf'), 'offsets pair volume', 'one partition: found');
$node->safe_psql('leaf', 'SELECT fintrans_rebuild()');
is(differences('leaf'), 'offsets', 'one partition: cured, but for the offsets');

unlink $script;
done_testing();
