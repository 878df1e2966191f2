# Certificates for tests of TLS, made by openssl: authorities, and servers'
# certificates that are right or wrong in one respect.
package FintransTls;

use strict;
use warnings;

use POSIX qw(strftime);
use PostgreSQL::Test::Utils;

# A directory of its own, and in it what is asked for by name.
sub new
{
	my ($class) = @_;

	return bless { directory => PostgreSQL::Test::Utils::tempdir() }, $class;
}

# The path of NAME.SUFFIX
sub path
{
	my ($self, $file) = @_;

	return "$self->{directory}/$file";
}

# authority(NAME): makes NAME.key and NAME.pem
sub authority
{
	my ($self, $name) = @_;

	$self->openssl('req', '-x509', '-days', '2', '-subj', "/CN=$name",
		$self->key($name), '-out', $self->path("$name.pem"));
	return;
}

# certificate(NAME, AUTHORITY, HOSTS, DAYS): makes NAME.key and NAME.pem, valid
# from now on for so many days (less than none: expired); HOSTS are like
# "DNS:localhost,IP:127.0.0.1".  Both together are in NAME.both.
sub certificate
{
	my ($self, $name, $authority, $hosts, $days) = @_;
	my $extensions = $self->path("$name.extensions");

	append_to_file($extensions, "subjectAltName=$hosts\n");
	$self->openssl('req', '-subj', "/CN=$name", $self->key($name),
		'-out', $self->path("$name.csr"));
	$self->openssl('x509', '-req', '-in', $self->path("$name.csr"),
		'-CA', $self->path("$authority.pem"),
		'-CAkey', $self->path("$authority.key"), '-CAcreateserial',
		$self->validity($days), '-extfile', $extensions,
		'-out', $self->path("$name.pem"));
	append_to_file($self->path("$name.both"),
		slurp_file($self->path("$name.key")) . slurp_file($self->path("$name.pem")));
	chmod 0600, $self->path("$name.key"), $self->path("$name.both");
	return;
}

# OpenSSL 3.6 makes nothing that ends before it begins, and 3.0 what begins now
# only.
sub validity
{
	my ($self, $days) = @_;

	return ('-days', $days)
	  if $days > 0 || `openssl x509 -help 2>&1` !~ /^ *-not_after /m;
	return map { ("-not_$_->[0]", strftime('%Y%m%d%H%M%SZ', gmtime(time + $_->[1] * 86_400))) }
	  [ before => $days - 1 ], [ after => $days ];
}

# secret(NAME, CONTENTS): a file that nobody else may read
sub secret
{
	my ($self, $name, $contents) = @_;
	my $path = $self->path($name);

	unlink $path;
	append_to_file($path, '');
	chmod 0600, $path;
	append_to_file($path, $contents);
	return $path;
}

sub key
{
	my ($self, $name) = @_;

	return ('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
		'-nodes', '-keyout', $self->path("$name.key"));
}

sub openssl
{
	my ($self, @arguments) = @_;
	my $log = $self->path('openssl.log');

	system('bash', '-c', 'exec openssl "$@" >> "$0" 2>&1', $log, @arguments) == 0
	  or die "openssl @arguments: " . slurp_file($log);
	return;
}

1;
