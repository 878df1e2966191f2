# TLS and passwords of a real PostgreSQL: what is wrong is named in plain words;
# what may pass is tried again, what cannot ends the bridge.  A password is
# changed under a running bridge.  The role can do its work, and nothing else.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use FintransBroker;
use FintransProcess;
use FintransTest;
use FintransTls;

my $password = 'c0rrect-horse@battery/staple';
my $wrong_password = 'wr0ng-horse-battery';
my $next_password = 'n3xt-horse-battery';

# ------------------------------------------------------------- the servers

my $tls = FintransTls->new;
$tls->authority($_) foreach qw(authority stranger);
$tls->certificate('right', 'authority', 'DNS:localhost,IP:127.0.0.1', 2);
$tls->certificate('expired', 'authority', 'DNS:localhost', -1);
$tls->certificate('elsewhere', 'authority', 'DNS:elsewhere.example', 2);

my $node = new_node('bridge');
my $port = $node->port;
$node->safe_psql('postgres', qq{
	ALTER ROLE bridge PASSWORD '$password';
	CREATE ROLE officer LOGIN PASSWORD '$password';
	SELECT fintrans_grant('officer', 'reader'), fintrans_grant('officer', 'operator')});
my $hba = $node->data_dir . '/pg_hba.conf';
unlink $hba;
append_to_file($hba, "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n");
$node->append_conf('postgresql.conf', "listen_addresses = '127.0.0.1'");
serve('right');
$node->restart;

# Have the server show this certificate, or "none".
sub serve
{
	my ($name) = @_;

	$node->append_conf('postgresql.conf', $name eq 'none' ? 'ssl = off'
		: "ssl = on\nssl_cert_file = '" . $tls->path("$name.pem")
		  . "'\nssl_key_file = '" . $tls->path("$name.key") . "'");
	return;
}

# What sslmode and such are when nothing is wrong.
sub conninfo
{
	my (%changes) = @_;
	my %settings = (
		host => 'localhost',
		hostaddr => '127.0.0.1',
		port => $port,
		dbname => 'postgres',
		user => 'bridge',
		sslmode => 'verify-full',
		sslrootcert => $tls->path('authority.pem'),
		channel_binding => 'require',
		%changes);

	return join ' ', map { "$_=$settings{$_}" } sort keys %settings;
}

my $password_file = $tls->secret('password', "$password\n");

# Without a broker: a bridge connects to the database first.
sub bridge_with
{
	my ($name, $conninfo, @options) = @_;

	return FintransProcess->start($name, 'fintrans-bridge',
		'--brokers' => '127.0.0.1:1', '--database' => $conninfo,
		'--password-file' => $password_file, '--log-level' => 'debug', @options);
}

# bridge_with() is told why, and goes on trying
sub retries_ok
{
	my ($name, $conninfo, $cause) = @_;
	my $bridge = bridge_with($name, $conninfo);

	wait_for { !$bridge->running || $bridge->logged =~ /no database connection/ }
	"$name to be told";
	like($bridge->logged,
		qr/level=warning .*event="no database connection, retrying" .*text=".*$cause/,
		"$name: the cause is told, and that it goes on");
	ok($bridge->running, "$name: it goes on trying");
	return $bridge;
}

# bridge_with() is told why, and ends with this status
sub ends_ok
{
	my ($name, $status, $conninfo, $cause, @options) = @_;
	my $bridge = bridge_with($name, $conninfo, @options);

	is($bridge->wait_exit(180), $status, "$name: it ends with $status");
	like($bridge->logged, $cause, "$name: and says why");
	return $bridge;
}

# ------------------------------------------------- what may pass is waited for

