# An InfluxDB of a test's own on loopback, and what it holds.
package FintransInflux;

use strict;
use warnings;

use File::Basename qw(basename);
use HTTP::Tiny;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(sleep time);

use FintransProcess;

# A real one, empty; start() after stop() or kill9() brings back what it held.
sub new
{
	my ($class) = @_;
	my $directory = "$PostgreSQL::Test::Utils::tmp_check/"
	  . basename($0, '.pl') . '_influxdb';
	my $self = bless {
		port => PostgreSQL::Test::Cluster::get_free_port(),
		config => "$directory/influxdb.conf",
		http => HTTP::Tiny->new(timeout => 180)
	}, $class;
	my $internal = PostgreSQL::Test::Cluster::get_free_port();

	mkdir $directory or die "$directory: $!\n";
	append_to_file($self->{config}, <<"END");
reporting-disabled = true
bind-address = "127.0.0.1:$internal"
[meta]
dir = "$directory/meta"
[data]
dir = "$directory/data"
wal-dir = "$directory/wal"
max-series-per-database = 0
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:$self->{port}"
log-enabled = false
[logging]
level = "warn"
END
	$self->start;
	return $self;
}

sub start
{
	my ($self) = @_;
	my $deadline = time + 180;

	$self->{process} =
	  FintransProcess->start('influxdb', 'influxd', '-config', $self->{config});
	until ($self->{http}->get($self->url . '/ping')->{status} == 204)
	{
		die "InfluxDB does not run: " . $self->{process}->logged
		  unless $self->{process}->running;
		die "InfluxDB does not answer\n" if time > $deadline;
		sleep(0.05);
	}
	return;
}

sub url { return "http://127.0.0.1:$_[0]->{port}" }
sub process { return $_[0]->{process} }

sub get
{
	my ($self, $database, $query, $type) = @_;
	my $parameters = $self->{http}->www_form_urlencode(
		{ db => $database, q => $query, epoch => 'ns' });
	my $answer = $self->{http}->get($self->url . "/query?$parameters",
		{ headers => { Accept => $type } });

	die "$query: $answer->{status} $answer->{content}\n"
	  unless $answer->{success};
	return $answer->{content};
}

# The rows of a query about one measurement, each a time and what was asked for.
sub values
{
	my ($self, $database, $query) = @_;
	my $answer =
	  JSON::PP->new->decode($self->get($database, $query, 'application/json'));

	return $answer->{results}[0]{series}[0]{values} // [];
}

# The one number that a query comes to; 0 if there is none.
sub number
{
	my ($self, $database, $query) = @_;
	my ($row) = @{ $self->values($database, $query) };

	return defined $row ? $row->[1] : 0;
}

# Lines "measurement time field.." of the points of the cities, in no order.
sub write_points
{
	my ($self, $database, $file, @fields) = @_;
	my $columns = join ',', map { qq("$_") } @fields;

	unlink $file;
	append_to_file($file, '');
	foreach my $city (qw(London NYC SF Moscow Tokyo))
	{
		# name,tags,time,field.. and no account in these tests has a comma
		my $csv = $self->get($database, qq(SELECT $columns FROM "$city"),
			'application/csv');
		my @lines = split /\n/, $csv;

		shift @lines;
		append_to_file($file,
			join '', map { my @f = split /,/; "@f[0, 2 .. $#f]\n" } @lines);
	}
	return;
}

1;
