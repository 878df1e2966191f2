# Reviews at a terminal: what is answered is what the database has afterwards,
# once; whoever was faster wins, and nothing that a person leaves leaves a trace.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use FintransProcess;
use FintransProxy;
use FintransTest;

# a terminal need not be able to do anything
$ENV{TERM} = 'dumb';

my $node = new_node();
$node->safe_psql(
	'postgres', q{
	CREATE ROLE alice LOGIN;
	CREATE ROLE bob LOGIN;
	CREATE ROLE carol LOGIN;
	CREATE ROLE dave LOGIN;
	SELECT fintrans_grant(name, ability)
	  FROM unnest('{alice,bob}'::regrole[]) name, unnest('{reader,operator}'::text[]) ability;
	SELECT fintrans_grant('carol', 'reader'), fintrans_grant('dave', 'operator'),
	       fintrans_set_rule('default', 8000),
	       fintrans_ensure_partitions('2025-03-03', '2025-03-05')});

sub sql
{
	my ($sql) = @_;

	return $node->safe_psql('postgres', $sql);
}

sub transfer
{
	my ($source, $target, $amount, $count) = @_;

	return sql("
		INSERT INTO fintrans_transactions (event_time, city, source_account,
			target_account, amount)
		SELECT '2025-03-04 09:00Z'::timestamptz + n * interval '1 minute', 'London',
		       $source, $target, $amount
		  FROM generate_series(0, $count - 1) n");
}

# The alert of the pair that begins with this account: its state, who is to look
# at it, and what was done about it.
sub alert_of
{
	my ($source) = @_;

	return sql("
		SELECT concat_ws(' ', a.state, 'for ' || a.assigned_to) || coalesce(
		         (SELECT string_agg('; ' || concat_ws(' ', d.decision, 'by', d.reviewed_by,
		                                              quote_literal(d.note)), '' ORDER BY d.review_id)
		            FROM fintrans_reviews d WHERE d.alert_id = a.alert_id), '')
		  FROM fintrans_alerts a WHERE a.source_account = $source");
}

my $name = 0;
my $question = qr/\[c\]onfirm \[d\]ismiss \[s\]nooze \[r\]eview s\[k\]ip \[e\]vidence \[q\]uit\? /;
my $note = qr/Note \(Enter for none, Ctrl-D goes back\): /;
my $either = qr/$question|$note/;

sub start_review
{
	my ($role, @options) = @_;
	my $review = FintransProcess->start_on_terminal('review' . ++$name,
		'exec', 'fintrans-detector', '--review', '--database',
		$node->connstr('postgres') . " user=$role",
		@options);

	$review->{seen} = 0;
	return $review;
}

# Wait until this is shown; returns all that was shown since the last time.
sub shown
{
	my ($review, $pattern) = @_;
	my $text;

	wait_for {
		($text) = substr($review->output, $review->{seen}) =~ /\A(.*?$pattern)/s;
		defined $text || !$review->running;
	} "$pattern";
	die "not shown: $pattern\n" . $review->output unless defined $text;
	$review->{seen} += length $text;
	return $text =~ s/\r\n/\n/gr;
}

# Press these keys, and wait until that is shown.
sub answer
{
	my ($review, $keys, $pattern) = @_;

	$review->type($keys);
	return shown($review, $pattern);
}

sub ended_ok
{
	my ($review, $what) = @_;

	is($review->wait_exit(180), 0, "$what ends well");
	unlike($review->output, qr/[^\r\n\x20-\x7e\x80-\xff]|\xc2[\x80-\x9f]/,
		"$what: nothing that commands a terminal");
	return;
}

# the last one has doubled, and comes first
my $evil = "E'evil\\x1b[2J\\u009b\\u202e'";
transfer("'a1'", "'b1'", 9000, 1);
transfer("'a2'", "'b2'", 8100.5, 1);
transfer("'a3'", "'b3'", 9000, 1);
transfer("'a4'", "'b4'", 9000, 1);
transfer("'a5'", "'b5'", 9000, 1);
transfer($evil, "E'J\\u00fcrgen'", 9000, 1);
transfer("'a7'", "'b7'", '1000.01', 25);
sql(q{SELECT fintrans_review(alert_id, 'reviewing', E'an old\x1b[31m note') FROM fintrans_alerts
	   WHERE target_account = E'J\u00fcrgen'});

# --------------------------------------------------------- who may, and where

sub refused_ok
{
	my ($role, @rest) = @_;
	my $pattern = pop @rest;
	my $review = start_review($role, @rest);

	is($review->wait_exit(180), 1, "$role may not review @rest");
	like($review->output, $pattern, 'and is told why');
	return;
}

refused_ok('carol', qr/role \\"carol\\" may not review, it lacks the ability \\"operator\\": SELECT fintrans_grant\('carol', 'operator'\)/);
refused_ok('dave', qr/lacks the ability \\"reader\\": SELECT fintrans_grant\('dave', 'reader'\)/);
refused_ok('alice', '--rule', 'nonsense', qr/there is no rule \\"nonsense\\"; there are: \\"default\\"/);

my $blind = FintransProcess->start('blind', 'fintrans-detector', '--review', '--database',
	$node->connstr('postgres') . ' user=alice');
is($blind->wait_exit(180), 2, 'without a terminal there is no review');
like($blind->logged, qr/\Afintrans-detector: option --review: standard input is not a terminal\n\z/,
	'which is wrong use');

# ---------------------------------------------------------------- evidence

my $alice = start_review('alice');
my $text = shown($alice, $question);
like($text, qr/^Alert 7 of rule "default" \(6 more after it\)$/m, 'what has doubled comes first');
like($text, qr/^  subject  pair a7 -> b7$/m, 'its pair is shown');
like($text, qr/^  value    25000\.25 now, 25000\.25 when raised or escalated; alerts above 8000, level 1$/m,
	'and its value');
like($text, qr/^Nothing was decided about this subject before\.$/m, 'and that it is new');
like($text, qr/^Evidence, 25 transactions:$/m, 'its evidence is counted');

# as many lines as the terminal of 24 has
my @times = $text =~ /^  2025-03-04T(\d\d:\d\d):00Z  London  a7  b7  1000\.01$/mg;
my $first = scalar(@times);
cmp_ok(scalar(split /^/, $text), '<=', 24, 'all that is shown fits');
like($text, qr/^  and @{[ 25 - $first ]} more: e shows them$/m, 'the rest is counted');
push @times, answer($alice, "e\n", $question) =~ /^  2025-03-04T(\d\d:\d\d):00Z /mg;
is("@times", join(' ', map { sprintf '09:%02d', $_ } 0 .. 24), 'and comes when it is asked for');
like(answer($alice, "E \n", $question), qr/^That was all\.$/m, 'then there is no more');

# --------------------------------------------------------------- decisions

like(answer($alice, "confrm\n", $question), qr/^That is none of these: /m,
	'an answer that is none is asked for again');
answer($alice, "\n", $question);
like(answer($alice, "k\n", $question), qr/^Alert 7: skipped\.\n.*subject  pair a1 -> b1$/ms, 'skipped, then the oldest');
is(alert_of("'a7'"), 'open', 'who skips leaves no trace');

answer($alice, "c\n", $note);
$text = answer($alice, "money mule, J\xc3\xbcrgen's \"friend\"\n", $question);
like($text, qr/^Alert 1: confirmed\.$/m, 'confirmed');
is(alert_of("'a1'"),
	"confirmed; reviewing by alice; confirmed by alice 'money mule, J\xc3\xbcrgen''s \"friend\"'",
	'as the database has it');

like($text, qr/subject  pair a2 -> b2$/m, 'the next one');
answer($alice, "dismiss\n", $note);
answer($alice, "\cD", $question);
is(alert_of("'a2'"), 'open', 'Ctrl-D goes back, and nothing is written');
answer($alice, "d\n", $note);
like(answer($alice, "a\e[A\n", $note), qr/^that has a control character, as an arrow key types$/m, 'a note has no cursor keys');
like(answer($alice, "\eOD\n", $note), qr/^that has a control character/m, 'nor those of another mode');
like(answer($alice, "a\0b\n", $note), qr/^That has a NUL character, or is too long\.$/m, 'nor is it cut at a NUL');
like(answer($alice, 'x' x 5000 . "\n", $note), qr/^That has a NUL character, or is too long\.$/m,
	'or where the terminal cuts it');
like(answer($alice, "a payroll\n", $question), qr/^Alert 2: dismissed\.$/m, 'dismissed');
is(alert_of("'a2'"), "dismissed; reviewing by alice; dismissed by alice 'a payroll'",
	'as the database has it');

my $until = qr/Until when \(2h, 3 days, or a time in UTC; Ctrl-D goes back\)\? /;
my $before = sql('SELECT clock_timestamp()');
answer($alice, "s\n", $until);
like(answer($alice, "tomorrow\n", $until), qr/^that is not 2h, 3 days, /m, 'what is no time is asked for again');
like(answer($alice, "-1h\n", $until), qr/^that is not in the future$/m, 'and so is what has passed');
answer($alice, "3 days\n", $note);
like(answer($alice, "\n", $question), qr/^Alert 3: snoozed\.$/m, 'snoozed');
is(alert_of("'a3'"), 'open; snoozed by alice', 'as the database has it, without a note');
is(sql("SELECT a.quiet_until = d.quiet_until AND a.quiet_until - interval '3 days'
		       BETWEEN timestamptz '$before' - interval '1 ms' AND clock_timestamp()
		  FROM fintrans_alerts a JOIN fintrans_reviews d USING (alert_id) WHERE a.source_account = 'a3'"),
	't', 'for three days');

# what was typed before a question was shown is no answer to it
$text = answer($alice, "k\nc\nnot meant\n", $question);
like($text, qr/^Alert 4: skipped\.\n.*subject  pair a5 -> b5$/ms, 'keys are not taken in advance');

# ------------------------------------------------------------ somebody else

sql(q{SET SESSION AUTHORIZATION bob;
	SELECT fintrans_review(5, 'reviewing'), fintrans_review(5, 'confirmed', 'seen before')});
answer($alice, "d\n", $note);
$text = answer($alice, "a mistake\n", $question);
like($text, qr/^Somebody else was faster, or it has escalated: nothing was written\.\nAlert 5 is confirmed now, by bob\.$/m,
	'a race that was lost is told');
is(alert_of("'a5'"), "confirmed; reviewing by bob; confirmed by bob 'seen before'",
	'and what was decided stands');

like($text, qr/^  subject  pair evil\\x1B\[2J\\u009B\\u202E -> J\xc3\xbcrgen$/m, 'names are made harmless');
like($text, qr/^  state    reviewing by postgres since /m, 'who reviews it already is told');
like($text, qr/^  \S+Z alert 6 \(default\) reviewing by postgres: an old\\x1B\[31m note$/m,
	'so is what was done, made harmless too');
sql(q{SELECT fintrans_assign(6, 'erin', 'knows them')});
answer($alice, "c\n", $note);
$text = answer($alice, "\n", $question);
like($text, qr/nothing was written\.\n\nAlert 6 of .*, assigned to erin$/ms, 'any change is shown before it is decided');
answer($alice, "r\n", $note);
like(answer($alice, "\n", $question), qr/^Alert 6: reviewing\.\n\nAlert 6 of .*^  state    reviewing by alice since /ms,
	'a review can be begun alone, and is shown as it is then');
is(answer($alice, "q\n", qr/Of this session: [^\n]*\n/) =~ s/.*(?=Of)//sr,
	"Of this session: 1 confirmed, 1 dismissed, 1 snoozed, 1 reviewing, 2 skipped.\n", 'the session is summed up');
ended_ok($alice, 'a session that was quit');
is(alert_of($evil) =~ s/'an old.*note'/N/r,
	"reviewing for erin; reviewing by postgres N; assigned by postgres 'knows them'; reviewing by alice",
	'as the database has it');

# somebody else has to decide what she reviews, and what she begins to review
sql(q{INSERT INTO fintrans_settings VALUES ('separate_duties', 'on')});
my $bob = start_review('bob', '--state', 'reviewing');
shown($bob, $question);
answer($bob, "c\n", $note);
like(answer($bob, "two of us\n", qr/No alert is left to be reviewed\./), qr/^Alert 6: confirmed\.$/m,
	'--state has what others have begun to review');
ended_ok($bob, 'a session that has come to its end');
like(alert_of($evil), qr/^confirmed .*; confirmed by bob 'two of us'\z/, 'which he may decide');

$alice = start_review('alice', '--rule', 'default', '--min-amount', '25000.25');
shown($alice, $question);
my $another = qr/^Somebody else has to decide: with separate_duties on, who begins a review does not end it\.$/m;
foreach (qw(c d))
{
	like(answer($alice, "$_\n", $either), $another, 'who would begin a review need not type why she ends it');
}
is(alert_of("'a7'"), 'open', 'and nothing was written');
sql(q{UPDATE fintrans_settings SET value = 'off' WHERE name = 'separate_duties'});
answer($alice, "r\n", $note);
answer($alice, "\n", $question);
answer($alice, "c\n", $either);
# switched on since it was shown
sql(q{UPDATE fintrans_settings SET value = 'on' WHERE name = 'separate_duties'});
like(answer($alice, "\n", $question),
	qr/^Nothing was written: alert 7 must be decided by somebody else than who reviews it$/m,
	'duties are separate');
answer($alice, "r\n", $note);
answer($alice, "\n", $question);
like(answer($alice, "d\n", $either), $another, 'nor need she who has begun it');
is(alert_of("'a7'"), 'reviewing; reviewing by alice; reviewing by alice', 'nor was anything written but that');
# another one begins a review since the page was read
sql(q{SELECT fintrans_review(7, 'reviewing')});
like(answer($alice, "d\n", $either), qr/^  state    reviewing by postgres since /m, 'who may decide since is shown the alert again');
answer($alice, "d\n", $note);
answer($alice, "\cD", $question);
sql(q{DELETE FROM fintrans_reviews WHERE alert_id = 7; UPDATE fintrans_alerts SET state = 'open' WHERE alert_id = 7});
answer($alice, "k\n", qr/No alert is left to be reviewed\./);
ended_ok($alice, 'a session with filters');
sql(q{DELETE FROM fintrans_settings WHERE name = 'separate_duties'});

# ------------------------------------------------------------ narrow terminal

my $narrow = FintransProcess->start_on_terminal('narrow', 'sh', '-c',
	'stty cols 50 rows 16; exec fintrans-detector --review --database "$0"',
	$node->connstr('postgres') . ' user=alice');
$narrow->{seen} = 0;
transfer("'an account with quite a long name'", "'J'", 9000, 1);
shown($narrow, $question);
$text = answer($narrow, "k\n", $question);
$text .= answer($narrow, "k\n", $question);
like($text, qr/^  2025-03-04T09:00:00Z  London  an acc\S* ?\S*\.\.\.  J  9000$/m, 'what is too wide is cut');
is(join(' ', grep { length > 50 } $text =~ /^(  2025-.*)$/mg), '', 'evidence has the width of the terminal');
$narrow->type("\cD");
ended_ok($narrow, 'Ctrl-D');

# ------------------------------------------------------------- much evidence

# more than a person would page through is neither counted nor shown
sub tall_ok
{
	my ($heading, $next, $last, $what) = @_;
	my $review = FintransProcess->start_on_terminal('tall' . ++$name, 'sh', '-c',
		'stty rows 600; exec fintrans-detector --review --rule much --database "$0"',
		$node->connstr('postgres') . ' user=alice');

	$review->{seen} = 0;
	my $shown = shown($review, $question);

	like($shown, qr/^Evidence, $heading transactions:$/m, "$what: counted");
	like($shown, qr/^  and $next$/m, "$what: there are more than fit");
	my $rest = answer($review, "e\n", $question);
	is(scalar(() = "$shown$rest" =~ /^  2025-03-\d\dT\S+Z  London  a14  b14  8$/mg), 1000, "$what: a thousand are shown");
	is($rest =~ /^  (and .*)$/m ? $1 : '', $last, "$what: what is left");
	like(answer($review, "e\n", $question), qr/^No more of it is shown here\.$/m, "$what: no more comes");
	$review->type("\cD");
	ended_ok($review, $what);
	return;
}

transfer("'a14'", "'b14'", 8, 1000);
sql(q{SELECT fintrans_set_rule('much', 7999, kind => 'pair_total', "window" => '2 days')});
sql(q{UPDATE fintrans_alerts SET quiet_until = 'infinity' WHERE rule = 'much' AND source_account <> 'a14'});
tall_ok('1000', '\d+ more: e shows them', '', 'a thousand transactions');
transfer("'a14'", "'b14'", 8, 1);
tall_ok('more than 1000', 'more: e shows the next ones',
	sql(q{SELECT 'and more: fintrans_evidence(' || alert_id || ') has all' FROM fintrans_alerts WHERE rule = 'much' AND source_account = 'a14'}),
	'one more');
sql(q{DELETE FROM fintrans_alerts WHERE rule = 'much'; DELETE FROM fintrans_rules WHERE name = 'much'});
sql(q{UPDATE fintrans_alerts SET quiet_until = 'infinity' WHERE source_account = 'a14'});

# --------------------------------------------------------- it goes on meanwhile

transfer("'a9'", "'b9'", 9500, 1);
$alice = start_review('alice', '--min-amount', 9500);
shown($alice, $question);
like(answer($alice, "k\n", $question), qr/^  value    9500 now, .* level 0$/m, 'a total, as it is now');
transfer("'a9'", "'b9'", '6500.01', 1);
answer($alice, "d\n", $note);
like(answer($alice, "small\n", $question),
	qr/nothing was written\.\n.*^  value    16000\.01 now, 9500 when raised or escalated; alerts above 8000, level 1$/ms,
	'one that has doubled since is shown before it is decided');
answer($alice, "q\n", qr/Of this session: 1 skipped\./);
ended_ok($alice, 'a session meanwhile');
is(alert_of("'a9'"), 'open', 'and nothing was written');

# ------------------------------------------------------- a connection is lost

# Of the one session of alice's; earlier ones may take a while to be gone.
sub break_connection
{
	wait_for { sql(q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'alice'}) == 1 } 'the one session';
	is(sql(q{SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'alice'}),
		1, 'a connection is broken');
	return;
}

$alice = start_review('alice', '--min-amount', 20000);
shown($alice, $question);
break_connection();
$text = shown($alice, $question);
like($text, qr/^The connection to the database is lost: .*^Connected again\.\n.*^Alert 7 of /ms,
	'a connection that is lost is told at once, and made again');
answer($alice, "\cC", qr/Nothing was decided\./);
ended_ok($alice, 'Ctrl-C');
is(alert_of("'a7'"), 'open', 'nothing was decided');

# what is logged of it meanwhile stands in lines of its own
$alice = start_review('alice', '--min-amount', 20000);
shown($alice, $question);
$alice->type('c');
$node->stop('immediate');
shown($alice, qr/Connecting again; Ctrl-C ends\./);
$node->start;
shown($alice, $question);
like($alice->output, qr/ level=warning program=fintrans-detector event="database notice" sqlstate=57P0[12] /,
	'a warning of the server is logged');
unlike($alice->output, qr/[^\n]\d{4}-\d\d-\d\dT\S+ level=/, 'and breaks no other line');
$alice->type("\cD");
ended_ok($alice, 'a session whose server went away');

# the answer to COMMIT gets lost, the decision does not, and is made once
my $proxy = FintransProxy->start($node);
my $lost = FintransProcess->start_on_terminal('lost', 'fintrans-detector', '--review',
	'--min-amount', 20000, '--database', $proxy->connstr('alice'));
$lost->{seen} = 0;
shown($lost, $question);
$proxy->command('lose-commit 1');
answer($lost, "c\n", $note);
$text = answer($lost, "once\n", qr/Of this session: [^\n]*\n/);
like($text, qr/^Connected again\.  The decision was written\.\nAlert 7: confirmed\.$/m,
	'a decision whose answer got lost is found');
ended_ok($lost, 'a session behind a bad network');
is(alert_of("'a7'"), "confirmed; reviewing by alice; confirmed by alice 'once'", 'and was made once');

# the connection breaks before that: nothing is written, and it is asked again
transfer("'a8'", "'b8'", 30000, 1);
sql(q{CREATE FUNCTION break_off() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
	  BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
	CREATE CONSTRAINT TRIGGER break_off AFTER INSERT ON fintrans_reviews DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION break_off()});
$alice = start_review('alice', '--min-amount', 30000);
shown($alice, $question);
answer($alice, "d\n", $note);
like(answer($alice, "x\n", $question), qr/^Connected again\.  The decision is not there \(yet\)\.\n.*pair a8 -> b8$/ms,
	'a decision that was not written is asked for again');
sql('DROP TRIGGER break_off ON fintrans_reviews');
is(alert_of("'a8'"), 'open', 'it was not written');
answer($alice, "d\n", $note);
answer($alice, "y\n", qr/Of this session: 1 dismissed\.\r?\n/);
ended_ok($alice, 'a session that was broken');
is(alert_of("'a8'"), "dismissed; reviewing by alice; dismissed by alice 'y'", 'then it is, once');

# a review that she began is not lost with the connection, whatever --state wants
my $end = qr/$question|Of this session: [^\n]*\n/;
transfer("'a10'", "'b10'", 40000, 1);
$alice = start_review('alice', '--state', 'open', '--min-amount', 40000);
shown($alice, $question);
answer($alice, "r\n", $note);
answer($alice, "\n", $end);
break_connection();
like(shown($alice, $end), qr/^Connected again\.\n\nAlert \d+ of .*pair a10 -> b10$/ms, 'who reviews goes on');
answer($alice, "c\n", $note);
answer($alice, "\n", qr/Of this session: 1 confirmed, 1 reviewing\./);
ended_ok($alice, 'a session with a review of its own');
is(alert_of("'a10'"), 'confirmed; reviewing by alice; confirmed by alice', 'and ends it');

# what somebody else decides while the answer to her review is lost is seen
transfer("'a11'", "'b11'", 50000, 1);
$lost = FintransProcess->start_on_terminal('unseen', 'fintrans-detector', '--review',
	'--min-amount', 50000, '--database', $proxy->connstr('alice'));
$lost->{seen} = 0;
shown($lost, $question);
sql('ALTER ROLE alice CONNECTION LIMIT 0');
$proxy->command('lose-commit 1');
answer($lost, "r\n", $note);
answer($lost, "\n", qr/Connecting again; Ctrl-C ends\./);
sql(q{SET SESSION AUTHORIZATION bob;
	SELECT fintrans_review(alert_id, 'confirmed', 'meanwhile') FROM fintrans_alerts WHERE source_account = 'a11'});
sql('ALTER ROLE alice CONNECTION LIMIT -1');
like(shown($lost, $end),
	qr/^Connected again\.  The decision was written\.\nAlert (\d+): reviewing\.\nAlert \1 is confirmed now, by bob\.$/m,
	'nobody decides over what was not shown');
ended_ok($lost, 'a session that was overtaken');
is(alert_of("'a11'"), "confirmed; reviewing by alice; confirmed by bob 'meanwhile'", 'his decision stands');

# ------------------------------------------------------ what passes, and not

my $locker;

sub lock_table
{
	my ($table) = @_;

	$locker = start_psql($node, 'locker');
	$locker->say("BEGIN; LOCK TABLE $table; SELECT 'locked';");
	wait_for { $locker->output =~ /locked/ } 'the lock';
	return;
}

sub unlock_table
{
	$locker->say('\q');
	is($locker->wait_exit(180), 0, 'the lock is gone');
	return;
}

transfer("'a12'", "'b12'", 60000, 1);
transfer("'a13'", "'b13'", 60000, 1);
sql(q{ALTER ROLE alice SET lock_timeout = '1s'});
$alice = start_review('alice', '--min-amount', 60000);
shown($alice, $question);
lock_table('fintrans_alerts');
my $again = qr/Enter tries again, Ctrl-D ends: /;
like(answer($alice, "k\n", $again), qr/^That failed: .*lock timeout/m, 'an error that passes is told');
unlock_table();
lock_table('fintrans_transactions');
like(answer($alice, "\n", $question), qr/pair a13 -> b13\n.*^The evidence cannot be shown: .*lock timeout/ms,
	'and then it goes on, with evidence or without');
unlock_table();
like(answer($alice, "e\n", $question), qr/^Evidence, 1 transaction:$/m, 'which can be asked for again');
sql(q{REVOKE ALL ON fintrans_alert_list FROM alice});
like(answer($alice, "k\n", qr/cannot go on.*\n/), qr/^Of this session: 2 skipped\.$/m,
	'an end by an error is summed up too');
is($alice->wait_exit(180), 1, 'one that stays is the end');

# who cannot wait for an answer leaves nothing running behind
my $all = start_review('bob', '--min-amount', 60000);
shown($all, $question);
lock_table('fintrans_alerts');
my $running = q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'bob'};
$all->type("k\n");
wait_for { sql("$running AND wait_event_type = 'Lock'") == 1 } 'a query that has to wait';
$all->type("\cC");
is($all->wait_exit(180), 130, 'Ctrl-C during a query is no good end');
wait_for { sql($running) == 0 } 'the query to end';
ok($locker->running, 'which is not waited for');

done_testing();
