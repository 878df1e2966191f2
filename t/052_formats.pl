# JSON and CSV become the rows that PostgreSQL itself reads from them, digit by
# digit; every bad kind of message becomes a dead letter with its reason.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use FintransBroker;
use FintransProcess;
use FintransTest;

my $node = new_node('bridge');
my $broker = FintransBroker->embedded(partitions => 1);

sub sql
{
	my ($statements) = @_;

	return $node->safe_psql('postgres', $statements);
}

# Messages, which hold no line ends, to partition 0 of a topic.
sub produce_lines
{
	my ($topic, @messages) = @_;
	my $file = file_of("$topic.produced");

	unlink $file;
	append_to_file($file, join '', map { "$_\n" } @messages);
	system('kcat', '-P', '-q', '-b', $broker->bootstrap, '-t', $topic,
		'-p', 0, '-l', $file) == 0 or die "could not produce to $topic\n";
	return;
}

# What Kafka holds of a topic, to a file, one message a line.
sub messages_of
{
	my ($topic) = @_;
	my $file = file_of("$topic.messages");

	system("kcat -C -e -q -o beginning -b " . $broker->bootstrap
		. " -t $topic -f '%s\\n' > '$file'") == 0 or die "could not read $topic\n";
	return $file;
}

sub load
{
	my ($topic, @options) = @_;
	my $bridge = start_bridge($node, $broker, 'bridge', '--exit-at-end',
		'--topics' => $topic, @options);

	is($bridge->wait_exit(180), 0, "$topic: the bridge ends at the end");
	unlike($bridge->logged, qr/DE89370400440532013000|T-\d/,
		"$topic: neither accounts nor references are logged");
	return;
}

