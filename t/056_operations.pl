# What operators do with the programs: read their manual pages, have everything
# tested before the start, change options while they run, and stop them twice.
use strict;
use warnings;

use POSIX qw(mkfifo);

use PostgreSQL::Test::Utils;
use Test::More;

use FintransBroker;
use FintransTest;

my $node = new_node('bridge', 'detector');
my $broker = FintransBroker->kafka(partitions => 1);
my $config = file_of('bridge.conf');

sub query
{
	my ($sql) = @_;

	return $node->safe_psql('postgres', $sql);
}

# ------------------------------------------------------------ manual pages

my $tree = $ENV{FINTRANS_TREE};
my $root = PostgreSQL::Test::Utils::tempdir();
is(system("make -s -C $tree/bridge install DESTDIR=$root prefix=/usr > /dev/null"),
	0, 'the programs are installed');
foreach my $program (qw(bridge generator detector broker))
{
	my $page = "$root/usr/share/man/man1/fintrans-$program.1";
	my $help = `fintrans-$program --help`;
	my $text = slurp_file($page);

	is(`fintrans-$program --man`, $text, "fintrans-$program has a manual page");
	# a page that says no date is the same whenever it is made
	is(join('', grep { !/missing date/ } `mandoc -T lint -W warning '$page' 2>&1`),
		'', 'mandoc has nothing to say of it');
	my @lacking = grep {
		my $option = s/-/\\-/gr;
		$text !~ /^\\fB\Q$option\E\\fR/m
	} $help =~ /^  (--?[A-Za-z][a-z-]*)/mg;
	is("@lacking", '', 'it has every option of --help');
}
is(system("make -s -C $tree/bridge uninstall DESTDIR=$root prefix=/usr > /dev/null"),
	0, 'and uninstalled');
is(join(' ', glob("$root/usr/share/man/man1/* $root/usr/bin/*")), '',
	'nothing is left behind');

# ------------------------------------------------------------------ --check

# Its status and lines; asks the same role and group as a bridge.
sub check
{
	my (@options) = @_;
	my $run = start_bridge($node, $broker, 'bridge', '--check', @options);
	my $status = $run->wait_exit(180);

	return ($status, $run->output . $run->logged);
}

