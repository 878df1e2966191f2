# Grafana's provisioning, without a Grafana: what stands in the files fits together,
# each panel's and alert rule's query runs as the reader and returns what its panel
# needs, and no panel reads transactions that totals or volumes answer for.
#
# FINTRANS_TEST_GRAFANA_ROWS is the number of transactions: `make check-grafana`
# takes ten million.  How long queries take is reported, not judged.
use strict;
use warnings;

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use YAML::XS ();

use FintransGrafana;
use FintransInflux;
use FintransProcess;
use FintransTest;

my $tree = $ENV{FINTRANS_TREE};
my $rows = $ENV{FINTRANS_TEST_GRAFANA_ROWS} // 300_000;
my $days = 10;

# ------------------------------------------------- files are what sources make

my $made = PostgreSQL::Test::Utils::tempdir();
mkdir "$made/$_" foreach qw(dashboards prometheus);
is(system("cd '$tree/grafana/source' && jsonnet -m '$made' dashboards.jsonnet > /dev/null"
	  . " && jsonnet -S -o '$made/alerts.yaml' alerts.jsonnet"), 0, 'jsonnet makes the files');
my @files = qw(dashboards/overall.json dashboards/laundering.json dashboards/pipeline.json
  prometheus/pipeline.json);
is(slurp_file("$tree/grafana/$_"), slurp_file("$made/$_"), "$_ is up to date (make grafana)")
  foreach @files;
is(slurp_file("$tree/grafana/provisioning/alerting/fintrans.yaml"),
	slurp_file("$made/alerts.yaml"), 'so are the alert rules');
is(`find '$tree/grafana' -path '*/node_modules' -prune -o -name '*.json' -path '*/[dp][ar][so][hm]*' -print | wc -l` + 0,
	scalar(@files), 'and there are no others');

my %dashboard = map { $_ => FintransGrafana::read_json("$tree/grafana/$_") } @files;
my $alerting = YAML::XS::LoadFile("$tree/grafana/provisioning/alerting/fintrans.yaml");
my @rules = map { @{ $_->{rules} } } @{ $alerting->{groups} };

# ------------------------------------------------------- they fit together

