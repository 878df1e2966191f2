# The apps of Marathon: their files are what the source makes and what Marathon's own
# schema allows, and do what they say when they are run: started from the tarball,
# asked for health, scaled from one bridge to three and back, rolled to a new
# version, cut off while the replacement starts, stopped, all under load.  What they
# are linked with, the images and the compose file have t/101_container.pl.
use strict;
use warnings;

use HTTP::Tiny;
use JSON::PP;
use List::Util qw(sum);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use FintransBroker;
use FintransFaults;
use FintransInvariants;
use FintransMarathon;
use FintransTest;

my $tree = $ENV{FINTRANS_TREE};
my $here = "$tree/bridge/marathon";
my @programs = qw(bridge generator detector);

# ------------------------------------------------- files are what the source makes

my $made = PostgreSQL::Test::Utils::tempdir();
is(system("cd '$here' && jsonnet -m '$made' marathon.jsonnet > /dev/null"), 0, 'jsonnet makes the files');
my @files = map { s/.*\///r } sort glob("$made/*.json");
is("@files", 'bridge.json detector.json generator.json group-kafka.json group.json',
	'an app for each program, and the groups');
is(slurp_file("$here/$_"), slurp_file("$made/$_"), "$_ is up to date (make marathon)") foreach @files;
is(join(' ', map { s/.*\///r } sort glob("$here/*.json")), "@files", 'and there are no others');
my %json = map { $_ => decode_json(slurp_file("$made/$_")) } @files;
my %app = map { $_ => $json{"$_.json"} } @programs;

# and those of a site, with all that can be told
my $site = PostgreSQL::Test::Utils::tempdir();
is(system("cd '$here' && jsonnet -m '$site' --tla-str image=r.example/fintrans:0.2.0 --tla-str influxdb="
	  . " --tla-str brokers=k:9092 --tla-str topics=Oslo --tla-str database=db"
	  . " --tla-str tarball=http://r.example/t.tar.gz marathon.jsonnet > /dev/null"), 0, 'a site may have its own');
my $own = decode_json(slurp_file("$site/bridge.json"));
is_deeply([ @{ $own->{env} }{qw(FINTRANS_BROKERS FINTRANS_TOPICS FINTRANS_INFLUX_URL)} ], [ 'k:9092', 'Oslo', '' ],
	'which they say');
like($own->{cmd}, qr/^exec fintrans-bridge /, 'from an image, too');
is($own->{container}{docker}{image}, 'r.example/fintrans:0.2.0', 'of that name');

# ------------------------------------------------------- what the schema allows

my $schema = test_data('marathon');
my $complain = <<'PYTHON';
import json, sys
from jsonschema import Draft4Validator
validator = Draft4Validator(json.load(open(sys.argv[1])))
for name in sys.argv[2:]:
    file = json.load(open(name))
    for app in file.get("apps", [file]):
        for error in validator.iter_errors(app):
            print(name, app["id"], list(error.path), error.message[:200])
PYTHON

sub complaints
{
	my @arguments = @_;

	# Debian's own, which has the package
	open(my $python, '-|', '/usr/bin/python3', '-c', $complain, "$schema/AppDefinition.schema.json", @arguments)
	  or die "python3: $!\n";
	my $said = join '', <$python>;
	close($python) or die "the validator failed\n";
	return $said;
}

SKIP:
{
	skip('no schema of Marathon', 2) unless defined $schema;
	is(complaints(map { ("$made/$_", "$site/$_") } @files), '', 'Marathon\'s schema has nothing to say');
	append_to_file("$made/wrong", encode_json({ %{ $app{bridge} }, cpus => 'many', healthcheck => [] }));
	like(complaints("$made/wrong"), qr/cpus.*'many'|'healthcheck' was unexpected/, 'but to what is wrong it has');
}

# ------------------------------------------------------------ what they promise

my $c = join '', map { slurp_file("$tree/bridge/$_") } qw(bridge.c ingest/ingest.c detector/stop.c);
my %limit = $c =~ /^#define (\w+) (\d+)$/mg;
my ($timeout_ms) = $app{generator}{cmd} =~ /-X message\.timeout\.ms=(\d+)/;
my %longest_stop = (
	bridge => $limit{DRAIN_MS} / 1000 + $limit{CLOSE_SECONDS} + 2 * $limit{THREAD_STOP_MS} / 1000,
	generator => $timeout_ms / 1000,
	detector => $limit{GRACE_SECONDS});
foreach my $program (@programs)
{
	my $help = slurp_file("$tree/docs/fintrans-$program.txt");
	my $app = $app{$program};
	my @checks = @{ $app->{healthChecks} };

	is($app->{id}, "/fintrans/$program", "$program has its place in the group");
	like($app->{cmd}, qr{^exec \./fintrans-[\d.]+/bin/fintrans-$program( |$)}, "$program takes the place of the shell");
	is_deeply([ @{ $checks[0] }{qw(protocol path portIndex)} ], [ 'MESOS_HTTP', '/health', 0 ],
		"$program is asked for its health");
	is_deeply($app->{portDefinitions}, [ { port => 0, protocol => 'tcp', name => 'http' } ], "$program: on a port of Marathon's");
	cmp_ok($checks[0]{timeoutSeconds}, '<=', $checks[0]{intervalSeconds}, "$program: one question at a time");
	cmp_ok($app->{taskKillGracePeriodSeconds}, '>', $longest_stop{$program}, "$program is not killed while it ends by itself");
	foreach my $name (sort keys %{ $app->{env} })
	{
		like($help, qr/\[\Q$name\E\]/, "$name is an option of fintrans-$program");
		unlike("$name=$app->{env}{$name}", qr/(?:PASSWORD|TOKEN)=|password=/, "$program: $name is no secret");
	}
}
is($app{bridge}{readinessChecks}[0]{portName}, 'http', 'the bridge is asked for readiness on the same port');
foreach my $group (grep { /^group/ } @files)
{
	my %in = map { $_->{id} => $_ } @{ $json{$group}{apps} };

	foreach my $program (@programs)
	{
		my %alone = %{ $in{"/fintrans/$program"} };

		delete $alone{dependencies};
		$alone{env} = { %{ $alone{env} }, FINTRANS_BROKERS => $app{$program}{env}{FINTRANS_BROKERS} }
		  if $group eq 'group-kafka.json' && exists $alone{env}{FINTRANS_BROKERS};
		is_deeply(\%alone, $app{$program}, "$group has the same $program");
	}
	foreach my $app (values %in)
	{
		is(join(' ', grep { !$in{$_} } @{ $app->{dependencies} // [] }), '', "$group: what $app->{id} waits for is there");
		is(join(' ', grep { /(?:PASSWORD|TOKEN)$/ } keys %{ $app->{env} }), '', "$group: $app->{id} has no secret in its environment");
	}
	is(join(' ', grep { !$in{"/fintrans/$_"} } qw(postgresql influxdb grafana)), '', "$group has what stands beside them");
	my ($cpus, $mem) = (0, 0);
	$cpus += $_->{cpus}, $mem += $_->{mem} foreach values %in;
	cmp_ok($cpus, '<', 6, "$group takes $cpus CPUs, less than the demo's 6");
	cmp_ok($mem, '<', 6144, "and $mem MB, less than its 6 GB");
	like(slurp_file("$tree/docs/marathon.md"), qr/^\| \*\*`$group`\*\* \| \*\*\Q$cpus\E\*\* \| \*\*$mem\*\* \|/m, 'as the manual says');
}
foreach my $app (@{ $json{'group-kafka.json'}{apps} })
{
	like(slurp_file("$tree/docs/marathon.md"), qr/^\| `$app->{id}` \| \Q$app->{cpus}\E \| $app->{mem} \|/m, "the manual has the resources of $app->{id}");
}

# -------------------------------------------------------------- the servers

is(system("make -s -C '$tree' dist > '$made/dist.log' 2>&1"), 0, 'the tarball is made') or BAIL_OUT(slurp_file("$made/dist.log"));
my ($tarball) = map { "$tree/$_" } slurp_file("$made/dist.log") =~ /^(build\/\S+\.tar\.gz)$/m;

my $secrets = PostgreSQL::Test::Utils::tempdir();
append_to_file("$secrets/$_-password", $FintransInvariants::secret) foreach qw(bridge detector grafana);
append_to_file("$secrets/influxdb-password", 'unused');

# PostgreSQL as its image has it: the database is made by the script, and who comes
# in says a password
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->start;
my $superuser = getpwuid($<);
{
	local @ENV{qw(SECRETS PGHOST PGPORT POSTGRES_DB POSTGRES_USER)} =
	  ($secrets, $node->host, $node->port, 'postgres', $superuser);
	local $ENV{SECRETS} = $made;
	like(`'$here/database.sh' 2>&1`, qr/^database\.sh: no file "\Q$made\E\/bridge-password" that \Q$superuser\E can read$/,
		'without passwords there is no database');
	local $ENV{SECRETS} = $secrets;
	is(`'$here/database.sh' 2>&1`, '', 'the database is made');
}
unlike(slurp_file($node->logfile), qr/$FintransInvariants::secret/, 'and no password is logged');
my $hba = $node->data_dir . '/pg_hba.conf';
my $trust = slurp_file($hba);
unlink $hba;
append_to_file($hba, "local all bridge,detector,grafana scram-sha-256\n$trust");
$node->reload;
audit_offsets($node);
{
	local $ENV{PGPASSWORD} = $FintransInvariants::secret;
	my @grafana = (extra_params => [ '-U', 'grafana' ]);
	my (undef, undef, $said) = $node->psql('postgres', 'CREATE TEMP TABLE t ()', @grafana);

	is($node->psql('postgres', 'SELECT FROM fintrans_alert_list', @grafana), 0, 'Grafana reads');
	like($said, qr/read-only transaction/, 'and does nothing else');
}

my $broker = FintransBroker->kafka(partitions => 4);
my $database = 'host=' . $node->host . ' port=' . $node->port . ' dbname=postgres';
my %site = (
	bridge => { FINTRANS_BROKERS => $broker->bootstrap, FINTRANS_DATABASE => "$database user=bridge",
		FINTRANS_PASSWORD_FILE => "$secrets/bridge-password", FINTRANS_INFLUX_URL => '',
		FINTRANS_INFLUX_TOKEN_FILE => "$secrets/influxdb-password" },
	generator => { FINTRANS_BROKERS => $broker->bootstrap },
	detector => { FINTRANS_DATABASE => "$database user=detector", FINTRANS_PASSWORD_FILE => "$secrets/detector-password" });
my %marathon = map {
	$_ => FintransMarathon->new($tarball, FintransMarathon::read_app("$here/$_.json", %{ $site{$_} }))
} @programs;
my $bridges = $marathon{bridge};

# All apps go on while one is waited for.
sub go_on(&$)
{
	my ($condition, $what) = @_;

	FintransMarathon::wait_for(\&$condition, $what, @marathon{@programs});
	pass($what);
	return;
}

# ---------------------------------------------------------------- the start

my $load = start_generator($broker, '--rate' => 2000, '--seed' => 100);
go_on { 3 == grep { $_->deployed } values %marathon } 'all three apps are deployed';
go_on { progress($node) > 5000 } 'transactions come in';
my ($detector) = $marathon{detector}->tasks;
go_on { $detector->{process}->output =~ /^POTENTIAL MONEY LAUNDERING: / } 'the detector prints';

($marathon{generator}->tasks)[0]{process}->kill9;
go_on { $marathon{generator}->ended && $marathon{generator}->deployed } 'a program that has died is started again';

# it stands still from now on, and is looked at again in the end
$detector->{process}->signal('STOP');

# ------------------------------------------------------------------ scaling

sub partitions_of
{
	my ($task) = @_;
	my $metrics = HTTP::Tiny->new(timeout => 20)->get("http://127.0.0.1:$task->{port}/metrics")->{content};

	return ($metrics =~ /^fintrans_bridge_partitions_assigned (\d+)$/m)[0] // 0;
}

$bridges->scale(3);
go_on { $bridges->deployed } 'one bridge becomes three';
go_on { !grep { partitions_of($_) < 5 } $bridges->tasks } 'which share the partitions';

# ------------------------------------------------- a new version, one by one

my @old = $bridges->tasks;
$bridges->upgrade(FINTRANS_LINGER_MS => '50');
my $overlapped = 0;
my $fewest = @old;
go_on {
	my @good = grep { $_->{healthy} && $_->{ready} && !defined $_->{asked} } $bridges->tasks;

	$overlapped ||= grep({ $_->{version} == 1 } @good) && grep({ $_->{version} == 2 } @good);
	$fewest = @good if @good < $fewest;
	$bridges->deployed
} 'three bridges of the old version are replaced by the new one';
ok($overlapped, 'old and new have worked side by side');
is($fewest, 3, 'never less than three of them');
is($bridges->most, 4, 'and one more at the most');
is_deeply([ map { $_->{status} } grep { $_->{version} == 1 } $bridges->ended ], [ 0, 0, 0 ], 'the old ones ended well');

# --------------------------------------------- an agent cannot be reached

# Marathon knows nothing of it any more, but it works on, beside its replacement
my ($lost) = $bridges->tasks;
$bridges->lose($lost);
go_on { $bridges->deployed } 'a replacement is started for one that cannot be reached';
go_on { partitions_of($lost) > 0 && !grep { partitions_of($_) == 0 } $bridges->tasks } 'and shares the partitions with it';

# then nothing gets in or out: for the others it is silent, and it does not know
$lost->{process}->signal('STOP');
go_on { sum(map { partitions_of($_) } $bridges->tasks) == 20 } 'those who are left take its partitions';
my $before = last_move($node);
go_on {
	$node->safe_psql('postgres', "SELECT count(DISTINCT (topic, kafka_partition)) FROM moves WHERE move > $before") == 20
} 'and load them without it';
$lost->{process}->signal('CONT');
go_on { FintransMarathon::ask($lost, '/health', 20) == 200 && partitions_of($lost) > 0 }
'when it is back it takes part again';
$bridges->find_again($lost);
go_on { $bridges->deployed } 'until Marathon ends it';
is((grep { $_->{process} == $lost->{process} } $bridges->ended)[0]{status}, 0, 'by SIGTERM, and it ends well');

# ------------------------------------------------------------ and back again

$bridges->scale(1);
go_on { $bridges->deployed } 'three bridges become one';
is(scalar(grep { $_->{status} != 0 } $bridges->ended), 0, 'every bridge that had to go has ended well');
is(scalar(grep { $_->{escalated} } $bridges->ended), 0, 'in its time');

# ------------------------------------------------- who does not answer is killed

go_on { 1 == $marathon{detector}->ended && $marathon{detector}->deployed } 'the detector that stood still was replaced';
my ($killed) = $marathon{detector}->ended;
my $app = $marathon{detector}{app};
is($killed->{status}, -9, 'it was killed, since it did not obey');
ok($killed->{escalated}, 'after SIGTERM');
is($killed->{failures}, $app->{healthChecks}[0]{maxConsecutiveFailures}, 'and so many questions without an answer');

# ------------------------------------------------------------------- the end

is($load->stop, 0, 'the load was delivered');
$marathon{generator}->scale(0);
go_on { !$marathon{generator}->tasks } 'the generator ends';
is(($marathon{generator}->ended)[-1]{status}, 0, 'and has delivered everything');
wait_until_loaded($node, $broker);
my $alerts = $node->safe_psql('postgres', 'SELECT count(*) FROM fintrans_alerts');
($detector) = $marathon{detector}->tasks;
go_on { scalar(() = $detector->{process}->output =~ /^POTENTIAL /mg) == $alerts } 'the detector has printed every alert';
$marathon{$_}->scale(0) foreach qw(bridge detector);
go_on { !grep { $_->tasks } values %marathon } 'all end';
is(join(' ', map { $_->{status} } map { ($marathon{$_}->ended)[-1] } qw(bridge detector)), '0 0', 'well');
check_exactly_once($node, $broker, 'Marathon');
figure(sprintf 'Marathon: %d transactions under 1 -> 3 -> 1 bridges, a new version and an agent lost', progress($node));

done_testing();
