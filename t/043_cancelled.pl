# Cancel and terminate at every point of the trigger where it waits for somebody
# else, and wherever it happens to be: nothing of the statement stays, nothing
# else is lost, and the server goes on.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

use FintransProcess;
use FintransTest;

my $node = new_node();
$node->safe_psql('postgres', q{
	SELECT fintrans_ensure_partitions('2026-01-01', '2026-01-01'),
	       fintrans_set_rule('default', 1000000);
	INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
	VALUES ('2026-01-01', 'London', 'a', 'b', 1)});

sub insert
{
	my ($city, $source, $amount) = @_;

	return "INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
		VALUES ('2026-01-01', '$city', '$source', 'b', $amount);";
}

# where the trigger waits => what another session holds, and what waits for it
my %points = (
	'a pair' => [ q{SELECT FROM fintrans_laundering FOR UPDATE;}, insert('NYC', 'a', 1) ],
	'a pair that is new in another session' => [ insert('NYC', 'new', 1), insert('SF', 'new', 1) ],
	'the volume of a minute' => [ q{SELECT FROM fintrans_volume FOR UPDATE;}, insert('London', 'c', 1) ],
	'the volume of a minute that is new in another session' =>
	  [ insert('NYC', 'c', 1), insert('NYC', 'd', 1) ],
	'the rules' => [ q{SELECT fintrans_set_rule('default', 2000000);}, insert('NYC', 'c', 1) ]);

my $kept = $node->safe_psql('postgres', q{
	SELECT t FROM fintrans_transactions t; SELECT l FROM fintrans_laundering l; SELECT v FROM fintrans_volume v});

sub check_unchanged
{
	my ($what) = @_;

	is($node->safe_psql('postgres', q{
		SELECT t FROM fintrans_transactions t; SELECT l FROM fintrans_laundering l; SELECT v FROM fintrans_volume v}),
		$kept, "$what: nothing of it stays");
	is($node->safe_psql('postgres', 'SELECT * FROM fintrans_verify()'), '',
		"$what: verify finds nothing");
	return;
}

foreach my $point (sort keys %points)
{
	my ($held, $waiting) = @{ $points{$point} };

	foreach my $end (qw(pg_cancel_backend pg_terminate_backend))
	{
		my $holder = start_psql($node, 'holder');
		$holder->say("BEGIN; $held SELECT 'held';");
		wait_for { $holder->output =~ /^held$/m } "the lock on $point";
		my $victim = start_psql($node, 'victim');
		$victim->say("SET application_name = 'victim'; $waiting");
		my $where = q{FROM pg_stat_activity
			WHERE application_name = 'victim' AND wait_event_type = 'Lock'};
		wait_for { $node->safe_psql('postgres', "SELECT count(*) $where") == 1 }
		"the trigger to wait for $point";
		$node->safe_psql('postgres', "SELECT $end(pid) $where");
		isnt($victim->wait_exit(180), 0, "$end, waiting for $point: the statement fails");
		like($victim->logged, $end =~ /cancel/ ? qr/canceling statement due to user request/
			: qr/terminating connection due to administrator command/, "$end: it is told why");
		$holder->say('ROLLBACK; \q');
		is($holder->wait_exit(180), 0, "$end: whom it waited for goes on");
		check_unchanged("$end, waiting for $point");
	}
}

# Wherever it is: a statement of some tenths of a second is cancelled after
# 1 ms, 2 ms and so on, until one of them ends before that.
my $many = q{
	INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
	SELECT '2026-01-01', 'Tokyo', 'x' || i % 9000, i % 7, i % 10 * 200000 FROM generate_series(1, 20000) i;};
my $after = 0;
my $cancelled = 0;
my $status = 1;
while ($status != 0 && $after < 10_000)
{
	$after = 1 + int($after * 1.2);
	($status, undef, my $error) = $node->psql('postgres', "SET statement_timeout = $after; $many",
		on_error_stop => 1);
	$cancelled++ if $error =~ /canceling statement due to statement timeout/;
	die "$error\n" if $status != 0 && $error !~ /canceling/;
	check_unchanged("cancelled after $after ms") if $status != 0;
}
cmp_ok($cancelled, '>', 5, 'the statement was cancelled at several points');
is($status, 0, 'and ended well when there was time');
is($node->safe_psql('postgres', q{
	SELECT sum(total), sum(transactions) FROM fintrans_laundering WHERE source_account LIKE 'x%'}),
	20000 / 10 * 45 * 200_000 . '|20000', 'once, all of it counts');
is($node->safe_psql('postgres', 'SELECT * FROM fintrans_verify()'), '', 'and verify finds nothing');
unlike(slurp_file($node->logfile), qr/PANIC|was terminated by signal|TRAP/, 'no process crashed');

done_testing();
