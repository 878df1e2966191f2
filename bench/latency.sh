# The bench of latency, for bench/run: from a message's timestamp, which the
# generator gives it, to the moment at which the detector's line has been read.
#
# shellcheck shell=bash

# stamped FILE: each line behind the microsecond at which it came
stamped()
{
	local line

	while IFS= read -r line; do
		printf '%s %s\n' "${EPOCHREALTIME/./}" "$line"
	done > "$1"
}

# write_load RATE EVERY: random transactions of a thousand accounts, too small to
# alert; after two seconds every EVERY-th message is a pair's only one, and alerts
write_load()
{
	awk -v warm="$(($1 * 2))" -v count="$(($1 * (2 + latency_seconds)))" -v every="$2" 'BEGIN {
		srand(1)
		for (i = 1; i <= count; i++)
			if (i > warm && i % every == 0) print "probe" i, "collector", 10001
			else print int(rand() * 1000), int(rand() * 1000), int(rand() * 10)
	}'
}

# start_named NAME COMMAND...: in the background, its log in logs/NAME
start_named()
{
	local name=$1

	shift
	# not the one of the run before, which whoever waits for a line would find there
	: > "logs/$name"
	"$@" 2>> "logs/$name" &
	echo $! > "pids/$name"
}

stop_named()
{
	kill -TERM "$(cat "pids/$1")"
	wait "$(cat "pids/$1")" || die "the $1 failed: $(tail -n 3 "logs/$1")"
	rm "pids/$1"
}

# wait_until WHAT COMMAND...: at most a minute
wait_until()
{
	local what=$1

	shift
	for _ in {1..600}; do
		! "$@" || return 0
		sleep 0.1
	done
	die "no $what within a minute"
}

has_lines()
{
	[ "$(wc -l < "$1")" -ge "$2" ]
}

# percentiles FILE: of numbers, in milliseconds
percentiles()
{
	sort -n "$1" | awk '{ v[NR] = $1 }
		function at(share) { i = int(NR * share + 0.999999); return v[i < 1 ? 1 : i] }
		END { printf "%7.1f %7.1f %7.1f", at(0.5), at(0.99), v[NR] }'
}

# latency_run RATE LINGER: one row of the table, its percentiles kept for the medians
latency_run()
{
	local name=latency.$1.$2 database="host=$PGHOST user=postgres dbname=bench" probes pid before used figures

	fresh_database
	query -c 'CREATE EXTENSION fintrans' -c CHECKPOINT
	write_load "$1" "$(($1 > 100 ? $1 / 100 : 1))" > results/load
	probes=$(grep -c '^probe' results/load)
	start_named detector fintrans-detector --database "$database" --threshold 10000 \
		> >(stamped "results/$name.alerts")
	start_named bridge fintrans-bridge --group "bench-$name-$EPOCHSECONDS" --database "$database" \
		--start latest --linger-ms "$2"
	wait_until 'bridge that loads' grep -qs 'event=loading' logs/bridge
	pid=$(query -c "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'fintrans-bridge%' ORDER BY backend_start LIMIT 1")
	before=$(cpu_time "$pid")
	fintrans-generator --rate "$1" --file results/load -X linger.ms=0 2> logs/generator ||
		die "the generator failed: $(tail -n 3 logs/generator)"
	wait_until 'line for each alert' has_lines "results/$name.alerts" "$probes"
	used=$(($(cpu_time "$pid") - before))
	stop_named bridge
	stop_named detector
	expect "the number of rows" "$(wc -l < results/load)" "$(query -c 'SELECT count(*) FROM fintrans_transactions')"
	query -F ' ' -c "SELECT source_account, round(extract(epoch FROM event_time) * 1000) FROM fintrans_transactions
		WHERE source_account LIKE 'probe%'" > results/sent
	awk 'NR == FNR { sent[$1] = $2; next }
		$5 in sent { print $1 / 1000 - sent[$5]; n++ }' results/sent "results/$name.alerts" > "results/$name"
	expect "the number of latencies" "$probes" "$(wc -l < "results/$name")"
	figures=$(percentiles "results/$name")
	echo "$figures" >> "results/$name.runs"
	printf '%9d %7d %7d  %s  %8.1f %6.0f %%\n' "$1" "$2" "$probes" "$figures" \
		"$(query -c "SELECT count(*)::numeric / count(DISTINCT xmin::text) FROM fintrans_transactions")" \
		"$(awk "BEGIN { print $used / (2 + $latency_seconds) }")"
}

# As Kafka's own scripts start it: with the heap of kafka-server, which is for tests, it
# collects garbage twice a second at 1000 messages a second, for 10 ms and more each time.
start_latency_kafka()
{
	[ ! -e pids/kafka ] || die 'latency wants a Kafka of its own: run it alone, or as the first'
	export KAFKA_HEAP_OPTS='-Xms1g -Xmx1g'
	export KAFKA_JVM_PERFORMANCE_OPTS='-server -XX:+UseG1GC -XX:MaxGCPauseMillis=20
		-XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent'
	start_topics
}

# warm_up_kafka ROUNDS: what is measured is no broker's first minute, in which it compiles
warm_up_kafka()
{
	local i

	for ((i = 0; i < $1; i++)); do
		latency_run 50000 5 > /dev/null
	done
	rm -f results/latency.*.runs
}

# middle FILE COLUMN: the median
middle()
{
	awk -v column="$2" '{ print $column }' "results/$1" > results/column
	median column
}

print_middles()
{
	local linger rate runs

	echo
	echo "medians of $latency_rounds runs each:"
	echo '   rate/s  linger      p50     p99'
	for linger in $latency_lingers; do
		for rate in $latency_rates; do
			runs=latency.$rate.$linger.runs
			printf '%9d %7d  %7.1f %7.1f\n' "$rate" "$linger" "$(middle "$runs" 1)" "$(middle "$runs" 2)"
		done
	done
}

bench_latency()
{
	local latency_seconds=${DURATION:-20} latency_rounds=${ROUNDS:-1} round linger rate
	local latency_lingers=${LINGERS:-5} latency_rates=${RATES:-20 1000 50000}

	start_latency_kafka
	warm_up_kafka "${WARM_UP:-2}"
	echo
	echo 'from the timestamp of a message to the line of its alert, in milliseconds:'
	echo '   rate/s  linger  alerts      p50     p99    most  a batch  server'
	for ((round = 0; round < latency_rounds; round++)); do
		for linger in $latency_lingers; do
			for rate in $latency_rates; do
				latency_run "$rate" "$linger"
			done
		done
	done
	[ "$latency_rounds" -eq 1 ] || print_middles
}
