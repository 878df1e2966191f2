# A server that answers writes as it is told to, on loopback: what InfluxDB
# does on its bad days.  Points it has accepted are lines of a file.
package FintransFakeInflux;

use strict;
use warnings;

use File::Basename qw(basename);
use IO::Select;
use IO::Socket::INET;
use IO::Uncompress::Gunzip qw(gunzip);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(sleep);

use FintransProcess;

sub new
{
	my ($class) = @_;
	my $base =
	  "$PostgreSQL::Test::Utils::log_path/" . basename($0, '.pl') . '_fake';
	my $self = bless {
		port => PostgreSQL::Test::Cluster::get_free_port(),
		mode => "$base.mode",
		accepted => "$base.accepted",
		requests => "$base.requests"
	}, $class;

	append_to_file($self->{$_}, '') foreach qw(accepted requests);
	$self->behave('accept');
	return $self;
}

sub url { return "http://127.0.0.1:$_[0]->{port}" }

# behave(MODE, ARGUMENT): from the next request on
#	accept; missing, until the database has been created;
#	large N, for more than N points; status N; partial N, N points dropped;
#	pick TEXT, refuse a request in which it stands; token T, accept no other;
#	hang, after the headers; silent, no answer at all
sub behave
{
	my ($self, @mode) = @_;

	open(my $file, '>', "$self->{mode}.new") or die "mode: $!\n";
	print $file "@mode";
	close($file);
	rename "$self->{mode}.new", $self->{mode} or die "mode: $!\n";
	return;
}

# As a process of its own.
sub start
{
	my ($self) = @_;

	$self->{process} = FintransProcess->start('fake_influxdb', $^X,
		(map { "-I$_" } @INC), '-MFintransFakeInflux', '-e',
		'FintransFakeInflux::serve(@ARGV)',
		@$self{qw(port mode accepted requests)});
	for (1 .. 3600)
	{
		return if IO::Socket::INET->new("127.0.0.1:$self->{port}");
		sleep(0.05);
	}
	die "the fake InfluxDB does not answer\n";
}

sub stop { return $_[0]->{process}->kill9 }

# Points accepted, and requests with their answers, one a line.
sub accepted { return slurp_file($_[0]->{accepted}) }
sub requests { return slurp_file($_[0]->{requests}) }

# ------------------------------------------------------------- the process

my %reasons = (200 => 'OK', 204 => 'No Content');

sub serve
{
	my ($port, $mode, $accepted, $requests) = @_;
	my $listener = IO::Socket::INET->new(
		LocalAddr => "127.0.0.1:$port", Listen => 16, ReuseAddr => 1)
	  or die "port $port: $!\n";
	my $select = IO::Select->new($listener);
	my %input;
	my $created = 0;

	while (1)
	{
		foreach my $socket ($select->can_read)
		{
			if ($socket == $listener)
			{
				my $new = $listener->accept or next;
				$select->add($new);
				$input{$new} = '';
				next;
			}
			if (!sysread($socket, $input{$socket}, 65536, length $input{$socket}))
			{
				delete $input{$socket};
				$select->remove($socket);
				close($socket);
				next;
			}
			next unless $input{$socket} =~ /^(.*?\r\n)\r\n/s;
			my $head = $1;
			my ($bytes) = $head =~ /^Content-Length: (\d+)/mi;
			next if length($input{$socket}) < length($head) + 2 + ($bytes // 0);
			my $body = substr $input{$socket}, length($head) + 2, $bytes // 0;

			substr($input{$socket}, 0, length($head) + 2 + ($bytes // 0)) = '';
			answer($socket, $head, $body, slurp_file($mode), \$created,
				$accepted, $requests);
		}
	}
}

sub answer
{
	my ($socket, $head, $body, $mode, $created, $accepted, $requests) = @_;
	my ($line) = $head =~ /^(.*?)\r\n/;
	my ($verb, $argument) = split / /, $mode, 2;
	my $text = $body;
	my ($status, $answer) = (204, '');

	gunzip(\$body => \$text) if $head =~ /^Content-Encoding: gzip/mi;
	my $points = () = $text =~ /\n/g;

	if ($line =~ m{^POST /query})
	{
		($status, $answer) = (200, '{"results":[{"statement_id":0}]}');
		$$created = 1;
		append_to_file($requests, "query $text\n");
	}
	elsif ($verb eq 'missing' && !$$created)
	{
		($status, $answer) = (404, '{"error":"database not found: \"fintrans\""}');
	}
	elsif ($verb eq 'large' && $points > $argument)
	{
		($status, $answer) = (413, '{"error":"Request Entity Too Large"}');
	}
	elsif ($verb eq 'status')
	{
		($status, $answer) = ($argument, '{"error":"account Sesame is to blame"}');
	}
	elsif ($verb eq 'partial')
	{
		($status, $answer) = (400,
			qq({"error":"partial write: field type conflict: Sesame dropped=$argument"}));
	}
	elsif ($verb eq 'pick' && index($text, $argument) >= 0)
	{
		($status, $answer) = (400, qq({"error":"unable to parse '$argument'"}));
	}
	elsif ($verb eq 'token' && $head !~ /^Authorization: Token \Q$argument\E\r$/m)
	{
		($status, $answer) = (401, '{"code":"unauthorized"}');
	}
	append_to_file($requests, "$verb $line $points $status\n");
	return if $verb eq 'silent';
	append_to_file($accepted, $text)
	  if $status == 204 && $verb ne 'hang' && $line =~ m{write\?};
	my $bytes = $verb eq 'hang' ? 100 : length $answer;
	$status = 200 if $verb eq 'hang';
	print $socket "HTTP/1.1 $status " . ($reasons{$status} // 'Bad Day')
	  . "\r\nContent-Type: application/json\r\n"
	  . ($status == 204 ? '' : "Content-Length: $bytes\r\n") . "\r\n$answer";
	$socket->flush;
	return;
}

1;
