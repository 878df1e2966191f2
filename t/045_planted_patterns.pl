# What the generator plants among random transactions is found again: all of
# it, and no ring or chain besides.  FINTRANS_TEST_PLANT_COUNT=1000000 does so
# among a million transactions.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use FintransBroker;
use FintransTest;

my $count = $ENV{FINTRANS_TEST_PLANT_COUNT} || 200_000;
my $each = 10;
my %function_of = (
	'chain' => 'chains',
	'ring' => 'cycles',
	'broken ring' => 'chains',
	'repeated transfers' => 'repeated_transfers',
	'fan-in' => 'fan_in',
	'fan-out' => 'fan_out',
	'scatter-gather' => 'scatter_gather',
	'structuring' => 'structuring',
	'pass-through' => 'pass_through');

my $node = new_node('bridge');
my $broker = FintransBroker->embedded(partitions => 8);
my $planted = file_of('planted');

run_generator(
	$broker,
	'--rate' => 0,
	'--count' => $count,
	'--accounts' => $count / 10,
	'--seed' => 5,
	'--days' => 30,
	'--plant' => $planted,
	'--plant-each' => $each);
my $bridge = start_bridge($node, $broker, 'bridge', '--exit-at-end',
	'--time-range' => '-31d..now');
is($bridge->wait_exit(180), 0, 'the bridge ends at the end');

$node->safe_psql('postgres', qq{
	CREATE TABLE planted (pattern text, accounts text[], amounts numeric[],
		times timestamptz[]);
	COPY planted FROM '$planted'});
is($node->safe_psql('postgres', 'SELECT count(*) FROM fintrans_transactions'),
	$count, 'as many transactions as were asked for');
is($node->safe_psql('postgres', q{
		SELECT count(*) FROM planted p, unnest(p.amounts, p.times) t (amount, at)
		 WHERE NOT EXISTS (
			SELECT FROM fintrans_transactions f
			 WHERE f.event_time = t.at AND f.amount = t.amount
			   AND f.source_account = ANY (p.accounts)
			   AND f.target_account = ANY (p.accounts))}),
	0, 'what the file says was planted is there');

# all accounts and amounts of a planted pattern in one finding of its name
my %calls = map { $_ => 1 } values %function_of;
foreach my $call (sort keys %calls)
{
	my $began = time;

	$node->safe_psql('postgres',
		"CREATE TABLE found_$call AS SELECT * FROM fintrans_$call()");
	diag(sprintf('fintrans_%s() took %.1f s', $call, time - $began));
}
foreach my $pattern (sort keys %function_of)
{
	is($node->safe_psql('postgres', qq{
			SELECT count(*), count(*) FILTER (WHERE EXISTS (
				SELECT FROM found_$function_of{$pattern} f
				 WHERE f.pattern = p.pattern AND f.accounts @> p.accounts
				   AND f.amounts @> p.amounts AND f.times @> p.times))
			  FROM planted p WHERE pattern = '$pattern'}),
		"$each|$each", "each planted $pattern is found");
}
foreach my $pattern ('chain', 'ring', 'broken ring')
{
	is($node->safe_psql('postgres', qq{
			SELECT count(*) FROM found_$function_of{$pattern}
			 WHERE pattern = '$pattern'}),
		$each, "no $pattern is found that was not planted");
}

done_testing();