my @bridges;
foreach (
	[ 'expired', qr/certificate has expired"/ ],
	[ 'elsewhere', qr/server certificate for \\"elsewhere.example\\" does not match host name \\"localhost\\"/ ],
	[ 'none', qr/server does not support SSL, but SSL was required/ ])
{
	my ($name, $cause) = @$_;

	serve($name);
	$node->reload;
	# the server takes its time
	wait_for { shown_certificate() eq $name } "$name to be served";
	push @bridges, my $bridge = retries_ok("server_$name", conninfo(), $cause);

	if ($name eq 'expired')
	{
		wait_for { (() = slurp_file($node->logfile) =~ /could not accept SSL connection/g) >= 6 }
		'some more attempts';
	}
	serve('right');
	$node->reload;
	wait_for { $bridge->logged =~ /event="connected to the database"/ }
	"$name to be over";
	is(() = $bridge->logged =~ /no database connection/g, 1,
		"$name: it was told once");
	is($bridge->stop, 0, "$name: the bridge went on by itself");
}

# The name of the certificate that the server shows now.
sub shown_certificate
{
	my $answer = `openssl s_client -starttls postgres -connect 127.0.0.1:$port < /dev/null 2> /dev/null`;

	return $answer =~ /^subject=CN = (\S+)/m ? $1 : 'none';
}

push @bridges, retries_ok('stranger', conninfo(sslrootcert => $tls->path('stranger.pem')),
	qr/certificate is not signed by an authority that is trusted here"/);
$node->safe_psql('postgres', 'ALTER ROLE bridge CONNECTION LIMIT 0');
push @bridges, retries_ok('crowded', conninfo(),
	qr/too many connections for role/);
like($bridges[-1]->logged, qr/sqlstate=53300/, 'with its SQLSTATE');
$node->safe_psql('postgres', 'ALTER ROLE bridge CONNECTION LIMIT -1');
is($_->stop, 0, 'such a bridge can be stopped') foreach @bridges[ -2, -1 ];

# -------------------------------------------------- what cannot pass ends it

push @bridges, ends_ok('no_tls', 1,
	conninfo(sslmode => 'disable', channel_binding => 'prefer'),
	qr/event="cannot go on" reason=".*no pg_hba.conf entry for host .*no encryption"/);
push @bridges, ends_ok('wrong_password', 1, conninfo(),
	qr/event="cannot go on" reason=".*password authentication failed for user/,
	'--password-file' => $tls->secret('wrong', $wrong_password));
push @bridges, ends_ok('no_password', 1, conninfo(),
	qr/event="cannot go on" reason=".*it asks for a password, and none is given \(--password-file\)"/,
	'--password-file' => '');
push @bridges, ends_ok('no_database', 1, conninfo(dbname => 'nowhere'),
	qr/event="cannot go on" reason=".*database \\"nowhere\\" does not exist"/);
push @bridges, ends_ok('no_authority', 2,
	conninfo(sslrootcert => $tls->path('missing.pem')),
	qr/\Afintrans-bridge: option --database: the database's sslrootcert ".*": No such file or directory\n\z/);
push @bridges, ends_ok('password_on_command_line', 2,
	"postgresql://bridge:$wrong_password\@localhost/postgres",
	qr/\Afintrans-bridge: option --database: the database's "password" stands on the command line/);
push @bridges, ends_ok('password_not_encoded', 2,
	"postgresql://bridge:$password\@localhost/postgres", qr/write %40 or %2F for it/);

my $detector = FintransProcess->start('detector', 'fintrans-detector', '--once',
	'--database' => conninfo(user => 'officer', sslrootcert => $tls->path('stranger.pem')),
	'--password-file' => $password_file);
is($detector->wait_exit(180), 1, 'the detector does not trust a stranger either');
like($detector->logged, qr/not signed by an authority that is trusted here/, 'and says so');
$detector = FintransProcess->start('detector', 'fintrans-detector', '--once',
	'--database' => conninfo(user => 'officer'), '--password-file' => $password_file);
is($detector->wait_exit(180), 0, 'with the right authority it does its work');

# ------------------------------------------------------ a password is changed

my $broker = FintransBroker->embedded;
my $bridge = bridge_with('bridge', conninfo(), '--brokers' => $broker->bootstrap,
	'--group' => 'fintrans-test', '-X' => 'session.timeout.ms=6000');
run_generator($broker, '--count' => 1000, '--rate' => 0, '--seed' => 55);
wait_until_loaded($node, $broker);
is($node->safe_psql('postgres', q{
	SELECT DISTINCT s.ssl FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)
	 WHERE a.usename = 'bridge'}), 't', 'the bridge loads through TLS');

$node->safe_psql('postgres', qq{
	ALTER ROLE bridge PASSWORD '$next_password';
	SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'bridge'});
run_generator($broker, '--count' => 1000, '--rate' => 0, '--seed' => 56);
wait_for { $bridge->logged =~ /sqlstate=28P01/ } 'the old password to be refused';
like($bridge->logged,
	qr/event="no database connection, retrying" sqlstate=28P01 text=".*password authentication failed/,
	'a password that was changed is waited for');
$tls->secret('password', "$next_password\n");
wait_until_loaded($node, $broker);
is($bridge->stop, 0, 'with the new one it goes on');
push @bridges, $bridge;
check_exactly_once($node, $broker, 'a changed password');

# ------------------------------------------------------- what the role can do

# Privileges on our objects that not everybody has, "object: privileges".
is($node->safe_psql('postgres', q{
	SELECT c.relname || ': ' || string_agg(p.privilege, ' ' ORDER BY p.privilege)
	  FROM pg_class c,
	       unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) p (privilege)
	 WHERE c.relname ~ '^fintrans_' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
	   AND c.relname !~ '^fintrans_transactions_'
	   AND has_table_privilege('bridge', c.oid, p.privilege)
	 GROUP BY c.relname ORDER BY c.relname COLLATE "C"}),
	'fintrans_dead_letters: INSERT
fintrans_offsets: INSERT SELECT UPDATE
fintrans_settings: INSERT SELECT
fintrans_transactions: INSERT', 'the role has these privileges on tables');
is($node->safe_psql('postgres', q{
	SELECT DISTINCT p.privilege
	  FROM pg_class c,
	       unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) p (privilege)
	 WHERE c.relname ~ '^fintrans_transactions_[0-9]+$'
	   AND has_table_privilege('bridge', c.oid, p.privilege)}),
	'INSERT', 'on partitions these');
is($node->safe_psql('postgres', q{
	SELECT string_agg(a.attname, ' ' ORDER BY a.attname)
	  FROM pg_attribute a
	 WHERE a.attrelid = 'fintrans_dead_letters'::regclass AND a.attnum > 0
	   AND has_column_privilege('bridge', a.attrelid, a.attnum, 'SELECT')}),
	'kafka_offset kafka_partition reason rejected_at topic',
	'of dead letters it sees all but what they held');
is($node->safe_psql('postgres', q{
	SELECT string_agg(p.proname, ' ' ORDER BY p.proname COLLATE "C")
	  FROM pg_proc p
	 WHERE p.proname ~ '^fintrans_' AND has_function_privilege('bridge', p.oid, 'EXECUTE')
	   AND NOT EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) e
	                    WHERE e.grantee = 0)}),
	'fintrans_ensure_partitions fintrans_index_partitions fintrans_make_index fintrans_report_bridge',
	'it may call these functions that not everybody may');
