# TLS, SASL and permissions of a real Kafka: what is wrong is named in plain
# words, once, and the bridge goes on trying; a consumer group that is refused
# ends it.  Passwords stand in files, and in no output.
use strict;
use warnings;

use HTTP::Tiny;
use MIME::Base64;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use FintransBroker;
use FintransFakeInflux;
use FintransProcess;
use FintransTest;
use FintransTls;

my $password = 'c0rrect-horse-battery';
my $wrong_password = 'wr0ng-horse-battery';

# librdkafka before 2.6.1 cannot log in to Kafka 4 by SCRAM
my $has_scram = FintransBroker->librdkafka >= 20601;
my $mechanism = $has_scram ? 'SCRAM-SHA-512' : 'PLAIN';

# ------------------------------------------------------------ the servers

my $tls = FintransTls->new;
$tls->authority($_) foreach qw(authority stranger);
$tls->certificate('right', 'authority', 'DNS:localhost,IP:127.0.0.1', 2);
$tls->certificate('expired', 'authority', 'DNS:localhost,IP:127.0.0.1', -1);
$tls->certificate('elsewhere', 'authority', 'DNS:elsewhere.example', 2);
$tls->certificate('client', 'authority', 'DNS:client', 2);
$tls->openssl('ec', '-aes128', '-passout', "pass:$password", '-in',
	$tls->path('client.key'), '-out', $tls->path('client.encrypted'));

# name => [ protocol, certificate ]
my %listener = (
	PLAINTEXT => ['PLAINTEXT'],
	TRUSTED => [ 'SSL', 'right' ],
	EXPIRED => [ 'SSL', 'expired' ],
	ELSEWHERE => [ 'SSL', 'elsewhere' ],
	MUTUAL => [ 'SSL', 'right' ],
	SECURE => [ 'SASL_SSL', 'right' ],
	OPEN => ['SASL_PLAINTEXT']);
my %port = map { $_ => PostgreSQL::Test::Cluster::get_free_port() }
  'CONTROLLER', keys %listener;
$port{NOBODY} = 1;
my @listeners = map { "$_://127.0.0.1:$port{$_}" } sort keys %listener;

my $node = new_node('bridge');
my $broker = FintransBroker->kafka(
	port => $port{PLAINTEXT},
	controller_port => $port{CONTROLLER},
	settings => [
		'listeners=' . join(',', "CONTROLLER://127.0.0.1:$port{CONTROLLER}", @listeners),
		'advertised.listeners=' . join(',', @listeners),
		'listener.security.protocol.map=CONTROLLER:PLAINTEXT,'
		  . join(',', map { "$_:$listener{$_}[0]" } sort keys %listener),
		'inter.broker.listener.name=PLAINTEXT',
		(map { keystore($_) } sort grep { $listener{$_}[1] } keys %listener),
		'listener.name.mutual.ssl.client.auth=required',
		'listener.name.open.sasl.enabled.mechanisms=SCRAM-SHA-512',
		"listener.name.secure.sasl.enabled.mechanisms=$mechanism",
		(map { "listener.name.$_.scram-sha-512.sasl.jaas.config="
			. 'org.apache.kafka.common.security.scram.ScramLoginModule required;' }
			qw(open secure)),
		'listener.name.secure.plain.sasl.jaas.config='
		  . 'org.apache.kafka.common.security.plain.PlainLoginModule required '
		  . join(' ', map { qq{user_$_="$password"} } qw(bridge generator)) . ';',
		'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
		'super.users=User:ANONYMOUS;User:generator;User:CN=client',
		map { "--add-scram=SCRAM-SHA-512=[name=$_,password=$password]" }
		  qw(bridge generator) ]);

sub keystore
{
	my ($name) = @_;
	my $prefix = 'listener.name.' . lc $name . '.ssl';

	return ("$prefix.keystore.type=PEM",
		"$prefix.keystore.location=" . $tls->path("$listener{$name}[1].both"),
		"$prefix.truststore.type=PEM",
		"$prefix.truststore.location=" . $tls->path('authority.pem'));
}

# A bridge at a listener, with lines of a file of properties.
sub bridge_at
{
	my ($name, $listener, $lines, @options) = @_;
	my $file = $tls->secret("$name.properties",
		join('', map { "$_\n" } "bootstrap.servers=127.0.0.1:$port{$listener}", @$lines));

	return FintransProcess->start($name, 'fintrans-bridge', '-F', $file,
		'--database' => $node->connstr('postgres') . ' user=bridge',
		'--group' => 'fintrans-test', '--batch-rows' => 1000,
		'--batch-bytes' => 65536, '--log-level' => 'debug', @options);
}

# Give or take away the permission READ.
sub permit
{
	return $broker->tool('org.apache.kafka.tools.AclCommand', @_,
		'--allow-principal', 'User:bridge', '--operation', 'Read');
}

