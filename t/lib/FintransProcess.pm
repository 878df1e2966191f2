# A program running in the background of a test: its output goes to files, it
# can be waited for and signalled, and it does not outlive the test.
package FintransProcess;

use strict;
use warnings;

use File::Basename qw(basename);
use IO::Handle;
use PostgreSQL::Test::Utils;
use POSIX qw(SIGINT SIGKILL SIGTERM WNOHANG);
use Time::HiRes qw(sleep time);

my @all;
my @running;
my %instances;

# start(NAME, COMMAND...): NAME is for messages and files; started again under
# the same name it writes new ones.
sub start
{
	my ($class, $name, @command) = @_;
	my $number = ++$instances{$name};
	my $base = "$PostgreSQL::Test::Utils::log_path/"
	  . basename($0, '.pl')
	  . "_$name" . ($number > 1 ? "_$number" : '');
	my $self = bless {
		name => $name,
		program => program_of(@command),
		out => "$base.out",
		log => "$base.log",
		status => undef
	}, $class;

	# there as soon as anybody looks for them
	append_to_file($self->{$_}, '') foreach qw(out log);

	pipe(my $reader, my $writer) or die "pipe: $!\n";
	my $pid = fork() // die "fork: $!\n";
	if ($pid == 0)
	{
		close($writer);
		open(STDIN, '<&', $reader) or POSIX::_exit(126);
		open(STDOUT, '>', $self->{out}) or POSIX::_exit(126);
		open(STDERR, '>', $self->{log}) or POSIX::_exit(126);
		exec { $command[0] } @command or POSIX::_exit(127);
	}
	close($reader);
	$writer->autoflush(1);
	$self->{stdin} = $writer;
	$self->{pid} = $pid;
	push @all, $self;
	push @running, $self;
	note_pid($pid);
	return $self;
}

# Whatever starts one of ours by exec has its name, but for fiu-run, which makes
# it fail.
sub program_of
{
	my (@command) = map { basename($_) } @_;
	my ($ours) = $command[0] eq 'fiu-run' ? () : grep { /^fintrans-(?:bridge|broker|detector|generator)$/ } @command;

	return $ours // $command[0];
}

# start_on_terminal(NAME, COMMAND...): the same on a terminal of its own, whose
# keys are pressed by type(); all that it shows is its output.
sub start_on_terminal
{
	my ($class, $name, @command) = @_;
	my $line = join ' ', map { "'" . s/'/'\\''/gr . "'" } @command;

	return $class->start($name, 'script', '-qefc', $line, '/dev/null');
}

# Whoever cleans up after a killed test finds the process by this file.
sub note_pid
{
	my ($pid) = @_;

	return unless defined $ENV{SCRATCH};
	open(my $file, '>', "$ENV{SCRATCH}/pids/$pid") or die "pids/$pid: $!\n";
	print $file "$pid\n";
	close($file);
	return;
}

# Those whose program has such a name, whether they have ended or not.
sub all
{
	my ($class, $pattern) = @_;

	return grep { $_->{program} =~ $pattern } @all;
}

sub pid { return $_[0]->{pid} }
sub name { return $_[0]->{name} }
sub log_file { return $_[0]->{log} }

# What it printed, and what it logged, so far.
sub output { return slurp_file($_[0]->{out}) }
sub logged { return slurp_file($_[0]->{log}) }

# A command for a program that answers each with "ok" when it has obeyed.
sub command
{
	my ($self, $command) = @_;
	my $known = length($self->output);
	my $deadline = time + 60;
	my $answer;

	$self->say($command);
	until (($answer) = substr($self->output, $known) =~ /^(.*)\n/)
	{
		die "$self->{name} does not run: " . $self->logged unless $self->running;
		die "$self->{name} does not answer to: $command\n" if time > $deadline;
		sleep(0.02);
	}
	die "$command: $answer\n" unless $answer eq 'ok';
	return;
}

# A line for its standard input.
sub say
{
	my ($self, $line) = @_;

	return $self->type("$line\n");
}

sub type
{
	my ($self, $keys) = @_;

	print { $self->{stdin} } $keys;
	return;
}

sub running
{
	my ($self) = @_;

	return 0 if defined $self->{status};
	return 1 if waitpid($self->{pid}, WNOHANG) == 0;
	$self->ended($?);
	return 0;
}

# By a signal that nobody sends to end it.
sub has_crashed
{
	my ($self) = @_;
	my $signal = ($self->{status} // 0) & 127;

	return $signal != 0 && $signal != SIGKILL && $signal != SIGTERM && $signal != SIGINT;
}

sub has_failed { return (($_[0]->{status} // 0) >> 8) == 1 }

sub ended
{
	my ($self, $status) = @_;

	$self->{status} = $status;
	@running = grep { $_ != $self } @running;
	unlink "$ENV{SCRATCH}/pids/$self->{pid}" if defined $ENV{SCRATCH};
	return;
}

# The exit status, or -SIGNAL if a signal ended it.  Dies if it still runs
# after that many seconds.
sub wait_exit
{
	my ($self, $patience) = @_;
	my $deadline = time + $patience;

	while ($self->running)
	{
		die "$self->{name} did not end\n" if time > $deadline;
		sleep(0.02);
	}
	return $self->{status} & 127 ? -($self->{status} & 127)
	  : $self->{status} >> 8;
}

# Signal it; to a process that has ended nothing happens.
sub signal
{
	my ($self, $signal) = @_;

	kill $signal, $self->{pid} if $self->running;
	return;
}

# An orderly end by SIGTERM; returns what wait_exit does.
sub stop
{
	my ($self) = @_;

	$self->signal('TERM');
	return $self->wait_exit(180);
}

sub kill9
{
	my ($self) = @_;

	$self->signal('KILL');
	return $self->wait_exit(180);
}

# die() runs the END blocks, of the cluster's too
$SIG{TERM} = $SIG{INT} = sub { die "interrupted\n" };

END
{
	my $status = $?;

	foreach my $process (@running)
	{
		# one that was stopped cannot obey otherwise
		kill 'CONT', $process->{pid};
		kill 'KILL', $process->{pid};
		waitpid($process->{pid}, 0);
		unlink "$ENV{SCRATCH}/pids/$process->{pid}" if defined $ENV{SCRATCH};
	}
	$? = $status;
}

1;
