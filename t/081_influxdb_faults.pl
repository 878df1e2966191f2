# InfluxDB on its bad days: away, silent, hanging after its headers, refusing
# requests and points.  PostgreSQL is loaded all the same, what can be stored
# is stored, and what cannot be is counted.
use strict;
use warnings;

use HTTP::Tiny;
use PostgreSQL::Test::Cluster;
use Test::More;

use FintransBroker;
use FintransFakeInflux;
use FintransTest;

my $node = new_node('bridge');
my $broker = FintransBroker->embedded(partitions => 2);
my $fake = FintransFakeInflux->new;
my @influx = ('--influx-url' => $fake->url, '--influx-timeout' => 1);
my $port = PostgreSQL::Test::Cluster::get_free_port();
my $bridge = start_bridge($node, $broker, 'bridge', @influx,
	'--status-seconds' => 1, '--http-port' => $port);
my $amount = 1_000_000;

# load HOW_MANY: produced and loaded; returns their amounts, each its own
sub load
{
	my ($number) = @_;
	my @amounts = map { $amount++ } 1 .. $number;
	my $file = file_of('messages');

	open(my $handle, '>', $file) or die "$file: $!\n";
	print $handle "1 2 $_\n" foreach @amounts;
	close($handle);
	system("kcat -P -q -b " . $broker->bootstrap . " -t London -p 0 -l '$file'")
	  == 0 or die "could not produce\n";
	wait_for {
		$node->safe_psql('postgres',
			"SELECT count(*) FROM fintrans_transactions
			  WHERE amount BETWEEN $amounts[0] AND $amounts[-1]") == $number
	}
	'PostgreSQL to have all';
	return @amounts;
}

# How often the points with these amounts were accepted: { times => how many }
sub times_accepted
{
	my (@amounts) = @_;
	my %times;
	my %count;

	$times{$_}++ foreach $fake->accepted =~ / amount=(\d+) /g;
	$count{ $times{$_} // 0 }++ foreach @amounts;
	return \%count;
}

sub wait_until_accepted
{
	my ($what, @amounts) = @_;

	wait_for { !times_accepted(@amounts)->{0} } $what;
	return;
}

# The latest numbers of the sink's status line.
sub told
{
	my ($what, $log) = @_;
	my @numbers = ($log // $bridge->logged) =~ /event=InfluxDB .* $what=(\d+)/g;

	return $numbers[-1] // 0;
}

sub asked
{
	my ($path) = @_;

	return HTTP::Tiny->new->get("http://127.0.0.1:$port/$path");
}

# ----------------------------------------------------------------- no answer

my @amounts = load(1000);
wait_for { $bridge->logged =~ /event="InfluxDB takes no points, retrying"/ }
'the bridge to miss InfluxDB';
is_deeply(times_accepted(@amounts), { 0 => 1000 },
	'InfluxDB is away, PostgreSQL is loaded');
wait_for { told('lag') == 1000 } 'the lag to be told';
like(asked('metrics')->{content}, qr/^fintrans_bridge_influx_failing 1$/m,
	'so do the metrics');
is(asked('ready')->{status}, 200, 'the bridge is ready all the same');

$fake->behave('silent');
$fake->start;
wait_for { $fake->requests =~ /^silent/m } 'a request';
push @amounts, load(1000);
wait_for { (() = $fake->requests =~ /^silent/mg) >= 2 } 'another attempt';
is_deeply(times_accepted(@amounts), { 0 => 2000 },
	'InfluxDB is silent, PostgreSQL is loaded');

$fake->behave('hang');
wait_for { $fake->requests =~ /^hang/m } 'a request';
push @amounts, load(1000);
wait_for { (() = $fake->requests =~ /^hang/mg) >= 2 } 'another attempt';
is_deeply(times_accepted(@amounts), { 0 => 3000 },
	'InfluxDB hangs after its headers, PostgreSQL is loaded');

foreach my $status (500, 503, 429, 403)
{
	$fake->behave('status', $status);
	wait_for { $fake->requests =~ / $status$/m } "an answer of $status";
	push @amounts, load(100);
}
is_deeply(times_accepted(@amounts), { 0 => 3400 },
	'InfluxDB has troubles, PostgreSQL is loaded');

# ------------------------------------------------------- what can be mended

$fake->behave('missing');
wait_until_accepted('the backlog', @amounts);
is_deeply(times_accepted(@amounts), { 1 => 3400 },
	'the database is created, and the whole backlog stored, each point once');
is(() = $fake->requests =~ /^query /mg, 1, 'it was created once');
like($fake->requests,
	qr/^query q=CREATE%20DATABASE%20%22fintrans%22$/m, 'as it must be');

$fake->behave('large', 300);
@amounts = load(2000);
wait_until_accepted('the pieces', @amounts);
is_deeply(times_accepted(@amounts), { 1 => 2000 },
	'too large requests are cut, each point is stored once');
cmp_ok((() = $fake->requests =~ / 413$/mg), '<', 30,
	'and later ones are not tried as large');

# ------------------------------------------------------- what cannot be mended

my $refused = told('dropped');
is($refused, 0, 'nothing was dropped so far');
$fake->behave('partial', 3);
@amounts = load(10);
wait_for { told('dropped') >= 3 } 'points to be counted as dropped';
$fake->behave('accept');

$refused = told('dropped');
@amounts = ();
my $picked = $amount + 617;
$fake->behave('pick', " amount=$picked ");
@amounts = load(1000);
wait_for { told('dropped') > $refused } 'a point to be counted as dropped';
wait_until_accepted('the others', grep { $_ != $picked } @amounts);
is_deeply(times_accepted(@amounts), { 1 => 999, 0 => 1 },
	'a point that is refused is found, the others are stored once');
is(told('dropped'), $refused + 1, 'and it is counted');
like($bridge->logged, qr/event="InfluxDB refused points" points=1 reason="unable to parse"/,
	'and told');

my $metrics = asked('metrics')->{content};
my %points = $metrics =~
  /^fintrans_bridge_influx_points_total\{result="(\w+)"\} (\d+)$/mg;

is($points{refused}, $refused + 1, 'the metrics count it too');
is($points{stored} + $points{refused}, 6410,
	'each transaction has become something');
like($metrics, qr/^fintrans_bridge_influx_$_ 0$/m, "the metrics have $_")
  foreach qw(queue_points lag_messages failing);

# ------------------------------------------------------------------- the end

$fake->behave('silent');
my $before = () = $fake->requests =~ /^silent/mg;
@amounts = load(10);
wait_for { (() = $fake->requests =~ /^silent/mg) > $before } 'a request';
is($bridge->stop, 0, 'a bridge whose request is not answered ends well');
is(told('retries') > 5, 1, 'it has counted its attempts');
unlike($bridge->logged, qr/Sesame/, 'no answer is quoted');

$fake->stop;
$bridge = start_bridge($node, $broker, 'bridge', @influx, '--exit-at-end');
is($bridge->wait_exit(180), 1,
	'asked to come to an end, it does not wait for ever');
like($bridge->logged, qr/InfluxDB has not been sent all that PostgreSQL has/,
	'and says so');

# before Kafka has told where InfluxDB was left, all there is would be a lag
$broker->command('error OffsetFetch GROUP_AUTHORIZATION_FAILED 1000');
$bridge = start_bridge($node, $broker, 'bridge', @influx, '--status-seconds' => 1);
wait_for { $bridge->logged =~ /event="could not find out where InfluxDB was left, retrying"/ }
'Kafka to be asked in vain';
wait_for { $bridge->logged =~ /event=InfluxDB state=retrying / } 'a status line';
unlike($bridge->logged, qr/event=InfluxDB .* lag=[1-9]/, 'no lag is told that is not known');
$broker->command('clear OffsetFetch');
wait_for { $bridge->logged =~ /event=InfluxDB .* lag=10 / } 'the lag there is';
is($bridge->stop, 0, 'the bridge ends well');

# --------------------------------------------------------- InfluxDB 2, tokens

my $secret = file_of('token');
PostgreSQL::Test::Utils::append_to_file($secret, "first-secret\n");
chmod 0600, $secret;
$fake->behave('token', 'second-secret');
$fake->start;
$bridge = start_bridge($node, $broker, 'bridge', @influx,
	'--influx-token-file' => $secret, '--influx-database' => 'a b/c',
	'--influx-org' => 'o&o', '--exit-at-end');
wait_for { $fake->requests =~ / 401$/m } 'the old token to be refused';
unlink $secret;
PostgreSQL::Test::Utils::append_to_file($secret, "second-secret\n");
is($bridge->wait_exit(180), 0, 'a token that was replaced is taken up');
is_deeply(times_accepted(@amounts), { 1 => 10 }, 'what was left is stored');
like($fake->requests,
	qr{POST /api/v2/write\?bucket=a%20b%2Fc&org=o%26o&precision=ns HTTP},
	'by the endpoint of InfluxDB 2');
unlike($bridge->logged, qr/-secret/, 'the token is not logged');

{
	local $ENV{FINTRANS_INFLUX_TOKEN} = 'second-secret';

	@amounts = load_and_send();
	is_deeply(times_accepted(@amounts), { 1 => 10 },
		'a token of the environment');
	unlike(`fintrans-bridge --show-options`, qr/second-secret/,
		'which is not shown');
}

sub load_and_send
{
	my $last = $amount;
	my $file = file_of('messages');

	open(my $handle, '>', $file) or die "$file: $!\n";
	print $handle '1 2 ' . $amount++ . "\n" foreach 1 .. 10;
	close($handle);
	system("kcat -P -q -b " . $broker->bootstrap . " -t NYC -p 1 -l '$file'")
	  == 0 or die "could not produce\n";
	is(start_bridge($node, $broker, 'bridge', @influx, '--exit-at-end')
		  ->wait_exit(180), 0, 'with the right one all is sent');
	return $last .. $amount - 1;
}

# ------------------------------------------------- what cannot be meant

foreach my $wrong (
	[ [ '--influx-url' => 'ftp://localhost' ], qr/is not of the form/ ],
	[ [ '--influx-url' => 'http://u:secret@localhost' ], qr/names a user/ ],
	[ [ '--influx-url' => 'http://localhost?db=x' ], qr/has a query/ ],
	[ [ @influx, '--influx-database' => '' ], qr/1 to 200 bytes/ ],
	[ [ @influx, '--influx-user' => 'u' ], qr/no password/ ],
	[ [ @influx, '--influx-org' => 'o' ], qr/needs a token/ ],
	[ [ @influx, '--influx-token' => 'x' ], qr/can be seen by others/ ],
	[ [ @influx, '--influx-token-file' => '/nonexistent' ], qr{/nonexistent} ],
	[ [ @influx, '--influx-accounts' => 'tags' ], qr/influx-accounts/ ])
{
	my ($options, $reason) = @$wrong;
	my $refused_bridge = start_bridge($node, $broker, 'bridge', @$options);

	is($refused_bridge->wait_exit(180), 2, "@$options[-2, -1] is wrong usage");
	like($refused_bridge->logged, $reason, 'and the reason is given');
	unlike($refused_bridge->logged, qr/secret/, 'without a password');
}

is($node->safe_psql('postgres', 'SELECT * FROM fintrans_verify()'), '',
	'verify finds no difference');

done_testing();
