# Logical replication of the transactions into a database of its own: the rows
# arrive, the triggers do not fire, fintrans_verify() finds what is missing and
# fintrans_rebuild() makes it good.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use FintransTest;

my $publisher = new_node();
$publisher->append_conf('postgresql.conf', "wal_level = logical\nmax_wal_senders = 6");
$publisher->restart;
my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$subscriber->start;
$subscriber->safe_psql('postgres', 'CREATE EXTENSION fintrans');

my $make = q{
	SELECT fintrans_ensure_partitions('2026-01-01', '2026-01-02'),
	       fintrans_set_rule('default', 100)};
$_->safe_psql('postgres', $make) foreach $publisher, $subscriber;

sub insert
{
	my ($day, $from, $to) = @_;

	$publisher->safe_psql('postgres', qq{
		BEGIN;
		INSERT INTO fintrans_offsets (topic, kafka_partition, first_offset, next_offset)
		VALUES ('London', 0, 0, 0) ON CONFLICT DO NOTHING;
		UPDATE fintrans_offsets
		   SET next_offset = next_offset + $to - $from + 1, stored = stored + $to - $from + 1;
		INSERT INTO fintrans_transactions
		SELECT '$day', 'London', i % 7, i % 5, i % 10, NULL, 0, i - 1
		  FROM generate_series($from, $to) i;
		COMMIT});
	return;
}

sub found
{
	return $subscriber->safe_psql('postgres', q{
		SELECT string_agg(DISTINCT problem, ' ' ORDER BY problem) FROM fintrans_verify()});
}

sub totals
{
	my ($node) = @_;

	return $node->safe_psql('postgres', q{
		SELECT source_account, target_account, total, transactions FROM fintrans_laundering ORDER BY 1, 2;
		SELECT city, minute, transactions, total, minimum, maximum FROM fintrans_volume ORDER BY 1, 2;
		SELECT rule, source_account, target_account FROM fintrans_alerts ORDER BY 1, 2, 3});
}

# Only what is inserted: the transactions have no key by which an UPDATE or
# DELETE could be told, and a publication of those would have the publisher
# refuse them.
insert('2026-01-01', 1, 500);
$publisher->safe_psql('postgres', q{
	CREATE PUBLICATION transactions FOR TABLE fintrans_transactions
	  WITH (publish = 'insert', publish_via_partition_root);
	CREATE PUBLICATION offsets FOR TABLE fintrans_offsets});
$subscriber->safe_psql('postgres', sprintf(q{
	CREATE SUBSCRIPTION fintrans CONNECTION '%s' PUBLICATION transactions, offsets},
	$publisher->connstr('postgres') =~ s/'/''/gr));
$subscriber->wait_for_subscription_sync($publisher, 'fintrans');
is($subscriber->safe_psql('postgres', 'SELECT count(*), sum(amount) FROM fintrans_transactions'),
	'500|2250', 'the rows that were there arrive');
insert('2026-01-02', 501, 1000);
$publisher->wait_for_catchup('fintrans');
is($subscriber->safe_psql('postgres', 'SELECT count(*), sum(amount) FROM fintrans_transactions'),
	'1000|4500', 'and those that come');

is($subscriber->safe_psql('postgres', 'SELECT count(*) FROM fintrans_laundering'), 0,
	'neither have been seen by the triggers');
like(found(), qr/pair.*volume/, 'verify finds that totals and volume are not those of the rows');
$subscriber->safe_psql('postgres', 'SELECT fintrans_rebuild()');
is(found(), '', 'a rebuild makes it good, and the offsets account for all rows');
is(totals($subscriber), totals($publisher), 'totals, volume and alerts are the publisher\'s');

# the publisher goes on, as does retention there
insert('2026-01-02', 1001, 1500);
$publisher->safe_psql('postgres', q{DELETE FROM fintrans_transactions WHERE source_account = '3'});
$publisher->wait_for_catchup('fintrans');
is($subscriber->safe_psql('postgres', 'SELECT count(*) FROM fintrans_transactions'), 1500,
	'what is deleted there stays here');
$subscriber->safe_psql('postgres', 'SELECT fintrans_rebuild()');
is($subscriber->safe_psql('postgres', 'SELECT sum(total), sum(transactions) FROM fintrans_laundering'),
	'6750|1500', 'and another rebuild counts what is here');

# a day without a partition holds up the subscription until there is one
$publisher->safe_psql('postgres', q{SELECT fintrans_ensure_partitions('2026-01-03', '2026-01-03')});
my $log = -s $subscriber->logfile;
insert('2026-01-03', 1501, 1600);
$subscriber->wait_for_log(qr/no partition of relation "fintrans_transactions" found for row/, $log);
$subscriber->safe_psql('postgres', q{SELECT fintrans_ensure_partitions('2026-01-03', '2026-01-03')});
$publisher->wait_for_catchup('fintrans');
is($subscriber->safe_psql('postgres', 'SELECT count(*) FROM fintrans_transactions'), 1600,
	'a partition made here lets the subscription go on');

done_testing();