# check_fails([OPTIONS], LINE, ...): these lines have failed, and no others
sub check_fails
{
	my ($what, $options, @failed) = @_;
	# one topic is enough, and takes less time
	my ($status, $said) = check('--topics' => 'London', @$options);
	my @lines = $said =~ /^failed  (.*)$/mg;

	is($status, 1, "$what: status");
	is(scalar(@lines), scalar(@failed), "$what: as many as expected")
	  or diag($said);
	like($lines[$_] // '', $failed[$_], "$what: line $_") foreach 0 .. $#failed;
	return;
}

my $loading = start_bridge($node, $broker, 'bridge');
wait_for { $loading->logged =~ /event=loading partitions=5 / }
'a bridge to have all partitions';
my $before = query('SELECT * FROM fintrans_offsets ORDER BY 1, 2');
my ($status, $said) = check();
is($status, 0, 'all is well');
is(scalar(() = $said =~ /^ok      /mg), 14, 'each check has a line') or diag($said);
like($said, qr/^ok      topic          "$_" can be read, partitions: 1$/m, "as $_")
  foreach qw(London NYC SF Moscow Tokyo);
like($said, qr/^ok      group          "fintrans-test" has a coordinator, members now: 1$/m,
	'the bridge at work is seen');
check_fails('a topic that is not there', [ '--topics' => 'London,Oslo' ],
	qr/^topic          "Oslo": .*: create it, or take it out of --topics$/);
check_fails('no broker', [ '--brokers' => '127.0.0.1:1' ],
	qr/^kafka          no broker answers: .*127\.0\.0\.1:1.*refused/);
check_fails('no extension', [ '--database' => $node->connstr('template1') ],
	qr/^extension      .*: CREATE EXTENSION fintrans, as a superuser$/);
check_fails('no such role', [ '--database' => $node->connstr('postgres') . ' user=nobody' ],
	qr/^database       .*role "nobody" does not exist: look at the user/);
check_fails('no such database', [ '--database' => $node->connstr('nowhere') ],
	qr/^database       .*: name another dbname/);
check_fails('neither of them',
	[ '--brokers' => '127.0.0.1:1', '--database' => $node->connstr('nowhere') ],
	qr/^kafka /, qr/^database /);
check_fails('retention without the keeper', [ '--retain' => '400d' ],
	qr/^grants         the role lacks .*: SELECT fintrans_grant\('bridge', 'keeper'\)/);
query(q{REVOKE INSERT ON fintrans_dead_letters FROM bridge;
	ALTER ROLE bridge SET default_transaction_read_only = on});
check_fails('less than the writer', [],
	qr/^writable       .*default_transaction_read_only/,
	qr/^grants         the role lacks INSERT ON public\.fintrans_dead_letters \(1 missing\)/);
query(q{ALTER ROLE bridge RESET default_transaction_read_only;
	SELECT fintrans_grant('bridge', 'writer')});
query('REVOKE USAGE ON SCHEMA public FROM PUBLIC, bridge');
check_fails('not even the schema', [],
	qr/^grants         .*permission denied for schema public: SELECT fintrans_grant/);
query(q{GRANT USAGE ON SCHEMA public TO PUBLIC; SELECT fintrans_grant('bridge', 'writer')});
($status, $said) = check('--currency' => 'EUR');
is($status, 0, 'a currency that the installation does not have yet');
like($said, qr/^ok      currency       none yet: the bridge will make it EUR$/m, 'is told');
is(query('SELECT count(*) FROM fintrans_settings'), 0, 'and not set by a check');
query(q{INSERT INTO fintrans_settings (name, value) VALUES ('currency', 'USD')});
check_fails('another currency', [ '--currency' => 'EUR' ],
	qr/^currency       the installation's is USD, --currency is EUR/);
query('DELETE FROM fintrans_settings');
($status, $said) = check('--time-range' => 'always');
is($status, 2, 'a wrong option is wrong use');
is($said, qq(fintrans-bridge: option --time-range: "always" is not a range FROM..TO\n),
	'which names it');
is(query('SELECT * FROM fintrans_offsets ORDER BY 1, 2'), $before,
	'no check has changed anything');
is(scalar(() = $loading->logged =~ /event="partitions assigned"/g), 1,
	'no check has joined the group');

# --------------------------------------- an extension that does not fit

foreach my $version ('0.0.9', '1.0.0')
{
	my ($own) = `fintrans-bridge --version` =~ /(\S+)$/;

	query("UPDATE pg_extension SET extversion = '$version' WHERE extname = 'fintrans'");
	check_fails("version $version", [],
		qr/^extension      .*has version \Q$version\E, and this program, version \Q$own\E,/);
	foreach my $program ('bridge', 'detector')
	{
		my $run = FintransProcess->start("unfit_$program", "fintrans-$program",
			'--database' => $node->connstr('postgres') . " user=$program");

		is($run->wait_exit(180), 1, "fintrans-$program refuses $version");
		like($run->logged,
			qr/has version \Q$version\E, and this program, version \Q$own\E,/,
			'and names both versions');
	}
	query("UPDATE pg_extension SET extversion = '$own' WHERE extname = 'fintrans'");
}
is($loading->stop, 0, 'the bridge stops');

# ----------------------------------------------------------------- SIGHUP

sub set_config
{
	my (@lines) = @_;

	unlink $config;
	append_to_file($config, join('', map { "$_\n" } '# a bridge', @lines));
	return;
}

sub hang_up
{
	my ($bridge, $what, $logged) = @_;
	my $known = length($bridge->logged);

	$bridge->signal('HUP');
	wait_for { substr($bridge->logged, $known) =~ $logged } $what;
	return;
}

sub stored
{
	return query(q{SELECT coalesce(sum(stored), 0) || '|' || coalesce(sum(dead_lettered), 0)
		FROM fintrans_offsets});
}

my $properties = file_of('kafka.properties');

sub set_properties
{
	my ($client, $password) = @_;

	unlink $properties;
	append_to_file($properties,
		"client.id=$client\nsasl.username=fintrans\nsasl.password=$password\n");
	chmod(0600, $properties) or die "$properties: $!\n";
	return;
}

set_config('time-range = 2020-01-01..2020-12-31', 'batch-rows=500', 'status-seconds=0');
set_properties('one', 'hunter2');
my $bridge = start_bridge($node, $broker, 'bridge', '--config' => $config,
	'-F' => $properties);
$broker->produce('London', '1 2 3');
wait_for { stored() eq '0|1' } 'a message out of the range';
set_config('time-range = -1d..+1d', 'batch-rows=600', 'status-seconds=1');
hang_up($bridge, 'the file to be read', qr/event="configuration read" changes=3$/m);
like($bridge->logged, qr/event="option changed" option=time-range value=-1d\.\.\+1d$/m,
	'a change is told');
like($bridge->logged, qr/level=warning .*event="option changed, which needs a restart" option=batch-rows$/m,
	'and one that must wait');
$broker->produce('London', '1 2 3');
wait_for { stored() eq '1|1' } 'the new range to count';
wait_for { $bridge->logged =~ /event=status state=loading / } 'a status line';
set_properties('two', 'hunter3');
hang_up($bridge, 'a new password to be taken', qr/event="credentials changed"$/m);
like($bridge->logged, qr/event="property changed, which needs a restart" property=client\.id$/m,
	'what a client cannot change is told');
hang_up($bridge, 'nothing new to be found', qr/event="configuration read" changes=1$/m);
is(scalar(() = $bridge->logged =~ /event="credentials changed"/g), 1,
	'a password is changed once');
unlike($bridge->logged, qr/hunter/, 'and never told');
set_config('time-range = never', 'status-seconds=1');
hang_up($bridge, 'a wrong file to be read',
	qr/level=error .*event="configuration wrong, all stays as it is" reason="configuration file, option time-range: /);
set_config('nonsense = 1');
hang_up($bridge, 'another wrong one',
	qr/event="configuration wrong, all stays as it is" reason="file \\"[^"]*\\", line 2: there is no option \\"nonsense\\"/);
$broker->produce('London', '1 2 4');
wait_for { stored() eq '2|1' } 'the range before to count on';
set_config('time-range = -1d..+1d', 'batch-rows=500', 'status-seconds=1', 'log-level=error');
hang_up($bridge, 'the level to change', qr/event="option changed" option=log-level value=error/);
$broker->produce('London', '1 2 5');
wait_for { stored() eq '3|1' } 'a load';
is($bridge->stop, 0, 'the bridge stops');
unlike($bridge->logged, qr/event=exit/, 'of which less is told');

# what comes through a pipe comes once: properties stay, secrets are refused
my $pipe = file_of('pipe');
mkfifo($pipe, 0600) or die "$pipe: $!\n";
set_config('status-seconds=1');
$bridge = start_bridge($node, $broker, 'bridge', '--config' => $config, '-F' => $pipe);
# which waits until the bridge reads
append_to_file($pipe, "client.id=one\nsasl.username=fintrans\nsasl.password=hunter2\n");
wait_for { $bridge->logged =~ /event=loading / } 'a bridge with properties from a pipe';
set_config('status-seconds=2');
hang_up($bridge, 'its options to be read again', qr/event="configuration read" changes=1$/m);
like($bridge->logged, qr/event="properties not read again, their file is a pipe" file=/,
	'its properties are not, which is told');
unlike($bridge->logged, qr/credentials|property changed/, 'and they stay as they are');
is($bridge->stop, 0, 'the bridge stops');
# to open it once more would wait for somebody who writes
$bridge = start_bridge($node, $broker, 'bridge', '--config' => $pipe);
append_to_file($pipe, "status-seconds=1\n");
wait_for { $bridge->logged =~ /event=loading / } 'a bridge with options from a pipe';
hang_up($bridge, 'them to be left as they are',
	qr/event="configuration wrong, all stays as it is" reason="the configuration file is a pipe/);
is($bridge->stop, 0, 'the bridge stops');
$bridge = start_bridge($node, $broker, 'bridge', '--password-file' => $pipe);
is($bridge->wait_exit(180), 2, 'a password that could be read only once');
like($bridge->logged, qr/is a pipe, which can be read only once/, 'is refused');

# ------------------------------------------------- connections to the database

# a role with one is enough to load; what lacks another one says so, and tries on
query('ALTER ROLE bridge CONNECTION LIMIT 1');
query('DELETE FROM fintrans_bridge_partitions');
$bridge = start_bridge($node, $broker, 'bridge', '--report-seconds' => 1, '--no-index');
wait_for { $bridge->logged =~ /event="cannot report to the database, trying on" text=".*too many connections for role/ }
'the limit to be told';
$broker->produce('London', '1 2 5');
wait_for { stored() eq '4|1' } 'a load all the same';
query('ALTER ROLE bridge CONNECTION LIMIT -1');
wait_for { query('SELECT count(*) > 0 FROM fintrans_bridge_partitions') eq 't' }
'a report when there is no limit any more';
is(scalar(() = $bridge->logged =~ /event="cannot report/g), 1, 'it was told once');
is($bridge->stop, 0, 'the bridge stops');

# ---------------------------------------------------------- a second SIGTERM

# without a database the bridge waits ten seconds for what it has read
$bridge = start_bridge($node, $broker, 'bridge');
wait_for { $bridge->logged =~ /event=loading / } 'the bridge to load';
$node->stop('immediate');
$broker->produce('London', '1 2 6');
wait_for { $bridge->logged =~ /event="no database connection, retrying"/ }
'the bridge to miss the database';
$bridge->signal('TERM');
wait_for { $bridge->logged =~ /event=stopping / } 'the first signal to be taken';
$bridge->signal('TERM');
is($bridge->wait_exit(180), 130, 'a second SIGTERM ends the bridge at once');

# and the generator for what is not delivered, up to five minutes
my $generator = FintransProcess->start('generator', 'fintrans-generator',
	'--brokers' => '127.0.0.1:1', '--rate' => 0, '--count' => 10);
wait_for { $generator->logged =~ /event=sending / } 'the generator to begin';
wait_for { $generator->signal('TERM'); !$generator->running }
'the generator to end';
is($generator->wait_exit(180), 1, 'a second signal ends the generator');
like($generator->logged, qr/event="messages not delivered"/, 'which says what is lost');

done_testing();
