# /health, /ready and /metrics of a real bridge: what they say when the database,
# Kafka, a topic or a partition is not as it should be, that the numbers are
# those of the database, that nothing secret is in them, and that nobody can keep
# others from being answered.
use strict;
use warnings;

use HTTP::Tiny;
use IO::Select;
use IO::Socket::INET;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use FintransBroker;
use FintransTest;

my $node;
my $port = PostgreSQL::Test::Cluster::get_free_port();
my $client = HTTP::Tiny->new(timeout => 20, keep_alive => 0);
my $slowest = 0;
my $said = '';

# The answer to GET, which must come; all that was ever said is kept.
sub get
{
	my ($path) = @_;
	my $began = time;
	my $answer = $client->get("http://127.0.0.1:$port$path");

	die "$path: $answer->{content}" if $answer->{status} == 599;
	$slowest = time - $began if time - $began > $slowest;
	$said .= $answer->{content};
	return $answer;
}

# Does /ready say so?  /health must be good whatever it says.
sub ready_is
{
	my ($status, $pattern) = @_;
	my $ready = get('/ready');

	die "/health: " . get('/health')->{content}
	  if get('/health')->{status} != 200;
	return $ready->{status} == $status && $ready->{content} =~ $pattern;
}

sub wait_until_ready_is
{
	my ($status, $pattern, $what) = @_;

	wait_for { ready_is($status, $pattern) } $what;
	pass("$what, and /health is good");
	return;
}

