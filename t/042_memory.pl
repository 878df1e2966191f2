# The memory of a session stays flat over many calls of the triggers: good ones,
# failing ones and cancelled ones, FINTRANS_TEST_CALLS of each kind.  Where the
# pairs were last seen is left out: that follows the size of their table.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use FintransTest;

my $calls = $ENV{FINTRANS_TEST_CALLS} // 2000;
# after so many the session's caches hold what they will hold
my $first_calls = 500;

my $node = new_node();
$node->append_conf('postgresql.conf', 'synchronous_commit = off');
$node->reload;
$node->safe_psql('postgres', q{
	SELECT fintrans_ensure_partitions('2026-01-01', '2026-01-02'),
	       fintrans_set_rule('default', 1000000);
	INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
	VALUES ('2026-01-01', 'London', 'locked', 'b', 1), ('2026-01-02', 'London', 'updated', 'b', 1);
	CREATE FUNCTION refuse(account text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
	BEGIN
		IF account = 'failing' THEN
			RAISE EXCEPTION 'refused';
		END IF;
		RETURN account;
	END $$;
	CREATE INDEX refuses ON fintrans_alerts (refuse(source_account));
	CREATE TABLE memory (kind text, calls integer, bytes bigint)});

# each in a database transaction of its own; the number makes accounts of it
sub insert
{
	my ($account, $amount) = @_;

	return "INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
		SELECT '2026-01-01', 'London', '$account', j, $amount FROM generate_series(1, 3) j;";
}

my %call = (
	good => sub { insert($_[0] % 50, 1) },
	'new pairs' => sub { insert("new $_[0]", 1) },
	alerts => sub { insert("alert $_[0]", 1_000_001) },
	update => sub { q{UPDATE fintrans_transactions_20260102 SET amount = amount + 1;} },
	failing => sub { insert('failing', 1_000_001) },
	cancelled => sub {
		"SET lock_timeout = 1; " . insert('locked', 1) =~ s/\bj,/'b',/r
		  . ' RESET lock_timeout;'
	});

# its row is locked by somebody else: the trigger waits until it is cancelled
my $locker = start_psql($node, 'locker');
$locker->say(q{
	BEGIN;
	SELECT 'locked' FROM fintrans_laundering WHERE source_account = 'locked' FOR UPDATE;});
wait_for { $locker->output =~ /locked/ } 'the lock';

my $script = file_of('calls.sql');
foreach my $kind (sort keys %call)
{
	my $number = 0;
	foreach my $more ($first_calls, $calls)
	{
		append_to_file($script, join "\n", (map { $call{$kind}->(++$number) } 1 .. $more), qq{
			INSERT INTO memory
			SELECT '$kind', $number, sum(used_bytes) FROM pg_backend_memory_contexts
			 WHERE name <> 'fintrans rows last seen';\n});
	}
}
my $errors;
$node->psql('postgres', "\\i $script", on_error_stop => 0, stderr => \$errors);

foreach my $kind (sort keys %call)
{
	my ($before, $after) = split /\n/, $node->safe_psql('postgres',
		"SELECT bytes FROM memory WHERE kind = '$kind' ORDER BY calls");
	cmp_ok($after - $before, '<', $calls,
		"$kind: less than a byte for each of $calls calls");
}
my $failed = () = $errors =~ /ERROR:  refused/g;
is($failed, $first_calls + $calls, 'each call that was to fail failed, in the trigger');
my $cancelled = () = $errors =~ /ERROR:  canceling statement due to lock timeout/g;
is($cancelled, $first_calls + $calls, 'each call that was to be cancelled was, in the trigger');
is($node->safe_psql('postgres', 'SELECT count(*) FROM fintrans_transactions'),
	2 + 3 * 3 * ($first_calls + $calls), 'the others are there');
is($node->safe_psql('postgres', 'SELECT * FROM fintrans_verify()'), '', 'all is exact');

done_testing();