# reasons of a topic's dead letters, in the order of offsets
sub reasons
{
	my ($topic) = @_;

	return sql("SELECT string_agg(reason, E'\\n' ORDER BY kafka_offset)
		FROM fintrans_dead_letters WHERE topic = '$topic'");
}

# Messages with the reason for refusing them, '' for none; a good one before
# and behind each bad one shows that the next is not touched.
sub bad_kinds_ok
{
	my ($topic, $good, $kinds, @options) = @_;
	my @messages = map { ($good, $_->[0]) } @$kinds;

	produce_lines($topic, @messages, $good);
	load($topic, @options);
	is(reasons($topic), join("\n", map { $_->[1] } @$kinds),
		"$topic: each bad message is refused for its own reason");
	is(sql("SELECT string_agg(encode(payload, 'hex'), ' ' ORDER BY kafka_offset)
			FROM fintrans_dead_letters WHERE topic = '$topic'"),
		join(' ', map { unpack 'H*', $_->[0] } @$kinds),
		"$topic: and kept byte for byte");
	is(sql("SELECT count(*) FROM fintrans_transactions WHERE city = '$topic'"),
		@$kinds + 1, "$topic: the good ones around them are stored");
	is(sql("SELECT count(*) FROM fintrans_dead_letters
			WHERE topic = '$topic' AND detail LIKE '%SECRET%'"), 0,
		"$topic: details hold nothing of the payload");
	return;
}

# ------------------------------------------- what the generator makes of them

# as jsonb and COPY read them, which know nothing of our codecs
my %read = (
	json => q{
		CREATE TABLE json_lines (line jsonb);
		COPY json_lines FROM '%s' (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02');
		CREATE VIEW json_wanted AS
		SELECT line->>'source' AS source, line->>'target' AS target,
		       (line->>'amount')::numeric AS amount FROM json_lines},
	csv => q{
		CREATE TABLE csv_wanted (source text, target text, amount numeric);
		COPY csv_wanted FROM '%s' (FORMAT csv)});
my %city = (json => 'London', csv => 'NYC');

foreach my $format (sort keys %read)
{
	my $city = $city{$format};

	run_generator($broker, '--format' => $format, '--topics' => $city,
		'--count' => 5000, '--rate' => 0, '--accounts' => 50);
	load($city, '--format' => $format);
	sql(sprintf $read{$format}, messages_of($city));
	is(sql("SELECT count(*) FROM ${format}_wanted"), 5000, "$format: messages are read");
	is(sql("
		SELECT * FROM (
			SELECT source, target, amount, count(*) FROM ${format}_wanted GROUP BY 1, 2, 3
			EXCEPT ALL
			SELECT source_account, target_account, amount, count(*)
			  FROM fintrans_transactions WHERE city = '$city' GROUP BY 1, 2, 3) d"), '',
		"$format: PostgreSQL reads the same from them");
}

# -------------------------------------------------------- everything mapped

my @good = (
	'{"id":"T-1","at":"2026-11-24T08:15:30.123456Z","p":{"d":{"account":"DE89370400440532013000"},"c":{"account":"NL91ABNA0417164300"},"v":1234.56,"cur":"EUR"}}',
	'{"p":{"cur":"EUR","v":"0.000000000000000001","c":{"account":17},"d":{"account":"a \"b\" \\\\c \u20ac\ud83d\udcb0"}},"at":"2026-11-24 09:15:30+01:00"}',
	'{"id":null,"at":"2026-11-24T08:15:30.999999999-05:30","x":[{"p":{"v":1}}],"p":{"v":999999999999999.999999999999999999,"cur":"EUR","c":{"account":"y"},"d":{"account":"x","account2":[]}}}',
	'{"id":12345678901234567890,"at":"2026-11-24","p":{"v":900719925474099.31,"cur":"EUR","c":{"account":"y"},"d":{"account":"x"}}}');
my $mapping = 'source=p.d.account,target=p.c.account,amount=p.v,currency=p.cur,reference=id,time=at';
my @mapped = ('--format' => 'json', '--time-range' => '2026-01-01..2027-01-01',
	'--fields' => $mapping);

# a bridge that is to see a currency has to know one
my $bridge = start_bridge($node, $broker, 'bridge', '--topics' => 'SF', @mapped);
is($bridge->wait_exit(180), 1, 'a currency is asked for, but there is none');
like($bridge->logged, qr/installation has none: give --currency/, 'and that is said');

produce_lines('Moscow', @good);
bad_kinds_ok('SF', $good[0],
	[
		[ $good[0] =~ s/EUR/USD/r, 'wrong_currency' ],
		[ $good[0] =~ s/"EUR"/978/r, 'wrong_currency' ],
		[ $good[0] =~ s/,"cur":"EUR"//r, 'missing_field' ],
		[ $good[0] =~ s/"v":1234.56,/"v":null,/r, 'missing_field' ],
		[ $good[0] =~ s/"at":"[^"]*"/"at":1795508100/r, 'bad_time' ],
		[ $good[0] =~ s/"at":"[^"]*",//r, 'missing_field' ],
		[ $good[0] =~ s/2026-11-24/2026-02-29/r, 'bad_time' ],
		[ $good[0] =~ s/2026-11-24/2028-02-29/r, 'bad_time' ],
		[ $good[0] =~ s/T-1/'T' x 257/er, 'bad_reference' ],
		[ $good[0] =~ s/T-1/T\\u0007/r, 'bad_reference' ],
		[ $good[0] =~ s/"p":\{/"p":{},"p":{/r, 'bad_syntax' ],
		[ $good[0] =~ s/1234.56/1.23456e3/r, 'bad_amount' ] ],
	@mapped, '--currency' => 'EUR', '--topics' => 'SF,Moscow');

sql(q{
	CREATE TABLE mapped (number bigserial, line jsonb);
	COPY mapped (line) FROM '} . messages_of('Moscow') . q{' (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02')});
is(sql(q{
		SELECT kafka_offset, to_char(event_time AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),
		       source_account, target_account, amount, reference
		  FROM fintrans_transactions WHERE city = 'Moscow' ORDER BY kafka_offset}),
	# PostgreSQL rounds where we cut off, so the one with nanoseconds is cut first
	sql(q{
		SET timezone = 'UTC';
		SELECT number - 1,
		       to_char(replace(line->>'at', '.999999999', '.999999')::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),
		       line #>> '{p,d,account}', line #>> '{p,c,account}', (line #>> '{p,v}')::numeric, line->>'id'
		  FROM mapped ORDER BY number}),
	'times, accounts, amounts and references are what PostgreSQL reads');
is(sql(q{SELECT min(scale(amount)) || ' ' || max(scale(amount)) FROM fintrans_transactions WHERE city = 'Moscow'}),
	'2 18', 'decimals are those that were written');

# a bad message keeps the time that it tells, and so does its replay
is(sql(q{
		SELECT DISTINCT event_time = '2026-11-24 08:15:30.123456Z'
		  FROM fintrans_dead_letters WHERE topic = 'SF' AND reason IN ('wrong_currency', 'bad_amount')}),
	't', 'a dead letter has the time of its payload');
is(sql(q{
		SELECT count(event_time) FROM fintrans_dead_letters
		 WHERE topic = 'SF' AND reason IN ('bad_syntax', 'missing_field') AND payload NOT LIKE '%"at"%'}),
	0, 'and none where none can be read');
sql(q{
	SELECT fintrans_replay_dead_letters(array_agg(
	         ROW(NULL, topic, l #>> '{p,d,account}', l #>> '{p,c,account}', (l #>> '{p,v}')::numeric,
	             l->>'id', kafka_partition, kafka_offset)::fintrans_transactions))
	  FROM fintrans_dead_letters, LATERAL (SELECT convert_from(payload, 'UTF8')::jsonb) j (l)
	 WHERE topic = 'SF' AND reason = 'bad_amount';
	SELECT fintrans_replay_dead_letter('SF', 0, kafka_offset, '1 2 3.50 EUR')
	  FROM fintrans_dead_letters WHERE topic = 'SF' AND reason = 'wrong_currency'
	 ORDER BY kafka_offset LIMIT 1});
is(sql(q{
		SELECT string_agg(amount || ' ' || coalesce(reference, '-'), ', ' ORDER BY kafka_offset)
		  FROM fintrans_transactions
		 WHERE city = 'SF' AND event_time = '2026-11-24 08:15:30.123456Z' AND kafka_offset % 2 = 1}),
	'3.50 -, 1234.56 T-1', 'dead letters are replayed at their times');

# ------------------------------------------------------- each bad kind of CSV

bad_kinds_ok('Tokyo', 'T-1,"a, b",c,1.50',
	[
		[ '"SECRET', 'bad_syntax' ],
		[ 'T-1,SE"CRET,c,1', 'bad_syntax' ],
		[ 'T-1,"SECRET"x,c,1', 'bad_syntax' ],
		[ "T-1,a,c,1\rT-2,a,c,2", 'bad_syntax' ],
		[ 'T-1,a,c', 'field_count' ],
		[ 'T-1,a,c,1,', 'field_count' ],
		[ 'SECRET', 'field_count' ],
		[ 'T-1,,c,1', 'bad_account' ],
		[ 'T-1,"   ",c,1', 'bad_account' ],
		[ "T-1,a\tb,c,1", 'bad_account' ],
		[ 'T-1,a,c,', 'bad_amount' ],
		[ 'T-1,a,c,-1', 'bad_amount' ],
		[ 'T-1,a,c,"1,50"', 'bad_amount' ],
		[ 'id,from,to,value', 'bad_amount' ],
		[ "T\x01,a,c,1", 'bad_reference' ],
		[ "\xef\xbb\xbfT-1,a,c,1", 'bad_encoding' ],
		[ "T-1,\xe9,c,1", 'bad_encoding' ],
		[ 'T-1,' . 'x' x 65_536 . ',c,1', 'too_long' ],
		[ " \t ", 'empty' ] ],
	'--format' => 'csv', '--csv-header' => 'id,from,to,value',
	'--fields' => 'source=from,target=to,amount=value,reference=id');
is(sql(q{SELECT DISTINCT source_account, target_account, amount, reference
		FROM fintrans_transactions WHERE city = 'Tokyo'}),
	'a, b|c|1.50|T-1', 'a record in quotes is read by RFC 4180');

# ------------------------------------------------------ each bad kind of JSON

my $json = '{"source":"DE89370400440532013000","target":2,"amount":3}';
my @kinds = (
	[ '1 2 3', 'bad_syntax' ],
	[ '[1,2,3]', 'bad_syntax' ],
	[ '{"source":"SECRET"', 'bad_syntax' ],
	[ "$json SECRET", 'bad_syntax' ],
	[ $json =~ s/3\}/NaN}/r, 'bad_syntax' ],
	[ $json =~ s/3\}/03}/r, 'bad_syntax' ],
	[ $json =~ s/3\}/3,"amount":4}/r, 'bad_syntax' ],
	[ '{"x":' . '[' x 200_00 . ']' x 200_00 . '}', 'bad_syntax' ],
	[ '{}', 'missing_field' ],
	[ $json =~ s/amount/Amount/r, 'missing_field' ],
	[ $json =~ s/:2,/:null,/r, 'missing_field' ],
	[ $json =~ s/:2,/:"",/r, 'bad_account' ],
	[ $json =~ s/:2,/:2.0,/r, 'bad_account' ],
	[ $json =~ s/:2,/:["SECRET"],/r, 'bad_account' ],
	[ $json =~ s/:2,/:"a\\nb",/r, 'bad_account' ],
	[ $json =~ s/3\}/-3}/r, 'bad_amount' ],
	[ $json =~ s/3\}/3e0}/r, 'bad_amount' ],
	[ $json =~ s/3\}/1e999999999}/r, 'bad_amount' ],
	[ $json =~ s/3\}/"1,000.00"}/r, 'bad_amount' ],
	[ $json =~ s/3\}/1000000000000000}/r, 'bad_amount' ],
	[ $json =~ s/3\}/true}/r, 'bad_amount' ],
	[ $json =~ s/DE/\\u0000/r, 'bad_encoding' ],
	[ $json =~ s/DE/\\ud800/r, 'bad_encoding' ],
	[ $json =~ s/DE/\xc0\x80/r, 'bad_encoding' ],
	[ "\xef\xbb\xbf$json", 'bad_encoding' ],
	[ "\x00\x00\x00\x00\x2a$json", 'wire_format' ],
	[ $json . ' ' x 65_536, 'too_long' ],
	[ '   ', 'empty' ]);

