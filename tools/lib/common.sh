# shellcheck shell=bash
# common: what every script of tools/ needs. Sourced, never run.
#
# Gives    clone (the absolute path of the clone, or of a link to it whose name the build tools can
#          bear), say, note and die.

say() {
	printf '%s\n' "$*"
}

note() {
	printf '\n== %s\n' "$*"
}

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# A variable of the caller's shell must not reach the private server.
forget_environment() {
	local name
	for name in "${!PG@}" "${!MAMORI_@}"; do
		unset "$name"
	done
	unset CDPATH MAKEFLAGS MFLAGS DESTDIR
	PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # nginx and useradd are not in a user's PATH
	umask 022
}

# find_clone SCRIPT: sets clone. libtool and automake cannot build under a path with blanks or shell
# characters; such a clone is worked on through a link, remembered in var/link so that a
# second run finds the build as it left it.
find_clone() {
	local real parent
	real=$(cd -P -- "$(dirname -- "$1")/.." && pwd -P) || die 'cannot find the clone'
	clone=$real
	case $real in
	*[!A-Za-z0-9._/+@~,:=-]*) ;;
	*) return 0 ;;
	esac
	mkdir -p "$real/var"
	if [ -r "$real/var/link" ]; then
		clone=$(cat "$real/var/link")
		if [ -L "$clone" ] && [ -O "${clone%/*}" ] && [ "$clone" -ef "$real" ]; then
			return 0
		fi
	fi
	parent=$(mktemp -d /tmp/mamori-clone.XXXXXX)
	chmod 0711 "$parent"
	clone=$parent/mamori
	ln -s "$real" "$clone"
	printf '%s\n' "$clone" >"$real/var/link"
	rm -rf "$real/build" "$real/build-check" "$real/build-sanitize"
}
