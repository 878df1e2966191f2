# The detector prints one line for each pair above its threshold: those still
# open first, then live; strictly above, once each, and none is missed.
use strict;
use warnings;

use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use FintransProcess;
use FintransTest;

my $node = new_node();
$node->safe_psql(
	'postgres', q{
	CREATE ROLE watcher LOGIN;
	SELECT fintrans_grant('watcher', 'reader');
	SELECT fintrans_grant('watcher', 'operator');
	SELECT fintrans_ensure_partitions(now(), now())});
my $database = $node->connstr('postgres') . ' user=watcher';

sub transfer
{
	my ($source, $target, $amount) = @_;

	$node->safe_psql('postgres', "
		INSERT INTO fintrans_transactions (event_time, city, source_account,
			target_account, amount)
		VALUES (now(), 'London', '$source', '$target', $amount)");
	return;
}

sub line_of
{
	my ($source, $target, $total) = @_;

	# the blank at the end is the demo's
	return "POTENTIAL MONEY LAUNDERING: $source -> $target totalling $total now \n";
}

my $name = 0;

sub start_detector
{
	my (@options) = @_;

	return FintransProcess->start('detector' . ++$name, 'fintrans-detector',
		'--database' => $database, @options);
}

# What `fintrans-detector --once` prints, which must end well.
sub print_once
{
	my (@options) = @_;
	my $detector = start_detector('--once', @options);

	is($detector->wait_exit(180), 0, "detector --once @options ends well");
	return $detector->output;
}

# ---------------------------------------------------- what is there already

transfer(516, 482, 8644);
transfer(1, 2, 8000);
transfer(3, 4, 5000);
transfer(3, 4, '3000.01');

my $first = line_of(516, 482, 8644) . line_of(3, 4, '8000.01');
is_deeply([ sort split /^/, print_once('--threshold' => 8000) ],
	[ sort split /^/, $first ],
	'the pairs strictly above the threshold are printed');

# ------------------------------------------------------------------- live

my $detector = start_detector('--threshold' => 8000);
wait_for { $detector->output =~ tr/\n// == 2 } 'the open alerts';
transfer(1, 2, '0.5');
wait_for { $detector->output =~ tr/\n// == 3 } 'an alert as it comes';
is((split /^/, $detector->output)[2], line_of(1, 2, '8000.5'),
	'a pair that crosses the threshold is printed at once');

# only the crossing counts; the marker shows that the others were passed over
transfer(1, 2, 100);
transfer(516, 482, 100);
transfer('marker', 'a', 9000);
wait_for { $detector->output =~ /marker/ } 'the marker';
is((split /^/, $detector->output)[3], line_of('marker', 'a', 9000),
	'a pair above is not printed again');
unlike($detector->output, qr/\e/, 'no colour in a file');

# announced while the detector looks, with a snapshot from before: it looks again
# for it, and not when its time to do so has come
my $patient = start_detector('--threshold' => 8000, '--poll-ms' => 3600000);
wait_for { $patient->output =~ /marker/ } 'the first look';
my $psql = start_psql($node, 'locker');

# How many seconds it takes from the commit to the line of the alert.
sub announce_during_look
{
	my ($try) = @_;

	$psql->say("BEGIN; LOCK TABLE fintrans_alerts IN ACCESS EXCLUSIVE MODE; \\echo locked $try");
	wait_for { $psql->output =~ /locked $try/ } 'the lock';
	$node->safe_psql('postgres', 'NOTIFY fintrans_alerts');
	wait_for {
		$node->safe_psql('postgres', q{
			SELECT count(*) FROM pg_stat_activity
			 WHERE backend_type = 'client backend' AND wait_event_type = 'Lock'}) == 2
	} 'the looks that wait for the lock';
	my $committed = time;
	$psql->say("INSERT INTO fintrans_transactions (event_time, city, source_account, target_account, amount)
		VALUES (now(), 'London', 'while', 'looking$try', 8500); COMMIT;");
	wait_for { $patient->output =~ /while -> looking$try / } 'an alert announced during a look';
	return time - $committed;
}

# One that missed it would wait for at least five seconds each time; that a machine is
# slow makes none of them shorter, and one of three that is shorter is enough.
my $tries = 0;
my $seconds;
do { $seconds = announce_during_look(++$tries) } while ($seconds >= 4 && $tries < 3);
cmp_ok($seconds, '<', 4, 'it looks again without waiting');
$psql->say('\\q');
is($psql->wait_exit(180), 0, 'they are committed');
is($patient->stop, 0, 'the patient detector ends well');

# the database goes away and comes back, with alerts nobody was told of
$node->stop('immediate');
$node->start;
transfer('after', 'crash', 9001);
wait_for { $detector->output =~ /after -> crash/ } 'an alert after a crash';
ok($detector->running, 'the detector outlives a crash of the database');
is($detector->stop, 0, 'the detector ends well on SIGTERM');
my @lines = split /^/, $detector->output;
is(scalar(@lines), 5 + $tries, 'each alert was printed once');

# ------------------------------------------------------------ while away

transfer('missed', 'it', 9002);
like(print_once('--threshold' => 8000), qr/missed -> it/,
	'a detector that was away misses nothing');
$node->safe_psql('postgres', q{
	UPDATE fintrans_alerts SET state = 'dismissed' WHERE source_account = 'missed'});
unlike(print_once('--threshold' => 8000), qr/missed -> it/,
	'an alert that was decided is not printed again');

# -------------------------------------------------------------- the rules

is($node->safe_psql('postgres', 'SELECT name, threshold FROM fintrans_rules'),
	'default|8000', 'there is one rule');
{
	local $ENV{ALERT_THRESHOLD} = '9002.0';
	is(print_once('--rule' => 'strict'), '',
		'another rule has its own threshold, from ALERT_THRESHOLD');
	local $ENV{ALERT_THRESHOLD} = 9000;
	is_deeply([ sort split /^/, print_once('--rule' => 'strict') ],
		[ sort { $a cmp $b } line_of('after', 'crash', 9001), line_of('missed', 'it', 9002) ],
		'a lowered threshold alerts on the pairs already above');
}
is($node->safe_psql('postgres',
		'SELECT name, threshold FROM fintrans_rules ORDER BY name'),
	"default|8000\nstrict|9000", 'and the first rule was left alone');

# ----------------------------------------------------------------- colour

# What it prints on a terminal of its own, of the one pair above 9001.5.
sub print_on_terminal
{
	my (@options) = @_;
	my $terminal = FintransProcess->start_on_terminal('terminal' . ++$name,
		'fintrans-detector', '--database' => $database, '--once',
		'--rule' => 'colour', '--threshold' => '9001.5', @options);

	is($terminal->wait_exit(180), 0, 'detector on a terminal ends well');
	return $terminal->output =~ s/.* level=.*\r\n//gr;
}

my $coloured =
  "\e[31;1mPOTENTIAL MONEY LAUNDERING:\e[0m missed -> it totalling 9002 now \r\n";
my $plain = "POTENTIAL MONEY LAUNDERING: missed -> it totalling 9002 now \r\n";

is(print_on_terminal(), $coloured, 'red on a terminal');
is(print_on_terminal('--plain'), $plain, 'not with --plain');
foreach my $value ('true', '1', 'no', '0', 'x')
{
	local $ENV{PROD_OUTPUT} = $value;
	is(print_on_terminal(), $plain, "not with PROD_OUTPUT=$value");
}
foreach my $value ('false', 'FALSE', '')
{
	local $ENV{PROD_OUTPUT} = $value;
	is(print_on_terminal(), $coloured, "but with PROD_OUTPUT=$value");
}
foreach my $value ('no', '0', 'false')
{
	local $ENV{PROD_OUTPUT} = 1;
	local $ENV{FINTRANS_PLAIN} = $value;
	is(print_on_terminal(), $coloured, "FINTRANS_PLAIN=$value wins over it");
}

# ------------------------------------------------------------------- JSON

my @objects = map { decode_json($_) } split /\n/,
  print_once('--rule' => 'strict', '--threshold' => 9000, '--format' => 'json');
is_deeply(
	[ sort map { "$_->{source_account} $_->{target_account} $_->{total}" } @objects ],
	[ 'after crash 9001', 'missed it 9002' ],
	'JSON lines have the accounts and the total');

# --------------------------------------------------------------- accounts

# A windowed rule about accounts: its alert is printed when it is raised, and
# again when it escalates; one under an exemption is not.
$node->safe_psql('postgres', q{
	SELECT fintrans_set_rule('spent in a day', 20000, kind => 'outgoing_total', "window" => '1 day');
	SELECT fintrans_exempt('known', now() + interval '1 day', account => 'treasury')});
my $watcher = start_detector('--rule' => 'spent in a day');
transfer('treasury', 'shop', 50000);
transfer('spender', 'shop', 25000);
wait_for { $watcher->output =~ tr/\n// == 1 } 'an alert about an account';
transfer('spender', 'shop', 20000);
wait_for { $watcher->output =~ tr/\n// == 2 } 'its escalation';
is($watcher->output, join('', map {
	"POTENTIAL MONEY LAUNDERING: spender totalling $_ now \n" } 25000, 45000),
	'an account is printed when it exceeds the threshold, and twice of it');
is($watcher->stop, 0, 'the detector of accounts ends well');
my ($json) = map { decode_json($_) } split /\n/,
  print_once('--rule' => 'spent in a day', '--format' => 'json');
is("$json->{account} $json->{total} $json->{level}", 'spender 45000 1',
	'JSON has the account, the value and the level');
is($json->{source_account}, undef, 'and no pair');
like($json->{window_end}, qr/^\d{4}-\d\d-\d\dT\d\d:00:00Z\z/, 'and the window');
like($json->{$_}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*Z\z/, "$_ is in UTC, as it is elsewhere")
  foreach qw(raised_at escalated_at);

# ------------------------------------------------------ formats and filters

# Whoever reads the pairs as a program does: by COPY's own reader of CSV.
sub pairs_of_csv
{
	my ($text) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . '/alerts.csv';
	my ($columns) = $text =~ /^(.*)\n/;

	open(my $handle, '>', $file) or die "$file: $!\n";
	print $handle $text;
	close($handle);
	$columns =~ s/,/ text, /g;
	return $node->safe_psql('postgres', qq{
		CREATE TEMP TABLE alerts ($columns text);
		\\copy alerts FROM '$file' WITH (FORMAT csv, HEADER match)
		SELECT rule, source_account, target_account, account, total, state, level,
		       window_start IS NULL, raised_at::timestamptz = (SELECT raised_at
		         FROM fintrans_alerts a WHERE a.alert_id = alerts.alert_id::bigint)
		  FROM alerts ORDER BY total::numeric DESC});
}

# The totals of JSON's lines, as they stand there.
sub totals_of_json
{
	my ($text) = @_;

	return join ' ', sort { $b <=> $a } $text =~ /"total":([^,]+),/g;
}

my @large = ([ 'f,1', 'f"2', '70000.123456789012345' ], [ 'f3', 'f4', 60000 ], [ 'f5', 'f6', '50000.5' ]);
transfer(@$_) foreach @large;
$node->safe_psql('postgres', q{SELECT fintrans_set_rule('large', 48000)});

like(print_once('--rule' => 'spent in a day', '--format' => 'csv'),
	qr/"spender",[^\n]*(?:,"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*Z"){4},$/m, 'CSV has times of the same form');
is(pairs_of_csv(print_once('--rule' => 'large', '--format' => 'csv')), <<'END' =~ s/\n\z//r,
large|f,1|f"2||70000.123456789012345|open|0|t|t
large|f3|f4||60000|open|0|t|t
large|f5|f6||50000.5|open|0|t|t
large|treasury|shop||50000|open|0|t|t
END
	'CSV has the columns, whatever is in them');
is(print_once('--rule' => 'large', '--format' => 'csv', '--min-amount' => 70001),
	'"alert_id","rule","state","source_account","target_account","account","total",'
	  . '"transactions","threshold","level","window_start","window_end","raised_at",'
	  . qq{"escalated_at","assigned_to"\n},
	'CSV of no alerts has a header');
is(totals_of_json(print_once('--rule' => 'large', '--format' => 'json')),
	'70000.123456789012345 60000 50000.5 50000', 'JSON has exact numbers');
is(totals_of_json(print_once('--rule' => 'large', '--format' => 'json', '--min-amount' => '50000.50')),
	'70000.123456789012345 60000 50000.5', '--min-amount is the least');
# the senders exceed the second rule too, but for the one that is exempt
is(totals_of_json(print_once('--rule' => 'large', '--rule' => 'spent in a day',
		'--format' => 'json', '--min-amount' => 45000)),
	join(' ', ('70000.123456789012345') x 2, (60000) x 2, ('50000.5') x 2, 50000, 45000), 'two rules');
$node->safe_psql('postgres', q{
	SELECT fintrans_review(alert_id, 'reviewing') FROM fintrans_alerts WHERE source_account = 'f3'});
is(totals_of_json(print_once('--rule' => 'large', '--format' => 'json')),
	'70000.123456789012345 50000.5 50000', 'without --state the open ones');
is(totals_of_json(print_once('--rule' => 'large', '--format' => 'json', '--state' => 'reviewing')),
	'60000', '--state asks for others');

# a pair without a window is printed once: who follows would never see it grow
my $hiding = start_detector('--rule' => 'large', '--min-amount' => 55000);
is($hiding->wait_exit(180), 1, '--min-amount is not for following a rule without a window');
like($hiding->logged, qr/--min-amount would hide what grows: rule \\"large\\" has no window/, 'and says so');

$node->safe_psql('postgres', q{
	SELECT fintrans_set_rule('large in a day', 48000, kind => 'pair_total', "window" => '1 day')});
my $filtered = start_detector('--rule' => 'large in a day', '--min-amount' => 55000, '--format' => 'json');
transfer('f7', 'f8', 54999);
transfer('f9', 'f10', 55000);
wait_for { $filtered->output =~ /"f9"/ } 'what comes';
unlike($filtered->output, qr/"f7"/, 'filters hold while following');
transfer('f7', 'f8', 45001);
wait_for { $filtered->output =~ /"f7"/ } 'what has grown';
is($filtered->stop, 0, 'the filtering detector ends well');
is(totals_of_json(join '', grep { /"f7"/ } split /^/, $filtered->output), '100000',
	'what was left out is printed when it escalates');
is(totals_of_json(print_once('--rule' => 'large', '--format' => 'json', '--min-amount' => 100000)),
	'54999', 'without a window the total as it is now counts');

# a name that was mistyped makes no rule
my $mistyped = start_detector('--once', '--rule' => 'large', '--rule' => 'lrge');
is($mistyped->wait_exit(180), 1, 'a rule that is not there is an error');
like($mistyped->logged, qr/there is no rule \\"lrge\\"; there are: \\"colour\\", \\"default\\", \\"large\\", \\"large in a day\\", \\"spent in a day\\", \\"strict\\"/,
	'which names those that are');

like(`fintrans-detector --rule 'just below' --rule large --show-options`,
	qr/^rule +flag +just below\nrule +flag +large$/m, 'names of rules are no secret');

done_testing();
