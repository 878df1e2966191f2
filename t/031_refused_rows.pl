# A CHECK constraint of a DBA's own refuses rows among many: each becomes a dead
# letter once, in the database transaction of its neighbours' offsets, whatever
# the moment at which the bridge is killed.  A table that refuses everything
# stops the bridge, and stays a mistake that can be mended.
use strict;
use warnings;

use Test::More;

use FintransBroker;
use FintransTest;

my $node = new_node('bridge');
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 1');
$node->restart;
my $broker = FintransBroker->embedded;

sub add_check
{
	my ($condition) = @_;

	$node->safe_psql('postgres', "
		ALTER TABLE fintrans_transactions DROP CONSTRAINT IF EXISTS dba_check;
		ALTER TABLE fintrans_transactions
			ADD CONSTRAINT dba_check CHECK ($condition) NOT VALID");
	return;
}

sub dead_letters
{
	return $node->safe_psql('postgres',
		'SELECT count(*) FROM fintrans_dead_letters');
}

# Kill a bridge that has moved its offsets and copied its rows, and waits to
# write the dead letters of that batch.
sub kill_before_dead_letters
{
	my (@options) = @_;
	my $before = progress($node);

	# held by no session, so that nothing but a test's death can end it early
	$node->safe_psql('postgres', q{
		BEGIN;
		LOCK TABLE fintrans_dead_letters IN SHARE MODE;
		PREPARE TRANSACTION 'no dead letters'});
	my $bridge = start_bridge($node, $broker, 'bridge', @options);
	wait_for {
		$node->safe_psql('postgres', q{
			SELECT count(*) FROM pg_locks WHERE NOT granted
				AND relation = 'fintrans_dead_letters'::regclass}) > 0
	} 'the bridge to write dead letters';
	is($bridge->kill9, -9, 'a bridge is killed before its dead letters');
	$node->safe_psql('postgres', q{ROLLBACK PREPARED 'no dead letters'});
	is(progress($node), $before, 'it has left nothing');
	return;
}

# one row in twenty; awk's % is exact for such numbers
add_check('mod(amount, 20) <> 7');
run_generator($broker, '--count' => 40_000, '--rate' => 0, '--seed' => 16);
my @options = ('--batch-rows' => 3000);
kill_before_dead_letters(@options);
my $bridge = start_bridge($node, $broker, 'bridge', @options,
	'--max-messages' => 15_000);
is($bridge->wait_exit(180), 0, 'a bridge loads a part');
is(progress($node), 15_000, 'and no more');
cmp_ok(dead_letters(), '>', 500, 'which has refused rows');
kill_before_dead_letters(@options);
$bridge = start_bridge($node, $broker, 'bridge', '--exit-at-end');
is($bridge->wait_exit(180), 0, 'the last bridge ends at the end');
is(progress($node), 40_000, 'all messages are handled');
check_exactly_once($node, $broker, 'one in twenty', '$6 % 20 == 7');
is($node->safe_psql('postgres',
		'SELECT DISTINCT detail FROM fintrans_dead_letters'),
	'SQLSTATE 23514, constraint dba_check', 'dead letters say why');

# every second one of those that follow
my $ends = $broker->high_watermarks;
my $follows = join(' || ', map { sprintf '($1 == "%s" && $2 == %d && $3 >= %d)',
		split(/ /), $ends->{$_} } sort keys %$ends);
my $is_refused = "(\$6 % 20 == 7 || ((\$6 % 2 == 1) && ($follows)))";
add_check('mod(amount, 2) = 0');
run_generator($broker, '--count' => 10_000, '--rate' => 0, '--seed' => 17);
$bridge = start_bridge($node, $broker, 'bridge', '--exit-at-end');
is($bridge->wait_exit(180), 0, 'the bridge ends at the end');
check_exactly_once($node, $broker, 'one in two', $is_refused);

# a mistake in the table: nothing of a large batch becomes a dead letter
my $before = dead_letters();
add_check('amount < 0');
run_generator($broker, '--count' => 5000, '--rate' => 0, '--seed' => 18);
$bridge = start_bridge($node, $broker, 'bridge', '--linger-ms' => 5000);
is($bridge->wait_exit(180), 1, 'a table that refuses everything stops the bridge');
like($bridge->logged,
	qr/1000 rows in succession were refused \(SQLSTATE 23514, constraint dba_check\)/,
	'which says why');
is(dead_letters(), $before, 'and has made no dead letters');
add_check('mod(amount, 2) = 0');
$bridge = start_bridge($node, $broker, 'bridge', '--exit-at-end');
is($bridge->wait_exit(180), 0, 'with the table mended it ends at the end');
check_exactly_once($node, $broker, 'mended', $is_refused);

# SIGTERM while a row is to be refused: the writer, whom a lock has held up
# beyond the drain, finishes when the consumer is gone already
$node->safe_psql('postgres', q{
	BEGIN;
	LOCK TABLE fintrans_offsets IN SHARE ROW EXCLUSIVE MODE;
	PREPARE TRANSACTION 'no moves'});
$broker->produce('London', '1 2 3');
$bridge = start_bridge($node, $broker, 'bridge');
wait_for {
	$node->safe_psql('postgres', q{
		SELECT count(*) FROM pg_locks WHERE NOT granted
			AND relation = 'fintrans_offsets'::regclass}) > 0
} 'the bridge to move its offsets';
$bridge->signal('TERM');
wait_for {
	# librdkafka's threads are gone: the consumer is closed
	!$bridge->running || scalar(() = glob('/proc/' . $bridge->pid . '/task/*')) <= 2
} 'the consumer to be closed';
$node->safe_psql('postgres', q{ROLLBACK PREPARED 'no moves'});
is($bridge->wait_exit(180), 0, 'a writer that outlives the drain does no harm');
like($bridge->logged, qr/event="stopped before all was stored, /,
	'it has outlived it');
$bridge = start_bridge($node, $broker, 'bridge', '--exit-at-end');
is($bridge->wait_exit(180), 0, 'the next bridge ends at the end');
check_exactly_once($node, $broker, 'SIGTERM and a refused row', $is_refused);

# a data error in somebody's row trigger is not the row's fault: it is retried
$before = dead_letters();
$node->safe_psql('postgres', q{
	CREATE FUNCTION divide() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN NEW.amount := NEW.amount / 0; RETURN NEW; END $$;
	CREATE TRIGGER divide BEFORE INSERT ON fintrans_transactions
		FOR EACH ROW EXECUTE FUNCTION divide()});
$broker->produce('London', '1 2 4');
$bridge = start_bridge($node, $broker, 'bridge');
wait_for { $bridge->logged =~ /retrying" sqlstate=22012/ } 'the trigger to fail';
is(dead_letters(), $before, 'a row trigger that fails makes no dead letter');
$node->safe_psql('postgres', 'DROP TRIGGER divide ON fintrans_transactions');
wait_until_loaded($node, $broker);
is($bridge->stop, 0, 'and the row is stored when it is gone');
is(dead_letters(), $before, 'as a row');

# what somebody's functions say may name an account: it is not logged, neither
# their errors nor their warnings, in a trigger, a CHECK, or at COMMIT
$node->safe_psql('postgres', q{
	CREATE FUNCTION block() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		RAISE WARNING 'account % is watched', NEW.source_account;
		RAISE EXCEPTION 'account % is blocked', NEW.source_account
			USING ERRCODE = TG_ARGV[0];
	END $$;
	CREATE FUNCTION is_fine(account text) RETURNS boolean LANGUAGE plpgsql AS $$
	BEGIN
		RAISE EXCEPTION 'account % is not fine', account USING ERRCODE = 'P0003';
	END $$});
$broker->produce('London', '7654321 2 4');
foreach my $rule (
	[ 'P0001', q{CREATE TRIGGER block BEFORE INSERT ON fintrans_transactions
		FOR EACH ROW EXECUTE FUNCTION block('P0001')},
		'DROP TRIGGER block ON fintrans_transactions' ],
	[ 'P0002', q{CREATE CONSTRAINT TRIGGER block AFTER INSERT
		ON fintrans_transactions DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION block('P0002')},
		'DROP TRIGGER block ON fintrans_transactions' ],
	[ 'P0003', q{ALTER TABLE fintrans_transactions ADD CONSTRAINT calls
		CHECK (is_fine(source_account)) NOT VALID},
		'ALTER TABLE fintrans_transactions DROP CONSTRAINT calls' ])
{
	my ($sqlstate, $add, $drop) = @$rule;

	$node->safe_psql('postgres', $add);
	$bridge = start_bridge($node, $broker, 'bridge', '--log-level' => 'debug');
	wait_for { $bridge->logged =~ /SQLSTATE $sqlstate, the text is kept back/ }
	"$sqlstate to be logged";
	# before it can store the row; one that was refused at COMMIT has ended
	$bridge->kill9;
	$node->safe_psql('postgres', $drop);
	unlike($bridge->logged, qr/7654321/, "$sqlstate: no account is logged");
}
$bridge = start_bridge($node, $broker, 'bridge', '--exit-at-end');
is($bridge->wait_exit(180), 0, 'without those functions it ends at the end');

# small batches are stored until the limit, but restarts do not move it
$before = dead_letters();
add_check('amount < 0');
run_generator($broker, '--count' => 5000, '--rate' => 0, '--seed' => 19);
for my $start (1 .. 2)
{
	$bridge = start_bridge($node, $broker, 'bridge', '--batch-rows' => 150);
	is($bridge->wait_exit(180), 1, "start $start is stopped");
}
cmp_ok(dead_letters() - $before, '<', 1000,
	'both starts together have made less than 1000 dead letters');
cmp_ok(dead_letters() - $before, '>', 0, 'but some');
is($node->safe_psql('postgres', 'SELECT * FROM fintrans_verify()'), '',
	'verify finds no difference');
unlike($bridge->logged, qr/Failing row/, 'no row is logged');

done_testing();
