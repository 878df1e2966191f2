# The typologies measured against labels: AMLSim's accounts that took part in
# laundering, found by all functions with the defaults they have.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use FintransTest;

my $data = test_data('amlsim')
  or plan skip_all => 'no AMLSim data in FINTRANS_TEST_DATA';

my @functions = qw(repeated_transfers fan_in fan_out structuring pass_through
  scatter_gather chains cycles);

my $node = new_node();
$node->safe_psql('postgres', qq{
	SELECT fintrans_ensure_partitions('2026-01-01', '2026-06-30');
	CREATE TABLE raw (source text, target text, amount numeric, day int);
	COPY raw FROM '$data/transactions.csv' (FORMAT csv, HEADER);
	CREATE TABLE labels (account text PRIMARY KEY, fraud boolean,
		balance numeric, step int);
	COPY labels FROM '$data/nodes.csv' (FORMAT csv, HEADER)});

# load AMOUNT, ACCOUNT: expressions of raw's amount and of a function of an account
sub load
{
	my ($amount, $account) = @_;
	my ($source, $target) =
	  map { $account =~ s/account/$_/r } qw(source target);

	$node->safe_psql('postgres', qq{
		DELETE FROM fintrans_transactions;
		INSERT INTO fintrans_transactions
			(event_time, city, source_account, target_account, amount)
		SELECT '2026-01-01'::timestamptz + day * interval '1 day', 'London',
		       $source, $target, $amount
		  FROM raw ORDER BY random()});
	return;
}

# Precision and recall in per mille of what was found, together and each by
# each; prints them.
sub measure
{
	my ($account) = @_;
	my $found = join ' UNION ALL ',
	  map { "SELECT '$_' AS function, * FROM fintrans_$_()" } @functions;
	my %measured;

	$node->safe_psql('postgres', qq{
		DROP TABLE IF EXISTS findings;
		CREATE TABLE findings AS $found});
	my $rows = $node->safe_psql('postgres', qq{
		WITH found AS MATERIALIZED (
			SELECT DISTINCT function, account
			  FROM findings, unnest(accounts) account),
		named AS (
			SELECT * FROM found
			UNION SELECT 'together', account FROM found)
		SELECT n.function, count(*), count(*) FILTER (WHERE l.fraud),
		       round(avg(l.fraud::int), 4),
		       round(sum(l.fraud::int) / (SELECT count(*)::numeric FROM labels WHERE fraud), 4)
		  FROM named n
		  LEFT JOIN labels l ON $account = n.account
		 GROUP BY 1 ORDER BY 1});
	foreach my $row (split /\n/, $rows)
	{
		my ($function, $accounts, $labelled, $precision, $recall) =
		  split /\|/, $row;

		diag(sprintf('%-20s %5d accounts, %5d labelled: precision %.4f, recall %.4f',
				$function, $accounts, $labelled, $precision, $recall));
		$measured{$function} = [ $accounts, $precision, $recall ];
	}
	return \%measured;
}

# as published, and with other amounts, names and order of rows
load('amount', 'account');
my $measured = measure('l.account');
cmp_ok($measured->{together}[1], '>=', 0.98, 'precision of all together');
cmp_ok($measured->{together}[2], '>=', 0.66, 'recall of all together');
foreach my $function (sort grep { $_ ne 'together' } keys %$measured)
{
	cmp_ok($measured->{$function}[1], '>=', 0.98, "precision of $function");
}
is($node->safe_psql('postgres', q{
		SELECT string_agg(DISTINCT pattern, ', ' ORDER BY pattern)
		  FROM findings WHERE function IN ('repeated_transfers', 'fan_in', 'chains', 'cycles')}),
	'broken ring, chain, fan-in, repeated transfers, ring',
	'each is named as the pattern it is');

# a plain search for rings: three to five equal amounts that come back
is($node->safe_psql('postgres', q{
		WITH RECURSIVE links AS (
			SELECT DISTINCT source, target, amount FROM raw WHERE source <> target),
		paths AS (
			SELECT ARRAY[source, target] AS accounts, amount FROM links
			UNION ALL
			SELECT p.accounts || l.target, p.amount
			  FROM paths p JOIN links l
			    ON l.source = p.accounts[cardinality(p.accounts)]
			   AND l.amount = p.amount
			 WHERE cardinality(p.accounts) < 11
			   AND NOT p.accounts[2:] && ARRAY[p.accounts[1]]
			   AND NOT l.target = ANY (p.accounts[2:])),
		rings AS (
			SELECT DISTINCT
			       (SELECT array_agg(a ORDER BY a COLLATE "C") FROM unnest(p.accounts[2:]) a) AS accounts
			  FROM paths p
			 WHERE accounts[1] = accounts[cardinality(accounts)]
			   AND cardinality(accounts) > 3),
		found AS (
			SELECT (SELECT array_agg(a ORDER BY a COLLATE "C") FROM unnest(f.accounts) a) AS accounts
			  FROM findings f WHERE pattern = 'ring')
		SELECT (SELECT count(*) FROM rings) > 0,
		       (SELECT count(*) FROM (TABLE rings EXCEPT TABLE found) x),
		       (SELECT count(*) FROM (TABLE found EXCEPT TABLE rings) x)}),
	't|0|0', 'rings are those a recursive query finds');

load('amount * 37.5', "md5('x' || account)");
is_deeply(measure(q{md5('x' || l.account)}), $measured,
	'what is found depends neither on the unit of amounts nor on names and order');

done_testing();
