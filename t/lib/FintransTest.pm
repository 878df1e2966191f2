# What the TAP tests share: a PostgreSQL with the extension, our programs as
# processes, waiting for conditions, and the one check that every load and
# every fault must pass in the end.
package FintransTest;

use strict;
use warnings;

use Exporter 'import';
use File::Basename qw(basename);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use FintransProcess;

our @EXPORT = qw(
  audit_offsets
  check_exactly_once
  file_of
  last_move
  moves_of
  new_node
  next_offsets
  progress
  run_generator
  start_bridge
  start_generator
  start_psql
  start_standby
  test_data
  wait_for
  wait_until_loaded
);

# No condition in these tests takes longer on any machine that is alive.
my $patience = 180;

# A file of this test's own, below the log directory that a failure leaves.
sub file_of
{
	my ($name) = @_;

	return
	  "$PostgreSQL::Test::Utils::log_path/" . basename($0, '.pl') . "_$name";
}

# The directory of real input of that name.  Undefined if there is none, which
# continuous integration does not accept.
sub test_data
{
	my ($name) = @_;
	my $directory = ($ENV{FINTRANS_TEST_DATA} // '') . "/$name";

	return $directory if -d $directory;
	BAIL_OUT("no test data: $directory") if $ENV{CI};
	return;
}

# A running PostgreSQL whose database postgres has the extension, and for
# each name a role that may do what a bridge must and no more.
sub new_node
{
	my (@bridges) = @_;
	my $node = PostgreSQL::Test::Cluster->new('main');

	$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION fintrans');
	foreach my $bridge (@bridges)
	{
		$node->safe_psql(
			'postgres', qq{
			CREATE ROLE $bridge LOGIN;
			SELECT fintrans_grant('$bridge', 'writer')});
	}
	return $node;
}

# A standby of a node made by new_node(), streaming and readable.
sub start_standby
{
	my ($primary) = @_;
	my $standby = PostgreSQL::Test::Cluster->new('standby');

	$primary->append_conf('postgresql.conf',
		"wal_level = replica\nmax_wal_senders = 4\nhot_standby = on");
	$primary->restart;
	$primary->backup('copy');
	$standby->init_from_backup($primary, 'copy', has_streaming => 1);
	$standby->start;
	return $standby;
}

# A psql session of its own: what is said to it runs in the background.
sub start_psql
{
	my ($node, $name) = @_;

	return FintransProcess->start($name, 'psql', '-XAtq', '-v',
		'ON_ERROR_STOP=1', $node->connstr('postgres'));
}

# Let the database note which role moved which partition on, from where and
# where to: what the programs themselves say about that proves nothing.
sub audit_offsets
{
	my ($node) = @_;

	$node->safe_psql(
		'postgres', q{
		CREATE TABLE moves (move bigserial, bridge text, topic text,
			kafka_partition int, from_offset bigint, to_offset bigint);
		CREATE FUNCTION note_move() RETURNS trigger LANGUAGE plpgsql
		SECURITY DEFINER AS $$
		BEGIN
			INSERT INTO public.moves (bridge, topic, kafka_partition,
				from_offset, to_offset)
			VALUES (session_user, NEW.topic, NEW.kafka_partition,
				OLD.next_offset, NEW.next_offset);
			RETURN NULL;
		END $$;
		CREATE TRIGGER note_move AFTER UPDATE OF next_offset
			ON fintrans_offsets FOR EACH ROW
			WHEN (NEW.next_offset <> OLD.next_offset)
			EXECUTE FUNCTION note_move()});
	return;
}

# How often a bridge has moved a partition on (after the move given, if any).
sub moves_of
{
	my ($node, $bridge, $after) = @_;
	my $number = $after // 0;

	return $node->safe_psql('postgres',
		"SELECT count(*) FROM moves
		  WHERE bridge = '$bridge' AND move > $number");
}

sub last_move
{
	my ($node) = @_;

	return $node->safe_psql('postgres',
		'SELECT coalesce(max(move), 0) FROM moves');
}

# start_bridge NODE, BROKER, NAME, OPTIONS...: a bridge under its own role
sub start_bridge
{
	my ($node, $broker, $name, @options) = @_;

	return FintransProcess->start(
		$name, 'fintrans-bridge',
		'--brokers' => $broker->bootstrap,
		'--database' => $node->connstr('postgres') . " user=$name",
		'--group' => 'fintrans-test',
		# a member that died without a word is missed after this time
		'-X' => 'session.timeout.ms=' . $broker->session_timeout_ms,
		'-X' => 'heartbeat.interval.ms=500',
		@options);
}

sub start_generator
{
	my ($broker, @options) = @_;

	return FintransProcess->start('generator', 'fintrans-generator',
		'--brokers' => $broker->bootstrap, @options);
}

# Run the generator to its end, which must be a good one.
sub run_generator
{
	my ($broker, @options) = @_;
	my $generator = start_generator($broker, @options);

	is($generator->wait_exit($patience), 0, 'generator delivered everything');
	return;
}

# wait_for { CONDITION } WHAT: dies after a generous time
sub wait_for(&$)
{
	my ($condition, $what) = @_;
	my $deadline = time + $patience;

	until ($condition->())
	{
		die "timed out waiting for $what\n" if time > $deadline;
		sleep(0.05);
	}
	return;
}

# { "topic partition" => next_offset } as the database has it
sub next_offsets
{
	my ($node) = @_;
	my $answer = $node->safe_psql('postgres',
		q{SELECT topic || ' ' || kafka_partition, next_offset
			FROM fintrans_offsets});

	return { map { split /\|/ } split /\n/, $answer };
}

# How far the database has come over all partitions together.
sub progress
{
	my ($node) = @_;

	return $node->safe_psql('postgres',
		'SELECT coalesce(sum(next_offset - first_offset), 0)
		   FROM fintrans_offsets');
}

# True once the database has come to the end of every partition.
sub all_loaded
{
	my ($node, $broker) = @_;
	my $next = next_offsets($node);
	my $high = $broker->high_watermarks;

	foreach my $partition (keys %$high)
	{
		# a partition without messages need not have been taken up yet
		return 0 if ($next->{$partition} // 0) < $high->{$partition};
	}
	return 1;
}

sub wait_until_loaded
{
	my ($node, $broker) = @_;

	wait_for { all_loaded($node, $broker) } 'all messages to be loaded';
	return;
}

# awk has doubles only, so totals are summed in units of 10^-4: exact here
my $sum_pairs = <<'AWK';
{
	dot = index($6, ".")
	whole = dot ? substr($6, 1, dot - 1) : $6
	decimals = dot ? substr($6, dot + 1) : ""
	while (length(decimals) < 4) decimals = decimals "0"
	total[$4 " " $5] += whole * 10000 + decimals
	count[$4 " " $5]++
}
END {
	for (pair in total)
	{
		rest = total[pair] % 10000
		printf "%s %d.%04d %d\n", pair, (total[pair] - rest) / 10000, rest, count[pair]
	}
}
AWK

# check_exactly_once NODE, BROKER, WHAT: every message that Kafka holds is in
# the database exactly once, at its own coordinates and with its contents; the
# totals are those that awk finds over what kcat reads; nothing was refused;
# and the extension finds no difference either.  If a fourth argument is given,
# the messages for which that awk condition holds are dead letters instead,
# byte for byte.
sub check_exactly_once
{
	my ($node, $broker, $what, $is_refused) = @_;
	my $messages = file_of('messages');
	my $refused = file_of('refused');
	my $letters = file_of('dead_letters');
	my $rows = file_of('rows');
	my $wanted = file_of('totals_wanted');
	my $found = file_of('totals_found');

	$broker->write_messages($messages);
	ok(-s $messages, "$what: there are messages");
	take_refused($messages, $is_refused // 0, $refused);
	$node->safe_psql('postgres', "
		COPY (SELECT concat_ws(' ', topic, kafka_partition, kafka_offset,
		                       convert_from(payload, 'UTF8'), reason)
		        FROM fintrans_dead_letters) TO '$letters'");
	sort_file($refused);
	sort_file($letters);
	same_files($refused, $letters, defined $is_refused
		? "$what: dead letters are the messages refused, each exactly once"
		: "$what: no dead letters");
	query_to_file($node, $rows, q{
		SELECT city, kafka_partition, kafka_offset, source_account,
		       target_account, amount
		  FROM fintrans_transactions WHERE kafka_offset IS NOT NULL});
	sort_file($messages);
	sort_file($rows);
	same_files($messages, $rows,
		"$what: rows are the messages, each offset exactly once");

	shell("awk '$sum_pairs' '$messages' > '$wanted'");
	sort_file($wanted);
	query_to_file($node, $found, q{
		SELECT source_account, target_account, round(total, 4), transactions
		  FROM fintrans_laundering});
	sort_file($found);
	same_files($wanted, $found, "$what: totals are awk's");

	is_deeply(nonempty(next_offsets($node)),
		nonempty($broker->high_watermarks),
		"$what: next offsets are the ends of the partitions");
	is($node->safe_psql('postgres', 'SELECT * FROM fintrans_verify()'),
		'', "$what: verify finds no difference");
	return;
}

sub nonempty
{
	my ($offsets) = @_;

	return { map { $_ => $offsets->{$_} }
		  grep { $offsets->{$_} > 0 } keys %$offsets };
}

# Blank-separated lines; no account in these tests holds a blank.
sub query_to_file
{
	my ($node, $file, $query) = @_;

	$node->safe_psql('postgres',
		"COPY ($query) TO '$file' (DELIMITER ' ')");
	return;
}

# Move the messages for which an awk condition holds to a file of their own,
# with the reason that their dead letters must have.
sub take_refused
{
	my ($messages, $condition, $refused) = @_;
	my $left = "$messages.left";

	shell("touch '$refused' '$left'");
	shell("awk '$condition { print \$0, \"refused\" > \"$refused\"; next }
		{ print > \"$left\" }' '$messages' && mv '$left' '$messages'");
	return;
}

sub sort_file
{
	my ($file) = @_;

	shell("LC_ALL=C sort -o '$file' '$file'");
	return;
}

sub same_files
{
	my ($wanted, $found, $what) = @_;
	my $differences = `diff '$wanted' '$found' 2>&1 | head -n 20`;

	is($differences, '', $what);
	return;
}

sub shell
{
	my ($command) = @_;

	system('bash', '-c', "set -o pipefail; $command") == 0
	  or die "failed: $command\n";
	return;
}

1;
