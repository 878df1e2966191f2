# Grafana's part in a test, without Grafana: the dashboards and alert rules as they
# are provisioned, their variables and macros expanded by the documented rules, and
# their queries run as the data sources would run them.
package FintransGrafana;

use strict;
use warnings;

use File::Basename qw(dirname);
use HTTP::Tiny;
use JSON::PP;
use POSIX qw(floor strftime);
use Time::HiRes qw(time);

use constant {
	POSTGRESQL => 'fintrans-postgresql',
	INFLUXDB   => 'fintrans-influxdb',
	PROMETHEUS => 'fintrans-prometheus',
	EXPRESSION => '__expr__',
};

# How long a step Grafana takes: below the first number, the second one, in ms.
my @steps = (
	[ 10,         1 ],          [ 15,         10 ],
	[ 35,         20 ],         [ 75,         50 ],
	[ 150,        100 ],        [ 350,        200 ],
	[ 750,        500 ],        [ 1500,       1000 ],
	[ 3500,       2000 ],       [ 7500,       5000 ],
	[ 12500,      10000 ],      [ 17500,      15000 ],
	[ 25000,      20000 ],      [ 45000,      30000 ],
	[ 90000,      60000 ],      [ 210000,     120000 ],
	[ 450000,     300000 ],     [ 750000,     600000 ],
	[ 1050000,    900000 ],     [ 1500000,    1200000 ],
	[ 2700000,    1800000 ],    [ 5400000,    3600000 ],
	[ 9000000,    7200000 ],    [ 16200000,   10800000 ],
	[ 32400000,   21600000 ],   [ 86400000,   43200000 ],
	[ 604800000,  86400000 ],   [ 1814400000, 604800000 ],
	[ 3628800000, 2592000000 ]);
my %unit = (ms => 1, s => 1000, m => 60_000, h => 3_600_000,
	d => 86_400_000, w => 604_800_000);

# new(conninfo => what psql takes, influxdb => URL, influxdb_database => name,
#     from => ms, to => ms, width => pixels): one time range, for all that is asked.
sub new
{
	my ($class, %settings) = @_;

	return bless { width => 800, variables => {}, %settings }, $class;
}

# ------------------------------------------------------------- variables

# choose DASHBOARD, { name => value, ... }: what is chosen, the rest is as it comes.
sub choose
{
	my ($self, $dashboard, $chosen) = @_;

	$self->{variables} = {};
	foreach my $variable (@{ $dashboard->{templating}{list} })
	{
		my $value = $chosen->{ $variable->{name} }
		  // $variable->{current}{value};

		$value = $self->options($variable)
		  if ref $value && grep { $_ eq '$__all' } @$value;
		$self->{variables}{ $variable->{name} } = $value;
	}
	return;
}

# All that a variable of type query can be.
sub options
{
	my ($self, $variable) = @_;

	die "$variable->{name}: no query\n" if $variable->{type} ne 'query';
	my ($columns, $rows) = $self->sql($variable->{query});
	return [ map { $_->{ $columns->[0]{name} } } @$rows ];
}

