# The version stands in one place, the scripts are clean, and what each rule
# of the project forbids is not there.
use strict;
use warnings;

use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my $tree = $ENV{FINTRANS_TREE} or BAIL_OUT('FINTRANS_TREE is not set');

# ------------------------------------------------------------ one version

my ($version) = slurp_file("$tree/fintrans.control") =~
  /^default_version\s*=\s*'([^']+)'/m;
like($version, qr/^\d+\.\d+\.\d+$/, 'fintrans.control has a version');

my $meta = decode_json(slurp_file("$tree/META.json"));
is($meta->{version}, $version, 'META.json has the version of the control file');
my $extension = $meta->{provides}{fintrans};
is($extension->{version}, $version, 'META.json provides that version');
ok(-f "$tree/$extension->{file}", 'META.json names a file that is there');

my %parts = slurp_file("$tree/Makefile") =~ s/\\\n//gr
  =~ /^sql_(\w+) = (.*)$/mg;
is_deeply(
	[ sort 'preamble', map { split ' ' } values %parts ],
	[ sort map { m{/extension/((?:[a-z]+/)?[a-z_]+(?:-[\d.]+)?)\.sql$} }
			glob("$tree/extension/*.sql $tree/extension/*/*.sql") ],
	'the script of the extension is composed of all its parts');

foreach my $program (qw(bridge generator detector broker))
{
	my $answer = `fintrans-$program --version`;
	is($?, 0, "fintrans-$program --version succeeds");
	like($answer, qr/\b\Q$version\E$/, "fintrans-$program tells the version");
	program_help_ok("fintrans-$program");
}

# ---------------------------------------------------------------- building

# as on a machine with the server's client package, but without its headers
my $pg_config = PostgreSQL::Test::Utils::tempdir() . '/pg_config';
append_to_file($pg_config, <<"END");
#!/bin/sh
case \$1 in
	--includedir-server) echo /nonexistent ;;
	*) exec '$ENV{PG_CONFIG}' "\$@" ;;
esac
END
chmod 0755, $pg_config;
like(`make -s -n -C '$tree' all PG_CONFIG='$pg_config' 2>&1`,
	qr/headers of the server are not to be had: `\.ci\/packages install build`/,
	'without the headers, make says how to get them');

# ------------------------------------------------------------------ tests

my @sql = map { m{([^/]+)\.sql$} } glob("$tree/sql/*.sql");
my @specs = map { m{([^/]+)\.spec$} } glob("$tree/specs/*.spec");
is_deeply(
	[ sort split ' ', `make -s -C $tree list-regress` ],
	[ sort @sql ],
	'every SQL test is run');
is_deeply(
	[ sort map { m{([^/]+)\.out$} } glob("$tree/expected/*.out") ],
	[ sort @sql, @specs ],
	'every SQL and isolation test has its expected output, and no output is left over'
);

# ---------------------------------------------------------------- sources

my @sources = map { glob("$tree/$_/*.[ch] $tree/$_/*/*.[ch]") } qw(extension bridge);
my %source = map { m{/bridge/(?:.*/)?([^/]+)$} ? ($1 => $_) : () } @sources;
cmp_ok(scalar(@sources), '>', 20, 'the sources are found');

my @unsafe = grep {
	slurp_file($_) =~ /\b(?:sprintf|vsprintf|strcpy|strcat|atoi|atol|atof|gets)\s*\(/
} @sources;
is("@unsafe", '', 'no function is called that cannot check its bounds or its input');

# each library enters a program through one file
my $makefile = slurp_file("$tree/bridge/Makefile") =~ s/\\\n//gr;
my %variables = $makefile =~ /^(\w+) = (.*)$/mg;
my %objects = map { s/\$\((\w+)\)/$variables{$1}/gr }
  $makefile =~ /^fintrans-(\w+)_OBJS = (.*)$/mg;
is_deeply([ sort keys %objects ], [qw(bridge broker detector generator)],
	'the parts of the programs are known');
foreach my $header (qw(rdkafka.h libpq-fe.h microhttpd.h))
{
	my $users = 0;
	foreach my $program (sort keys %objects)
	{
		my @files = grep {
			slurp_file($source{$_}) =~ /^#include\s*[<"][^>"]*\Q$header\E[>"]/m
		} map { s/\.o$/.c/r } grep { /\.o$/ } split ' ', $objects{$program};
		cmp_ok(scalar(@files), '<=', 1,
			"$header is included by one file of fintrans-$program (@files)");
		$users += @files;
	}
	cmp_ok($users, '>=', 1, "$header is included at all");
}

my @borrowed = grep { $_ ne 'fintrans_record.h' }
  map { slurp_file($_) =~ /^#include\s*"(?:\.\.\/extension\/)?([^"]+)"/mg }
  values %source;
my @outside = grep { !$source{$_} } @borrowed;
is("@outside", '', 'bridge/ includes one header of extension/ and no other');

my @scripts = map { "$tree/$_" }
  qw(.ci/check .ci/docs .ci/grafana .ci/images .ci/packages .ci/run .ci/scratch.sh bridge/demo bridge/kafka/kafka-server bridge/marathon/database.sh);
push @scripts, map { "$tree/bench/$_" } qw(run check model picture);
push @scripts, glob("$tree/bench/peers/*/start");
my $complaints = `cd '$tree' && shellcheck -x @scripts 2>&1`;
is($complaints, '', 'shellcheck has nothing to say');

done_testing();
