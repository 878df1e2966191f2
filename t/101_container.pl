# What the programs travel in: the tarball that Marathon fetches, which is the same
# each time and runs with no more than the packages named; the recipe of the images
# and the compose file, as far as they can be checked without an engine.
use strict;
use warnings;

use Cwd qw(abs_path);
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use YAML::XS ();

use FintransProcess;
use FintransTest;

my $tree = $ENV{FINTRANS_TREE};
my @programs = qw(bridge generator detector);

# -------------------------------------------------------------- the tarball

sub make_tarball
{
	my $said = `make -s -C '$tree' dist SOURCE_DATE_EPOCH=1764000000 2>&1`;
	my ($tarball) = $said =~ /^(build\/\S+\.tar\.gz)$/m or BAIL_OUT("make dist: $said");

	return slurp_file("$tree/$tarball", 0), "$tree/$tarball";
}

my ($first, $tarball) = make_tarball();
system('find', "$tree/build/dist", '-exec', 'touch', '-d', '2001-02-03', '{}', '+');
my ($second) = make_tarball();
ok($first eq $second, 'the tarball is the same each time');

my @listed = split /\n/, `TZ=UTC tar -tvzf '$tarball'`;
is(scalar(grep { !m{^[d-]\S+ 0/0 +\d+ 2025-11-24 16:00 fintrans-} } @listed), 0,
	'all in it is of root, and of one time');
my @names = map { (split)[5] } @listed;
is("@names", join(' ', sort @names), 'in one order');
my ($version) = slurp_file("$tree/fintrans.control") =~ /^default_version = '(.*)'/m;
foreach my $name ((map { ("bin/fintrans-$_", "share/man/man1/fintrans-$_.1", "marathon/$_.json") } @programs),
	qw(LICENSE marathon/group.json marathon/group-kafka.json marathon/database.sh
	grafana/provisioning/datasources/fintrans.yaml grafana/dashboards/laundering.json),
	"postgresql/usr/share/postgresql/15/extension/fintrans--$version.sql", 'postgresql/usr/lib/postgresql/15/lib/fintrans.so')
{
	ok(scalar(grep { $_ eq "fintrans-$version/$name" } @names), "$name is in it");
}

# unpacked by somebody else than who made it is for, in an environment of nothing
my $place = PostgreSQL::Test::Utils::tempdir();
is(system('tar', '-xzf', $tarball, '-C', $place), 0, 'it is unpacked');
isnt($>, 0, 'by another user');
foreach my $program (@programs)
{
	like(`cd / && env -i '$place/fintrans-$version/bin/fintrans-$program' --version`, qr/\b\Q$version\E$/, "fintrans-$program runs there");
}

# ------------------------------------------------------------ what it needs

sub packages { return split ' ', `'$tree/.ci/packages' list $_[0]` }

my %owner;
foreach my $program (@programs)
{
	my $file = "$place/fintrans-$version/bin/fintrans-$program";
	my %path = map { /^\s+(\S+) => (\/\S+) / ? ($1 => $2) : () } split /\n/, `ldd '$file'`;

	foreach my $library (`readelf -d '$file'` =~ /\(NEEDED\).*\[(.+)\]/g)
	{
		# dpkg knows it by its place in /usr or by the one before that
		my $found = abs_path($path{$library});
		my ($package) = map { /^([^:]+):/ } `dpkg -S '$found' 2> /dev/null || dpkg -S '@{[ $found =~ s{^/usr}{}r ]}'`;

		$owner{$package} = $library;
	}
}
delete $owner{libc6};
is(join(' ', sort keys %owner), join(' ', sort grep { $_ ne 'ca-certificates' } packages('run')),
	'the packages to run are those of the libraries that the programs are linked with');