my %formats = (
	raw => sub { join ',', @_ },
	sqlstring => sub {
		join ',', map { "'" . s/'/''/gr . "'" } @_;
	},
	regex => sub {
		my @words = map { s{([\\^\$*+?.()|\[\]{}/])}{\\$1}gr } @_;
		@words > 1 ? '(' . join('|', @words) . ')' : $words[0];
	});
# of Prometheus' data source: a regular expression within a string
$formats{promql} = sub { $formats{regex}->(@_) =~ s/\\/\\\\/gr };

# Variables of the dashboard and of the panel; a macro is not one.  What has no
# format of its own, is to be one value, or the data source has one for it.
sub expand_variables
{
	my ($self, $text, $interval, $format_of_several) = @_;
	my %known = (
		%{ $self->{variables} },
		__interval => interval_text($interval),
		__interval_ms => $interval,
		__rate_interval => interval_text($interval < 15_000 ? 60_000 : $interval * 4),
		__range => int(($self->{to} - $self->{from}) / 1000) . 's');

	$text =~ s{\$(?:\{(\w+)(?::(\w+))?\}|(\w+))}{
		my ($name, $format) = ($1 // $3, $2);
		my $value = $known{$name};
		$format //= ref $value ? $format_of_several // 'none' : 'raw';
		die "$name: there is no format $format\n" unless $formats{$format};
		defined $value ? $formats{$format}->(ref $value ? @$value : $value) : $&;
	}gex;
	return $text;
}

# ---------------------------------------------------------------- macros

# The interval of a panel's steps, in ms.
sub interval
{
	my ($self, $panel) = @_;
	my $points = $panel->{maxDataPoints} // $self->{width};
	my $wanted = ($self->{to} - $self->{from}) / $points;
	my $least = interval_ms($panel->{interval} // '1ms');
	my $interval = 31_536_000_000;

	foreach my $step (reverse @steps)
	{
		$interval = $step->[1] if $wanted < $step->[0];
	}
	return $interval < $least ? $least : $interval;
}

sub interval_ms
{
	my ($text) = @_;
	my ($number, $unit) = $text =~ /^(\d+)(ms|s|m|h|d|w)$/
	  or die "no interval: $text\n";

	return $number * $unit{$unit};
}

sub interval_text
{
	my ($ms) = @_;

	foreach my $unit (qw(d h m s))
	{
		return $ms / $unit{$unit} . $unit if $ms % $unit{$unit} == 0;
	}
	return "${ms}ms";
}

# RFC 3339, as Grafana's server writes it
sub moment
{
	my ($ms) = @_;

	return strftime('%Y-%m-%dT%H:%M:%S', gmtime(floor($ms / 1000)))
	  . ($ms % 1000 ? sprintf('.%03d', $ms % 1000) : '') . 'Z';
}

# expand_sql(SQL, INTERVAL): the query, and how gaps are filled, if at all
sub expand_sql
{
	my ($self, $sql, $interval) = @_;
	my ($from, $to) = map { "'" . moment($_) . "'" } @$self{qw(from to)};
	my $fill;

	$sql = $self->expand_variables($sql, $interval);
	# the arguments end with the first parenthesis, whatever is in them
	$sql =~ s{\$(__\w+)\(([^)]*)\)}{
		my ($macro, @arguments) = ($1, map { s/^ +| +$//gr } split /,/, $2);
		if ($macro eq '__timeFilter') { "$arguments[0] BETWEEN $from AND $to" }
		elsif ($macro eq '__timeFrom') { $from }
		elsif ($macro eq '__timeTo') { $to }
		elsif ($macro eq '__timeGroupAlias')
		{
			my $seconds = interval_ms($arguments[1] =~ tr/'//dr) / 1000;
			$fill = { seconds => $seconds, value => $arguments[2] } if @arguments > 2;
			qq{floor(extract(epoch from $arguments[0])/$seconds)*$seconds AS "time"};
		}
		else { die "unknown macro \$$macro\n" }
	}gex;
	die "not expanded: $&\n" if $sql =~ /\$\{?\w+/;
	return ($sql, $fill);
}

sub expand_promql
{
	my ($self, $expression, $interval) = @_;

	return $self->expand_variables($expression, $interval, 'promql');
}

sub expand_influxql
{
	my ($self, $query, $interval) = @_;

	$query =~ s/\$timeFilter\b/time >= $self->{from}ms and time <= $self->{to}ms/g;
	$query = $self->expand_variables($query, $interval);
	die "not expanded: $&\n" if $query =~ /\$\{?\w+/;
	return $query;
}

# --------------------------------------------------------------- queries

# sql(QUERY): columns as [{ name, type }], and rows as hashes, as the reader
sub sql
{
	my ($self, $sql) = @_;
	my $columns = $self->psql("$sql \\gdesc");
	my $rows = $self->psql("SELECT coalesce(json_agg(q), '[]') FROM (\n$sql\n) q");

	return ([ map { my ($name, $type) = split /\|/; { name => $name, type => $type } }
			split /\n/, $columns ],
		JSON::PP->new->utf8->decode($rows));
}

sub psql
{
	my ($self, $statements) = @_;
	my $file = ($self->{scratch} // $ENV{TMPDIR} // '/tmp') . "/grafana.$$.sql";

	open(my $handle, '>:utf8', $file) or die "$file: $!\n";
	print $handle "$statements;\n" =~ s/\\gdesc;$/\\gdesc/r;
	close($handle);
	open(my $output, '-|', 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-f', $file,
		$self->{conninfo}) or die "psql: $!\n";
	my $said = do { local $/; <$output> } // '';
	my $ended_well = close($output);
	unlink $file;
	die "failed: $statements\n" unless $ended_well;
	chomp $said;
	return $said;
}

# influxql(QUERY): its series, with times in ms
sub influxql
{
	my ($self, $query) = @_;
	my $client = HTTP::Tiny->new(timeout => 60);
	my $answer = $client->get("$self->{influxdb}/query?"
		  . $client->www_form_urlencode(
			{ db => $self->{influxdb_database}, epoch => 'ms', q => $query }));
	my $result = $answer->{success} ? decode_json($answer->{content})->{results}[0] : {};

	die 'InfluxDB: ' . ($result->{error} // $answer->{content}) . "\n"
	  if !$answer->{success} || $result->{error};
	return $result->{series} // [];
}

# ---------------------------------------------------------------- frames

# frames(PANEL): of each target what the panel gets, [{ name, type, labels, values }];
# type is time, number, string or boolean.
sub frames
{
	my ($self, $panel) = @_;
	my $interval = $self->interval($panel);
	my @frames;

	foreach my $target (@{ $panel->{targets} })
	{
		my $source = ($target->{datasource} // $panel->{datasource})->{uid};

		push @frames,
		    $source eq POSTGRESQL ? $self->sql_frame($target, $interval)
		  : $source eq INFLUXDB   ? $self->influxql_frames($target, $interval)
		  :                         die "$panel->{title}: no way to ask $source\n";
	}
	return \@frames;
}

my %types = (
	'timestamp with time zone' => 'time',
	(map { $_ => 'number' } 'double precision', 'bigint', 'integer', 'smallint', 'numeric'),
	(map { $_ => 'string' } 'text', 'name'),
	boolean => 'boolean');

sub sql_frame
{
	my ($self, $target, $interval) = @_;
	my ($sql, $fill) = $self->expand_sql($target->{rawSql}, $interval);
	my ($columns, $rows) = $self->sql($sql);
	my @fields;

	foreach my $column (@$columns)
	{
		my $type = $types{ $column->{type} } // "unknown: $column->{type}";
		my @values = map { $_->{ $column->{name} } } @$rows;

		# a number is a time, too
		if ($target->{format} eq 'time_series' && $column->{name} eq 'time')
		{
			@values = map { /[^\d.]/ ? $_ : moment($_ * 1000) } @values;
			$type = 'time';
		}
		push @fields, { name => $column->{name}, type => $type, values => \@values };
	}
	return \@fields if $target->{format} ne 'time_series';
	return $self->long_to_wide(\@fields, $fill);
}

# Rows of a time each become a field for each combination of labels.
sub long_to_wide
{
	my ($self, $fields, $fill) = @_;
	my ($time) = grep { $_->{name} eq 'time' } @$fields;
	my @labels = grep { $_->{type} eq 'string' } @$fields;
	my @numbers = grep { $_->{type} eq 'number' } @$fields;
	my (%at, %wide, @order);

	foreach my $row (0 .. $#{ $time->{values} })
	{
		my %of = map { $_->{name} => $_->{values}[$row] // '' } @labels;

		$at{ $time->{values}[$row] } = 1;
		foreach my $number (@numbers)
		{
			my $key = join "\0", $number->{name}, map { "$_=$of{$_}" } sort keys %of;

			push @order, $key unless $wide{$key};
			$wide{$key} //= { name => $number->{name}, type => 'number', labels => \%of };
			$wide{$key}{at}{ $time->{values}[$row] } = $number->{values}[$row];
		}
	}
	if ($fill && @order)
	{
		my $step = $fill->{seconds} * 1000;

		for (my $ms = floor($self->{from} / $step) * $step; $ms <= $self->{to}; $ms += $step)
		{
			$at{ moment($ms) } = 1;
			$wide{$_}{at}{ moment($ms) } //= $fill->{value} + 0 foreach @order;
		}
	}
	my @times = sort keys %at;
	foreach my $field (@wide{@order})
	{
		my $at = delete $field->{at};

		$field->{values} = [ map { $at->{$_} } @times ];
		# the special column names the series
		if (@numbers == 1 && join('', keys %{ $field->{labels} }) eq 'metric')
		{
			$field->{name} = delete $field->{labels}{metric};
		}
	}
	return [ { name => 'Time', type => 'time', values => \@times }, @wide{@order} ];
}

sub influxql_frames
{
	my ($self, $target, $interval) = @_;
	my $series = $self->influxql($self->expand_influxql($target->{query}, $interval));

	return map {
		my $one = $_;
		my $name = $target->{alias} =~ s/\$m\b/$one->{name}/r;

		[ { name => 'Time', type => 'time', values => [ map { moment($_->[0]) } @{ $one->{values} } ] },
			{ name => $name, type => 'number', labels => {}, values => [ map { $_->[1] } @{ $one->{values} } ] } ];
	} @$series;
}

# --------------------------------------------------------------- something to show

# fill(CONNINFO, INFLUXDB, rows => N, days => N): grafana.sql into a database of its
# owner's, and what it has of the past seven hours into a new database fintrans of
# InfluxDB.
sub fill
{
	my ($conninfo, $influxdb, %size) = @_;
	my @psql = ('psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', $conninfo);
	my $client = HTTP::Tiny->new(timeout => 180);

	system(@psql, (map { ('-v', "$_=$size{$_}") } keys %size),
		'-f', dirname(__FILE__) . '/grafana.sql') == 0 or die "could not fill the database\n";
	index_days(@psql);
	open(my $output, '-|', @psql, '-c', q{
		SELECT format('%s amount=%s %s', city, amount,
		              (extract(epoch FROM event_time) * 1000000)::bigint * 1000 + row_number() OVER () % 1000)
		  FROM fintrans_transactions WHERE event_time >= now() - interval '7 hours'}) or die "psql: $!\n";
	my @points = <$output>;
	close($output) or die "could not read what InfluxDB is to have\n";
	posted($client->post_form("$influxdb/query", { q => 'CREATE DATABASE fintrans' }));
	while (my @batch = splice(@points, 0, 10_000))
	{
		posted($client->post("$influxdb/write?db=fintrans", { content => join('', @batch) }));
	}
	return;
}

# As the bridge does it, when hardly anything comes late any more; a day that
# autovacuum is at work on is left for the next time.
sub index_days
{
	my (@psql) = @_;
	my $deadline = time + 300;
	my $left = 1;

	while ($left)
	{
		die "the days before are not indexed\n" if time > $deadline;
		open(my $output, '-|', @psql,
			'-c', q{CALL fintrans_index_partitions(now() - interval '1 hour')},
			'-c', q{SELECT count(*) FROM fintrans_missing_indexes(now() - interval '1 hour')}) or die "psql: $!\n";
		my @said = <$output>;
		close($output) or die "could not index the days before\n";
		$left = $said[-1] + 0;
		sleep($left ? 1 : 0);
	}
	return;
}

sub posted
{
	my ($answer) = @_;

	die "InfluxDB: $answer->{status} $answer->{content}\n" unless $answer->{success};
	return;
}

# --------------------------------------------------------------- reading

sub read_json
{
	my ($file) = @_;

	open(my $handle, '<:raw', $file) or die "$file: $!\n";
	local $/;
	return decode_json(<$handle>);
}

# All panels, those within rows too, but not the rows.
sub panels
{
	my ($dashboard) = @_;

	return grep { $_->{type} ne 'row' }
	  map { ($_, @{ $_->{panels} // [] }) } @{ $dashboard->{panels} };
}

1;
