# The network between a bridge and PostgreSQL, as bad as a test wants it: what
# lib/fault-proxy does, and how to connect through it.
package FintransProxy;

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);

use FintransProcess;
use FintransTest;

sub start
{
	my ($class, $node) = @_;
	my $process = FintransProcess->start('proxy', $^X,
		dirname(abs_path(__FILE__)) . '/fault-proxy',
		$node->host . '/.s.PGSQL.' . $node->port);
	my $self = bless { process => $process }, $class;

	wait_for { ($self->{port}) = $process->output =~ /^port=(\d+)\n/ } 'the proxy';
	return $self;
}

# For a bridge of that name.
sub connstr
{
	my ($self, $role) = @_;

	return "host=127.0.0.1 port=$self->{port} dbname=postgres user=$role sslmode=disable";
}

sub command
{
	my ($self, $command) = @_;

	return $self->{process}->command($command);
}

1;
