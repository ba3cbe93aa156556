# shellcheck shell=bash
# process: starting servers and ending exactly those. Sourced.
#
# A server is recorded as pids/NAME: its process id and its start time, so that a number which
# the system gave to another process since is never signalled. Each runs in a session of its own
# (Ctrl-C reaches only the script) and leads a process group, which catches its children.
#
# Gives    drop (a command prefix that gives up root), service_user
# Uses     state (folder of this instance)

# drop_root: sets drop and service_user. Servers never run as root: PostgreSQL refuses to.
drop_root() {
	drop=()
	service_user=$(id -un)
	[ "$(id -u)" = 0 ] || return 0
	service_user=mamori-demo
	if ! getent passwd "$service_user" >/dev/null; then
		say "Making the system user $service_user, which runs the servers."
		useradd --system --user-group --home-dir /nonexistent --no-create-home \
			--shell /usr/sbin/nologin "$service_user"
	fi
	drop=(setpriv --reuid="$service_user" --regid="$service_user" --clear-groups
		--inh-caps=-all --no-new-privs env HOME=/ USER="$service_user" LOGNAME="$service_user")
}

# Field 22 of /proc/PID/stat; nothing where /proc is not mounted.
start_time() {
	local text
	text=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
	text=${text##*) }
	# shellcheck disable=SC2086  # the fields are numbers and one letter
	set -- $text
	printf '%s\n' "${20}"
}

# is_running PID START: that very process exists and is no zombie.
is_running() {
	local text
	kill -0 "$1" 2>/dev/null || return 1
	if text=$(cat "/proc/$1/stat" 2>/dev/null); then
		text=${text##*) }
		case $text in
		Z* | X*) return 1 ;;
		esac
	fi
	[ -z "$2" ] || [ "$(start_time "$1")" = "$2" ]
}

# start_server NAME COMMAND…: in the background, as the unprivileged user, logging to log/NAME.log.
start_server() {
	local name=$1
	shift
	setsid "${drop[@]}" "$@" </dev/null >>"$state/log/$name.log" 2>&1 8>&- 9>&- &
	printf '%s %s\n' "$!" "$(start_time "$!")" >"$state/pids/$name"
	disown "$!"
}

server_is_running() {
	local pid start
	[ -r "$state/pids/$1" ] || return 1
	read -r pid start <"$state/pids/$1"
	is_running "$pid" "$start"
}

# stop_server NAME SIGNAL: waits 15 s for a graceful end, then kills the group.
stop_server() {
	local name=$1 signal=$2 pid start tries
	[ -r "$state/pids/$name" ] || return 0
	read -r pid start <"$state/pids/$name"
	if is_running "$pid" "$start"; then
		kill -s "$signal" "$pid" 2>/dev/null || true
		for ((tries = 0; tries < 150; tries++)); do
			is_running "$pid" "$start" || break
			sleep 0.1
		done
		if is_running "$pid" "$start"; then
			say "$name did not stop in 15 s; killed"
			kill -s KILL -- "-$pid" 2>/dev/null || true
		fi
	fi
	rm -f "$state/pids/$name"
}

# wait_until SECONDS WHAT COMMAND…: polls; dies with WHAT when it never succeeds.
wait_until() {
	local end=$((SECONDS + $1)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || die "$what"
		sleep 0.1
	done
}

# require_servers NAME…: dies with the end of the log when one of them has ended.
require_servers() {
	local name
	for name in "$@"; do
		server_is_running "$name" && continue
		tail -n 5 "$state/log/$name.log" >&2
		die "$name ended; see $state/log/$name.log"
	done
}
