# What SQL repeats of fintrans_record.h agrees with it: the columns that the
# bridge copies, the reasons of dead letters, and the limits.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use FintransTest;

my $header = slurp_file("$ENV{FINTRANS_TREE}/extension/fintrans_record.h");
$header =~ s/\\\n//g;
my $node = new_node();

foreach my $table (qw(transaction dead_letter))
{
	my ($columns) = $header =~ /^#define FINTRANS_\U$table\E_COLUMNS\(X\)(.*)$/m;
	my @wanted = map { s/,\s*/ /r } $columns =~ /X\(([^)]*)\)/g;
	my $found = $node->safe_psql('postgres', qq{
		SELECT string_agg(attname || ' ' || typname, E'\\n' ORDER BY attnum)
		  FROM pg_attribute JOIN pg_type t ON t.oid = atttypid
		 WHERE attrelid = 'fintrans_${table}s'::regclass AND attnum > 0
		   AND attname <> 'rejected_at'});
	cmp_ok(scalar(@wanted), '>', 5, "columns of ${table}s in the header");
	is($found, join("\n", @wanted), "columns of ${table}s in the database");
}

my ($reasons) = $header =~ /^#define FINTRANS_REJECT_REASONS\(X\)(.*)$/m;
my @codes = $reasons =~ /X\(\w+,\s*"(\w+)"/g;
my $check = $node->safe_psql('postgres', q{
	SELECT pg_get_constraintdef(oid) FROM pg_constraint
	 WHERE conname = 'fintrans_dead_letters_reason'});
cmp_ok(scalar(@codes), '>', 5, 'reasons in the header');
is_deeply([ sort $check =~ /'(\w+)'/g ], [ sort @codes ],
	'reasons in the database');
foreach my $code (@codes)
{
	like(slurp_file("$ENV{FINTRANS_TREE}/README.md"), qr/`$code`/,
		"the README names $code");
}

# the limits, each at its edge
my ($bytes) = $header =~ /FINTRANS_ACCOUNT_MAX_BYTES (\d+)/;
my ($digits) = $header =~ /FINTRANS_AMOUNT_INTEGER_DIGITS (\d+)/;
my ($decimals) = $header =~ /FINTRANS_AMOUNT_DECIMALS (\d+)/;
$node->safe_psql('postgres', "SELECT fintrans_ensure_partitions('2026-01-01', '2026-01-01')");
foreach my $case (
	[ $bytes, $digits, $decimals, 0, 'at the limits' ],
	[ $bytes + 1, $digits, $decimals, 3, 'an account too long' ],
	[ $bytes, $digits + 1, $decimals, 3, 'an amount too large' ],
	[ $bytes, $digits, $decimals + 1, 3, 'an amount with too many decimals' ])
{
	my ($length, $whole, $rest, $status, $what) = @$case;
	my ($result) = $node->psql('postgres', sprintf(q{
		INSERT INTO fintrans_transactions
			(event_time, city, source_account, target_account, amount)
		VALUES ('2026-01-01', 'London', repeat('x', %d), 'y',
			(repeat('9', %d) || '.' || repeat('9', %d))::numeric)},
			$length, $whole, $rest), on_error_stop => 1);
	is($result, $status, $what);
}

done_testing();