foreach my $page ('README.md', 'docs/marathon.md')
{
	my $text = slurp_file("$tree/$page") =~ tr/`,//dr;

	is(join(' ', grep { $text !~ /(?<!\S)\Q$_\E(?!\S)/ } packages('run')), '', "$page names them all");
}

# --------------------------------------------------------------- the recipe

my @instructions = map { [ split ' ', $_, 2 ] }
  grep { /^[A-Z]/ } split /\n/, slurp_file("$tree/bridge/container/Dockerfile") =~ s/^#.*\n//mgr =~ s/\\\n//gr;
my (%stage, $stage, %user);
foreach (@instructions)
{
	my ($instruction, $what) = @$_;

	if ($instruction eq 'FROM')
	{
		my ($image, $name) = $what =~ /^(\S+) AS (\w+)$/;

		like($image, qr/^[\w\/]+:\d+\.\d+[\w.-]*$/, "$image is one release");
		$stage{ $stage = $name } = $image;
	}
	elsif ($instruction eq 'COPY' && $what !~ /^--from=(\w+) (\S+)/)
	{
		my @sources = split ' ', $what;

		pop @sources;
		is(join(' ', grep { !-e "$tree/$_" } @sources), '', "what is copied is there: @sources");
	}
	elsif ($instruction eq 'COPY')
	{
		my ($from, $path) = ($1, $2);

		ok($stage{$from} && $from ne $stage, "$stage takes $path from a stage before");
		like($path, qr{^/installed/usr/(?:local|(?:lib|share)/postgresql)$}, 'where that has installed it');
	}
	elsif ($instruction eq 'RUN')
	{
		my @levels = $what =~ /packages install (\w+)/g;

		ok(scalar(packages($_)), "there is a level $_ of packages") foreach @levels;
		unlike($what, qr/apt-get install/, 'and none is installed by itself');
	}
	$user{$stage} = $what if $instruction eq 'USER';
}
is(join(' ', sort keys %stage), 'build postgresql programs', 'an image to build in, and two to run');
is($stage{build}, $stage{programs}, 'built on what it runs on');
is((grep { $_->[0] eq 'FROM' } @instructions)[-1][1], "$stage{programs} AS programs", 'the programs are the last');
like($user{programs}, qr/^[1-9]\d*:[1-9]\d*$/, 'which are not run by root');
my ($layout) = `make -s -n -C '$tree' install DESTDIR=/installed` =~ m{(/installed/usr/local/bin)};
is($layout, '/installed/usr/local/bin', '`make install` puts them where they are taken from');

my %ignored = map { $_ => 1 } grep { !/^#/ } split /\n/, slurp_file("$tree/bridge/container/Dockerfile.dockerignore");
ok($ignored{$_}, "$_ is not sent to the engine") foreach '.git', 'build', 'bridge/build', map { "bridge/fintrans-$_" } @programs, 'broker';

# --------------------------------------------------------- the compose file

my $compose = YAML::XS::LoadFile("$tree/bridge/container/compose.yaml");
my $services = $compose->{services};
# YAML::XS leaves merging to its users
foreach my $service (values %$services)
{
	%$service = (%{ delete $service->{'<<'} }, %$service) if $service->{'<<'};
}
my %reads;
foreach my $name (sort keys %$services)
{
	my $service = $services->{$name};
	my %environment = %{ $service->{environment} // {} };
	my $waits = $service->{depends_on} // [];

	if (my $build = $service->{build})
	{
		ok($stage{ $build->{target} }, "$name: $build->{target} is a stage of the recipe");
		is(abs_path("$tree/bridge/container/$build->{context}"), abs_path($tree), "$name is made of the checkout");
		ok(-f "$tree/$build->{dockerfile}", 'by a file that is there');
		like($service->{image}, qr/:\Q$version\E$/, "$name has the version of the control file");
	}
	else
	{
		like($service->{image}, qr/^[\w\/]+:\d+\.\d+[\w.-]*$/, "$name: $service->{image} is one release");
	}
	foreach my $secret (@{ $service->{secrets} // [] })
	{
		like($compose->{secrets}{$secret}{file}, qr/\/\Q$secret\E$/, "$name: $secret is a file");
		$reads{$secret} = 1;
	}
	foreach my $path (join("\n", values %environment, @{ $service->{command} // [] }) =~ /\/run\/secrets\/([\w-]+)/g)
	{
		ok(scalar(grep { $_ eq $path } @{ $service->{secrets} }), "$name is given $path");
	}
	is(join(' ', grep { /(?:PASSWORD|TOKEN)$/ } keys %environment), '', "$name has no secret in its environment");
	foreach (map { [ split /:/ ] } @{ $service->{volumes} // [] })
	{
		my ($from, $to, $mode) = @$_;

		ok($from =~ /^\./ ? -d "$tree/bridge/container/$from" && $mode eq 'ro' : exists $compose->{volumes}{$from},
			"$name: what is mounted at $to is there");
	}
	is(join(' ', grep { !$services->{$_} } ref $waits eq 'HASH' ? keys %$waits : @$waits), '', "$name: what it waits for is there");
	like($service->{mem_limit}, qr/^\d+m$/, "$name has a limit");
	is($service->{restart}, 'on-failure', "$name is started again");
}
is(join(' ', sort keys %reads), join(' ', sort keys %{ $compose->{secrets} }), 'no secret is for nobody');

# the same as Marathon's, but for where things are
my %app = map { $_->{id} =~ s/.*\///r => $_ } @{ decode_json(slurp_file("$tree/bridge/marathon/group-kafka.json"))->{apps} };
is(join(' ', sort keys %$services), join(' ', sort keys %app), 'the services are the apps of Marathon');
foreach my $name (sort keys %app)
{
	my $service = $services->{$name};

	is($service->{mem_limit}, "$app{$name}{mem}m", "$name has the memory that Marathon gives it");
	is($service->{image}, $app{$name}{container}{docker}{image}, "$name is the same release")
	  unless $service->{build};
}
foreach my $program (@programs)
{
	my $help = slurp_file("$tree/docs/fintrans-$program.txt");
	my $service = $services->{$program};

	like($help, qr/\[\Q$_\E\]/, "$_ is an option of fintrans-$program") foreach sort keys %{ $service->{environment} };
	is("exec ./fintrans-$version/bin/@{ $service->{command} }" =~ s/ +$//r, $app{$program}{cmd}, "$program has the same command");
	is($service->{stop_grace_period}, "$app{$program}{taskKillGracePeriodSeconds}s", 'and the same grace');
}

# its health check, of a program that is alive and of none
my @test = @{ $services->{detector}{healthcheck}{test} };
my $port = PostgreSQL::Test::Cluster::get_free_port();
is(shift @test, 'CMD', 'health is asked for without a shell of the container\'s');
s/9100/$port/ foreach @test;
isnt(system('timeout', 20, @test), 0, 'who is not there is not healthy');
my $detector = FintransProcess->start('detector', 'fintrans-detector', "--http-port=$port", '--database=host=/nonexistent dbname=none');
wait_for { $detector->logged =~ /event="listening for HTTP"/ } 'the port';
is(system('timeout', 20, @test), 0, 'a detector that waits for its database is healthy');
is($detector->stop, 0, 'and ends well');

done_testing();
