# A bridge indexes days that have passed, and with --retain drops what is too old,
# beside its loading, with a connection of its own; one that may not do so goes
# on loading and says so.
use strict;
use warnings;

use HTTP::Tiny;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use FintransBroker;
use FintransTest;

my $node = new_node(qw(bridge keeper));
my $broker = FintransBroker->embedded;
$node->safe_psql('postgres', q{
	SELECT fintrans_grant('keeper', 'keeper'),
	       fintrans_ensure_partitions(now() - interval '9 days', now());
	INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
	SELECT now() - d * interval '1 day', 'London', 'a', 'b', d FROM unnest(ARRAY[1, 2, 8, 9]) d});

sub asked
{
	my ($port, $path) = @_;

	return HTTP::Tiny->new->get("http://127.0.0.1:$port/$path")->{content};
}

sub days_held
{
	return $node->safe_psql('postgres',
		q{SELECT count(*) FROM fintrans_transactions WHERE source_account = 'a'});
}

sub indexes_missing
{
	return $node->safe_psql('postgres',
		q{SELECT count(*) FROM fintrans_missing_indexes(now() - interval '2 hours')});
}

my $missing = indexes_missing();
my $generator = start_generator($broker, '--rate' => 3000, '--seed' => 46);
my $port = PostgreSQL::Test::Cluster::get_free_port();
my $bridge = start_bridge($node, $broker, 'bridge', '--retain' => '4d', '--no-index',
	'--http-port' => $port);
wait_for { $bridge->logged =~ /retention failed.*permission denied/ } 'the refusal';
wait_for { progress($node) > 1000 } 'loading without the privilege to drop';
wait_for { asked($port, 'ready') =~ /^ready$/m } 'the bridge to be ready all the same';
like(asked($port, 'ready'), qr/^upkeep: retention: .*permission denied/m, '/ready tells the refusal');
like(asked($port, 'metrics'), qr/^fintrans_bridge_upkeep_failing\{task="retention"\} 1$/m,
	'and so do the metrics');
is(days_held(), 4, 'nothing is dropped without the privilege');
is(indexes_missing(), $missing, 'with --no-index no partition is indexed');
is($bridge->stop, 0, 'the bridge ends well');

# a database that is away at the start is not waited for an hour
$node->stop;
$bridge = start_bridge($node, $broker, 'keeper', '--retain' => '4d');
wait_for { $bridge->logged =~ /retention failed, retrying" again_in_s=30 / } 'no database';
$node->start;
wait_for { $bridge->logged =~ /old partitions dropped/ } 'the old days to go';
is(days_held(), 2, 'what is old enough is dropped');
wait_for { $bridge->logged =~ /partitions indexed.*indexes=[1-9]/ } 'indexes';
is(indexes_missing(), 0, 'what is kept of days that have passed is indexed');
my $loaded = progress($node);
wait_for { progress($node) > $loaded } 'loading after it';
is($generator->stop, 0, 'the generator delivered everything');
wait_until_loaded($node, $broker);
is($bridge->stop, 0, 'the bridge ends well');
is($node->safe_psql('postgres', 'SELECT * FROM fintrans_verify()'), '', 'all is exact');

foreach my $wrong ('4', '-4d', 'soon', '')
{
	my $refused = start_bridge($node, $broker, 'keeper', "--retain=$wrong");
	is($refused->wait_exit(60), 2, "--retain=$wrong is wrong use");
}

done_testing();
