# Dead letters from end to end: counted by reason for those who may not see
# them, read again with other options, replayed exactly once, and purged.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use FintransBroker;
use FintransTest;

my $node = new_node('bridge');
my $broker = FintransBroker->embedded(partitions => 2);
$node->safe_psql('postgres', q{
	CREATE ROLE keeper LOGIN;
	SELECT fintrans_grant('keeper', 'keeper');
	CREATE ROLE reader LOGIN;
	SELECT fintrans_grant('reader', 'reader')});

# A run of --dead-letters: its status, what it printed, what it logged.
sub dead_letters
{
	my (@options) = @_;
	my $run = FintransProcess->start('dead_letters', 'fintrans-bridge',
		'--database' => $node->connstr('postgres') . ' user=keeper', @options);

	return ($run->wait_exit(180), $run->output =~ s/ +/ /gr, $run->logged);
}

sub query
{
	my ($sql) = @_;

	return $node->safe_psql('postgres', $sql);
}

# messages of a bank that names the currency, before the bridge knows it
my @euros = map { "$_ b " . $_ / 4 . ' EUR' } 1 .. 1300;
my $file = file_of('euros');
append_to_file($file, join('', map { "$_\n" } @euros));
foreach my $partition (0, 1)
{
	system('kcat', '-P', '-q', '-b', $broker->bootstrap, '-t', 'London',
		'-p', $partition, '-l', $file) == 0
	  or die "could not produce\n";
}
$broker->produce('London', 'a b -1 EUR', undef, 'x' x 70_000, "a \\\"{},b 7 EUR",
	'a b 1 USD', '1 2 3');
$broker->produce('Oslo', 'a b 1 EUR');
my $bridge = start_bridge($node, $broker, 'bridge', '--exit-at-end',
	'--max-reject-percent' => 100, '--topics' => 'London,Oslo');
is($bridge->wait_exit(180), 0, 'the bridge ends at the end');

# ---------------------------------------------------------------- counted

my $counts = q{SELECT topic, reason, dead_letters FROM fintrans_dead_letter_counts
	ORDER BY 1, 2};
my $as_reader = $node->connstr('postgres') . ' user=reader';
is(query($counts), join("\n", 'London|empty|1', 'London|field_count|2603',
		'London|too_long|1', 'Oslo|field_count|1'), 'dead letters by reason');
is(`psql -XAtq -d '$as_reader' -c "$counts"`, query($counts) . "\n",
	'a reader sees the counts');
foreach my $table (qw(fintrans_dead_letters fintrans_replayed_letters))
{
	like(`psql -XAtq -d '$as_reader' -c 'SELECT payload FROM $table' 2>&1`,
		qr/permission denied for table $table/, "but no payload of $table");
}

# ------------------------------------------------------------- tried, replayed

my ($status, $said, $logged) = dead_letters('--dead-letters' => 'test');
is($status, 0, 'with the same options');
is($said, "can be replayed 0\nempty 1\ntoo_long 1\nfield_count 2603\n",
	'nothing can be read that could not before');
($status, $said, $logged) =
  dead_letters('--dead-letters' => 'test', '--currency' => 'EUR');
is($status, 1, 'a currency that the installation does not have');
like($logged, qr/installation's currency is not set, not EUR/, 'is refused');

query(q{INSERT INTO fintrans_settings (name, value) VALUES ('currency', 'EUR')});
($status, $said, $logged) = dead_letters('--dead-letters' => 'test');
is($said, "can be replayed 2601\nempty 1\ntoo_long 1\nbad_amount 1\nwrong_currency 1\n",
	'with the currency most can be read');
is(query('SELECT count(*) FROM fintrans_transactions'), 1, 'a test changes nothing');
is(query($counts) =~ /field_count\|2603/ ? 1 : 0, 1, 'nothing at all');

# the database's own rules hold for what is replayed, too
query(q{ALTER TABLE fintrans_transactions ADD CONSTRAINT dba_check
	CHECK (source_account NOT IN ('5', '1299')) NOT VALID});

# two at once, one killed where it cannot know, and a bridge that goes on loading
query(q{CREATE FUNCTION wait_here() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN PERFORM pg_advisory_xact_lock_shared(58); RETURN NULL; END $$;
	CREATE TRIGGER wait_here AFTER DELETE ON fintrans_dead_letters
		FOR EACH STATEMENT EXECUTE FUNCTION wait_here()});
my $holder = start_psql($node, 'holder');
$holder->say('SELECT pg_advisory_lock(58);');
wait_for { query(q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted}) == 1 }
'the lock to be held';
my @replay = ('fintrans-bridge', '--dead-letters' => 'replay', '--database' =>
	  $node->connstr('postgres') . ' user=keeper');
