# Messages of hundreds of days in one batch: their partitions are made, and
# looked up again, by a statement for the batch and not for each day.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use FintransBroker;
use FintransTest;

my $node = new_node('bridge');
my $broker = FintransBroker->embedded;

# three hundred days in ranges of seven, the last first, and some twice
my $csv = file_of('transactions.csv');
my @days = reverse grep { $_ % 8 != 0 } 1 .. 342;
append_to_file($csv, join("\n", 'source,target,amount,time',
	map({ "1,2,3,$_" } @days, @days[0 .. 9])) . "\n");

sub load
{
	my $log = slurp_file($node->logfile);

	run_generator(
		$broker,
		'--file' => $csv,
		'--columns' => 'source=source,target=target,amount=amount,time=time',
		'--time-unit' => 'day',
		'--time-origin' => '2020-01-01',
		'--rate' => 0);
	my $bridge = start_bridge($node, $broker, 'bridge', '--exit-at-end',
		'--time-range' => '2020-01-01..2020-12-31');
	is($bridge->wait_exit(180), 0, 'the bridge ends at the end');
	my $new = substr(slurp_file($node->logfile), length($log));
	my $batches = () = $new =~ /execute move: WITH move/g;
	my $asked = () = $new =~ /execute <unnamed>: SELECT .*fintrans_ensure_partitions/g;
	cmp_ok($batches, '>', 0, 'batches were stored');
	# the days ahead are asked for at connect, and when a day begins
	cmp_ok($asked, '<=', $batches + 2, 'partitions are asked for by the batch');
	return;
}

load();
is($node->safe_psql('postgres', q{
		SELECT string_agg((event_time AT TIME ZONE 'UTC')::date - date '2020-01-01'
		                  || ' ' || count, ',' ORDER BY event_time)
		  FROM (SELECT event_time, count(*) FROM fintrans_transactions
		         GROUP BY event_time) day}),
	join(',', map { my $day = $_; "$day " . (1 + grep { $_ == $day } @days[0 .. 9]) }
	  reverse @days),
	'each day has its rows');
is($node->safe_psql('postgres', q{
		SELECT count(*) FROM pg_class
		 WHERE relname ~ '^fintrans_transactions_2020....$'}), scalar(@days),
	'no other day has a partition');
load();
check_exactly_once($node, $broker, 'many days');

done_testing();
