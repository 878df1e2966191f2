# Bad messages become dead letters with their coordinates, bytes and reason;
# the good ones around them are stored, and nothing stops.
use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use Test::More;

use FintransBroker;
use FintransTest;

my $node = new_node('bridge');
my $broker = FintransBroker->embedded(partitions => 1);

# payload, and the reason it must be refused for; good ones have none
my @messages = (
	[ '1 2 30' ],
	[ undef, 'empty' ],
	[ "  \t ", 'empty' ],
	[ '1 2', 'field_count' ],
	[ '1 2 3 4 5 6 7', 'field_count' ],
	[ '1 2 -5', 'bad_amount' ],
	[ '1 2 NaN', 'bad_amount' ],
	[ '1 2 1e3', 'bad_amount' ],
	[ '1 2 1000000000000000', 'bad_amount' ],
	[ '3 3 7.25' ],
	[ "\xff\xfe 2 3", 'bad_encoding' ],
	[ "1 2 3\x00", 'bad_encoding' ],
	[ ('x' x 300) . ' 2 3', 'bad_account' ],
	[ "a\x01b 2 3", 'bad_account' ],
	[ 'y' x 100_000, 'too_long' ],
	[ '{"source": 1}', 'field_count' ],
	[ "DE89370400440532013000 NL91ABNA0417164300 999999999999999.999999999999999999" ]);

$broker->produce('London', map { $_->[0] } @messages);
my $bridge = start_bridge($node, $broker, 'bridge', '--exit-at-end');
is($bridge->wait_exit(180), 0, 'the bridge ends at the end');

foreach my $offset (0 .. $#messages)
{
	my ($payload, $reason) = @{ $messages[$offset] };
	my $letter = $node->safe_psql('postgres', "
		SELECT reason, coalesce(md5(payload), 'none') FROM fintrans_dead_letters
		 WHERE topic = 'London' AND kafka_partition = 0
		   AND kafka_offset = $offset");
	my $wanted = !defined $reason ? ''
	  : "$reason|" . (defined $payload ? md5_hex($payload) : 'none');

	is($letter, $wanted, "message $offset: "
		  . (defined $reason ? "a dead letter, $reason" : 'no dead letter'));
}
is($node->safe_psql('postgres', q{
		SELECT string_agg(kafka_offset || ' ' || source_account || ' ' ||
		                  target_account || ' ' || amount, E'\n'
		                  ORDER BY kafka_offset)
		  FROM fintrans_transactions}),
	join("\n", map { "$_ $messages[$_][0]" }
	  grep { !defined $messages[$_][1] } 0 .. $#messages),
	'the good messages are stored at their offsets');
is($node->safe_psql('postgres', q{
		SELECT first_offset, next_offset, stored, dead_lettered
		  FROM fintrans_offsets WHERE topic = 'London'}),
	'0|' . @messages . '|3|' . (@messages - 3), 'every offset is accounted for');
is($node->safe_psql('postgres', 'SELECT * FROM fintrans_verify()'), '',
	'verify finds no difference');
unlike($bridge->logged, qr/DE89370400440532013000|yyyyyyyyyy/,
	'no account and no payload is logged');

# event times outside the accepted range, this time all of them
$broker->produce('NYC', '1 2 3');
$bridge = start_bridge($node, $broker, 'bridge', '--exit-at-end',
	'--time-range' => '2020-01-01..2020-12-31');
is($bridge->wait_exit(180), 0, 'the bridge ends at the end');
is($node->safe_psql('postgres', q{
		SELECT reason, payload FROM fintrans_dead_letters WHERE topic = 'NYC'}),
	'bad_time|\x3120322033', 'a time outside the range is a dead letter');

# a currency that one bridge names counts for the next ones too
my @fourth = ('1 2 3 EUR', '1 2 4 USD', '1 2 5');
foreach my $options ([ '--currency' => 'EUR' ], [])
{
	$broker->produce('SF', @fourth);
	$bridge = start_bridge($node, $broker, 'bridge', '--exit-at-end', @$options);
	is($bridge->wait_exit(180), 0, 'the bridge ends at the end');
	is($node->safe_psql('postgres', q{
			SELECT (SELECT string_agg(amount::text, ' ' ORDER BY kafka_offset)
			          FROM fintrans_transactions WHERE city = 'SF'),
			       (SELECT string_agg(reason, ' ' ORDER BY kafka_offset)
			          FROM fintrans_dead_letters WHERE topic = 'SF')}),
		@$options ? '3 5|wrong_currency' : '3 5 3 5|wrong_currency wrong_currency',
		@$options ? 'with the option' : 'and without it');
}
$bridge = start_bridge($node, $broker, 'bridge', '--currency' => 'USD');
is($bridge->wait_exit(180), 1, 'another currency is refused');
like($bridge->logged, qr/installation's currency is EUR, not USD/,
	'and the reason is given');

done_testing();