my $killed = FintransProcess->start('killed', @replay);
wait_for { query(q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted}) > 0 }
'a replay to be under way';
is($killed->kill9, -9, 'it is killed');
$holder->say('SELECT pg_advisory_unlock(58);');
my @both = map { FintransProcess->start("replay$_", @replay) } 1, 2;
$bridge = start_bridge($node, $broker, 'bridge');
$broker->produce_to('London', 1, map { "n$_ b 1 EUR" } 1 .. 5);
is($_->wait_exit(180), 0, 'a replay beside another one ends well') foreach @both;
wait_until_loaded($node, $broker);
is($bridge->stop, 0, 'and so does the bridge');

is(query($counts), join("\n", 'London|empty|1', 'London|field_count|6',
		'London|too_long|1', 'Oslo|field_count|1'),
	'what cannot be read, or must not be stored, stays');
is(query(q{SELECT string_agg(convert_from(payload, 'UTF8'), E'\n'
		ORDER BY kafka_partition, kafka_offset) FROM fintrans_dead_letters
	 WHERE topic = 'London' AND reason = 'field_count'}),
	join("\n", '5 b 1.25 EUR', '1299 b 324.75 EUR', 'a b -1 EUR', 'a b 1 USD',
		'5 b 1.25 EUR', '1299 b 324.75 EUR'), 'namely these');

