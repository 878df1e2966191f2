# The connection breaks after a COMMIT and before its answer, and what the bridge
# does when it connects again fails at first: it still looks whether the batch
# was committed before it tries to store it again.
use strict;
use warnings;

use Test::More;

use FintransBroker;
use FintransTest;

my $node = new_node('bridge');
audit_offsets($node);
$node->append_conf('postgresql.conf', "wal_level = replica\nmax_wal_senders = 1");
$node->restart;
my $broker = FintransBroker->embedded;

# a lock that cannot be had, as far as the bridge can tell
$node->safe_psql('postgres', q{
	CREATE TABLE denied ();
	ALTER FUNCTION fintrans_ensure_partitions(timestamptz, timestamptz)
		RENAME TO ensure_partitions;
	CREATE FUNCTION fintrans_ensure_partitions(timestamptz, timestamptz)
	RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS $$
	BEGIN
		IF EXISTS (SELECT FROM public.denied) THEN
			RAISE EXCEPTION 'not now' USING ERRCODE = 'lock_not_available';
		END IF;
		RETURN public.ensure_partitions($1, $2);
	END $$;
	GRANT EXECUTE ON FUNCTION
		fintrans_ensure_partitions(timestamptz, timestamptz) TO bridge});

my $bridge = start_bridge($node, $broker, 'bridge');
$broker->produce('London', '1 2 3');
wait_for { progress($node) == 1 } 'the first message';

# a COMMIT that waits for a standby has happened, but is not answered
$node->safe_psql('postgres', q{ALTER SYSTEM SET synchronous_standby_names = 'nobody'});
$node->reload;
$broker->produce('London', '1 2 4');
my $waiting = q{FROM pg_stat_activity WHERE usename = 'bridge' AND wait_event = 'SyncRep'};
wait_for { $node->safe_psql('postgres', "SELECT count(*) $waiting") > 0 } 'a COMMIT';
$node->safe_psql('postgres', qq{
	SET synchronous_commit = local;
	INSERT INTO denied DEFAULT VALUES;
	SELECT pg_terminate_backend(pid) $waiting});
wait_for { $bridge->logged =~ /sqlstate=55P03/ } 'the bridge to fail when it is connected';
is(progress($node), 2, 'the batch had been committed');

$node->safe_psql('postgres', q{ALTER SYSTEM RESET synchronous_standby_names});
$node->reload;
$node->safe_psql('postgres', 'DELETE FROM denied');
$broker->produce('London', '1 2 5');
wait_until_loaded($node, $broker);
is($bridge->stop, 0, 'the bridge ends well');
unlike($bridge->logged, qr/another writer/, 'it saw that the batch was committed');
check_exactly_once($node, $broker, 'lost COMMIT');

done_testing();
