# The dashboards as a person sees them: drawn in Chromium by Grafana's own components
# from a real PostgreSQL and a real InfluxDB, and looked at by look.mjs.
#
# FINTRANS_PREVIEW_SERVE=1 goes on serving them until it is told to stop.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

use FintransGrafana;
use FintransInflux;
use FintransProcess;
use FintransTest;

my $preview = "$ENV{FINTRANS_TREE}/grafana/preview";
my $node = new_node();
my $influxdb = FintransInflux->new;

FintransGrafana::fill($node->connstr('postgres'), $influxdb->url, rows => 400_000, days => 1);
$ENV{PREVIEW_CONNINFO} = $node->connstr('postgres') . ' user=grafana';
$ENV{PREVIEW_OWNER} = $node->connstr('postgres');
$ENV{PREVIEW_INFLUXDB} = $influxdb->url;
$ENV{PREVIEW_INFLUXDB_DATABASE} = 'fintrans';
my $server = FintransProcess->start('preview', 'node', "$preview/serve.mjs", $ENV{FINTRANS_PREVIEW_PORT} // 0);
wait_for { $server->output =~ m{^http://}m || !$server->running } 'the server of the preview';
my ($address) = $server->output =~ m{^(http://\S+)}m or die $server->logged;

# look.mjs speaks TAP, which is to go where Test::More's would
my $tap = Test::More->builder->output;
$tap->autoflush(1);
open(my $looked, '-|', 'node', "$preview/look.mjs", $address, "$ENV{SCRATCH}/pictures")
  or die "node: $!\n";
print $tap $_ while <$looked>;
close($looked);
my $status = $?;
if ($ENV{FINTRANS_PREVIEW_SERVE})
{
	print $tap "# serving the dashboards on $address until Ctrl-C\n";
	sleep(1) while $server->running;
}
exit($status >> 8 || ($status & 127 ? 1 : 0));
