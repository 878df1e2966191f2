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

# print_parts NAME US: shares of the samples, by the innermost frame that
# bench/profile.tsv names, of so many microseconds a row
print_parts()
{
	perf script -i "results/profile.$1.data" -F ip,sym 2> logs/perf | awk -F '\t' -v us="$2" '
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
		}' bench/profile.tsv - | sort -t '%' -k 2nr
}

# profile_trigger SHAPE: batches of 20,000, after so many that most pairs are known,
# or are new all the same
profile_trigger()
{
	local shape=$1 round backend own system own_before system_before

	fresh_database
	query -f bench/trigger.sql > /dev/null
	query -c "SELECT fintrans_set_rule('default', 60000)" > /dev/null
	open_sessions "" bare plain fintrans
	backend=${session_pid[fintrans]}
	for ((round = 0; round < 7; round++)); do
		write_round "$shape" "$round"
		copy_batches fintrans fintrans_transactions 20000
	done
	write_round "$shape" "$round"
	read -r own_before system_before < <(cpu_times "$backend")
	profile "$shape" "$backend" copy_batches fintrans fintrans_transactions 20000
	read -r own system < <(cpu_times "$backend")
	close_sessions bare plain fintrans
	expect_totals_exact
	own=$(per "$rows" $(((own - own_before) * 10000)))
	system=$(per "$rows" $(((system - system_before) * 10000)))
	echo
	printf 'COPY through the trigger, pairs %s, batches of 20 k: %.1f us of a core a row, and %.1f the system'\''s\n' \
		"$shape" "$own" "$system"
	print_parts "$shape" "$own"
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
	printf 'bridge: %.1f us of a core a message, by library\n' "$(median bridge.cpu)"
	perf report -i results/profile.bridge.data --stdio --no-children -g none --sort dso --percent-limit 1 2> logs/perf |
		awk '/^ *[0-9]/ { printf "  %-36s %s\n", $2, $1 }'
}

bench_profile()
{
	local shape

	for shape in known new; do
		profile_trigger "$shape"
	done
	profile_bridge
}