is($node->safe_psql('postgres', q{
	SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
	       OR has_database_privilege('bridge', 'postgres', 'CREATE')
	       OR has_schema_privilege('bridge', 'public', 'CREATE')
	  FROM pg_roles WHERE rolname = 'bridge'}), 'f', 'it may make nothing');

# ------------------------------------------------------- the database is gone

$bridge = bridge_with('orphan', conninfo(), '--brokers' => $broker->bootstrap,
	'--group' => 'fintrans-test', '-X' => 'session.timeout.ms=6000');
push @bridges, $bridge;
wait_for { $bridge->logged =~ /event=loading/ } 'the next bridge to load';
$node->safe_psql('template1', 'DROP DATABASE postgres WITH (FORCE)');
run_generator($broker, '--count' => 10, '--rate' => 0, '--seed' => 57);
wait_for { $bridge->logged =~ /sqlstate=3D000/ } 'the database to be missed';
like($bridge->logged,
	qr/event="no database connection, retrying" sqlstate=3D000 text=".*database \\"postgres\\" does not exist"/,
	'a database that is dropped is waited for: it may be restored');
$bridge->kill9;

# ----------------------------------------------------------------- no secrets

{
	local $ENV{FINTRANS_DATABASE} = "postgresql://bridge:$next_password\@localhost/postgres";
	local $ENV{PGPASSWORD} = $wrong_password;
	my $shown = `fintrans-bridge --show-options 2>&1; fintrans-bridge --help 2>&1`;

	like($shown, qr/^database +environment FINTRANS_DATABASE +postgresql:\/\/bridge:\(hidden\)\@localhost\/postgres$/m,
		'--show-options hides the password');
	push @bridges, { written => $shown };
}
foreach my $secret ($password, $wrong_password, $next_password, 'battery')
{
	my @told = grep { index($_->{written} // $_->logged . $_->output, $secret) >= 0 }
	  @bridges, $detector;
	is(scalar(@told), 0, 'no password is written');
}

done_testing();
