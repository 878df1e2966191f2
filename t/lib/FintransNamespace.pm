# A test in namespaces of its own, in which an unprivileged user may mount what
# fills up and cut what answers.  Not every machine allows that to its users.
package FintransNamespace;

use strict;
use warnings;

# enter(KINDS...): begins the test anew in there, before it has said anything;
# false when there can be none.  KINDS are options of unshare: mount, net.
sub enter
{
	my (@kinds) = @_;
	my @unshare = ('unshare', '--user', '--map-current-user', '--keep-caps', map { "--$_" } @kinds);

	return 1 if $ENV{FINTRANS_NAMESPACE};
	return 0 unless system("@unshare true 2> /dev/null") == 0;
	$ENV{FINTRANS_NAMESPACE} = 1;
	exec @unshare, $^X, (map { "-I$_" } @INC), $0 or die "unshare: $!\n";
}

1;
