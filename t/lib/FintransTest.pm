# What the TAP tests share: a PostgreSQL with the extension, our programs as
# processes, and waiting for conditions; with FintransInvariants, the one check
# that every load and every fault must pass in the end.
package FintransTest;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use FintransInvariants;
use FintransProcess;

our @EXPORT = (@FintransInvariants::EXPORT, qw(
  audit_offsets
  last_move
  moves_of
  new_node
  progress
  run_generator
  start_bridge
  start_generator
  start_psql
  start_standby
  test_data
  wait_for
  wait_until_loaded
));

# No condition in these tests takes longer on any machine that is alive.
my $patience = 180;

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

	# which nobody asks for, but might be logged
	local $ENV{PGPASSWORD} = $FintransInvariants::secret;
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

1;
