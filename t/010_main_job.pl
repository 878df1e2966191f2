# The main job on the embedded broker: what the generator sent is in the
# database exactly once, and its totals are those of an independent sum.
use strict;
use warnings;

use Test::More;

use FintransBroker;
use FintransTest;

my $node = new_node('bridge');
my $broker = FintransBroker->embedded;

run_generator($broker, '--count' => 100_000, '--rate' => 0, '--seed' => 1);

my $bridge = start_bridge($node, $broker, 'bridge', '--exit-at-end',
	'--report-seconds' => 1);
is($bridge->wait_exit(180), 0, 'the bridge ends at the end');
is(progress($node), 100_000, 'all messages are handled');
check_exactly_once($node, $broker, 'first load');

# what it told of itself is what was so, to the last batch
is($node->safe_psql('postgres', q{
	SELECT sum(messages), sum(dead_letters), sum(batches) > 0,
	       sum(storing_seconds) > 0, sum(latency_seconds) > 0, sum(retries),
	       (array_agg(lag ORDER BY minute DESC))[1]
	  FROM fintrans_bridge_minutes}), '100000|0|t|t|t|0|0',
	'the bridge has reported what it stored');
is($node->safe_psql('postgres', q{
	SELECT topic || ' ' || kafka_partition, next_offset FROM fintrans_partition_status
	 WHERE high_watermark > 0 AND lag = 0 AND halted IS NULL AND NOT unanswered
	 ORDER BY topic, kafka_partition}),
	join("\n", map { "$_|" . $broker->high_watermarks->{$_} } grep { $broker->high_watermarks->{$_} > 0 }
		sort keys %{ $broker->high_watermarks }),
	'and how its partitions stand');

# the same seed makes the same messages, the position is remembered, and a
# bridge that waits for more stops when told
run_generator($broker, '--count' => 50_000, '--rate' => 0, '--seed' => 1);
$bridge = start_bridge($node, $broker, 'bridge');
wait_until_loaded($node, $broker);
is($bridge->stop, 0, 'the bridge ends well on SIGTERM');
is(progress($node), 150_000, 'the rest is handled, and nothing again');
is($node->safe_psql('postgres', q{
	SELECT count(DISTINCT bridge), sum(messages) FROM fintrans_bridge_minutes}), '2|150000',
	'so has the second bridge, which was told to stop');
check_exactly_once($node, $broker, 'second load');

# of the demo's distribution, 150,000 of 999,000 pairs
my $suspects = $node->safe_psql('postgres', q{
	SELECT count(*), count(*) FILTER (WHERE total > 8000),
	       bool_and(total > 8000) FROM fintrans_suspects(8000)});
my $above = $node->safe_psql('postgres', q{
	SELECT count(*) FROM (SELECT FROM fintrans_transactions
		GROUP BY source_account, target_account
		HAVING sum(amount) > 8000) pairs});
is($suspects, "$above|$above|t", 'the suspects are the pairs above the threshold');
cmp_ok($above, '>', 10_000, 'and they are many');

done_testing();
