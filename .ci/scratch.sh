# A scratch directory that belongs to an unprivileged user, a private
# PostgreSQL inside it, and a way to run things there.  Sourced by the demo,
# the tests and the bench; PostgreSQL refuses to run as root, and the checkout
# may be unreadable to anybody else, so all they need is copied in first.
#
# Which PostgreSQL: that of PG_CONFIG if set, else Debian 12's.
#
# In the directory:
#	postgresql/	what scratch_postgresql made; its bin is first in PATH
#	pids/		files holding the pid of a process to end at the end
#	home/, tmp/	for the user that runs there
#
# shellcheck shell=bash

if [ -z "${PG_CONFIG:-}" ]; then
	PG_CONFIG=/usr/lib/postgresql/15/bin/pg_config
	[ -x "$PG_CONFIG" ] || PG_CONFIG=$(command -v pg_config)
fi

# scratch_open NAME: makes $scratch and arranges for its removal, together
# with every process that left its pid there, however the script ends.  With
# KEEP set the directory stays.
scratch_open()
{
	scratch_user=
	if [ "$(id -u)" -eq 0 ]; then
		scratch_user=postgres
	fi
	scratch=$(mktemp -d "${TMPDIR:-/tmp}/fintrans-$1.XXXXXX")
	mkdir "$scratch"/{pids,home,tmp}
	chmod 755 "$scratch"
	scratch_pid=
	trap 'scratch_close' EXIT
	trap 'scratch_interrupted 130' INT
	trap 'scratch_interrupted 143' TERM HUP
}

# Make everything in the scratch directory the property of its user.
scratch_own()
{
	if [ -n "$scratch_user" ]; then
		chown -R -h "$scratch_user:" "$scratch"
	fi
}

# scratch_run COMMAND...: runs it in the scratch directory as its user, in a
# small environment.  It runs in a session of its own, so that Ctrl-C reaches
# this script alone, which then ends that session's processes by SIGTERM; with
# scratch_orderly set at first the command alone, which is to end the others.
scratch_run()
{
	local as_user=() variable environment=() status=0

	if [ -n "$scratch_user" ]; then
		as_user=(setpriv --reuid="$scratch_user" --regid="$scratch_user"
			--init-groups --inh-caps=-all)
	fi
	for variable in PG_CONFIG TERM CI KEEP JAVA_HOME PROVE_TESTS FINTRANS_TEST_CALLS \
		${SCRATCH_VARIABLES:-}; do
		if [ -n "${!variable+set}" ]; then
			environment+=("$variable=${!variable}")
		fi
	done
	(
		cd "$scratch" || exit 1
		exec setsid env -i "${environment[@]}" LC_ALL=C.UTF-8 SCRATCH="$scratch" \
			HOME="$scratch/home" TMPDIR="$scratch/tmp" \
			USER="${scratch_user:-$(id -un)}" \
			PATH="$(scratch_path)" \
			"${as_user[@]}" "$@"
	) &
	scratch_pid=$!
	wait "$scratch_pid" || status=$?
	scratch_pid=
	return "$status"
}

scratch_path()
{
	local bindir

	bindir=$("$PG_CONFIG" --bindir)
	echo "$scratch/postgresql$bindir:$scratch/postgresql/usr/local/bin:/usr/local/bin:/usr/bin:/bin"
}

# Copy the server's programs, libraries and shared files to a place of our
# own, at the same places relative to each other: the server finds the others
# by its own path, so initdb and CREATE EXTENSION use the copy.  pg_config
# alone goes on telling where the original is, for PGXS and the headers.
scratch_postgresql()
{
	local directory

	for directory in "$("$PG_CONFIG" --bindir)" "$("$PG_CONFIG" --pkglibdir)" \
		"$("$PG_CONFIG" --sharedir)"; do
		mkdir -p "$scratch/postgresql$directory"
		cp -a "$directory/." "$scratch/postgresql$directory"
	done
	ln -sf "$(readlink -f "$PG_CONFIG")" \
		"$scratch/postgresql$("$PG_CONFIG" --bindir)/pg_config"
}

# scratch_copy SOURCE NAME: the tree at SOURCE without what was built or left
# by tests, as $scratch/NAME; of what npm fetched, what drives a browser alone
scratch_copy()
{
	mkdir "$scratch/$2"
	tar -C "$1" -c --exclude-vcs --exclude=./build --exclude=./bridge/build \
		--exclude='./bridge/fintrans-bridge' \
		--exclude='./bridge/fintrans-generator' \
		--exclude='./bridge/fintrans-detector' \
		--exclude='./bridge/fintrans-broker' \
		--exclude='*.o' --exclude='*.so' --exclude='*.bc' \
		--exclude=./grafana/preview/node_modules . |
		tar -C "$scratch/$2" -x --no-same-owner
	if [ -d "$1/grafana/preview/node_modules/playwright-core" ]; then
		mkdir "$scratch/$2/grafana/preview/node_modules"
		cp -r "$1/grafana/preview/node_modules/playwright-core" \
			"$scratch/$2/grafana/preview/node_modules"
	fi
}

# scratch_interrupted STATUS: what runs in the scratch directory is told, and
# told again if the user insists; its exit status counts if there is one.
scratch_interrupted()
{
	local status=$1 target

	if [ -n "$scratch_pid" ]; then
		target=-$scratch_pid
		[ -z "${scratch_orderly:-}" ] || target=$scratch_pid
		# shellcheck disable=SC2064 # the process of now
		trap "kill -TERM -- -$scratch_pid 2> /dev/null || true" INT TERM HUP
		kill -TERM -- "$target" 2> /dev/null || true
		# wait returns early when another signal comes
		while kill -0 "$scratch_pid" 2> /dev/null; do
			status=0
			wait "$scratch_pid" || status=$?
		done
		scratch_pid=
	fi
	exit "$status"
}

scratch_close()
{
	local status=$?

	trap '' INT TERM HUP
	scratch_end_processes
	if [ -n "${KEEP:-}" ]; then
		echo "kept: $scratch"
	else
		rm -rf "$scratch"
	fi
	return "$status"
}

# End what is still running of the processes started in the scratch
# directory: a safety net, for whoever was killed before it could do so.
scratch_end_processes()
{
	local file pid signal

	while IFS= read -r file; do
		# a file may vanish, or be empty, as its process ends
		{ read -r pid < "$file"; } 2> /dev/null || continue
		scratch_is_ours "$pid" || continue
		# a postmaster waits for its clients on SIGTERM
		signal=TERM
		[ "${file##*/}" != postmaster.pid ] || signal=INT
		kill -"$signal" "$pid" 2> /dev/null || continue
		for _ in {1..50}; do
			scratch_is_ours "$pid" || continue 2
			sleep 0.1
		done
		kill -KILL "$pid" 2> /dev/null || true
	done < <(find "$scratch" \( -path "$scratch/pids/*" -o -name postmaster.pid \) -type f)
}

# scratch_is_ours PID: alive, and working in or under the scratch directory,
# so that a pid that was used again is left alone
scratch_is_ours()
{
	case $(readlink "/proc/$1/cwd" 2> /dev/null) in
		"$scratch" | "$scratch"/*) return 0 ;;
		*) return 1 ;;
	esac
}
