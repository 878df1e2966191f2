# The bench against what others use for the job, for bench/run: each stands in
# bench/peers/NAME with all that sets it up.  There `start JOB` loads the topics,
# with these variables: TOPICS, MESSAGES in them, their FORMAT, GROUP to read them
# as, CHUNK of rows in a batch, WORK, a directory of its own, and PEERS, where all
# that was installed lies.
#
# shellcheck shell=bash

# What is timed: peer, job, format of the messages, rows in a batch (0 where the
# peer decides), and whether it ends by itself or stays until it is ended.
contenders='
kcat     bare  text 0      ends  kcat | psql COPY, tuned queue
python   bare  text 20000  ends  Python script, COPY, tuned queue
telegraf bare  text 0      stays Telegraf
connect  bare  json 5000   stays Connect, Debezium sink, inserts
flink    bare  text 0      ends  Flink SQL
kcat     whole text 20000  ends  kcat | psql COPY, SQL trigger
python   whole text 20000  ends  Python script, SQL trigger
python   whole text 100000 ends  Python script, SQL trigger
connect  whole json 5000   stays Connect, Debezium idempotent, SQL trigger
flink    whole text 0      ends  Flink SQL, totals by upsert
streams  whole text 0      ends  Kafka Streams, totals without PostgreSQL
fintrans whole text 100000 ends  fintrans-bridge
fintrans whole text 500000 ends  fintrans-bridge
fintrans whole json 100000 ends  fintrans-bridge, JSON
fintrans calm  text 100000 ends  fintrans-bridge, threshold 40000
'

# Those of PEERS_ONLY, or all, a line each
chosen()
{
	awk -v only=" ${PEERS_ONLY:-} " 'NF && (only ~ /^ *$/ || index(only, " " $1 " "))' <<< "$contenders"
}

installed()
{
	[ -e "peers/$1/complete" ]
}

# The same messages again as JSON, for those that cannot read the others.
fill_json()
{
	local topic found

	for topic in "${topics[@]}"; do
		start_topic "$topic-json"
	done
	fintrans-generator --rate 0 --count "$messages" --seed 1 --format json \
		--topics "$(printf '%s-json\n' "${topics[@]}" | paste -s -d ,)" 2> logs/generator.json
	found=$(for topic in "${topics[@]}"; do kcat_topic "$topic-json"; done |
		awk -F '[:}]' '{ sum += $(NF - 1); n++ } END { printf "%.0f %.0f", n, sum }')
	expect "the number and sum of the messages of JSON" "$sum" "$found"
}

# What each peer's tables are before it starts.
peer_database()
{
	fresh_database
	query -f bench/peers/tables.sql
	if [ -e "bench/peers/$1/tables.sql" ]; then
		query -f "bench/peers/$1/tables.sql" > /dev/null
	fi
	query -c CHECKPOINT
}

# peak_of_session LEADER: of the resident memory of its processes together, in MB,
# until it has ended
peak_of_session()
{
	local now peak=0

	while kill -0 "$1" 2> /dev/null; do
		now=$(ps -o rss= -s "$1" | awk '{ n += $1 } END { print int(n / 1024) }') || break
		peak=$((now > peak ? now : peak))
		sleep 0.2
	done
	echo "$peak"
}

# ask_session NAME QUERY: its one line
ask_session()
{
	local line

	echo "$2;" >&"${session_in[$1]}"
	read -r line <&"${session_out[$1]}" && echo "$line"
}

# has_stored TABLE SIZE: all messages.  Rows are counted only when the table has
# not grown since it had that size, so that counting disturbs little.
has_stored()
{
	[ "$2" = "$size_before" ] && [ "$2" -gt 0 ] &&
		[ "$(ask_session watch "SELECT count(*) FROM $1")" -ge "$messages" ]
}

# wait_for_rows ID PID TABLE: at most half an hour
wait_for_rows()
{
	local size size_before=

	open_sessions "" watch
	for _ in {1..18000}; do
		kill -0 "$2" 2> /dev/null || die "$1 ended: $(tail -n 3 "logs/$1")"
		size=$(ask_session watch "SELECT pg_relation_size('$3')")
		! has_stored "$3" "$size" || return 0
		size_before=$size
		sleep 0.1
	done
	die "$1 has not stored all within half an hour: $(tail -n 3 "logs/$1")"
}

# found_by PEER JOB: how many transactions it has, and the sum of their amounts
found_by()
{
	case $1.$2 in
		*.bare) query -F ' ' -c 'SELECT count(*), sum(amount) FROM bare_rows' ;;
		fintrans.*) query -F ' ' -c 'SELECT sum(transactions), sum(total) FROM fintrans_laundering' ;;
		streams.*) cat "$WORK/answer" ;;
		*) query -F ' ' -c 'SELECT sum(transactions), sum(total) FROM totals' ;;
	esac
}