# { series => value }; promtool must have nothing to say.
sub metrics
{
	my $answer = get('/metrics');
	my $file = file_of('metrics');

	unlink $file;
	append_to_file($file, $answer->{content});
	my $complaints = `promtool check metrics < '$file' 2>&1`;
	die "promtool: $complaints" if $? or $complaints;
	return { map { /^([^#].*) (\S+)$/ ? ($1 => $2) : () }
		  split /\n/, $answer->{content} };
}

# The series of one metric that are not 0, by their labels' values.
sub counted
{
	my ($name) = @_;
	my $metrics = metrics();
	my %counted;

	foreach (grep { /^fintrans_bridge_\Q$name\E\{/ } keys %$metrics)
	{
		$counted{ join ' ', /="([^"]*)"/g } = $metrics->{$_} if $metrics->{$_};
	}
	return \%counted;
}

sub value
{
	my ($series) = @_;
	my $value = metrics()->{"fintrans_bridge_$series"};

	die "there is no $series\n" unless defined $value;
	return $value;
}

sub held
{
	my ($query) = @_;
	my $answer = $node->safe_psql('postgres', $query);

	return { map { split /\|/ } split /\n/, $answer };
}

# What a server says to these bytes until it closes, "" for nothing.
sub raw
{
	my ($bytes) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
		PeerPort => $port, Timeout => 20)
	  or die "could not connect: $!\n";
	my $answer = '';

	local $SIG{PIPE} = 'IGNORE';
	for (my $sent = 0; $sent < length($bytes);)
	{
		$sent += syswrite($socket, $bytes, 65536, $sent) // last;
	}
	while (IO::Select->new($socket)->can_read(20))
	{
		last unless sysread($socket, $answer, 65536, length($answer));
	}
	return $answer;
}

$node = new_node('bridge');
my $broker = FintransBroker->embedded(partitions => 2);
my @options = ('--topics' => 'London,NYC', '--linger-ms' => 20,
	'--status-seconds' => 1, '--http-port' => $port,
	'-X' => 'reconnect.backoff.max.ms=500');
$ENV{PGPASSWORD} = 'open-sesame';

# A bridge that can be asked.
sub start_watched
{
	my $started = start_bridge($node, $broker, 'bridge', @options);

	wait_for { $started->logged =~ /event="listening for HTTP"/ } 'the bridge';
	return $started;
}

# ------------------------------------------- before there is a database

$node->stop;
my $bridge = start_watched();
wait_until_ready_is(503, qr/^state: retrying\ndatabase: fails for \d+ s: \S/m,
	'without a database it is not ready, and names it');
is(get('/health')->{content}, "alive\n", '/health says that it is alive');
my $metrics = metrics();
is($metrics->{'fintrans_bridge_rows_committed_total{topic="NYC"}'}, 0,
	'counters are there from the start');
is($metrics->{'fintrans_bridge_dead_letters_total{topic="NYC",reason="refused"}'},
	0, 'with all their labels');
is($metrics->{'fintrans_bridge_not_ready{cause="database"}'}, 1,
	'a number has the cause');
is($metrics->{'fintrans_bridge_state{state="retrying"}'}, 1, 'and the state');
like(get('/metrics')->{headers}{'content-type'},
	qr{^text/plain; version=0\.0\.4; charset=utf-8$},
	'Prometheus is told the version of its format');

my $second = start_bridge($node, $broker, 'second', @options);
is($second->wait_exit(180), 1, 'a port that is taken ends a second bridge');
like($second->logged,
	qr/could not listen for HTTP on address 127\.0\.0\.1, port $port: Address already in use/,
	'which says why');

# --------------------------------------------------------------- at work

$node->start;
wait_until_ready_is(200, qr/^ready\nstate: loading\n$/,
	'with a database it gets ready');
my @bad = (undef, '1 2', '1 2 x', '1 2 -1', '1 2 3 4 5');
$broker->produce('London', '7654321 2 3', @bad, '7654321 2 4');
$broker->produce_to('NYC', 1, '7654321 3 5.25', "\xff 2 3", 'x' x 2000);
$node->safe_psql('postgres', 'ALTER TABLE fintrans_transactions
	ADD CONSTRAINT dba_check CHECK (amount <> 666) NOT VALID');
$broker->produce('London', '7654321 2 666', '7654321 2 5');
wait_for { progress($node) == 12 } 'all messages to be handled';

sub numbers_are_the_databases
{
	my ($what) = @_;
	my $rows = held('SELECT city, count(*) FROM fintrans_transactions
		GROUP BY city');
	my $letters = held(q{SELECT topic || ' ' || reason, count(*)
		FROM fintrans_dead_letters GROUP BY topic, reason});
	my ($handled) = $node->safe_psql('postgres', 'SELECT
		(SELECT count(*) FROM fintrans_transactions) +
		(SELECT count(*) FROM fintrans_dead_letters)');

	# the bridge counts when the answer to the COMMIT has come
	wait_for { value('latency_seconds_count') == $handled } 'the last COMMIT';
	is_deeply(counted('rows_committed_total'), $rows,
		"$what: rows are counted as the database has them");
	is_deeply(counted('dead_letters_total'), $letters,
		"$what: so are dead letters, by reason");
	my $last = $node->safe_psql('postgres',
		'SELECT extract(epoch FROM max(updated_at)) FROM fintrans_offsets');
	cmp_ok(value('last_commit_timestamp_seconds'), '>=', int($last),
		"$what: the last COMMIT was not before the last batch");
	is(value('batch_duration_seconds_count'),
		value('batches_total{result="committed"}'),
		"$what: each batch stored has a duration");
	wait_for { !%{ counted('consumer_lag') } } 'the lag to end';
	pass("$what: there is no lag");
	return;
}

numbers_are_the_databases('at work');
is(scalar(keys %{ held(q{SELECT reason, 1 FROM fintrans_dead_letters}) }), 6,
	'dead letters of six reasons were among them');
is_deeply(counted('messages_consumed_total'), { London => 9, NYC => 3 },
	'each message was read once');
is_deeply(counted('partitions_assigned'), {}, 'a number without labels');
is(value('partitions_assigned'), 4, 'has its value');
wait_for { $bridge->logged =~ /event=status state=loading transactions=4 .* lag=0 dead_letters=8 / }
'a line of status';
pass('the log has the same state and numbers');

# -------------------------------------------------- the database goes away

$node->stop('immediate');
wait_until_ready_is(503, qr/^state: retrying\n(?:.*\n)*database: fails for/m,
	'with nothing to store it misses the database, and names it');
$broker->produce('London', '1 2 3');
$node->start;
wait_until_ready_is(200, qr/^state: loading$/m, 'when it is back it is ready');
wait_for { progress($node) == 13 } 'the message that came meanwhile';
numbers_are_the_databases('after an outage');
cmp_ok(value('db_reconnects_total'), '>=', 1, 'the reconnect is counted');
cmp_ok(value('retries_total{sqlstate_class="none"}')
	  + value('retries_total{sqlstate_class="57"}'), '>=', 1,
	'so are the attempts');

# -------------------------------------------------------- Kafka goes away

$broker->command('down');
wait_until_ready_is(503, qr/^kafka: no broker answers: /m,
	'without Kafka it is not ready, and names it');
is(value('state{state="retrying"}'), 1, 'its state is retrying');
$broker->command('up');
wait_until_ready_is(200, qr/^state: loading$/m, 'when it is back it is ready');

$broker->command('topic-error NYC TOPIC_AUTHORIZATION_FAILED');
wait_until_ready_is(503,
	qr/^topic: topic "NYC": Broker: Topic authorization failed$/m,
	'a topic that may not be read is named');
$broker->command('topic-error NYC NO_ERROR');
wait_until_ready_is(200, qr/^ready$/m, 'until it may');

$broker->command('leader London 1 -1');
wait_until_ready_is(503, qr/^unanswered: topic "London" partition 1: /m,
	'a partition without a leader is named');
is(value('partition_unanswered{topic="London",partition="1"}'), 1, 'and counted');
$broker->command('leader London 1 1');
wait_until_ready_is(200, qr/^ready$/m, 'until it has one');

# ------------------------------------------------------ nothing says why

$broker->command('error Fetch REQUEST_TIMED_OUT 1000');
$broker->produce('London', '1 2 3');
wait_until_ready_is(503,
	qr/^stalled: topic "London" partition 0: nothing was stored for 2\d s at offset 10, with a lag of 1$/m,
	'a partition that stands still, though nothing seems wrong, is named');
$broker->command('clear Fetch');
wait_until_ready_is(200, qr/^ready$/m, 'until it gets on');
is(progress($node), 14, 'nothing is lost');

# ------------------------------------- a database that is silent, and SIGTERM

my $session = start_psql($node, 'locker');
$session->say('BEGIN; LOCK TABLE fintrans_offsets IN SHARE ROW EXCLUSIVE MODE; SELECT 1;');
wait_for { $session->output =~ /1/ } 'the lock';
$broker->produce('London', '1 2 4');
wait_until_ready_is(503, qr/^database: has not answered for 2\d s$/m,
	'a database that is silent is named');
is(counted('consumer_lag')->{'London 0'}, 1, 'what is not stored is lag');
$bridge->signal('TERM');
wait_until_ready_is(503, qr/^state: stopping\nstopping: /m,
	'a bridge that was told to stop says so');
$session->say('ROLLBACK;');
is($bridge->wait_exit(180), 0, 'it ends well');
wait_for { progress($node) == 15 } 'what it had read';
like($bridge->logged, qr/event=status state=stopping /,
	'its last line of status has that state too');
$session->kill9;

# ---------------------------------------------------- a partition is halted

$node->safe_psql('postgres', q{
	UPDATE fintrans_offsets SET next_offset = next_offset + 100,
		skipped = skipped + 100, last_offset = NULL
	 WHERE topic = 'London' AND kafka_partition = 0});
$bridge = start_watched();
wait_until_ready_is(503,
	qr/^not ready\nstate: halted\nhalted: topic "London" partition 0: .*offset/,
	'a partition that is halted is named');
is_deeply(counted('partition_halted'), { 'London 0' => 1 }, 'and counted alone');
$broker->produce_to('London', 1, '1 2 5');
wait_for { counted('rows_committed_total')->{London} } 'the other one';
pass('the other one is loaded');
wait_for { $bridge->logged =~ /event=status state=halted .* halted=1 / }
'a line of status';
pass('the log has the same state');
is($bridge->stop, 0, 'it ends well');
$node->safe_psql('postgres', q{
	UPDATE fintrans_offsets SET next_offset = next_offset - 100,
		skipped = skipped - 100
	 WHERE topic = 'London' AND kafka_partition = 0});

# -------------------------------------------------------------- bad clients

$bridge = start_watched();
wait_until_ready_is(200, qr/^ready$/m, 'a last bridge is ready');
foreach my $method (qw(POST PUT DELETE TRACE OPTIONS CONNECT PATCH get NONSENSE))
{
	like(raw("$method /health HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd"),
		qr/^HTTP\/1\.1 405 .*\r\nAllow: GET, HEAD\r\n/s, "$method is not allowed");
}
like(raw("GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000000\r\n\r\nabcd"),
	qr/^HTTP\/1\.1 200 .*\r\n\r\nalive\n$/s, 'a body is not waited for');
like(raw("HEAD /health HTTP/1.1\r\nHost: x\r\n\r\n"),
	qr/^HTTP\/1\.1 200 .*\r\nContent-Length: 6\r\n(?:[^\r\n]+\r\n)*\r\n$/s,
	'HEAD is answered without a body');
like(raw("GET /health?x=1 HTTP/1.0\r\n\r\n"), qr/ 200 .*alive\n$/s,
	'HTTP 1.0, with a query, is answered');
foreach my $path ('/', '/healthy', '/health/', '/../etc/passwd', '/%2e%2e/health',
	'//health', '*')
{
	like(raw("GET $path HTTP/1.1\r\nHost: x\r\n\r\n"), qr/^HTTP\/1\.1 404 /,
		"$path is not found");
}
# several requests on one connection are one
my $answers = () = raw("GET /health HTTP/1.1\r\nHost: x\r\n\r\n" x 3) =~ /alive/g;
is($answers, 1, 'a connection serves one request');
foreach my $nonsense ("\x00" x 100_000, "GET\r\n\r\n", ('x' x 1_000_000) . "\r\n\r\n")
{
	unlike(raw($nonsense), qr/ 200 /, 'nonsense is not answered');
}
like(raw("GET /health HTTP/1.1\r\nHost: x\r\nX: " . ('x' x 1_000_000) . "\r\n\r\n"),
	qr/^(?:HTTP\/1\.1 4\d\d .*)?$/s, 'a header of a megabyte is refused');
like(raw("GET /" . ('x' x 1_000_000) . " HTTP/1.1\r\n\r\n"),
	qr/^(?:HTTP\/1\.1 4\d\d .*)?$/s, 'so is such a path');
is(get('/health')->{status}, 200, 'the others are answered');

# a thousand that never come to an end, while messages are loaded
my $before = progress($node);
my $slow_client = file_of('slow.pl');
append_to_file($slow_client, <<'END');
use IO::Socket::INET;
$| = 1;
foreach (1 .. 1000)
{
	my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$ARGV[0]")
	  or die "$@\n";
	syswrite($socket, "GET /health HTTP/1.1\r\nX: ");
	push @sockets, $socket;
}
print "connected\n";
sleep;
END
my $slow = FintransProcess->start('slow', 'bash', '-c',
	'ulimit -n 2048; exec perl "$0" "$1"', $slow_client, $port);
my $generator = start_generator($broker, '--count' => 20_000, '--rate' => 0,
	'--seed' => 50, '--topics' => 'London,NYC');
$slowest = 0;
my $asked = 0;
wait_for { $asked++; get('/health'); die $slow->logged unless $slow->running;
	$slow->output =~ /connected/ }
'a thousand slow connections';
is(get('/health')->{status}, 200, 'others are answered') foreach 1 .. 10;
note(sprintf('slowest answer of %d among slow connections: %.3f s',
		$asked + 10, $slowest));
is($generator->wait_exit(180), 0, 'the generator ends well');
wait_for { progress($node) == $before + 20_000 } 'all messages to be loaded';
pass('loading goes on meanwhile');
wait_for { value('latency_seconds_count') == 20_000 } 'the last COMMIT';
my $counted = counted('rows_committed_total');
is($counted->{London} + $counted->{NYC}, 20_000, 'and is counted');
$slow->kill9;
is($bridge->stop, 0, 'the bridge ends well');

# ------------------------------------------------------------------ secrets

unlike($said, qr/open-sesame/, 'no answer has the password');
unlike($said, qr/7654321/, 'or an account');
unlike($bridge->logged, qr/open-sesame|7654321/, 'nor has the log');
is($node->safe_psql('postgres', 'SELECT * FROM fintrans_verify()'), '',
	'verify finds no difference');

done_testing();
