# The one check that every load and every fault must pass in the end, whatever
# happened before.  It reads what Kafka holds by kcat and what PostgreSQL holds by
# SQL, and what our programs say is taken for their log only:
#
#   I1  each message is in the database exactly once, at its own coordinates and
#       with its contents, and the offsets account for every offset
#   I2  totals are those of the rows, and awk's over what kcat reads
#   I3  positions never went back, and moved in the rows' database transaction
#   I4  nothing has stopped: positions are at the ends of the partitions
#   I5  dead letters are the messages that had to be refused, byte for byte
#   I6  no program crashed, and one that failed has logged why
#   I7  no message and no secret is in a log
package FintransInvariants;

use strict;
use warnings;

use Exporter 'import';
use File::Basename qw(basename);
use PostgreSQL::Test::Utils;
use Test::More;

use FintransProcess;

our @EXPORT = qw(
  check_exactly_once
  file_of
  next_offsets
);

# What start_bridge() gives every bridge for a password, and none may tell.
our $secret = 'hush-8f14e45f';

my $our_programs = qr/^fintrans-/;

# A file of this test's own, below the log directory that a failure leaves.
sub file_of
{
	my ($name) = @_;

	return
	  "$PostgreSQL::Test::Utils::log_path/" . basename($0, '.pl') . "_$name";
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

# check_exactly_once NODE, BROKER, WHAT: all of the invariants.  If a fourth
# argument is given, the messages for which that awk condition holds are dead
# letters instead of rows.  With a fifth, a hash, of what is not as usual:
# `trimmed` when Kafka has deleted messages that were loaded (then only those it
# still has are compared, and awk's totals are not), and `large` when there are so
# many that of each partition their number and the sum of their amounts must do.
sub check_exactly_once
{
	my ($node, $broker, $what, $is_refused, $unusual) = @_;
	my $messages = file_of('messages');
	my $is_trimmed = $unusual->{trimmed};

	return check_large($node, $broker, $what) if $unusual->{large};
	$broker->write_messages($messages);
	ok(-s $messages, "$what: there are messages");
	check_ends($what);
	check_logs($messages, $what);
	check_dead_letters($node, $messages, $what, $is_refused);
	check_rows($node, $broker, $messages, $what, $is_trimmed);
	check_totals($node, $messages, $what) unless $is_trimmed;
	check_offsets($node, $broker, $what);
	return;
}

# Messages of whole amounts, none of which may be refused.
sub check_large
{
	my ($node, $broker, $what) = @_;
	my $wanted = file_of('sums_wanted');
	my $found = file_of('sums_found');

	$broker->write_messages($wanted, q(awk '{ n[$1 " " $2]++; total[$1 " " $2] += $6 }
		END { for (p in n) printf "%s %d %.0f\n", p, n[p], total[p] }'));
	query_to_file($node, $found, q{
		SELECT city, kafka_partition, count(*), sum(amount) FROM fintrans_transactions
		 GROUP BY 1, 2});
	sort_file($wanted);
	sort_file($found);
	same_files($wanted, $found, "$what: of each partition number and sum are Kafka's");
	count_losses($node, $wanted, $what);
	is($node->safe_psql('postgres', 'SELECT count(*) FROM fintrans_dead_letters'), 0,
		"$what: no dead letters");
	check_ends($what);
	check_offsets($node, $broker, $what);
	return;
}

# For whoever reads the figures; what was compared before decides.
sub count_losses
{
	my ($node, $wanted, $what) = @_;
	my $messages = `awk '{ n += \$3 } END { printf "%.0f", n }' '$wanted'`;
	my ($rows, $offsets) = split /\|/, $node->safe_psql('postgres', q{
		SELECT sum(rows), count(*)
		  FROM (SELECT count(*) AS rows FROM fintrans_transactions
		         GROUP BY city, kafka_partition, kafka_offset) r});

	note(sprintf 'figure: %s: %d messages, rows lost %d, doubled %d',
		$what, $messages, $messages - $offsets, $rows - $offsets);
	return;
}

# Those refused are taken out of the messages.
sub check_dead_letters
{
	my ($node, $messages, $what, $is_refused) = @_;
	my $refused = file_of('refused');
	my $letters = file_of('dead_letters');

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
	return;
}

sub check_rows
{
	my ($node, $broker, $messages, $what, $is_trimmed) = @_;
	my $rows = file_of('rows');
	my $low = $is_trimmed ? $broker->low_watermarks : {};
	my $values = join ', ', map { sprintf "('%s', %d, %d)", split(/ /), $low->{$_} }
	  sort keys %$low;
	my $held = $is_trimmed
	  ? "JOIN (VALUES $values) AS low (topic, part, low_watermark)
	       ON topic = city AND part = kafka_partition AND kafka_offset >= low_watermark"
	  : '';

	query_to_file($node, $rows, qq{
		SELECT city, kafka_partition, kafka_offset, source_account,
		       target_account, amount
		  FROM fintrans_transactions $held WHERE kafka_offset IS NOT NULL});
	sort_file($messages);
	sort_file($rows);
	same_files($messages, $rows,
		"$what: rows are the messages, each offset exactly once");
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

sub check_totals
{
	my ($node, $messages, $what) = @_;
	my $wanted = file_of('totals_wanted');
	my $found = file_of('totals_found');

	shell("awk '$sum_pairs' '$messages' > '$wanted'");
	sort_file($wanted);
	query_to_file($node, $found, q{
		SELECT source_account, target_account, round(total, 4), transactions
		  FROM fintrans_laundering});
	sort_file($found);
	same_files($wanted, $found, "$what: totals are awk's");
	return;
}

# Without a look at what the extension says of itself: each query finds nothing.
# The last one needs what audit_offsets() has noted.
my @offset_faults = (
	[ 'every offset is accounted for', q{
		SELECT o.topic, o.kafka_partition, o.next_offset, o.first_offset
		  FROM fintrans_offsets o
		  LEFT JOIN (SELECT city AS topic, kafka_partition, count(*),
		                    count(DISTINCT kafka_offset) AS offsets
		               FROM fintrans_transactions GROUP BY 1, 2) r USING (topic, kafka_partition)
		  LEFT JOIN (SELECT topic, kafka_partition, count(*)
		               FROM fintrans_dead_letters GROUP BY 1, 2) d USING (topic, kafka_partition)
		 WHERE coalesce(r.count, 0) <> coalesce(r.offsets, 0)
		    OR coalesce(r.count, 0) + coalesce(d.count, 0) + o.skipped + o.dropped + o.purged
		       <> o.next_offset - o.first_offset} ],
	[ 'totals are those of the rows', q{
		SELECT * FROM (SELECT source_account, target_account, sum(amount) AS total,
		                      count(*) AS transactions
		                 FROM fintrans_transactions GROUP BY 1, 2) r
		  FULL JOIN (SELECT source_account, target_account, total, transactions
		               FROM fintrans_laundering WHERE transactions > 0) l
		       USING (source_account, target_account)
		 WHERE r.total IS DISTINCT FROM l.total
		    OR r.transactions IS DISTINCT FROM l.transactions} ],
	[ 'each position moved in the database transaction of its newest row', q{
		SELECT o.topic, o.kafka_partition
		  FROM fintrans_offsets o JOIN fintrans_transactions t
		    ON t.city = o.topic AND t.kafka_partition = o.kafka_partition
		   AND t.kafka_offset = o.next_offset - 1
		 WHERE t.xmin <> o.xmin} ]);
my $moves_fault = [ 'positions never went back', q{
	SELECT * FROM (
		SELECT topic, kafka_partition, from_offset, to_offset,
		       lag(to_offset) OVER (PARTITION BY topic, kafka_partition ORDER BY move) AS before
		  FROM moves) m
	 WHERE to_offset <= from_offset OR before <> from_offset} ];

sub check_offsets
{
	my ($node, $broker, $what) = @_;
	my $is_audited = $node->safe_psql('postgres',
		q{SELECT to_regclass('public.moves') IS NOT NULL}) eq 't';

	foreach my $fault (@offset_faults, $is_audited ? $moves_fault : ())
	{
		my ($claim, $query) = @$fault;

		is($node->safe_psql('postgres', "SELECT * FROM ($query) f LIMIT 10"),
			'', "$what: $claim");
	}
	is_deeply(nonempty(next_offsets($node)),
		nonempty($broker->high_watermarks),
		"$what: next offsets are the ends of the partitions");
	is($node->safe_psql('postgres', 'SELECT * FROM fintrans_verify()'),
		'', "$what: verify finds no difference");
	return;
}

# Of our own programs, those that have ended.
sub check_ends
{
	my ($what) = @_;
	my @ours = FintransProcess->all($our_programs);
	my @crashed = map { $_->name } grep { $_->has_crashed } @ours;
	my @silent = map { $_->name } grep { $_->has_failed && $_->logged !~ /level=error/ } @ours;

	is("@crashed", '', "$what: nothing crashed");
	is("@silent", '', "$what: who failed has said why");
	return;
}

# And of those that run as well.
sub check_logs
{
	my ($messages, $what) = @_;
	my @logs = map { "'" . $_->log_file . "'" } FintransProcess->all($our_programs);
	my $hushed = file_of('hushed');

	return unless @logs;
	# shorter messages could be found in anything
	shell("cut -d ' ' -f 4- '$messages' | awk 'length >= 8 && n++ < 50000' > '$hushed'");
	append_to_file($hushed, "$secret\n");
	is(`LC_ALL=C grep -m 1 -F -f '$hushed' @logs`, '',
		"$what: no message and no secret is in a log");
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

	shell("rm -f '$refused' '$left'; touch '$refused' '$left'");
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