check_contender()
{
	local rows_of=whole_rows

	expect "what $1 $2 has summed" "$sum" "$(found_by "$1" "$2")"
	case $1.$2 in
		*.bare | streams.*) return ;;
		flink.*) rows_of=bare_rows ;;
		fintrans.*)
			rows_of=fintrans_transactions
			expect_exact
			;;
	esac
	expect "what $1 $2 has stored" "$sum" "$(query -F ' ' -c "SELECT count(*), sum(amount) FROM $rows_of")"
}

# run_contender ROUND PEER JOB FORMAT CHUNK END: notes its rate and its memory
run_contender()
{
	local id=peers.$2.$3.$4.$5 pid peak_pid started
	local -x TOPICS="${topics[*]}" FORMAT=$4 CHUNK=$5 MESSAGES=$messages PEERS=$PWD/peers
	local -x GROUP=$2-$3-$4-$5-$1 WORK=$PWD/work

	[ "$4" = text ] || TOPICS="${topics[*]/%/-$4}"
	rm -rf work
	mkdir work
	peer_database "$2"
	started=$EPOCHREALTIME
	setsid timeout 1800 "bench/peers/$2/start" "$3" > "logs/$id" 2>&1 &
	pid=$!
	echo "$pid" > pids/peer
	peak_of_session "$pid" > results/peak &
	peak_pid=$!
	if [ "$6" = ends ]; then
		wait "$pid" || die "$id failed, or has not ended within half an hour: $(tail -n 3 "logs/$id")"
	else
		wait_for_rows "$id" "$pid" "$3_rows"
	fi
	awk "BEGIN { printf \"%.1f\\n\", $messages / ($EPOCHREALTIME - $started) / 1000 }" >> "results/$id"
	if [ "$6" = stays ]; then
		kill -TERM "-$pid"
		wait "$pid" || true
		close_sessions watch
	fi
	rm pids/peer
	wait "$peak_pid"
	cat results/peak >> "results/$id.peak"
	check_contender "$2" "$3"
}

# a round of all that are installed, in random order
peers_round()
{
	local peer job format chunk end

	while read -r peer job format chunk end _; do
		! installed "$peer" || run_contender "$1" "$peer" "$job" "$format" "$chunk" "$end"
	done < <(chosen | shuf)
}

print_contender()
{
	local id=peers.$1.$2.$3.$4 label=$6

	[ "$4" -eq 0 ] || label="$label, $(awk "BEGIN { print $4 / 1000 }") k"
	if ! installed "$1"; then
		printf '  %-46s not measured: not installed\n' "$label"
		return
	fi
	printf '  %-46s %5.0f  %-12s %5.0f MB' "$label" "$(median "$id")" "$(spread "$id")" "$(median "$id.peak")"
	[ ! -e results/peers.fintrans.whole.text.100000 ] ||
		printf '  %6.2f' "$(noted_ratio peers.fintrans.whole.text.100000 "$id")"
	echo
}

bench_peers()
{
	local round peer job format chunk end label

	fill_kafka
	fill_json
	warm_up peers peers_round
	for ((round = 0; round < rounds; round++)); do
		peers_round "$round"
	done
	echo
	echo "Kafka to committed, $messages messages             rate  spread       memory  fintrans against it"
	while read -r peer job format chunk end label; do
		print_contender "$peer" "$job" "$format" "$chunk" "$end" "$label"
	done < <(chosen)
}

# --------------------------------------------------------- the batch size

batch_sizes=(2000 10000 50000 200000 1000000)

batches_round()
{
	local size peer

	for size in $(shuf -e "${batch_sizes[@]}"); do
		for peer in $(shuf -e python fintrans); do
			run_contender "batches-$1" "$peer" whole text "$size" ends
		done
	done
}

# The whole job, by the script and by the bridge, in batches of each size.
bench_batches()
{
	local round size

	fill_kafka
	warm_up peers batches_round
	for ((round = 0; round < rounds; round++)); do
		batches_round "$round"
	done
	echo
	echo "Kafka to committed, $messages messages         rate  spread       of the script"
	for size in "${batch_sizes[@]}"; do
		row "Python script, SQL trigger, $((size / 1000)) k" "peers.python.whole.text.$size"
		row "fintrans-bridge, $((size / 1000)) k" "peers.fintrans.whole.text.$size" "peers.python.whole.text.$size"
		point batch.script "$size" "peers.python.whole.text.$size"
		point batch.fintrans "$size" "peers.fintrans.whole.text.$size"
	done
}
