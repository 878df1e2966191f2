# A broker for a test, and an independent look at what it holds: a real Apache
# Kafka, or the embedded one.  Both are read by kcat, never by our programs.
package FintransBroker;

use strict;
use warnings;

use File::Basename qw(basename);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(sleep time);

use FintransProcess;

# embedded(partitions => 4, brokers => 1): fintrans-broker, which loses everything when it
# ends and keeps 5 MiB of each partition.
sub embedded
{
	my ($class, %options) = @_;
	my $process = FintransProcess->start('broker', 'fintrans-broker',
		'--partitions' => $options{partitions} // 4,
		'--broker-count' => $options{brokers} // 1);
	my $self = bless {
		process => $process,
		partitions => $options{partitions} // 4
	}, $class;

	wait_for_answer($self, sub {
		($self->{bootstrap}) = $process->output =~ /^bootstrap\.servers=(.*)$/m;
	});
	return $self;
}

# kafka(partitions => 4, settings => []): Apache Kafka with the five topics, and
# "property=value" of its own.
sub kafka
{
	my ($class, %options) = @_;
	my $port = $options{port} // PostgreSQL::Test::Cluster::get_free_port();
	my $self = bless {
		bootstrap => "127.0.0.1:$port",
		port => $port,
		controller_port => $options{controller_port}
		  // PostgreSQL::Test::Cluster::get_free_port(),
		partitions => $options{partitions} // 4,
		settings => $options{settings} // [],
		directory => "$PostgreSQL::Test::Utils::tmp_check/"
		  . basename($0, '.pl') . '_kafka'
	}, $class;

	$self->start;
	$self->create_topics(qw(London NYC SF Moscow Tokyo));
	return $self;
}

# The version of librdkafka that kcat has, and hence our programs: 2.6.1 is 20601.
sub librdkafka
{
	my ($major, $minor, $patch) = `kcat -V` =~ /librdkafka (\d+)\.(\d+)\.(\d+)/
	  or die "kcat does not tell the version of librdkafka\n";

	return $major * 10000 + $minor * 100 + $patch;
}

# How long a group waits for a member that says nothing: short, as far as the
# broker allows it, for tests that kill members.
sub session_timeout_ms
{
	my ($self) = @_;

	return defined $self->{directory} ? 2000 : 6000;
}

sub bootstrap { return $_[0]->{bootstrap} }
sub process { return $_[0]->{process} }

# Start a Kafka on what it had; a fault test may have stopped or killed it.
sub start
{
	my ($self) = @_;

	$self->{process} = FintransProcess->start('kafka',
		"$ENV{FINTRANS_TREE}/bridge/kafka/kafka-server",
		$self->{directory}, $self->{port}, $self->{controller_port},
		"num.partitions=$self->{partitions}",
		'group.min.session.timeout.ms=1000', @{ $self->{settings} });
	wait_for_answer($self, sub { $self->answers });
	return;
}

sub stop
{
	my ($self) = @_;

	return $self->{process}->stop;
}

sub wait_for_answer
{
	my ($self, $condition) = @_;
	my $deadline = time + 180;

	until ($condition->())
	{
		die "the broker does not run: " . $self->{process}->logged
		  unless $self->{process}->running;
		die "the broker does not answer\n" if time > $deadline;
		sleep(0.1);
	}
	return;
}

sub answers
{
	my ($self) = @_;

	return system("kcat -L -b $self->{bootstrap} -m 2 > /dev/null 2>&1") == 0;
}

# Topics with as many partitions as the broker's others; the first mention of
# a topic creates it.
sub create_topics
{
	my ($self, @topics) = @_;

	foreach my $topic (@topics)
	{
		wait_for_answer($self, sub {
			my $answer =
			  `kcat -L -b $self->{bootstrap} -t '$topic' -m 10 -X allow.auto.create.topics=true 2>&1`;
			my $led = () = $answer =~ /^    partition \d+, leader \d/mg;
			return $led == $self->{partitions};
		});
	}
	return;
}

# A command for the embedded broker, which must obey.
sub command
{
	my ($self, $command) = @_;

	return $self->{process}->command($command);
}

# tool NAME, ARGUMENTS...: one of Apache Kafka's own
sub tool
{
	my ($self, $name, @arguments) = @_;
	my $log = "$PostgreSQL::Test::Utils::log_path/" . basename($0, '.pl') . '_tool.log';

	# the first compiler alone, since it ends at once
	system('bash', '-c', 'exec "$@" >> "$0" 2>&1', $log, 'java',
		'-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC',
		'-cp', "$ENV{FINTRANS_TREE}/build/kafka/*", $name,
		'--bootstrap-server', $self->{bootstrap}, @arguments) == 0
	  or die "$name failed: " . slurp_file($log);
	return;
}

sub topics_tool
{
	my ($self, @arguments) = @_;

	return $self->tool('org.apache.kafka.tools.TopicCommand', @arguments);
}

# produce TOPIC, MESSAGES...: to partition 0
sub produce
{
	my ($self, $topic, @messages) = @_;

	return $self->produce_to($topic, 0, @messages);
}

# produce_to TOPIC, PARTITION, MESSAGES...: by kcat, each message byte for
# byte; undef is a message without a value.
sub produce_to
{
	my ($self, $topic, $partition, @messages) = @_;
	my $file = "$PostgreSQL::Test::Utils::tmp_check/produce.$$";
	my @kcat = ('kcat', '-P', '-q', '-b', $self->{bootstrap}, '-t', $topic,
		'-p', $partition);

	foreach my $message (@messages)
	{
		# from a file of its own, or a newline would end it; but a message
		# without a value has to be a line, of an empty value after a key
		my @how = defined $message ? ($file) : ('-Z', '-K', ':', '-l', $file);
		open(my $handle, '>:raw', $file) or die "$file: $!\n";
		print $handle $message // "key:\n";
		close($handle);
		system(@kcat, @how) == 0 or die "could not produce to $topic\n";
	}
	unlink $file;
	return;
}

# The partitions there are of the five topics: "topic partition"
sub partitions
{
	my ($self) = @_;
	my $answer = `kcat -L -b $self->{bootstrap} -m 20`;
	my @partitions;

	while ($answer =~ /^  topic "(London|NYC|SF|Moscow|Tokyo)" with (\d+) partitions/mg)
	{
		push @partitions, map { "$1 $_" } 0 .. $2 - 1;
	}
	die "kcat could not list the topics: $answer\n" unless @partitions;
	return @partitions;
}

# { "topic partition" => watermark } of the five topics
sub high_watermarks { return $_[0]->watermarks(-1) }
sub low_watermarks { return $_[0]->watermarks(-2) }

sub watermarks
{
	my ($self, $end) = @_;
	my @partitions = $self->partitions;
	my @asked = map { ('-t', s/ /:/r . ":$end") } @partitions;
	my $answer = `kcat -Q -b $self->{bootstrap} @asked`;
	my %watermarks = map { /^(\S+) \[(\d+)\] offset (\d+)$/ ? ("$1 $2" => $3) : () }
	  split /\n/, $answer;

	die "kcat could not query all watermarks: $answer\n"
	  unless keys %watermarks == @partitions;
	return \%watermarks;
}

# All messages of the five topics, one a line: topic partition offset payload; or
# what a command makes of those of each topic.
sub write_messages
{
	my ($self, $file, $command) = @_;
	my %topics = map { (split / /)[0] => 1 } $self->partitions;
	my @topics = sort keys %topics;

	# all at once: kcat waits for the end of each partition
	my $made = defined $command ? "| $command" : '';
	my $read = join "\n", 'set -o pipefail', 'pids=', (map {
		"{ kcat -C -e -q -o beginning -b $self->{bootstrap} -t $_ -X check.crcs=true"
		  . " -f '%t %p %o %s\\n' $made; } > '$file.$_' &", 'pids="$pids $!"'
	} @topics), 'for pid in $pids; do wait $pid || exit 1; done';
	system('bash', '-c', $read) == 0 or die "could not read the messages\n";
	my $files = join ' ', map { "'$file.$_'" } @topics;
	system('bash', '-c', "cat $files > '$file' && rm $files") == 0
	  or die "could not write the messages\n";
	return;
}

1;