# each of the messages that could be read is there once, as kcat reads it
my @wanted = sort grep { !/ (?:5|1299) b / } map { s/ EUR$//r }
  grep { / \S+ \S+ [0-9.]+(?: EUR)?$/ && !/USD/ }
  split /\n/, `kcat -C -e -q -o beginning -b @{[$broker->bootstrap]} -t London -f '%p %o %s\\n'`;
my @found = sort split /\n/, query(q{
	SELECT concat_ws(' ', kafka_partition, kafka_offset, source_account,
	                 target_account, trim_scale(amount)) FROM fintrans_transactions});
is(scalar(@found), 2 * 1298 + 2 + 5, 'as many rows as there are readable messages');
is_deeply(\@found, \@wanted, 'each exactly once');
is(query('SELECT * FROM fintrans_verify()'), '', 'verify finds no difference');
is(query(q{SELECT sum(replayed) FROM fintrans_offsets}), 2 * 1298 + 1,
	'offsets count what was replayed');
is(query(q{SELECT count(*), count(DISTINCT payload) FROM fintrans_replayed_letters}),
	(2 * 1298 + 1) . '|1299', 'and their raw bytes are kept');

query('ALTER TABLE fintrans_transactions DROP CONSTRAINT dba_check');
($status, $said, $logged) = dead_letters('--dead-letters' => 'replay',
	'--topics' => 'London,Oslo', '--time-range' => '..now');
is($status, 0, 'once more, of all topics, without that rule');
is($said, "replayed 5\nempty 1\ntoo_long 1\nbad_amount 1\nwrong_currency 1\n",
	'now these can be replayed too');
unlike($logged, qr/USD|xxxxx/, 'no payload is logged');
is(query('SELECT * FROM fintrans_verify()'), '', 'verify finds no difference');

# what another format, or another mapping of its fields, can read
my $json = '{"from": "x", "to": {"id": "y"}, "sum": "1.50", "id": "r-1", "at": "2025-03-03T04:05:06.789012Z"}';
$broker->produce('NYC', $json, '{"from": "x"}');
$bridge = start_bridge($node, $broker, 'bridge', '--exit-at-end');
is($bridge->wait_exit(180), 0, 'a bridge that expects text');
($status, $said, $logged) = dead_letters('--dead-letters' => 'replay',
	'--topics' => 'NYC', '--format' => 'json', '--fields' =>
	  'source=from,target=to.id,amount=sum,reference=id,time=at',
	'--time-range' => '..now');
is($said, "replayed 1\nmissing_field 1\n", 'is followed by one that reads JSON');
is(query(q{SELECT source_account, target_account, amount, reference,
		event_time AT TIME ZONE 'UTC', kafka_offset
		FROM fintrans_transactions WHERE city = 'NYC'}),
	'x|y|1.50|r-1|2025-03-03 04:05:06.789012|0', 'exactly');
is(query('SELECT * FROM fintrans_verify()'), '', 'verify finds no difference');

# who may not, does not
($status, $said, $logged) = dead_letters('--dead-letters' => 'replay',
	'--database' => "$as_reader");
is($status, 1, 'a reader replays nothing');
like($logged, qr/permission denied/, 'and is told so');
is($said, '', 'and not that there was nothing to be replayed');

# ------------------------------------------------------------------- purged

query(q{UPDATE fintrans_dead_letters SET rejected_at = now() - interval '3 days'
	 WHERE reason IN ('empty', 'too_long')});
query(q{SELECT fintrans_grant('bridge', 'keeper')});
$bridge = start_bridge($node, $broker, 'bridge', '--retain-dead-letters' => '2d');
wait_for { $bridge->logged =~ /event="dead letters purged" dead_letters=2\n/ }
'old dead letters to be purged';
is($bridge->stop, 0, 'the bridge stops');
is(query(q{SELECT count(*), (SELECT sum(purged) FROM fintrans_offsets)
	FROM fintrans_dead_letters}), '3|2', 'what is younger stays');
is(query('SELECT * FROM fintrans_verify()'), '', 'verify finds no difference');

# many are purged batch by batch: while the second one is under way, the first
# one's partition is loaded
my $bulk = file_of('bulk');
append_to_file($bulk, "x\n" x 5000);
foreach my $partition (0, 1)
{
	system('kcat', '-P', '-q', '-b', $broker->bootstrap, '-t', 'Bulk',
		'-p', $partition, '-l', $bulk) == 0
	  or die "could not produce\n";
}
$bridge = start_bridge($node, $broker, 'bridge', '--topics' => 'Bulk',
	'--max-reject-percent' => 100);
wait_for { query(q{SELECT count(*) FROM fintrans_dead_letters WHERE topic = 'Bulk'}) == 10_000 }
'many dead letters';
query(q{UPDATE fintrans_dead_letters SET rejected_at = now() - (4 - kafka_partition) * interval '1 day'
	 WHERE topic = 'Bulk';
	CREATE OR REPLACE FUNCTION wait_here() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		IF EXISTS (SELECT FROM gone WHERE topic = 'Bulk' AND kafka_partition = 1) THEN
			PERFORM pg_advisory_xact_lock_shared(58);
		END IF;
		RETURN NULL;
	END $$;
	CREATE OR REPLACE TRIGGER wait_here AFTER DELETE ON fintrans_dead_letters
		REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION wait_here()});
$holder->say('SELECT pg_advisory_lock(58);');
wait_for { query(q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted}) == 1 }
'the lock to be held';
my $purge = start_psql($node, 'purge');
$purge->say(q{CALL fintrans_purge_before(now() - interval '2 days');});
wait_for { query(q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted}) > 0 }
'the second batch to be under way';
is(query(q{SELECT kafka_partition, purged FROM fintrans_offsets WHERE topic = 'Bulk' AND purged > 0}),
	'0|5000', 'the first one is committed');
$broker->produce_to('Bulk', 0, 'a b 1');
wait_for { query(q{SELECT stored FROM fintrans_offsets WHERE topic = 'Bulk' AND kafka_partition = 0}) == 1 }
'its partition to be loaded meanwhile';
$holder->say('SELECT pg_advisory_unlock(58);');
wait_for { $purge->output =~ /^10000$/m } 'the purge to end';
is($bridge->stop, 0, 'the bridge stops');
is(query('SELECT * FROM fintrans_verify()'), '', 'verify finds no difference');

done_testing();
