# shellcheck shell=bash
# workers: the FastCGI executables under spawn-fcgi and multiwatch, as in production. Sourced.
#
# spawn-fcgi opens the socket and hands it to multiwatch, which keeps it while children come and go:
# a worker that dies or is replaced costs no request that had not reached it.
#
# Uses     state, sockets, prefix (the installed tree), start_server

worker_apps=(chat analyze conversations health)

# database_as ROLE: a libpq connection string.
database_as() {
	printf 'host=%s dbname=mamori user=%s target_session_attrs=read-write connect_timeout=2' \
		"$sockets" "$1"
}

# installed ROLE COMMAND…: runs a program of the installed tree with the demo's settings.
installed() {
	local role=$1
	shift
	"${drop[@]}" env "MAMORI_CONF=$state/mamori.conf" "MAMORI_DATABASE_DSN=$(database_as "$role")" \
		"LD_LIBRARY_PATH=$prefix/lib" "$@"
}

start_workers() {
	local app children
	for app in "${worker_apps[@]}"; do
		children=2
		[ "$app" != health ] || children=1
		start_server "$app" env "MAMORI_CONF=$state/mamori.conf" \
			"MAMORI_DATABASE_DSN=$(database_as "mamori_$app")" "LD_LIBRARY_PATH=$prefix/lib" \
			spawn-fcgi -n -s "$sockets/$app.sock" -M 0600 -- \
			"$(command -v multiwatch)" -f "$children" -- "$prefix/libexec/mamori/$app.fcgi"
	done
	for app in "${worker_apps[@]}"; do
		wait_until 10 "the worker $app did not start; see $state/log/$app.log" \
			test -S "$sockets/$app.sock"
	done
}
