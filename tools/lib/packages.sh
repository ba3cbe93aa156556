# shellcheck shell=bash
# packages: which Debian packages the scripts need, and getting those that are missing. Sourced.

build_packages=(autoconf automake gcc libc6-dev libcmocka-dev libcurl4-openssl-dev libfcgi-dev
	libicu-dev libinih-dev libjson-c-dev libpq-dev libsodium-dev libsqlite3-dev libtool libvectorscan-dev make
	pkgconf xz-utils)
run_packages=(curl jq multiwatch nginx openssl postgresql spawn-fcgi)

is_installed() {
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# install_packages PACKAGE…: installs those that are missing, says which, or dies saying how.
install_packages() {
	local package missing=() command=()
	if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
		say 'No Debian package tools here: taking what is installed.'
		return 0
	fi
	for package in "$@"; do
		is_installed "$package" || missing+=("$package")
	done
	[ "${#missing[@]}" -gt 0 ] || return 0
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || die "these Debian packages are missing; as root: \
apt-get install --no-install-recommends ${missing[*]}"
		command=(sudo)
	fi
	note "Installing Debian packages: ${missing[*]}"
	"${command[@]}" sh "$clone/tools/lib/apt-install.sh" "${missing[@]}" ||
		die 'the packages could not be installed'
}

# The newest server on this machine; Debian keeps it out of PATH.
postgres_bin() {
	local folder newest=
	for folder in /usr/lib/postgresql/*/bin; do
		[ -x "$folder/initdb" ] && newest=$newest$folder$'\n'
	done
	if [ -n "$newest" ]; then
		printf '%s' "$newest" | sort -V | tail -n 1
	elif command -v pg_config >/dev/null && [ -x "$(pg_config --bindir)/initdb" ]; then
		pg_config --bindir
	else
		return 1
	fi
}

# pgTAP is packaged per server version.
pgtap_package() {
	local bin version
	bin=$(postgres_bin) || return 1
	version=${bin%/bin}
	printf 'postgresql-%s-pgtap\n' "${version##*/}"
}
