# The bench of what programs take, for bench/run: CPU and memory at the demo's rate
# and at a high one, from which bridge/marathon/ has its figures.
#
# shellcheck shell=bash

# resources_of NAME PID...: since measure_from was noted; Pss counts what
# processes share once
resources_of()
{
	local name=$1 ticks=0 pid peak=0

	shift
	for pid in "$@"; do
		ticks=$((ticks + $(cpu_time "$pid")))
	done
	if [ $# -eq 1 ]; then
		peak=$(awk '/^VmHWM:/ { print $2 }' "/proc/$1/status")
	else
		for pid in "$@"; do
			peak=$((peak + $(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup")))
		done
	fi
	printf '  %-12s %7.3f cores %7.1f MB\n' "$name" \
		"$(awk "BEGIN { print $ticks / $(getconf CLK_TCK) / ($EPOCHREALTIME - $resources_from) }")" \
		"$(awk "BEGIN { print $peak / 1024 }")"
}

cluster_pids()
{
	local postmaster

	postmaster=$(head -n 1 cluster/postmaster.pid)
	echo "$postmaster $(cat "/proc/$postmaster/task/$postmaster/children")"
}

# resources_run LABEL GENERATOR_OPTION...
resources_run()
{
	local label=$1 database="host=$PGHOST user=postgres dbname=bench" resources_from

	shift
	fresh_database
	query -c 'CREATE EXTENSION fintrans' -c CHECKPOINT
	start_named detector fintrans-detector --database "$database" --threshold 8000 > results/resources.alerts
	start_named bridge fintrans-bridge --group "bench-resources-$EPOCHSECONDS" --database "$database" --start latest
	wait_until 'bridge that loads' grep -q 'event=loading' logs/bridge
	resources_from=$EPOCHREALTIME
	start_named generator fintrans-generator "$@"
	sleep "$resources_seconds"
	echo "$label, for $resources_seconds s:"
	for name in bridge generator detector; do
		resources_of "$name" "$(cat "pids/$name")"
	done
	# shellcheck disable=SC2046 # a list of processes
	resources_of postgresql $(cluster_pids)
	stop_named generator
	stop_named bridge
	stop_named detector
	sed -n 's/.*event=finished sent=\([0-9]*\) .*/  \1 messages sent/p' logs/generator
	query -c "SELECT format('  %s transactions in %s batches, %s alerts',
			(SELECT count(*) FROM fintrans_transactions),
			(SELECT count(DISTINCT xmin::text) FROM fintrans_transactions),
			(SELECT count(*) FROM fintrans_alerts))"
	expect_exact
}

bench_resources()
{
	local resources_seconds=${DURATION:-60}

	start_topics
	echo
	resources_run "the demo's rate, a message every two seconds"
	resources_run '50,000 messages a second' --rate 50000
}
