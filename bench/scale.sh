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

# load_million NUMBER: in batches of a bridge's default, with its WAL
load_million()
{
	local from

	rm -f batches/*
	total=$(query -c "SELECT $total::numeric + write_batches('square $side', $1, $rows, 100000, '$PWD/batches')")
	from=$(query -c 'SELECT pg_current_wal_insert_lsn()')
	timed_copy scale fintrans fintrans_transactions 100000
	query -F ' ' -c "SELECT sum(record_size), sum(fpi_size)
		FROM pg_get_wal_stats('$from', pg_current_wal_flush_lsn())" >> results/scale.wal
}

# compare WHAT UNIT MEASURED COEFFICIENT
compare()
{
	awk -v what="$1" -v unit="$2" -v measured="$3" -v model="$(coefficient "$4")" 'BEGIN {
		printf "  %-44s %8.1f %8.1f  %5.2f  %s\n", what, measured, model, measured / model, unit }'
}

bench_scale()
{
	local millions=$((${ROWS:-50000000} / 1000000)) million side total=0 rows=1000000 all pairs records images

	# five times as many transactions as there are pairs to draw from
	side=$(awk "BEGIN { print int(sqrt($millions * 1000000 / 5)) }")
	fresh_database
	query -f bench/trigger.sql -c 'CREATE EXTENSION pg_walinspect' > /dev/null
	query -c "SELECT fintrans_set_rule('default', 100000)" > /dev/null
	open_sessions "" bare plain fintrans
	for ((million = 1; million <= millions; million++)); do
		load_million "$million"
	done
	close_sessions bare plain fintrans
	all=$((millions * rows))
	expect 'the sum of fintrans_laundering' "$total" "$(query -c 'SELECT sum(total) FROM fintrans_laundering')"
	expect 'the number of differences' 0 "$(query -c "SELECT count(*) FROM fintrans_verify() WHERE problem <> 'offsets'")"
	pairs=$(query -c 'SELECT count(*) FROM fintrans_laundering')
	read -r records images < <(awk '{ records += $1; images += $2 } END { print records, images }' results/scale.wal)
	# as they are made when the day is over
	query -c "SELECT statement FROM fintrans_missing_indexes(now() + interval '2 days')" | query
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
