# The bench that says where the time goes, for bench/run: by linux-perf, samples of
# user space and their call chains, which Debian's PostgreSQL has.
#
# shellcheck shell=bash

# profile NAME PID COMMAND...: samples of the process while the command runs
profile()
{
	local data=$PWD/results/profile.$1.data pid=$2 perf

	shift 2
	perf record -e cpu-clock:u -F 2000 -g -p "$pid" -o "$data" 2> logs/perf &
	perf=$!
	for _ in {1..1000}; do
		[ ! -s "$data" ] || break
		kill -0 "$perf" 2> /dev/null || die "perf does not run: $(cat logs/perf)"
		sleep 0.01
	done
	"$@"
	# it ends by itself where the process has
	kill -INT "$perf" 2> /dev/null || true
	wait "$perf" || true
	[ -s "$data" ] || die "perf has taken no samples: $(cat logs/perf)"
}

# print_parts NAME US TABLE FIELDS: shares of the samples, by the innermost frame that
# the table names, of so many microseconds a row
print_parts()
{
	perf script -i "results/profile.$1.data" -F "$4" 2> logs/perf | awk -F '\t' -v us="$2" '
		function end_sample()
		{
			if (frames)
				n[part == "" ? "all else" : part]++
			total += frames > 0
			frames = 0
			part = ""
		}
		NR == FNR { if (!/^#/) names[$2] = $1; next }
		/^$/ { end_sample(); next }
		{
			frames++
			split($0, field, " ")
			name = field[2]
			# the compiler names parts of functions so
			sub(/\..*/, "", name)
			if (part == "" && name in names)
				part = names[name]
		}
		END {
			end_sample()
			for (part in n)
				printf "  %-36s %5.1f %%  %6.2f\n", part, 100 * n[part] / total, us * n[part] / total
		}' "$3" - | sort -t '%' -k 2nr
}

# user_time PID: what of cpu_time is not the system's
user_time()
{
	sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 }'
}

# profile_trigger SHAPE: batches of 20,000, after so many that most pairs are known,
# or are new all the same
profile_trigger()
{
	local shape=$1 round backend user all

	fresh_database
	query -f bench/trigger.sql > /dev/null
	query -c "SELECT fintrans_set_rule('default', 60000)" > /dev/null
	open_sessions "" bare plain fintrans
	backend=${session_pid[fintrans]}
	for ((round = 0; round < 8; round++)); do
		write_round "$shape" "$round"
		[ "$round" -eq 7 ] || copy_batches fintrans fintrans_transactions 20000
	done
	user=$(user_time "$backend")
	all=$(cpu_time "$backend")
	profile "$shape" "$backend" copy_batches fintrans fintrans_transactions 20000
	user=$(($(user_time "$backend") - user))
	all=$(($(cpu_time "$backend") - all))
	close_sessions bare plain fintrans
	echo
	printf 'COPY through the trigger, pairs %s, batches of 20 k: %s us of a core a row, %s of it the system'\''s; of the rest\n' \
		"$shape" "$(awk "BEGIN { print $all * 10000 / $rows }")" "$(awk "BEGIN { print ($all - $user) * 10000 / $rows }")"
	print_parts "$shape" "$(awk "BEGIN { print $user * 10000 / $rows }")" bench/profile.tsv ip,sym
}

# A bridge that loads topics, by the library of the innermost frame.
profile_bridge()
{
	local bridge

	fill_kafka
	fresh_database
	query -c 'CREATE EXTENSION fintrans' -c "SELECT fintrans_set_rule('default', 60000)" -c CHECKPOINT > /dev/null
	fintrans-bridge --group bench-profile --exit-at-end \
		--database "host=$PGHOST user=postgres dbname=bench" 2> logs/bridge &
	bridge=$!
	profile bridge "$bridge" used_by "$bridge"
	wait "$bridge" || die "the bridge failed: $(tail -n 3 logs/bridge)"
	expect "the bridge's rows and sum" "$sum" "$(query -F ' ' -c 'SELECT sum(transactions), sum(total) FROM fintrans_laundering')"
	echo
	printf 'bridge: %.2f us of a core a message, by thread and library\n' "$(median bridge.cpu)"
	perf report -i results/profile.bridge.data --stdio --no-children -g none --sort comm,dso --percent-limit 1 2> logs/perf |
		awk '/^ *[0-9]/ { printf "  %-24s %-24s %s\n", $2, $3, $1 }'
}

bench_profile()
{
	local shape

	for shape in known new; do
		profile_trigger "$shape"
	done
	profile_bridge
}
