# shellcheck shell=bash
# postgres: a private PostgreSQL cluster on a unix socket in a folder only its user can enter. Sourced.
#
# Uses     state, sockets, drop, service_user, start_server

# The database roles that the cluster's one system user may take.
write_access_rules() {
	local role
	printf 'local all all peer map=demo\n' >"$state/postgres/pg_hba.conf"
	for role in postgres mamori_owner mamori_chat mamori_analyze mamori_conversations mamori_health \
		mamori_admin mamori_desk; do
		printf 'demo "%s" %s\n' "$service_user" "$role"
	done >"$state/postgres/pg_ident.conf"
}

make_cluster() {
	local bin=$1 data=$state/postgres
	if [ -e "$data/PG_VERSION" ]; then
		case $("$bin/postgres" --version) in
		*" $(cat "$data/PG_VERSION")."*) return 0 ;;
		esac
		say "The cluster in var/ is of another PostgreSQL version; making another."
		rm -rf "$data"
	fi
	rm -rf "$data.part" && mkdir -m 0700 "$data.part"
	[ "${#drop[@]}" = 0 ] || chown "$service_user:" "$data.part"
	"${drop[@]}" "$bin/initdb" -D "$data.part" -U postgres -A peer -E UTF8 \
		--locale=C.UTF-8 >"$state/log/initdb.log" 2>&1 ||
		die "initdb failed: $(tail -n 5 "$state/log/initdb.log")"
	mv "$data.part" "$data"
}

start_postgres() {
	local bin
	bin=$(postgres_bin) || die 'no PostgreSQL server found under /usr/lib/postgresql'
	make_cluster "$bin"
	write_access_rules
	start_server postgres "$bin/postgres" -D "$state/postgres" -c listen_addresses= \
		-c unix_socket_directories="$sockets" -c unix_socket_permissions=0700
	wait_until 60 "PostgreSQL did not start; see $state/log/postgres.log" \
		"${drop[@]}" "$bin/psql" -h "$sockets" -U postgres -d postgres -c 'SELECT 1'
	if [ "$("${drop[@]}" "$bin/psql" -h "$sockets" -U postgres -d postgres -Atc \
		"SELECT count(*) FROM pg_database WHERE datname = 'mamori'")" = 0 ]; then
		"${drop[@]}" "$bin/psql" -q -h "$sockets" -U postgres -d postgres -c 'CREATE DATABASE mamori'
	fi
}
