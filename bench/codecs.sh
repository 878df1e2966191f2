# The bench of codecs, for bench/run.
#
# shellcheck shell=bash

# copy_files RELATION COUNT: the rows that were written
copy_files()
{
	for ((n = 0; n < $2; n++)); do
		echo "COPY $1 FROM '$PWD/batches/$n' (FORMAT binary);"
	done | query
}

# codec_round SHAPE: messages to rows, and these rows to tables
codec_round()
{
	local rate files sum

	rm -f batches/*
	read -r rate files sum < <(./codecs rows "$1" "$rows" "$PWD/batches")
	echo "$rate" >> "results/codecs.$1"
	query -c 'TRUNCATE bare' -c CHECKPOINT
	timed "codecs.$1.bare" "$rows" copy_files bare "$files"
	timed "codecs.$1.fintrans" "$rows" copy_files fintrans_transactions_20261127 "$files"
	expect "the sum of $1" "$sum" "$(query -c 'SELECT round(sum(amount), 2) FROM bare')"
}

bench_codecs()
{
	local shapes=(text json csv bank.text bank.json bank.csv) shape hostile length
	local hostiles=(escapes pairs texts members objects digits columns quotes records)

	fresh_database
	query -f bench/trigger.sql > /dev/null
	# the day of the messages
	query -c "SELECT fintrans_ensure_partitions('2026-11-27', '2026-11-27')" > /dev/null
	for ((round = 0; round < rounds; round++)); do
		for shape in $(shuf -e "${shapes[@]}"); do
			codec_round "$shape"
		done
		for hostile in "${hostiles[@]}"; do
			for length in 1000 64000; do
				./codecs bytes "$hostile" $length >> "results/codecs.$hostile.$length"
			done
		done
	done
	echo
	echo "messages to rows of COPY BINARY             rate  spread        of COPY  of it into fintrans"
	for shape in "${shapes[@]}"; do
		row "$shape" "codecs.$shape" "codecs.$shape.bare" "codecs.$shape.fintrans"
	done
	echo "messages made to be slow: ns per byte of 64,000, and of that of 1,000"
	for hostile in "${hostiles[@]}"; do
		printf '  %-30s %7.2f  %5.2f\n' "$hostile" "$(median "codecs.$hostile.64000")" \
			"$(awk "BEGIN { print $(median "codecs.$hostile.64000") / $(median "codecs.$hostile.1000") }")"
	done
}