# in a database of 0.1.0, whose table knows fewer reasons
my %older = (wire_format => 'bad_encoding', bad_syntax => 'field_count',
	missing_field => 'field_count');
sql('CREATE DATABASE old');
$node->safe_psql('old', q{
	CREATE EXTENSION fintrans VERSION '0.1.0';
	SELECT fintrans_grant('bridge', 'writer')});

$broker->command('topic Paris 1');
produce_lines('Paris', map { $_->[0] } @kinds);
# the last option of a name counts, here and elsewhere
my @old = ('--topics' => 'Paris', '--format' => 'json',
	'--database' => $node->connstr('old') . ' user=bridge');
$bridge = start_bridge($node, $broker, 'bridge', '--exit-at-end', @old);
is($bridge->wait_exit(180), 0, 'a bridge works with a table of 0.1.0');
is($node->safe_psql('old', q{
		SELECT string_agg(reason, E'\n' ORDER BY kafka_offset) FROM fintrans_dead_letters}),
	join("\n", map { $older{ $_->[1] } // $_->[1] } @kinds),
	'and writes the reasons that it knows');
produce_lines('Paris', '{}');
# an update under a running bridge
$bridge = start_bridge($node, $broker, 'bridge', @old);
wait_for {
	$node->safe_psql('old', 'SELECT count(*) FROM fintrans_dead_letters') == @kinds + 1
} 'the bridge to have the last one';
$node->safe_psql('old', 'ALTER EXTENSION fintrans UPDATE');
$node->safe_psql('old', q{
	SELECT pg_terminate_backend(pid, 180000) FROM pg_stat_activity WHERE usename = 'bridge'});
produce_lines('Paris', '{}');
wait_for {
	$node->safe_psql('old', 'SELECT count(*) FROM fintrans_dead_letters') == @kinds + 2
} 'the bridge to go on after the update';
produce_lines('Paris', '{}');
wait_for {
	$node->safe_psql('old', 'SELECT count(*) FROM fintrans_dead_letters') == @kinds + 3
} 'the bridge to know the version';
is($bridge->stop, 0, 'the bridge ends well');
is($node->safe_psql('old', q{
		SELECT reason FROM fintrans_dead_letters ORDER BY kafka_offset DESC LIMIT 1}),
	'missing_field', 'after the update it writes the new reasons');

# and in one of now
$broker->command('topic Rome 1');
bad_kinds_ok('Rome', $json, \@kinds, '--format' => 'json');

# ------------------------------------------------------------------- the end

is(sql('SELECT * FROM fintrans_verify()'), '', 'verify finds no difference');
foreach my $case (
	[ qr/not one of time, source/, '--format' => 'json', '--fields' => 'sauce=a' ],
	[ qr/of no use with --format text/, '--fields' => 'source=1,target=2,amount=3' ],
	[ qr/nor a name in --csv-header/, '--format' => 'csv', '--fields' => 'source=a,target=2,amount=3' ],
	[ qr/one of text, json, csv/, '--format' => 'avro' ])
{
	my ($wanted, @options) = @$case;

	$bridge = start_bridge($node, $broker, 'bridge', @options);
	is($bridge->wait_exit(180), 2, "@options: is refused");
	like($bridge->logged, $wanted, 'and the reason is given');
}

done_testing();
