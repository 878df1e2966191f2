# The bench of aggregates, for bench/run.
#
# shellcheck shell=bash

# ask NUMBER WAY: the answer to a question, and how long it took
ask()
{
	time_query "aggregates.$1.$2" "$(query -c "SELECT $2 FROM questions WHERE number = $1")"
}

# Half the rows of the others: plain SQL takes a second or ten for some.
bench_aggregates()
{
	local rows=${ROWS:-200000} numbers round number way ways answer first

	fresh_database
	query -v rows="$rows" -f bench/aggregates.sql > /dev/null
	mapfile -t numbers < <(query -c 'SELECT number FROM questions ORDER BY number')
	for ((round = 0; round < rounds; round++)); do
		ways=(plain fintrans)
		[ $((round % 2)) -eq 0 ] || ways=(fintrans plain)
		for number in "${numbers[@]}"; do
			first=
			for way in "${ways[@]}"; do
				answer=$(ask "$number" "$way")
				expect "the answer to question $number" "${first:-$answer}" "$answer"
				first=$answer
			done
		done
	done
	echo
	printf '%-44s %9s %9s  %s\n' "Questions to $rows transactions" 'SQL ms' 'fintrans' 'times as fast'
	for number in "${numbers[@]}"; do
		print_question "aggregates.$number" "$(query -c "SELECT question FROM questions WHERE number = $number")"
	done
}

# print_question PREFIX QUESTION: medians, and their ratio
print_question()
{
	local plain fintrans

	plain=$(median "$1.plain")
	fintrans=$(median "$1.fintrans")
	printf '  %-42s %9.0f %9.0f  %5.1f  (%s)\n' "$2" "$plain" "$fintrans" \
		"$(awk "BEGIN { print $plain / $fintrans }")" "$(spread "$1.fintrans")"
}
