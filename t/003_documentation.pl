# The option lists in docs/ are what the programs say, and the README names
# every SQL function a user may call, every option it should, and every package
# that building needs.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use FintransTest;

my $tree = $ENV{FINTRANS_TREE};
my $readme = slurp_file("$tree/README.md");

foreach my $program (qw(bridge generator detector broker))
{
	is(`fintrans-$program --help`, slurp_file("$tree/docs/fintrans-$program.txt"),
		"docs/fintrans-$program.txt is the program's --help (make docs)");
}

my $help = slurp_file("$tree/docs/fintrans-bridge.txt");
foreach my $option ($readme =~ /^\| `(--[a-z-]+)/mg)
{
	like($help, qr/^  \Q$option\E\b/m, "the README's $option is an option");
}

foreach my $package (split ' ', `$tree/.ci/packages list build`)
{
	like($readme, qr/(?<!\S)\Q$package\E(?!\S)/, "the README names $package");
}

my $node = new_node();
my $functions = $node->safe_psql('postgres', q{
	SELECT DISTINCT proname FROM pg_proc
	 WHERE proname ~ '^fintrans_' AND prorettype <> 'trigger'::regtype
	   AND obj_description(oid, 'pg_proc') !~ '^Internal'});
my $tables = $node->safe_psql('postgres', q{
	SELECT relname FROM pg_class
	 WHERE relname ~ '^fintrans_' AND relkind IN ('r', 'p', 'v')
	   AND relname !~ '^fintrans_(magnitudes|.*_differences)$'});
foreach my $object (split /\n/, "$functions\n$tables")
{
	like($readme, qr/`\Q$object\E\b/, "the README names $object");
}

done_testing();
