# Real input nobody here made: AMLSim's transactions, with decimal amounts and
# days for times, through Apache Kafka.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use FintransBroker;
use FintransTest;

my $data = test_data('amlsim')
  or plan skip_all => 'no AMLSim data in FINTRANS_TEST_DATA';

my $node = new_node('bridge');
my $broker = FintransBroker->kafka;

run_generator(
	$broker,
	'--file' => "$data/transactions.csv",
	'--columns' => 'source=sourceNodeId,target=targetNodeId,amount=value,time=time',
	'--time-unit' => 'day',
	'--time-origin' => '2026-01-01',
	'--rate' => 0);
my $bridge = start_bridge($node, $broker, 'bridge', '--exit-at-end',
	'--time-range' => '2026-01-01..2026-12-31');
is($bridge->wait_exit(180), 0, 'the bridge ends at the end');
check_exactly_once($node, $broker, 'AMLSim');

# the figures of the data's own README
is($node->safe_psql('postgres', q{
		SELECT sum(transactions), count(*), max(transactions), max(total),
		       (SELECT count(*) FROM fintrans_transactions
		         WHERE source_account = target_account)
		  FROM fintrans_laundering}),
	'120558|117341|11|686.56|15', 'rows, pairs and maxima are those published');

# and per pair what awk finds in the file itself
my $wanted = file_of('csv_totals');
my $found = file_of('totals');
system('bash', '-c', "awk -F, 'NR > 1 {
		sub(/\\r/, \"\")
		split(\$3, part, \".\")
		total[\$1 \" \" \$2] += part[1] * 100 + substr(part[2] \"00\", 1, 2)
	}
	END { for (pair in total) print pair, total[pair] }' '$data/transactions.csv' |
	LC_ALL=C sort > '$wanted'") == 0 or die "awk failed\n";
$node->safe_psql('postgres',
	"COPY (SELECT source_account, target_account, (total * 100)::bigint
	         FROM fintrans_laundering) TO '$found' (DELIMITER ' ')");
system("LC_ALL=C sort -o '$found' '$found'") == 0 or die "sort failed\n";
is(`diff '$wanted' '$found' 2>&1 | head`, '', 'totals are those of the file');

# day 1 is the day after the origin
is($node->safe_psql('postgres', q{
		SELECT min(event_time) AT TIME ZONE 'UTC', max(event_time) AT TIME ZONE 'UTC'
		  FROM fintrans_transactions}),
	'2026-01-02 00:00:00|2026-05-30 00:00:00', 'days became times');

done_testing();
