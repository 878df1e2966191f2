# A real InfluxDB beside PostgreSQL: every committed transaction is one point,
# exactly, after kill -9 of the bridge and of InfluxDB too, and nothing else is.
use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep);

use FintransBroker;
use FintransInflux;
use FintransTest;

my $kills = 6;
my $seed = srand($ENV{FINTRANS_TEST_SEED} // time);
note("seed $seed");

my $node = new_node('bridge', 'second');
my $broker = FintransBroker->kafka;
my $influx = FintransInflux->new;
my @influx = ('--influx-url' => $influx->url);

# What docs/influxdb.md says of a point's time, in SQL: the places that a millisecond has.
my $places_of_pairs = 'kafka_partition % 64 * 15625 + kafka_offset % 15625';
my $places_of_partitions = 'kafka_offset % 1000000';

# compare DATABASE, PLACES, [COLUMN, FIELD].., and "all" or "no more": points
# are rows, or none of them is anything else
sub compare
{
	my ($what, $how, $database, $places, @columns) = @_;
	my $points = file_of('points');
	my $rows = file_of('rows');
	my $columns = join ', ', map { $_->[0] } @columns;

	$influx->write_points($database, $points, map { $_->[1] } @columns);
	$node->safe_psql('postgres', "
		COPY (SELECT city,
		             (extract(epoch FROM event_time) * 1000)::bigint * 1000000
		             + $places, $columns
		        FROM fintrans_transactions WHERE kafka_offset IS NOT NULL)
		  TO '$rows' (DELIMITER ' ')");
	system("LC_ALL=C sort -o '$points' '$points' && LC_ALL=C sort -o '$rows' '$rows'")
	  == 0 or die "could not sort\n";
	my $options = $how eq 'all' ? '-3' : '-13';
	my $differences = `LC_ALL=C comm $options '$rows' '$points' | head -n 10`;

	is($differences, '', $what);
	return;
}

my @pair = ([ 'amount', 'amount' ], [ 'source_account', 'source' ],
	[ 'target_account', 'target' ]);

# ------------------------------------------------- kills, in the midst of it

my $generator = start_generator($broker, '--rate' => 2000, '--accounts' => 100,
	'--seed' => $seed);

for my $kill (1 .. $kills)
{
	my $before = progress($node);
	# small batches of both, so that a kill may meet any step
	my @bridges = map {
		start_bridge($node, $broker, $_, '--batch-rows' => 200,
			'--linger-ms' => 20, '--influx-batch' => 50, @influx)
	} $kill % 2 ? ('bridge') : ('bridge', 'second');

	wait_for { progress($node) > $before } "rows of bridge $kill";
	sleep(rand(1));
	# InfluxDB too: what it has answered for must be there
	if ($kill == 4)
	{
		$influx->process->kill9;
		sleep(rand(0.5));
	}
	is($_->kill9, -9, "kill $kill was in mid-load") foreach @bridges;
	$influx->start if $kill == 4;
	next if $influx->get('', 'SHOW DATABASES', 'application/csv') !~ /fintrans/;
	compare("kill $kill: InfluxDB knows nothing that PostgreSQL does not",
		'no more', 'fintrans', $places_of_pairs, @pair);
}

is($generator->stop, 0, 'the generator delivered everything');
my $bridge =
  start_bridge($node, $broker, 'bridge', '--exit-at-end', @influx);
is($bridge->wait_exit(180), 0, 'the last bridge ends at the end of both');
compare("$kills kills: points are the transactions, each exactly once",
	'all', 'fintrans', $places_of_pairs, @pair);
check_exactly_once($node, $broker, "$kills kills");
cmp_ok($influx->number('fintrans', 'SELECT count(amount) FROM London'),
	'>', 1000, 'it was a load');

# ------------------------------------------- InfluxDB away while bridges end

$influx->process->kill9;
run_generator($broker, '--rate' => 0, '--count' => 5000, '--accounts' => 100,
	'--seed' => $seed + 1);
$bridge = start_bridge($node, $broker, 'bridge', @influx);
wait_until_loaded($node, $broker);
wait_for { $bridge->logged =~ /event="InfluxDB takes no points, retrying"/ }
'the bridge to miss InfluxDB';
is($bridge->stop, 0, 'without InfluxDB a bridge ends well');
$bridge = start_bridge($node, $broker, 'bridge', @influx);
wait_for { $bridge->logged =~ /event="InfluxDB takes no points, retrying"/ }
'the next bridge to miss it';
is($bridge->kill9, -9, 'the next one is killed');
$influx->start;
is(start_bridge($node, $broker, 'bridge', '--exit-at-end', @influx)
	  ->wait_exit(180), 0, 'then InfluxDB is back');
compare('and has what was committed without it', 'all', 'fintrans',
	$places_of_pairs, @pair);

# ------------------------------------------------- what is no row has no point

$node->safe_psql('postgres', q{
	ALTER TABLE fintrans_transactions
	  ADD CONSTRAINT no_thirteen CHECK (amount <> 13) NOT VALID});
$broker->produce('SF', '1 2 13', '1 2', '1 2 3.5000', '7 8 13', '7 8 -1', '8 9 12');
is(start_bridge($node, $broker, 'bridge', '--exit-at-end', @influx)
	  ->wait_exit(180), 0, 'messages are refused, by the bridge and the table');
is($node->safe_psql('postgres', q{
	SELECT string_agg(reason, ' ' ORDER BY kafka_offset)
	  FROM fintrans_dead_letters}),
	'refused field_count refused bad_amount', 'they are dead letters');
compare('and have no point', 'all', 'fintrans', $places_of_pairs,
	[ 'trim_scale(amount)', 'amount' ], @pair[1, 2]);

# a bridge that begins behind them has to find out what they are
is(start_bridge($node, $broker, 'bridge', '--exit-at-end', @influx,
	'--influx-database' => 'behind', '--influx-group' => 'behind')
	  ->wait_exit(180), 0, 'all is sent again, to another database');
compare('dead letters have no point there either', 'all', 'behind',
	$places_of_pairs, [ 'trim_scale(amount)', 'amount' ], @pair[1, 2]);

# ------------------------------------------------- the other ways of writing

foreach my $way (
	[ 'field', [ 'trim_scale(amount)', 'amount' ],
		[ 'kafka_partition', 'partition' ], @pair[1, 2] ],
	[ 'none', [ 'trim_scale(amount)', 'amount' ],
		[ 'kafka_partition', 'partition' ] ])
{
	my ($accounts, @columns) = @$way;

	# the second time all is stored over itself
	foreach my $time (1, 2)
	{
		is(start_bridge($node, $broker, 'bridge', '--exit-at-end', @influx,
				'--influx-database' => qq(a "$accounts"),
				'--influx-accounts' => $accounts,
				'--influx-group' => "$accounts-$time")->wait_exit(180), 0,
			"accounts as $accounts, time $time");
	}
	compare("accounts as $accounts: each point is there once",
		'all', qq(a "$accounts"), $places_of_partitions, @columns);
}

# ------------------------------------------------------- names of any shape

my @odd = ([ '"x"\\', '=,\\' ], [ 'a,b=c', "\xc3\xa9\\\\,=" ], [ "it's", '\\"' ]);

$broker->produce('Oslo', map { "$_->[0] $_->[1] 12345678901234.5" } @odd);
foreach my $accounts (qw(tag field))
{
	is(start_bridge($node, $broker, 'bridge', '--exit-at-end', @influx,
			'--topics' => 'Oslo', '--influx-database' => "odd $accounts",
			'--influx-accounts' => $accounts,
			'--influx-group' => "odd-$accounts")->wait_exit(180), 0,
		"odd accounts as ${accounts}s");
	my $answer = $influx->values("odd $accounts",
		'SELECT amount, source, target FROM Oslo');
	is_deeply(
		[ sort map { "$_->[2] $_->[3]" } @$answer ],
		[ sort map {
				my @names = @$_;

				# a tag cannot end in a backslash
				join ' ', map { $accounts eq 'tag' ? s/\\$/\\ /r : $_ } @names
		} @odd ], "odd accounts are the same as ${accounts}s");
	is($answer->[0][1], 12345678901234.5, 'and so is the amount');
}

# ------------------------------------------------------------- other formats

$broker->produce('Bergen',
	'{"source": "a b", "target": "c", "amount": 1.5, "time": "2026-11-24T08:15:00.123456Z"}',
	'{"source": "a b"}');
is(start_bridge($node, $broker, 'bridge', '--exit-at-end', @influx,
	'--topics' => 'Bergen', '--format' => 'json', '--time-range' => '..',
	'--fields' => 'source=source,target=target,amount=amount,time=time')
	  ->wait_exit(180), 0, 'messages of JSON');
is_deeply(
	$influx->values('fintrans', 'SELECT amount, source, target FROM Bergen'),
	[ [ 1_795_508_100_123 * 1_000_000
			+ $node->safe_psql('postgres', "
				SELECT $places_of_pairs FROM fintrans_transactions
				 WHERE city = 'Bergen'"), 1.5, 'a b', 'c' ] ],
	'their time is the one they tell');

done_testing();
