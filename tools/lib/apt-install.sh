#!/bin/sh
# Installs the Debian packages named as arguments; needs root. It keeps what they bring from
# starting a server, from making a PostgreSQL cluster, and from being started at the next boot.
# What was installed before is left as it is.
set -eu

policy=/usr/sbin/policy-rc.d
no_cluster=/etc/postgresql-common/createcluster.d/mamori-no-cluster.conf
policy_is_ours=
is_systemd=
new_units=

tidy() {
	[ -z "$policy_is_ours" ] || rm -f "$policy"
	rm -f "$no_cluster"
}

exec 9>/run/mamori-apt-install.lock
flock 9
trap tidy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

if [ ! -e "$policy" ]; then
	policy_is_ours=yes
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 0755 "$policy"
fi
mkdir -p "${no_cluster%/*}"
printf 'create_main_cluster = off\n' >"$no_cluster"

[ ! -d /run/systemd/system ] || is_systemd=yes
for unit in nginx postgresql; do
	if [ -n "$is_systemd" ] && ! systemctl cat "$unit.service" >/dev/null 2>&1; then
		new_units="$new_units $unit.service"
	fi
done

export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
apt-get -q -o DPkg::Lock::Timeout=600 update ||
	echo 'apt-get update failed; trying with the lists at hand' >&2
apt-get -q -y -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confold \
	install --no-install-recommends "$@" 9>&-

for unit in $new_units; do
	systemctl disable "$unit" >/dev/null 2>&1 || true
done
