# The pages in docs/ are what the programs and a database say, the SQL reference
# has every public object, its arguments and an example, the page on scale has
# what the model says of bench/scale.tsv, and the README names
# no other objects, no other options, and every package that building needs; no
# link leads nowhere.
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

my $help = join '', map { slurp_file("$tree/docs/fintrans-$_.txt") } qw(bridge detector);
foreach my $option ($readme =~ /^\| `(--[a-z-]+)/mg)
{
	like($help, qr/^  \Q$option\E\b/m, "the README's $option is an option");
}

# docs/faults.md has a line for each fault, and no test that is not there
my $faults = slurp_file("$tree/docs/faults.md");
my @numbers = sort { $a <=> $b } $faults =~ /^(?:\| )?(\d+)[.,] /mg;
is("@numbers", join(' ', 1 .. 39), 'docs/faults.md has each fault once');
my @tests = $faults =~ /`((?:t|sql)\/\w+\.(?:pl|sql))`/g;
cmp_ok(scalar(@tests), '>', 50, 'and names tests');
is(join(' ', grep { !-f "$tree/$_" } @tests), '', 'all of which are there');
is(join(' ', grep { index($faults, "`$_`") < 0 } map { s/^\Q$tree\E\///r } glob("$tree/t/0[26]*.pl")),
	'', 'and none of the faults is missing');

cmp_ok(index(slurp_file("$tree/docs/scale.md"), "```\n" . `$tree/bench/model` . "```\n"),
	'>=', 0, 'docs/scale.md has what bench/model says');

foreach my $package (split ' ', `$tree/.ci/packages list build`)
{
	like($readme, qr/(?<!\S)\Q$package\E(?!\S)/, "the README names $package");
}

my $node = new_node();
$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;

foreach my $page (qw(sql-reference investigator monitoring))
{
	is(`$tree/docs/weave $tree/docs/$page.md 2>&1 | diff - $tree/docs/$page.md`,
		'', "docs/$page.md is what a database says (make docs)");
}

my $reference = slurp_file("$tree/docs/sql-reference.md");
my %section;
foreach ($reference =~ /^### (.*?)(?=^##|\z)/msg)
{
	my ($objects, $text) = split /\n/, $_, 2;

	$section{$_} = $text foreach split /, /, $objects;
	like($text, qr/^```sql\n.*?^```\n```\n/ms, "there is an example of $objects");
}

my $catalog = $node->safe_psql('postgres', slurp_file("$tree/docs/catalog.sql"));
my %public = map { $_ => 1 } $catalog =~ /^(fintrans_\w+)\|/mg;
my @lacking = grep { !$section{$_} } sort keys %public;
is("@lacking", '', 'the SQL reference lacks no public object');

my $arguments = $node->safe_psql('postgres', q{
	SELECT DISTINCT p.proname, quote_ident(a.name)
	  FROM pg_proc p, unnest(p.proargnames, p.proargmodes) a (name, mode)
	 WHERE p.proname ~ '^fintrans_' AND coalesce(a.mode, 'i') IN ('i', 'b')});
foreach (split /\n/, $arguments)
{
	my ($function, $argument) = split /\|/;

	like($section{$function} // '', qr/^[^>].*`\Q$argument\E`/m,
		"the SQL reference explains $argument of $function")
	  if $public{$function};
}

my ($sections) = $readme =~ /^## SQL reference\n(.*)^## Exactly once\n/ms;
is($node->psql('postgres', join('', $sections =~ /^```sql\n(.*?)^```\n/msg)),
	0, "the README's SQL runs");

# what the README and its chapters in docs/ point to is there
my @pages = ('README.md', map { s/^\Q$tree\E\///r } glob("$tree/docs/*.md"));
foreach my $page ('README.md', map { "docs/$_.md" } qw(operations security influxdb))
{
	my %functions = map { $_ => 1 } slurp_file("$tree/$page") =~ /`(fintrans_\w+)\(/g;

	ok($public{$_}, "$_() of $page is in the SQL reference") foreach sort keys %functions;
}
foreach my $page (@pages)
{
	my ($directory) = "$tree/$page" =~ /^(.*)\//;

	foreach my $link (slurp_file("$tree/$page") =~ /\]\(((?!https?:)[^()\s]+)\)/g)
	{
		my ($file, $heading) = split /#/, $link, 2;
		my $target = $file eq '' ? "$tree/$page" : "$directory/$file";
		my %headings = !defined $heading || !-f $target ? () :
		  map { lc($_) =~ s/[^\w\s-]//gr =~ s/ /-/gr => 1 } slurp_file($target) =~ /^#+ (.*)$/mg;

		ok(-e $target && (!defined $heading || $headings{$heading}), "$page: $link is there");
	}
}

done_testing();
