# The bench of scale, for bench/run: one larger load, and what the model of
# docs/scale.md says of it.
#
# shellcheck shell=bash

# coefficient NAME: of the model
coefficient()
{
	awk -F '\t' -v name="$1" '$1 == name { print $2 }' bench/scale.tsv
}

# leaves_take FUNCTION: bytes of all partitions of transactions
leaves_take()
{
	query -c "SELECT sum($1(inhrelid)) FROM pg_inherits WHERE inhparent = 'fintrans_transactions'::regclass"
}

# microseconds of a core a transaction, of all millions or the last so many
server_time()
{
	tail -n "$1" results/scale.cpu | awk '{ used += $1 } END { print used / NR / 100 }'
}

# compare WHAT UNIT MEASURED COEFFICIENT
compare()
{
	awk -v what="$1" -v unit="$2" -v measured="$3" -v model="$(coefficient "$4")" 'BEGIN {
		printf "  %-44s %8.1f %8.1f  %5.2f  %s\n", what, measured, model, measured / model, unit }'
}

bench_scale()
{
	local millions=$((${ROWS:-50000000} / 1000000)) total all pairs records images

	open_history 100000
	# five times as many transactions as there are pairs to draw from
	load_millions scale 1 "$millions" $((millions * 200000)) 100000
	echo
	echo "$millions million transactions:"
	bench_suspects scale
	close_history scale "$millions"
	all=$((millions * 1000000))
	pairs=$(query -c 'SELECT count(*) FROM fintrans_laundering')
	read -r records images < <(awk '{ records += $1; images += $2 } END { print records, images }' results/scale.wal)
	# as they are made when the day is over
	query <<< "SELECT statement FROM fintrans_missing_indexes(now() + interval '2 days') \gexec"
	echo
	printf '%d million transactions of %d pairs         measured    model  ratio\n' "$millions" "$pairs"
	compare 'server, of a core, a transaction' us "$(server_time "$millions")" server_us
	compare 'server, the last tenth' us "$(server_time $(((millions + 9) / 10)))" server_us
	compare 'WAL, records, a transaction' bytes "$(per "$all" "$records")" wal_bytes
	compare 'disk, a transaction' bytes "$(per "$all" "$(leaves_take pg_table_size)")" row_bytes
	compare 'disk, indexes of a day that has passed' bytes "$(per "$all" "$(leaves_take pg_indexes_size)")" index_bytes
	compare 'disk and memory, a pair' bytes \
		"$(per "$pairs" "$(query -c "SELECT pg_total_relation_size('fintrans_laundering')")")" pair_bytes
	printf '  images of full pages, in all %.1f MB\n' "$(awk "BEGIN { print $images / 1e6 }")"
}
