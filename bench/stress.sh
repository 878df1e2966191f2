# The benches of a backlog and of poison, for bench/run.
#
# shellcheck shell=bash

# loaded_in LOG: seconds that a bridge took that has ended at the end, without
# the joining of its group
loaded_in()
{
	local from to

	from=$(grep -m 1 'event=loading' "$1")
	to=$(grep 'event=status ' "$1" | tail -n 1)
	awk "BEGIN { print $(date -d "${to%% *}" +%s.%N) - $(date -d "${from%% *}" +%s.%N) }"
}

# ---------------------------------------------------------------- a backlog

# peak_of PID: of its resident memory, in kB, until it has ended
peak_of()
{
	local peak=0 now

	while now=$(awk '/^VmHWM:/ { print $2 }' "/proc/$1/status" 2> /dev/null) && [ -n "$now" ]; do
		peak=$now
		sleep 0.1
	done
	echo "$peak"
}

# in_group COMMAND...: in the control group that was made for it, if there is one
in_group()
{
	if [ -n "${BACKLOG_GROUP:-}" ]; then
		echo "$BASHPID" > "$BACKLOG_GROUP/cgroup.procs"
	fi
	exec "$@"
}

bench_backlog()
{
	local messages=${MESSAGES:-5000000} pid peak seconds status=0

	fill_kafka
	fresh_database
	query -c 'CREATE EXTENSION fintrans' -c "SELECT fintrans_set_rule('default', 8000)" > /dev/null
	query -c CHECKPOINT
	in_group fintrans-bridge --group bench-backlog --exit-at-end \
		--database "host=$PGHOST user=postgres dbname=bench" 2> logs/backlog &
	pid=$!
	peak=$(peak_of "$pid")
	wait "$pid" || status=$?
	[ "$status" -eq 0 ] || die "the bridge ended with $status: $(tail -n 3 logs/backlog)"
	expect "the bridge's rows and sum" "$sum" "$(query -F ' ' -c 'SELECT sum(transactions), sum(total) FROM fintrans_laundering')"
	expect_exact
	seconds=$(loaded_in logs/backlog)
	echo
	printf 'backlog of %d messages: loaded in %.0f s, %.0f k/s, peak of resident memory %.0f MB\n' \
		"$messages" "$seconds" "$(awk "BEGIN { print $messages / $seconds / 1000 }")" \
		"$(awk "BEGIN { print $peak / 1024 }")"
	if [ -n "${BACKLOG_GROUP:-}" ]; then
		printf '  in a control group of %.0f MB, which has refused %d times\n' \
			"$(awk '{ print $1 / 1048576 }' "$BACKLOG_GROUP/memory.limit_in_bytes")" \
			"$(cat "$BACKLOG_GROUP/memory.failcnt")"
	fi
}

# ------------------------------------------------------------------ poison

poison_kinds=(none unreadable refused)

# write_poison KIND: one in 10,000, somewhere in the second half of each
write_poison()
{
	awk -v kind="$1" -v count="$poison_rows" 'BEGIN {
		srand(1)
		for (i = 0; i < count; i++)
			if (i % 10000 != 7000 || kind == "none") print "payer", int(rand() * 100000), 100 + int(rand() * 1000)
			else if (kind == "unreadable") print "payer", int(rand() * 100000), "poison"
			else print "payer", int(rand() * 100000), 7
	}'
}

# Batches of 10,000, all of one partition: as many batches as poison.
poison_round()
{
	local kind=$2 letters=0

	[ "$kind" = none ] || letters=$((poison_rows / 10000))
	fresh_database
	query -c 'CREATE EXTENSION fintrans' -c "SELECT fintrans_set_rule('default', 1000000)" \
		-c 'ALTER TABLE fintrans_transactions ADD CONSTRAINT not_seven CHECK (amount <> 7)' -c CHECKPOINT > /dev/null
	fintrans-bridge --group "bench-poison-$1-$kind" --topics "$kind" --exit-at-end \
		--batch-rows 10000 --linger-ms 60000 \
		--database "host=$PGHOST user=postgres dbname=bench" 2> "logs/poison.$kind" ||
		die "the bridge failed: $(tail -n 3 "logs/poison.$kind")"
	loaded_in "logs/poison.$kind" >> "results/poison.$kind"
	expect "the numbers of rows and dead letters" "$((poison_rows - letters)) $letters" "$(query -F ' ' -c '
		SELECT (SELECT count(*) FROM fintrans_transactions), (SELECT count(*) FROM fintrans_dead_letters)')"
	expect_exact
}

bench_poison()
{
	local poison_rows=$rows kind round

	start_kafka
	for kind in "${poison_kinds[@]}"; do
		write_poison "$kind" > results/load
		start_topic "$kind"
		fintrans-generator --rate 0 --topics "$kind" --file results/load 2> logs/generator
	done
	for ((round = 0; round < rounds; round++)); do
		for kind in $(shuf -e "${poison_kinds[@]}"); do
			poison_round "$round" "$kind"
		done
	done
	echo
	echo "$rows messages in batches of 10,000          seconds  of none"
	for kind in "${poison_kinds[@]}"; do
		printf '  one in a batch %-24s %7.2f  %7.2f\n' "$kind" "$(median "poison.$kind")" \
			"$(awk "BEGIN { print $(median "poison.$kind") / $(median poison.none) }")"
	done
}
