# A fresh Debian in a directory, and commands that run inside it.  Sourced by
# what tries fintrans on other systems than this machine's own; root only.
#
# shellcheck shell=bash

# What is returned when there can be no system here, whatever is tried in it.
system_impossible=77

# system_need: debootstrap, and the right to use it
system_need()
{
	if [ "$(id -u)" -ne 0 ]; then
		echo "$0: only root can make a system in a directory" >&2
		return "$system_impossible"
	fi
	"$(dirname "${BASH_SOURCE[0]}")/packages" install systems
}

# The first address apt has for Debian.
system_mirror()
{
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources \
		/etc/apt/sources.list.d/*.list 2> /dev/null |
		sed -n -E 's/^(URIs:|deb) +(\[.*\] +)?([a-z]+:[^ ]+).*/\3/p' | awk 'NR == 1'
}

# system_make ROOT SUITE: debootstraps Debian from where this machine's apt
# gets its packages, and gives it this machine's package clients' settings.
# What was said meanwhile is in ROOT.log.
system_make()
{
	local root=$1 suite=$2

	{
		debootstrap --variant=minbase --include=ca-certificates \
			"$suite" "$root" "$(system_mirror)" &&
			system_copy_settings "$root" &&
			system_write_sources "$root" "$suite" &&
			system_run "$root" update-ca-certificates &&
			system_apt "$root" update
	} > "$root.log" 2>&1 || system_failed "$root"
}

system_copy_settings()
{
	local setting

	for setting in /etc/apt /etc/resolv.conf /etc/hosts \
		/usr/local/share/ca-certificates /etc/maven/settings.xml \
		/root/.m2/settings.xml; do
		[ -e "$setting" ] || continue
		mkdir -p "$1$(dirname "$setting")"
		cp -r "$setting" "$1$(dirname "$setting")"
	done
}

# This machine's own suite has its updates too, others are as released.
system_write_sources()
{
	local root=$1 suite=$2

	# shellcheck disable=SC1091 # a file of the machine's
	if [ "$suite" != "$(. /etc/os-release && echo "${VERSION_CODENAME:-}")" ]; then
		rm -rf "$root/etc/apt/sources.list" "$root/etc/apt/sources.list.d"
		mkdir "$root/etc/apt/sources.list.d"
		system_add_source "$root" "$suite"
	fi
}

system_add_source()
{
	echo "deb $(system_mirror) $2 main" > "$1/etc/apt/sources.list.d/$2.list"
}

# system_apt ROOT ARGUMENT...: apt-get, which asks nothing
system_apt()
{
	local root=$1

	shift
	system_run "$root" env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -q -y --no-install-recommends "$@" < /dev/null
}

# system_install ROOT PACKAGE...
system_install()
{
	local root=$1

	shift
	system_apt "$root" install "$@" >> "$root.log" 2>&1 || system_failed "$root"
}

system_failed()
{
	tail -n 30 "$1.log" >&2
	echo "$0: could not make a system: the whole log is in $1.log" >&2
	return "$system_impossible"
}

# system_run ROOT COMMAND...: with processes and mounts of its own, which end
# with the command; system_settings holds variables for its environment.
system_settings=()
for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
	[ -z "${!name:-}" ] || system_settings+=("$name=${!name}")
done

system_run()
{
	# shellcheck disable=SC2016  # $root is that of the inner shell
	unshare --mount --pid --fork --kill-child bash -c '
		root=$1
		shift
		mount --make-rprivate /
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		mount -t tmpfs tmpfs "$root/dev/shm"
		exec chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			LANG=C.UTF-8 "$@"' - "$1" "${system_settings[@]}" "${@:2}"
}