my %type_of;
foreach my $file ('provisioning/datasources/fintrans.yaml', 'prometheus/datasource.yaml')
{
	my $yaml = YAML::XS::LoadFile("$tree/grafana/$file");

	is($yaml->{apiVersion}, 1, "$file: version");
	foreach my $source (@{ $yaml->{datasources} })
	{
		$type_of{ $source->{uid} } = $source->{type};
		is($source->{access}, 'proxy', "$source->{uid} is asked by the server");
		is_deeply([ grep { !/^\$FINTRANS_\w+$/ } @$source{qw(url user database)} ], $source->{type} eq 'prometheus' ? [ undef, undef ] : [],
			"$source->{uid}: address and names come from the environment");
		unlike(join(' ', values %{ $source->{secureJsonData} // {} }), qr/^[^\$]/,
			"$source->{uid}: and so does the password");
		is($source->{jsonData}{database} // $source->{jsonData}{dbName} // $source->{database}, $source->{database},
			"$source->{uid}: old and new Grafana find the same database");
	}
}
is_deeply(\%type_of, {
		'fintrans-postgresql' => 'postgres', 'fintrans-influxdb' => 'influxdb',
		'fintrans-prometheus' => 'prometheus' }, 'the data sources are known');
$type_of{'fintrans-postgresql'} = 'grafana-postgresql-datasource';

my %mount = map { $_->[0] => YAML::XS::LoadFile("$tree/grafana/$_->[1]")->{providers}[0]{options}{path} }
  [ 'dashboards', 'provisioning/dashboards/fintrans.yaml' ], [ 'prometheus', 'prometheus/provider.yaml' ];
is_deeply(\%mount, { map { $_ => "/etc/fintrans/grafana/$_" } qw(dashboards prometheus) },
	'dashboards are looked for where the manual mounts them');

my @calcs = qw(lastNotNull mean max sum);
my @units = qw(currencyUSD currency:financial:$ none locale short s string dateTimeAsIso);

sub overlaps
{
	my ($left, $right) = @_;

	return $left->{x} < $right->{x} + $right->{w} && $right->{x} < $left->{x} + $left->{w}
	  && $left->{y} < $right->{y} + $right->{h} && $right->{y} < $left->{y} + $left->{h};
}

# What is wrong with a panel, whatever its query answers.
sub panel_faults
{
	my ($panel) = @_;
	my $defaults = $panel->{fieldConfig}{defaults};
	my @steps = @{ $defaults->{thresholds}{steps} };
	my @faults;

	push @faults, 'no title' if ($panel->{title} // '') !~ /\w/;
	push @faults, 'no description' if ($panel->{description} // '') !~ /\w.*[.)]$/;
	push @faults, 'no unit' unless grep { $_ eq $defaults->{unit} } @units;
	push @faults, 'nothing said when there is no data' unless length $defaults->{noValue};
	push @faults, 'thresholds do not ascend'
	  if defined $steps[0]{value}
	  || grep { ($steps[$_]{value} // 'x') eq 'x' || $_ > 1 && $steps[$_]{value} <= $steps[ $_ - 1 ]{value} } 1 .. $#steps;
	push @faults, 'no such calculation'
	  if grep { my $calc = $_; !grep { $_ eq $calc } @calcs }
	  @{ $panel->{options}{legend}{calcs} // [] }, @{ $panel->{options}{reduceOptions}{calcs} // [] };
	push @faults, 'no such data source'
	  if grep { ($type_of{ $_->{uid} } // '') ne $_->{type} }
	  $panel->{datasource}, map { $_->{datasource} } @{ $panel->{targets} };
	push @faults, 'outside of the grid'
	  if $panel->{gridPos}{x} + $panel->{gridPos}{w} > 24 || grep { $_ < 0 } values %{ $panel->{gridPos} };
	push @faults, 'targets without a name of their own'
	  if keys %{ { map { $_->{refId} => 1 } @{ $panel->{targets} } } } != @{ $panel->{targets} };
	return @faults;
}

my (%uid, %title);
foreach my $file (@files)
{
	my $dashboard = $dashboard{$file};
	my @panels = FintransGrafana::panels($dashboard);
	my @all = map { ($_, @{ $_->{panels} // [] }) } @{ $dashboard->{panels} };

	like($dashboard->{uid}, qr/^[A-Za-z0-9_-]{1,40}$/, "$file: uid");
	ok(!$uid{ $dashboard->{uid} }++ && !$title{ $dashboard->{title} }++, "$file: uid and title are its own");
	ok(!exists $dashboard->{id}, "$file: no id, which is each Grafana's own");
	cmp_ok($dashboard->{schemaVersion}, '>=', 36, "$file: a schema that all supported Grafanas know");
	cmp_ok($dashboard->{schemaVersion}, '<=', 39, "$file: and that older ones know, too");
	is(scalar(keys %{ { map { $_->{id} => 1 } @all } }), scalar(@all), "$file: ids are unique");
	is(scalar(keys %{ { map { $_->{title} => 1 } @all } }), scalar(@all), "$file: titles are unique");
	foreach my $panel (@panels)
	{
		my @faults = panel_faults($panel);

		push @faults, "overlaps $_->{title}"
		  foreach grep { $_->{id} > $panel->{id} && overlaps($_->{gridPos}, $panel->{gridPos}) } @all;
		is("@faults", '', "$file: $panel->{title}");
	}

	# what is named is there
	my %variable = map { $_->{name} => 1 } @{ $dashboard->{templating}{list} };
	my @unknown = grep { !$variable{$_} && !/^(?:__\w+|timeFilter|m)$/ }
	  map { /\$\{?(\w+)/g } map { $_->{rawSql} // $_->{query} // $_->{expr} } map { @{ $_->{targets} } } @panels;
	is("@unknown", '', "$file: variables in queries are the dashboard's");
	ok((!grep { !length $_->{description} || !length $_->{label} } @{ $dashboard->{templating}{list} }),
		"$file: each variable has a label and a description");
}
is_deeply([ sort map { $_->{name} } @{ $dashboard{'dashboards/laundering.json'}{templating}{list} } ],
	[qw(source target threshold window)], 'threshold, window and pair are chosen by variables');

my %by_uid = map { $_->{uid} => $_ } values %dashboard;
foreach my $link (map { map { @{ $_->{value} } } grep { $_->{id} eq 'links' }
	  map { @{ $_->{properties} } } @{ $_->{fieldConfig}{overrides} } }
	map { FintransGrafana::panels($_) } values %dashboard)
{
	my ($uid) = $link->{url} =~ m{^/d/([\w-]+)\?};
	my %known = map { $_->{name} => 1 } @{ $by_uid{ $uid // '' }{templating}{list} // [] };

	is(join(' ', grep { !$known{$_} } $link->{url} =~ /(?:var-|\{)(?!__)(\w+)/g), '',
		"$link->{title}: leads to a dashboard and its variables");
}

# ------------------------------------------------------------------- the data

my $node = new_node();
my $began = time;
my $influxdb = FintransInflux->new;
FintransGrafana::fill($node->connstr('postgres'), $influxdb->url, rows => $rows, days => $days);
my $filled = time - $began;

sub sql
{
	return $node->safe_psql('postgres', @_);
}

my $now = sql(q{SELECT floor(extract(epoch FROM now()) * 1000)});
my $grafana = FintransGrafana->new(
	conninfo => $node->connstr('postgres') . ' user=grafana',
	influxdb => $influxdb->url, influxdb_database => 'fintrans',
	from => $now - 3_600_000, to => $now, scratch => $made);

# ------------------------------------------- each query answers what is needed

# How often a transaction's partition was read so far.
sub reads
{
	return sql(q{
		SELECT coalesce(sum(seq_scan), 0) + coalesce(sum(idx_scan), 0)
		  FROM pg_stat_all_tables WHERE relname ~ '^fintrans_transactions'});
}

# What is wrong with what a panel gets.
sub frame_faults
{
	my ($panel, @frames) = @_;
	my @faults;

	push @faults, 'no series' unless @frames;
	foreach my $frame (@frames)
	{
		my %types = map { $_->{type} => 1 } @$frame;
		my @numbers = grep { $_->{type} eq 'number' } @$frame;

		push @faults, map { "$_->{name} is $_->{type}" } grep { $_->{type} =~ /unknown/ } @$frame;
		push @faults, 'no rows' unless @$frame && @{ $frame->[0]{values} };
		if ($panel->{type} eq 'timeseries')
		{
			my @times = map { @{ $_->{values} } } grep { $_->{type} eq 'time' } @$frame;

			push @faults, 'no time' if !$types{time} || $frame->[0]{type} ne 'time';
			push @faults, 'no number' unless @numbers;
			push @faults, 'times do not ascend' if "@times" ne join ' ', sort @times;
			push @faults, "$_->{name} has labels in the legend" foreach grep { %{ $_->{labels} // {} } } @numbers;
		}
		elsif ($panel->{type} eq 'stat')
		{
			my $text = $panel->{fieldConfig}{defaults}{unit} eq 'string' ? 'string' : 'number';

			push @faults, 'not one value' if @$frame != 1 || @{ $frame->[0]{values} } != 1;
			push @faults, "$frame->[0]{name} is $frame->[0]{type}"
			  if $frame->[0]{name} ne 'value' || $frame->[0]{type} ne $text;
			push @faults, 'no value' unless defined $frame->[0]{values}[0];
		}
		else
		{
			my %title = map {
				my $override = $_;
				map { $override->{matcher}{options} => $_->{value} } grep { $_->{id} eq 'displayName' } @{ $override->{properties} }
			} @{ $panel->{fieldConfig}{overrides} };
			my @names = map { $_->{name} } @$frame;

			push @faults, "columns @names" if join(' ', sort @names) ne join(' ', sort keys %title);
			push @faults, 'links name other columns'
			  if grep { my $name = $_; !grep { $_ eq $name } @names }
			  JSON::PP->new->encode($panel->{fieldConfig}) =~ /__data\.fields\.(\w+)/g;
		}
	}
	return @faults;
}

# These read rows: nothing else has what they show.
my %reads_rows = map { $_ => 1 } 'Total over time', 'Transactions of the pair', 'Fan-in', 'Rings';
my @report = (sprintf 'made in %.0f s', $filled);
my %frames;

sub report
{
	my ($what, $seconds) = @_;

	push @report, sprintf '%-70s %8.1f ms', $what, $seconds * 1000;
	return;
}

# The median of so many, when it is about how long they take.
my $measurements = defined $ENV{FINTRANS_TEST_GRAFANA_ROWS} ? 5 : 1;

sub median_of
{
	my ($measure) = @_;
	my @seconds = sort { $a <=> $b } map { $measure->() } 1 .. $measurements;

	return $seconds[ $#seconds / 2 ];
}

# How many seconds PostgreSQL takes for it, each time in a new session, and the plan.
sub explain
{
	my ($query) = @_;
	my $plan;
	my $seconds = median_of(sub {
		$plan = $grafana->psql("EXPLAIN (ANALYZE, FORMAT JSON) $query");
		my $explained = decode_json($plan)->[0];
		return ($explained->{'Planning Time'} + $explained->{'Execution Time'}) / 1000;
	});

	return ($seconds, $plan);
}

sub ask_panel
{
	my ($dashboard, $panel, $what) = @_;
	my $before = reads();
	my $frames = $grafana->frames($panel);
	my $after = reads();
	my $elapsed;
	my $source = $panel->{datasource}{uid};

	if ($source eq FintransGrafana::POSTGRESQL)
	{
		my ($query) = $grafana->expand_sql($panel->{targets}[0]{rawSql}, $grafana->interval($panel));

		# plans of functions' own queries are not shown, but counted by reads()
		my $plan;

		($elapsed, $plan) = explain($query);
		if (!$reads_rows{ $panel->{title} } && $what !~ /window/)
		{
			unlike($plan, qr/fintrans_transactions/, "$what: no plan reads transactions");
			is($after - $before, 0, "$what: and no function does");
		}
	}
	else
	{
		$elapsed = median_of(sub {
			my $started = time;
			$grafana->frames($panel);
			return time - $started;
		});
	}
	report($what, $elapsed);
	return @$frames;
}

foreach my $file (grep { /^dashboards/ } @files)
{
	my $dashboard = $dashboard{$file};

	$grafana->choose($dashboard, { threshold => 100000 });
	foreach my $panel (FintransGrafana::panels($dashboard))
	{
		my $what = "$dashboard->{title}: $panel->{title}";
		my @got = ask_panel($dashboard, $panel, $what);

		$frames{$what} = \@got;
		is(join('; ', frame_faults($panel, @got)), '', "$what: has what it needs");
	}
}

# ---------------------------------------------------- and the answers are right

sub series
{
	my ($what) = @_;
	my %series;

	foreach my $frame (@{ $frames{$what} })
	{
		my ($time, @numbers) = @$frame;

		foreach my $number (@numbers)
		{
			@{ $series{ $number->{name} } }{ @{ $time->{values} } } = @{ $number->{values} };
		}
	}
	return \%series;
}

sub column
{
	my ($what, $name) = @_;

	return map { @{ $_->{values} } } grep { $_->{name} eq $name } map { @$_ } @{ $frames{$what} };
}

# as 1234.50; a point is left out where the other source has none
sub rounded
{
	my ($series) = @_;

	return {
		map {
			my $values = $series->{$_};
			$_ => { map { $_ => sprintf '%.2f', $values->{$_} } grep { $values->{$_} } keys %$values }
		} keys %$series
	};
}

# from the rows themselves, by minute
my %wanted;
my $minute = FintransGrafana::moment(int($grafana->{from} / 60000) * 60000);
my $end = FintransGrafana::moment($grafana->{to});
foreach (split /\n/, sql(qq{
	SELECT city, to_char(date_trunc('minute', event_time AT TIME ZONE 'UTC'), 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), sum(amount), avg(amount)
	  FROM fintrans_transactions WHERE event_time >= '$minute' AND event_time < date_trunc('minute', '$end'::timestamptz) + interval '1 minute'
	 GROUP BY 1, 2}))
{
	my ($city, $time, $sum, $average) = split /\|/;

	$wanted{sum}{$city}{$time} = sprintf '%.2f', $sum;
	$wanted{average}{$city}{$time} = sprintf '%.2f', $average;
}
is_deeply(rounded(series('Overall Transactions: Volume per city (PostgreSQL)')), $wanted{sum},
	'volume per city is that of the rows');
is_deeply([ sort keys %{ series('Overall Transactions: Volume per city (InfluxDB)') } ],
	[qw(London Moscow NYC SF Tokyo)], 'InfluxDB has the five cities by name');

# the first and the last minute are cut at other times there
my $cut = sub {
	my ($series) = @_;
	return { map { my $values = $series->{$_};
			$_ => { map { $_ => $values->{$_} } grep { $_ gt $minute && $_ lt FintransGrafana::moment($now - 60000) } keys %$values } } keys %$series };
};
is_deeply($cut->(rounded(series('Overall Transactions: Volume per city (InfluxDB)'))),
	$cut->($wanted{sum}), 'and the same volume');
is_deeply(rounded(series('Overall Transactions: Average amount per city (PostgreSQL)')),
	$wanted{average}, 'averages are those of the rows');

is((column('Laundering: Suspects', 'source_account'))[0] . ' '
	  . (column('Laundering: Suspects', 'target_account'))[0], '516 482', 'the planted pair is the first suspect');
is_deeply([ column('Laundering: Pair', 'value') ], ["516 \x{2192} 482"], 'whom the pair\'s panels show at first');
is_deeply([ (column('Laundering: Total over time', 'Total'))[-1] ], [ 8 * 70000 + 36 ], 'with all that it moved');
is(scalar(column('Laundering: Transactions of the pair', 'amount')), 8, 'transaction by transaction');
is(join(' ', map { s/ .*//r } column('Laundering: Fan-in', 'accounts')) =~ /collector/ ? 1 : 0, 1, 'the fan-in is found');
is((grep { /ring0/ } column('Laundering: Rings', 'accounts')) > 0 ? 1 : 0, 1, 'and the ring');
is_deeply([ column('Laundering: Open alerts', 'value') ],
	[ sql(q{SELECT count(*) FROM fintrans_alerts WHERE state IN ('open', 'reviewing')}) ], 'open alerts are counted');
is_deeply([ sort { $a <=> $b } column('Laundering: Alerts to look at', 'alert_id') ],
	[ split /\n/, sql(q{SELECT alert_id FROM (SELECT alert_id FROM fintrans_alerts ORDER BY 1 DESC LIMIT 100) a ORDER BY 1}) ],
	'and the latest are listed');
is_deeply([ column('Pipeline: Lag', 'value') ], [ 5 * (100 + 200 + 300) ], 'lag is that of the reports');
is_deeply([ column('Pipeline: Halted partitions', 'value') ], [1], 'so are halted partitions');
is((column('Pipeline: Partitions', 'topic'))[0], 'Tokyo', 'which come first');

# what variables choose is what is asked for
my $laundering = $dashboard{'dashboards/laundering.json'};
my ($suspects) = grep { $_->{title} eq 'Suspects' } FintransGrafana::panels($laundering);
foreach my $window ('1 hour', '24 hours', '7 days', '30 days')
{
	$grafana->choose($laundering, { threshold => 400000, window => $window });
	my ($frame) = ask_panel($laundering, $suspects, "Laundering: Suspects, window $window");

	is_deeply([ @{ $frame->[0]{values} } ], [516], "suspects of $window");
}
my ($pair) = grep { $_->{title} eq 'Pair' } FintransGrafana::panels($laundering);
$grafana->choose($laundering, { source => "o'brien", target => '482' });
is_deeply($grafana->frames($pair)->[0][0]{values}, [], 'a quote in a field is a quote, and finds nobody');
$grafana->choose($laundering, { source => 'ring0', target => 'ring1' });
is_deeply($grafana->frames($pair)->[0][0]{values}, ["ring0 \x{2192} ring1"], 'the pair chosen is shown');
my $overall = $dashboard{'dashboards/overall.json'};
$grafana->choose($overall, { city => [ 'London', 'SF' ] });
foreach my $panel (grep { $_->{type} eq 'timeseries' } FintransGrafana::panels($overall))
{
	my @names = map { $_->{name} } grep { $_->{type} eq 'number' } map { @$_ } @{ $grafana->frames($panel) };

	is(join(' ', sort @names), 'London SF', "$panel->{title}: of the cities chosen");
}

# ten days, in steps that hours and days answer for
{
	local $grafana->{from} = $now - $days * 86_400_000;

	$grafana->choose($overall, {});
	foreach my $panel (grep { $_->{datasource}{uid} eq FintransGrafana::POSTGRESQL } FintransGrafana::panels($overall))
	{
		ask_panel($overall, $panel, "Overall Transactions, 10 days: $panel->{title}");
	}
}

# --------------------------------------------------------------- alert rules

# { uid => [ labels and value of each series that is above the limit ] }
sub firing
{
	my %firing;

	foreach my $rule (@rules)
	{
		my ($query, @expressions) = @{ $rule->{data} };
		my $range = $query->{relativeTimeRange};
		my $then = sql(q{SELECT floor(extract(epoch FROM now()) * 1000)});
		my $asked = FintransGrafana->new(%$grafana, from => $then - $range->{from} * 1000, to => $then - $range->{to} * 1000);
		my ($sql) = $asked->expand_sql($query->{model}{rawSql}, 60000);
		my $frame = $asked->sql_frame($query->{model}, 60000);
		my $limit = $expressions[-1]{model}{conditions}[0]{evaluator}{params}[0];

		report("Alert rule: $rule->{title}", (explain($sql))[0])
		  if !grep { /Alert rule: \Q$rule->{title}\E/ } @report;
		$firing{ $rule->{uid} } = @{ $frame->[0]{values} } ? [
			grep { defined $_->{value} && $_->{value} > $limit }
			map { { %{ $_->{labels} }, value => $_->{values}[-1] } } @{$frame}[ 1 .. $#$frame ] ] : undef;
	}
	return \%firing;
}

foreach my $rule (@rules)
{
	my ($query, $reduce, $threshold) = @{ $rule->{data} };
	my $text = JSON::PP->new->canonical->encode({ %$rule, data => [ $reduce, $threshold ] });
	my $dashboard = $by_uid{ $rule->{annotations}{__dashboardUid__} };
	my ($panel) = grep { $_->{id} == $rule->{annotations}{__panelId__} } FintransGrafana::panels($dashboard);

	unlike($text, qr/\$/, "$rule->{uid}: nothing that Grafana takes for its environment");
	is($query->{datasourceUid}, FintransGrafana::POSTGRESQL, "$rule->{uid}: asks PostgreSQL");
	is($query->{model}{format}, 'time_series', "$rule->{uid}: for series");
	is_deeply([ map { $_->{datasourceUid} } $reduce, $threshold ], [ ('__expr__') x 2 ], "$rule->{uid}: expressions");
	is("$reduce->{model}{expression} $threshold->{model}{expression} $rule->{condition}", 'A B C', "$rule->{uid}: one asks the other");
	like($rule->{noDataState}, qr/^(?:OK|Alerting)$/, "$rule->{uid}: no data means something");
	like($rule->{for}, qr/^\d+[sm]$/, "$rule->{uid}: pending");
	ok($panel, "$rule->{uid}: belongs to a panel");
	like($rule->{annotations}{link}, qr{^\{\{ externalURL \}\}d/\Q$dashboard->{uid}\E/}, "$rule->{uid}: links to its dashboard");
	ok((!grep { !length } @{ $rule->{annotations} }{qw(summary description)}), "$rule->{uid}: says what is up");
}

sql(q{UPDATE fintrans_bridge_partitions SET reported_at = now()});
my $firing = firing();
is((grep { $_->{source_account} eq '516' && $_->{target_account} eq '482' && $_->{rule} eq 'default' && $_->{value} > 100000 }
	  @{ $firing->{'fintrans-new-suspect'} }) + 0, 1, 'the planted pair is told as a new suspect, by name');
is((grep { $_->{account} eq 'busy' && $_->{rule} eq 'many at once' } @{ $firing->{'fintrans-new-suspect'} }) + 0, 1,
	'an account as well');
is_deeply([ sort map { "$_->{topic} $_->{reason} $_->{value}" } @{ $firing->{'fintrans-dead-letters'} } ],
	[ map { ("$_ bad_account 1", "$_ bad_amount 3") } qw(London Moscow NYC SF Tokyo) ], 'dead letters are told by city and reason');
is_deeply($firing->{'fintrans-partition-halted'}, [ { topic => 'Tokyo', partition => 3,
			because => 'offsets 4100 to 5029 are lost: Kafka has deleted them', value => 1 } ], 'the halted partition is told, with the reason');
is_deeply($firing->{$_}, [], "$_ is quiet") foreach qw(fintrans-lag-growing fintrans-bridge-silent);
sql(q{UPDATE fintrans_bridge_partitions SET reported_at = now() - interval '90 s' WHERE topic = 'Tokyo'});
is_deeply([ map { "$_->{topic} " . int($_->{value} / 30) } @{ firing()->{'fintrans-bridge-silent'} } ], [ 'Tokyo 3' ],
	'the silence of one topic\'s bridges is not covered by those of others');

sql(q{
	UPDATE fintrans_bridge_minutes SET lag = 1000000 + 1000 * extract(epoch FROM minute - date_trunc('hour', now())) / 60;
	UPDATE fintrans_bridge_partitions SET reported_at = now() - interval '90 s', halted = NULL;
	UPDATE fintrans_alerts SET state = 'dismissed';
	UPDATE fintrans_dead_letters SET rejected_at = now() - interval '1 hour'});
$firing = firing();
is(sprintf('%.0f', $firing->{'fintrans-lag-growing'}[0]{value}), 2000, 'lag that grows by a thousand a minute in two bridges is told');
is(int($firing->{'fintrans-bridge-silent'}[0]{value} / 30), 3, 'and bridges that are silent');
is($firing->{$_}, undef, "$_ has nothing to tell any more")
  foreach qw(fintrans-new-suspect fintrans-dead-letters fintrans-partition-halted);
sql(q{DELETE FROM fintrans_bridge_partitions; DELETE FROM fintrans_bridge_minutes});
$firing = firing();
is($firing->{'fintrans-bridge-silent'}, undef, 'without any report there is no data');
is((grep { $_->{uid} eq 'fintrans-bridge-silent' } @rules)[0]{noDataState}, 'Alerting', 'which is told, too');

# --------------------------------------------------------------- Prometheus

my $expressions = file_of('expressions.yaml');
my %metric = map { $_ => 1 } `fintrans-bridge --show-metrics` =~ /^\| `(\w+)`/mg;
my @queries = map { map { $_->{expr} } @{ $_->{targets} } } FintransGrafana::panels($dashboard{'prometheus/pipeline.json'});
$grafana->{variables} = { city => [ 'London', 'St. John\'s' ] };
YAML::XS::DumpFile($expressions, { groups => [ { name => 'dashboard', rules => [
				map { { record => "query:$_", expr => $grafana->expand_promql($queries[$_], 60000) } } 0 .. $#queries ] } ] });
my $complaints = `promtool check rules '$expressions' 2>&1`;
is($?, 0, 'Prometheus understands each expression') or diag($complaints);
is(join(' ', grep { !$metric{s/_(?:sum|count|bucket)$//r} } map { /\b(fintrans_\w+)/g } @queries), '',
	'and the bridge has what they ask for');

# shown when somebody asked for so many
my $word = defined $ENV{FINTRANS_TEST_GRAFANA_ROWS} ? 'measured: ' : '';
note("$word$_") foreach "$rows transactions", @report;
done_testing();
