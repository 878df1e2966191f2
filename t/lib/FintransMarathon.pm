# What Marathon and a Mesos agent do with an app, as far as the app can tell: the
# tarball is unpacked into a sandbox of its own, the command run there by /bin/sh -c
# with the app's environment and a port; health is asked for with the app's own
# delay, grace, interval, timeout and number of failures, readiness while there is
# something to deploy; who is to end gets SIGTERM, and SIGKILL after the app's grace;
# a new version comes in as the app's upgrade strategy has it.
#
# Nothing happens but in wait_for(), which lets the scheduler turn.
package FintransMarathon;

use strict;
use warnings;

use File::Basename qw(basename);
use HTTP::Tiny;
use JSON::PP;
use List::Util qw(max);
use POSIX qw(ceil);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(sleep time);

use FintransProcess;

my $patience = 180;

# read_app(FILE, NAME => VALUE...): the app of a JSON file, whose environment has
# these values in place of its own: what an operator fills in, so they must be there.
sub read_app
{
	my ($file, %site) = @_;
	my $app = decode_json(slurp_file($file));

	foreach my $name (sort keys %site)
	{
		die "$file has no $name\n" unless exists $app->{env}{$name};
		$app->{env}{$name} = $site{$name};
	}
	return $app;
}

# new(TARBALL, APP): one app, of which nothing runs yet.
sub new
{
	my ($class, $tarball, $app) = @_;

	return bless {
		tarball => $tarball, app => $app, version => 1, tasks => [],
		most => 0, ended => [] }, $class;
}

# Those that Marathon can reach.
sub tasks { return @{ $_[0]->{tasks} } }

# Those that have ended, each with its status, whether it was killed (escalated)
# and how many questions about its health had no answer (failures).
sub ended { return @{ $_[0]->{ended} } }

# The largest number of tasks that were there at once, those on their way out included.
sub most { return $_[0]->{most} }

sub scale
{
	my ($self, $instances) = @_;

	$self->{app}{instances} = $instances;
	return;
}

# The same app with another environment: a new version, to which it is rolled.
sub upgrade
{
	my ($self, %env) = @_;
	my $app = $self->{app};

	$self->{app} = { %$app, env => { %{ $app->{env} }, %env } };
	$self->{version}++;
	$self->{most} = 0;
	return;
}

# The agent of a task is cut off: Marathon neither sees nor ends it.
sub lose
{
	my ($self, $task) = @_;

	die "the app waits for agents\n"
	  if $self->{app}{unreachableStrategy}{inactiveAfterSeconds} != 0;
	$self->{tasks} = [ grep { $_ != $task } $self->tasks ];
	return;
}

# It is back: the task was expunged, and is ended like any other.
sub find_again
{
	my ($self, $task) = @_;

	push @{ $self->{tasks} }, $task;
	$self->end_task($task);
	return;
}

# All of this version, as many as wanted, healthy and, if the app can tell, ready.
sub deployed
{
	my ($self) = @_;
	my @good = grep { is_good($_) && $_->{version} == $self->{version} } $self->tasks;

	return @good == $self->{app}{instances} && $self->tasks == @good;
}

# wait_for { CONDITION } WHAT, MARATHON...: while these go on
sub wait_for(&$@)
{
	my ($condition, $what, @marathons) = @_;
	my $deadline = time + $patience;

	until ($condition->())
	{
		die "timed out waiting for $what\n" if time > $deadline;
		$_->turn foreach @marathons;
		sleep(0.05);
	}
	return;
}

# ------------------------------------------------------------------ a turn

sub turn
{
	my ($self) = @_;

	$self->look_after($_) foreach $self->tasks;
	$self->{most} = max($self->{most}, scalar $self->tasks);
	$self->deploy;
	return;
}

sub look_after
{
	my ($self, $task) = @_;

	return $self->bury($task) unless $task->{process}->running;
	return $self->escalate($task) if defined $task->{asked};
	$self->check_health($task) if time >= $task->{check_at};
	$self->check_readiness($task)
	  if !$task->{ready} && $task->{healthy} && time >= $task->{ready_at};
	return;
}

sub bury
{
	my ($self, $task) = @_;

	push @{ $self->{ended} }, { %$task, status => $task->{process}->wait_exit(0) };
	$self->{tasks} = [ grep { $_ != $task } $self->tasks ];
	return;
}

