# Three bridges of one group, of which every two seconds one joins, leaves, dies
# or is stopped for a while, and no two of which have the same options, as while
# they are replaced one by one: each partition is moved on by one of them at a time,
# and none is stuck.  Faults 7 and 26 of docs/faults.md; `make soak` has ten
# minutes of it.
use strict;
use warnings;

use Test::More;

use FintransBroker;
use FintransFaults;
use FintransTest;

my $seed = srand($ENV{FINTRANS_TEST_SEED} // time);
note("seed $seed");

my @names = qw(bridge_a bridge_b bridge_c);
my $node = new_node(@names);
audit_offsets($node);
my $broker = FintransBroker->kafka(partitions => 3);
my $generator = start_generator($broker, '--rate' => 5000, '--seed' => $seed);
my %bridge = storm($node, $broker, 20, @names);

note_recovery($node, 'the storm');
is($generator->stop, 0, 'the generator delivered everything');
wait_until_loaded($node, $broker);
is($bridge{$_}->stop, 0, "$_ ends well") foreach @names;
check_exactly_once($node, $broker, 'rebalance storm');

done_testing();