# All but SF, which the bridge has named so often.
sub four_are_loaded
{
	my ($bridge, $times) = @_;
	my $high = $broker->high_watermarks;

	wait_for {
		my $next = next_offsets($node);
		!grep { !/^SF / && ($next->{$_} // 0) < $high->{$_} } keys %$high
	} 'four topics to be loaded';
	wait_for { (() = $bridge->logged =~ /TOPIC_AUTHORIZATION_FAILED cause/g) >= $times }
	'the fifth one to be named';
	my @told = grep { /TOPIC_AUTHORIZATION_FAILED cause/ } warnings_of($bridge);
	like($told[-1],
		qr/others go on, retrying" .*cause="[^"]*\(ACL\) READ on the topic" text="[^"]*SF/,
		'the topic without permission is named, with what is missing');
	ok($bridge->running, 'and the others go on');
	return;
}

sub warnings_of
{
	my ($process) = @_;

	return grep { /level=(?:warning|error)/ } split /\n/, $process->logged;
}

# ---------------------------------------------------- what can be wrong

my @tls = ('security.protocol=ssl', 'ssl.ca.location=' . $tls->path('authority.pem'));
my @scram = ('sasl.mechanisms=SCRAM-SHA-512', 'sasl.username=bridge');
my @secure = ('security.protocol=sasl_ssl', $tls[1], "sasl.mechanisms=$mechanism");

# name => [ listener, properties, the cause that is told ]
my %wrong = (
	expired => [ 'EXPIRED', \@tls, qr/the certificate of 127\.0\.0\.1:\d+ has expired"/ ],
	elsewhere => [ 'ELSEWHERE', \@tls,
		qr/the certificate of 127\.0\.0\.1:\d+ is for another address"/ ],
	stranger => [ 'TRUSTED',
		[ 'security.protocol=ssl', 'ssl.ca.location=' . $tls->path('stranger.pem') ],
		qr/is not signed by an authority that is trusted here"/ ],
	plaintext_server => [ 'PLAINTEXT', \@tls, qr/the broker hangs up: see security\.protocol, its listener may have no TLS"/ ],
	plaintext_client => [ 'TRUSTED', [], qr/its listener may want TLS"/ ],
	no_certificate => [ 'MUTUAL', \@tls, qr/the broker wants a certificate of ours/ ],
	no_password => [ 'OPEN', [], qr/its listener may want SASL"/ ],
	wrong_password => [ 'OPEN',
		[ 'security.protocol=sasl_plaintext', @scram, "sasl.password=$wrong_password" ],
		qr/the broker refuses the user or the password/ ],
	wrong_mechanism => [ 'OPEN',
		[ 'security.protocol=sasl_plaintext', 'sasl.mechanisms=PLAIN',
			'sasl.username=bridge', "sasl.password=$password" ],
		qr/the broker does not offer this SASL mechanism/ ],
	old_scram => [ 'OPEN',
		[ 'security.protocol=sasl_plaintext', @scram, "sasl.password=$password" ],
		qr/it is Kafka 4, to which SCRAM takes librdkafka 2\.6\.1/ ],
	nobody_there => [ 'NOBODY', [],
		qr/nothing listens at the broker's address/ ]);
delete $wrong{old_scram} if $has_scram;
my $http_port = PostgreSQL::Test::Cluster::get_free_port();
my %bridge = map { $_ => bridge_at($_, @{ $wrong{$_} }[ 0, 1 ],
	$_ eq 'expired' ? ('--http-port' => $http_port) : ()) } sort keys %wrong;

foreach my $name (sort keys %wrong)
{
	my $cause = $wrong{$name}[2];

	wait_for { !$bridge{$name}->running || $bridge{$name}->logged =~ /cause=[^\n]*$cause/ }
	"$name to be told";
	my @told = grep { /$cause/ } warnings_of($bridge{$name});
	like($told[0] // '', qr/event="no Kafka connection, retrying" .*cause="/,
		"$name: the cause is told, and that it goes on");
	ok($bridge{$name}->running, "$name: it goes on trying");
}

my $ready;
wait_for {
	$ready = HTTP::Tiny->new->get("http://127.0.0.1:$http_port/ready")->{content};
	$ready =~ /^kafka: /m
} '/ready to see that there is no Kafka';
like($ready, qr/^kafka: no broker answers: .*the certificate of 127\.0\.0\.1:\d+ has expired/m, '/ready tells the cause too');

# ------------------------------------------------- the password, renewed

my $password_file = $tls->secret('password', "$wrong_password\n");
my $bridge = bridge_at('bridge', 'SECURE',
	[ @secure, 'sasl.username=bridge', "sasl.password.file=$password_file",
		'reconnect.backoff.max.ms=500', 'session.timeout.ms=2000', 'heartbeat.interval.ms=500',
		'topic.metadata.refresh.interval.ms=1000', 'debug=all' ],
	'--topics' => 'London,NYC,SF,Moscow,Tokyo');
my $refused = bridge_at('refused', 'SECURE',
	[ @secure, 'sasl.username=bridge', "sasl.password=$password" ],
	'--group' => 'forbidden');

# meanwhile: a permission for four topics and one group
permit('--add', (map { ('--topic', $_) } qw(London NYC Moscow Tokyo)), '--group',
	'fintrans-test');

is($refused->wait_exit(180), 1, 'a bridge whose group is refused ends with 1');
like($refused->logged,
	qr/level=error .*event="cannot go on" reason=".*permission \(ACL\) READ on the group/,
	'and says which permission is missing');

wait_for { $bridge->logged =~ /cause="the broker refuses the user or the password/ }
'the wrong password to be refused';
$tls->secret('password', "$password\n");

# ------------------------------------------------------ four topics of five

my $generator_file = $tls->secret('generator.properties', join("\n",
	"bootstrap.servers=127.0.0.1:$port{SECURE}", @secure, 'sasl.username=generator',
	"sasl.password=$password", ''));
# which tells everything it can
my $talker = start_generator($broker, '-F' => $generator_file, '--count' => 2000,
	'--rate' => 0, '--seed' => 54, '-X' => 'debug=all', '--log-level' => 'debug');
is($talker->wait_exit(180), 0, 'the generator delivered everything, too');
four_are_loaded($bridge, 1);

permit('--add', '--topic', 'SF');
wait_until_loaded($node, $broker);

# a certificate instead of a password, with a key that has a password of its own
run_generator($broker, '-F' => $tls->secret('client.properties', join("\n",
		"bootstrap.servers=127.0.0.1:$port{MUTUAL}", @tls,
		'ssl.certificate.location=' . $tls->path('client.pem'),
		'ssl.key.location=' . $tls->path('client.encrypted'),
		"ssl.key.password.file=$password_file", '')),
	'--count' => 100, '--rate' => 0, '--seed' => 56);
wait_until_loaded($node, $broker);

# the same for a permission that is taken away
permit('--remove', '--force', '--topic', 'SF');
run_generator($broker, '-F' => $generator_file, '--count' => 2000, '--rate' => 0,
	'--seed' => 55);
four_are_loaded($bridge, 2);
permit('--add', '--topic', 'SF');
wait_until_loaded($node, $broker);
is($bridge->stop, 0, 'the bridge ends well');
check_exactly_once($node, $broker, 'after all permissions are there');

# ------------------------------------ the password, changed by SIGHUP

# that of a bridge's client for InfluxDB, too, which has its own
my $fake = FintransFakeInflux->new;
$fake->start;
permit('--add', '--group', 'fintrans-test-influx');
my @login = ('security.protocol=sasl_ssl', $tls[1], "sasl.mechanisms=$mechanism",
	'sasl.username=bridge', 'reconnect.backoff.max.ms=500');
my $changed = bridge_at('changed', 'SECURE', [ @login, "sasl.password=$wrong_password" ],
	'--influx-url' => $fake->url, '--topics' => 'London',
	'--config' => $tls->secret('changed.conf', "status-seconds = 0\n"));
wait_for { $changed->logged =~ /cause="the broker refuses the user or the password/ }
'the wrong password to be refused';
$tls->secret('changed.properties', join('', map { "$_\n" }
	"bootstrap.servers=127.0.0.1:$port{SECURE}", @login, "sasl.password=$password"));
$tls->secret('changed.conf', "status-seconds = 1\n");
$changed->signal('HUP');
wait_for { $fake->accepted =~ /^London,/m } 'InfluxDB to be sent points with the new one';
wait_for { $changed->logged =~ /event=InfluxDB state=running / }
'a status line of InfluxDB, which there was none of before';
is($changed->stop, 0, 'the bridge ends well');
is($fake->stop, -9, 'InfluxDB is stopped');

# ---------------------------------------------------------- how much is told

foreach my $name (sort keys %bridge)
{
	is($bridge{$name}->stop, 0, "$name: the bridge ends well");
	my (%last, @often);
	foreach (warnings_of($bridge{$name}))
	{
		my ($hours, $minutes, $seconds) = /T(\d+):(\d+):([\d.]+)Z/;
		my ($what) = /(cause="[^"]*")/;
		($what) = /(error=\S+)/ unless defined $what;
		next unless defined $what;
		my $at = ($hours * 60 + $minutes) * 60 + $seconds;

		# the day may have ended
		push @often, $_ if defined $last{$what} && ($at - $last{$what}) % 86400 < 29;
		$last{$what} = $at;
	}
	is("@often", '', "$name: the same is told once in half a minute");
}

# -------------------------------------------------------------- no secrets

my %written = map { $_->{name} => $_->logged . $_->output } values %bridge, $bridge, $changed, $refused,
  $talker;
foreach my $name (sort keys %written)
{
	my @secrets = ($password, $wrong_password);

	push @secrets, map { encode_base64($_, ''), unpack('H*', $_) } @secrets;
	my @found = grep { index($written{$name}, $_) >= 0 } @secrets;
	is("@found", '', "$name: no password is written, in any form");
}
like($written{$_}, qr/facility=SASL/, "though librdkafka told everything to the $_")
  foreach qw(bridge generator);

done_testing();
