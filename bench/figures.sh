# The bench of further figures, for bench/run: WAL, writers, bridges, memory and
# the start.
#
# shellcheck shell=bash

# ------------------------------------------------------------------- WAL

# wal_of SHAPE NAME RELATION: bytes of WAL a row, and those of images of full
# pages, between checkpoints: a load before has written to these pages already.
# Of known pairs all are, of new ones none.
wal_of()
{
	local shape=$1 name=$2 relation=$3 from records images

	write_round "$shape" 0
	query -c CHECKPOINT
	copy_batches "$name" "$relation" 20000
	[ "$shape" = known ] || write_round "$shape" 1
	from=$(query -c 'SELECT pg_current_wal_flush_lsn()')
	copy_batches "$name" "$relation" 20000
	read -r records images < <(query -F ' ' -c "
		SELECT sum(record_size), sum(fpi_size)
		  FROM pg_get_wal_stats('$from', pg_current_wal_flush_lsn())")
	awk "BEGIN { print $records / $rows }" >> "results/wal.$shape.$name"
	awk "BEGIN { print $images / $rows }" >> "results/wal.$shape.$name.images"
}

# write_round SHAPE ROUND: batches of 20,000
write_round()
{
	rm -f batches/*
	query -c "SELECT write_batches('$1', $2, $rows, 20000, '$PWD/batches')" > /dev/null
}

figure_wal()
{
	local shape name relation

	for shape in known new; do
		fresh_database
		query -f bench/trigger.sql -c 'CREATE EXTENSION pg_walinspect' > /dev/null
		open_sessions "" bare plain fintrans
		while read -r name relation; do
			wal_of "$shape" "$name" "$relation"
		done < <(query -F ' ' -c 'SELECT name, relation FROM targets')
		close_sessions bare plain fintrans
		expect_totals_exact
	done
	echo
	echo 'bytes of WAL a transaction             records  of none  images of pages'
	for shape in known new; do
		for name in bare plain fintrans; do
			printf '  %-36s %7.0f   %6.2f  %7.0f\n' "pairs $shape, $name" "$(median "wal.$shape.$name")" \
				"$(per "$(median "wal.$shape.bare")" "$(median "wal.$shape.$name")")" "$(median "wal.$shape.$name.images")"
		done
	done
}

# --------------------------------------------------------------- writers

# copy_share SESSION FIRST STEP: every STEP-th of the batches into the day's leaf
copy_share()
{
	local n answer

	for ((n = $2; n * 20000 < rows; n += $3)); do
		echo "COPY $leaf FROM '$PWD/batches/20000.$n' (FORMAT binary);"
	done >&"${session_in[$1]}"
	printf '%s\n' '\echo copied' >&"${session_in[$1]}"
	read -r answer <&"${session_out[$1]}" || true
	[ "$answer" = copied ] || die "a writer failed: $answer"
}

one_writers()
{
	copy_share first 0 1
}

two_writers()
{
	local other

	copy_share second 1 2 &
	other=$!
	copy_share first 0 2
	wait "$other" || die 'a writer failed'
}

# writers_of SHAPE: the same number of rows by one writer and by two
writers_of()
{
	local round leaf way n=0 total=0 more

	fresh_database
	query -f bench/trigger.sql > /dev/null
	query -c "SELECT fintrans_set_rule('default', 60000)" > /dev/null
	leaf=$(query -c "SELECT relation FROM targets WHERE name = 'fintrans'")
	open_sessions "" first second
	for ((round = 0; round < rounds; round++)); do
		for way in $(shuf -e one two); do
			rm -f batches/*
			more=$(query -c "SELECT write_batches('$1', $((n++)), $rows, 20000, '$PWD/batches')")
			total=$(query -c "SELECT $total::numeric + $more")
			timed "writers.$1.$way" "$rows" "${way}_writers"
		done
	done
	close_sessions first second
	expect "the sum of fintrans_laundering" "$total" "$(query -c 'SELECT sum(total) FROM fintrans_laundering')"
	row '  one writer' "writers.$1.one"
	row '  two writers' "writers.$1.two" "writers.$1.one"
}

# Pairs drawn from a million: by both writers, or by each from those of its own
# source accounts, as Kafka's partitions have them when the source account is the key.
figure_writers()
{
	echo
	echo 'COPY BINARY in batches of 20 k            rate  spread        of one'
	echo '  both of the same pairs'
	writers_of known
	echo '  each of its own source accounts'
	writers_of apart
}

# --------------------------------------------------------------- bridges

# used_by PID: notes its peak of memory, and of a core what it has had a tenth of a
# second before its end
used_by()
{
	local used=0 now

	peak_of "$1" >> results/bridge.memory &
	while now=$(cpu_time "$1" 2> /dev/null) && [ -n "$now" ]; do
		used=$now
		sleep 0.1
	done
	wait $!
	awk "BEGIN { print $used * 10000 / $messages }" >> results/bridge.cpu
}

# bridges ROUND COUNT: of one group, until all is loaded
bridges()
{
	local n pids=()

	for ((n = 0; n < $2; n++)); do
		fintrans-bridge --group "bench-bridges-$1-$2" --exit-at-end \
			--database "host=$PGHOST user=postgres dbname=bench" 2> "logs/bridges.$n" &
		pids+=($!)
	done
	[ "$2" -gt 1 ] || used_by "${pids[0]}"
	for n in "${!pids[@]}"; do
		wait "${pids[$n]}" || die "a bridge failed: $(tail -n 3 "logs/bridges.$n")"
	done
}

figure_bridges()
{
	local round count

	fill_kafka
	for ((round = 0; round < rounds; round++)); do
		for count in $(shuf -e 1 4); do
			fresh_database
			query -c 'CREATE EXTENSION fintrans' -c "SELECT fintrans_set_rule('default', 8000)" -c CHECKPOINT > /dev/null
			timed "bridges.$count" "$messages" bridges "$round" "$count"
			expect "the bridges' rows and sum" "$sum" "$(query -F ' ' -c 'SELECT sum(transactions), sum(total) FROM fintrans_laundering')"
		done
	done
	echo
	echo "Kafka to committed, $messages messages         rate  spread        of one"
	row 'one bridge' bridges.1
	row 'four bridges' bridges.4 bridges.1
	printf '  one takes %.0f MB of memory, and %.1f us of a core a message\n' \
		"$(awk "BEGIN { print $(median bridge.memory) / 1024 }")" "$(median bridge.cpu)"
}

# ------------------------------------------------- the start, and no work

# first_row ROUND: milliseconds from the start of a bridge to its first row
first_row()
{
	local started=$EPOCHREALTIME

	start_named bridge fintrans-bridge --group "bench-start-$1" --topics start --database "host=$PGHOST user=postgres dbname=bench"
	for _ in {1..30000}; do
		[ "$(ask_session watch 'SELECT count(*) FROM fintrans_transactions')" = 0 ] || break
		sleep 0.002
	done
	awk "BEGIN { print 1000 * ($EPOCHREALTIME - $started) }" >> results/start.bridge
}

# joined ROUND: milliseconds from the start of another client to its first message
joined()
{
	local started=$EPOCHREALTIME

	kcat -b "$FINTRANS_BROKERS" -G "bench-join-$1" -c 1 -X auto.offset.reset=earliest start > results/joined 2> logs/joined
	expect 'the number of messages that kcat has read' 1 "$(wc -l < results/joined)"
	awk "BEGIN { print 1000 * ($EPOCHREALTIME - $started) }" >> results/start.join
}

figure_start()
{
	local round

	start_kafka
	start_topic start
	echo '1 2 3' > results/load
	fintrans-generator --topics start --file results/load 2> logs/generator
	for ((round = 0; round < rounds; round++)); do
		fresh_database
		query -c 'CREATE EXTENSION fintrans' -c CHECKPOINT
		open_sessions "" watch
		joined "$round"
		first_row "$round"
		awk '/^VmRSS:/ { print $2 }' "/proc/$(cat pids/bridge)/status" >> results/start.memory
		stop_named bridge
		close_sessions watch
		expect 'the number of rows' 1 "$(query -c 'SELECT count(*) FROM fintrans_transactions')"
	done
	echo
	printf 'start to the first committed row: %.0f ms (%s); to a first message by kcat, which joins a group too: %.0f ms (%s)\n' \
		"$(median start.bridge)" "$(spread start.bridge)" "$(median start.join)" "$(spread start.join)"
	printf 'memory of a bridge without work: %.1f MB\n' "$(awk "BEGIN { print $(median start.memory) / 1024 }")"
}

bench_figures()
{
	figure_wal
	figure_writers
	figure_start
	figure_bridges
}