# What is wanted and what there is, a step nearer to each other.
sub deploy
{
	my ($self) = @_;
	my @here = grep { !defined $_->{asked} } $self->tasks;
	my @new = grep { $_->{version} == $self->{version} } @here;
	my @old = grep { $_->{version} != $self->{version} } @here;
	my $wanted = $self->{app}{instances};

	return $self->replace(\@old, \@new) if @old;
	$self->launch foreach @new + 1 .. $wanted;
	# the youngest first
	$self->end_task($_) foreach splice(@{[ reverse @new ]}, 0, max(0, @new - $wanted));
	return;
}

# Marathon's own rule: so many may be there at once, and so many must be good; one
# more is allowed when that would leave no way.
sub replace
{
	my ($self, $old, $new) = @_;
	my ($app, $strategy) = ($self->{app}, $self->{app}{upgradeStrategy});
	my $healthy = ceil($app->{instances} * $strategy->{minimumHealthCapacity});
	my $capacity = int($app->{instances} * (1 + $strategy->{maximumOverCapacity}));

	$capacity++ if $healthy == $capacity;
	my ($oldest, @others) = (@$old, @$new);

	return $self->launch if @$new < $app->{instances} && $self->tasks < $capacity;
	return $self->end_task($oldest) if grep({ is_good($_) } @others) >= $healthy;
	return;
}

sub is_good { return $_[0]->{healthy} && $_[0]->{ready} }

# ----------------------------------------------------------------- a task

sub launch
{
	my ($self) = @_;
	my $app = $self->{app};
	my $number = ++$self->{launched};
	my $name = basename($app->{id});
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $sandbox = PostgreSQL::Test::Utils::tempdir("sandbox_$name");
	my %env = (
		PATH => '/usr/local/bin:/usr/bin:/bin',
		HOST => '127.0.0.1', PORT => $port, PORT0 => $port, PORTS => $port, PORT_HTTP => $port,
		MESOS_SANDBOX => $sandbox, MESOS_TASK_ID => "$name.$number",
		MARATHON_APP_ID => $app->{id}, MARATHON_APP_VERSION => $self->{version},
		%{ $app->{env} });

	$self->fetch($_->{uri}, $sandbox) foreach @{ $app->{fetch} };
	push @{ $self->{tasks} }, {
		process => FintransProcess->start($name, 'env', '-i', '-C', $sandbox,
			(map { "$_=$env{$_}" } sort keys %env), '/bin/sh', '-c', $app->{cmd}),
		port => $port, version => $self->{version}, sandbox => $sandbox,
		started => time, healthy => 0, failures => 0,
		check_at => time + health_of($app)->{delaySeconds},
		ready => !$app->{readinessChecks}, ready_at => 0, asked => undef, escalated => 0 };
	return;
}

sub health_of { return $_[0]->{healthChecks}[0] }

# The tarball under the name that the app fetches.
sub fetch
{
	my ($self, $uri, $sandbox) = @_;

	die "$uri is not what `make dist` makes\n" if basename($uri) ne basename($self->{tarball});
	system('tar', '-xzf', $self->{tarball}, '-C', $sandbox) == 0 or die "could not unpack\n";
	return;
}

sub end_task
{
	my ($self, $task) = @_;

	return if defined $task->{asked};
	$task->{asked} = time;
	$task->{process}->signal('TERM');
	return;
}

sub escalate
{
	my ($self, $task) = @_;

	return if time < $task->{asked} + $self->{app}{taskKillGracePeriodSeconds};
	$task->{escalated} = 1;
	$task->{process}->signal('KILL');
	return;
}

sub check_health
{
	my ($self, $task) = @_;
	my $check = health_of($self->{app});

	$task->{check_at} = time + $check->{intervalSeconds};
	if (ask($task, $check->{path}, $check->{timeoutSeconds}) =~ /^[23]..$/)
	{
		$task->{healthy} = 1;
		$task->{failures} = 0;
		return;
	}
	# until it was healthy once, the grace counts
	return if !$task->{healthy} && time < $task->{started} + $check->{gracePeriodSeconds};
	return if ++$task->{failures} < $check->{maxConsecutiveFailures};
	$task->{healthy} = 0;
	$self->end_task($task);
	return;
}

sub check_readiness
{
	my ($self, $task) = @_;
	my $check = $self->{app}{readinessChecks}[0];
	my $status = ask($task, $check->{path}, $check->{timeoutSeconds});

	$task->{ready_at} = time + $check->{intervalSeconds};
	$task->{ready} = grep { $_ == $status } @{ $check->{httpStatusCodesForReady} };
	return;
}

# The status of the answer; 599 when there is none in time.
sub ask
{
	my ($task, $path, $timeout) = @_;

	return HTTP::Tiny->new(timeout => $timeout, keep_alive => 0)
	  ->get("http://127.0.0.1:$task->{port}$path")->{status};
}

1;
