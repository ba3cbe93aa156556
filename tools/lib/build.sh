# shellcheck shell=bash
# build: configures and makes a build folder of the clone, and installs it into a folder. Sourced.

# run_logged LOG COMMAND…: quiet unless it fails.
run_logged() {
	local log=$1
	shift
	if ! "$@" >>"$log" 2>&1; then
		tail -n 40 "$log" >&2
		die "failed: $* (whole log: $log)"
	fi
}

# build_tree FOLDER LOG CONFIGURE-ARGUMENT…: FOLDER is in the clone and configured once.
# Two scripts may call it at once; one waits.
build_tree() {
	local folder=$1 log=$2
	shift 2
	mkdir -p "$clone/var"
	(
		flock 8
		: >"$log"
		cd "$clone" || exit 1
		# What autoreconf links to may be gone: another Debian, another automake.
		if [ ! -x configure ] || [ ! -e build-aux/install-sh ]; then
			run_logged "$log" autoreconf -fi
		fi
		mkdir -p "$folder"
		cd "$folder" || exit 1
		if [ ! -x config.status ]; then
			say "Configuring $folder/ (log: $log)"
			run_logged "$log" ../configure "$@"
		fi
		say "Building $folder/ (log: $log)"
		run_logged "$log" make -j"$(nproc)"
	) 8>"$clone/var/build.lock"
}

# install_tree FOLDER DESTINATION LOG: make install, unless DESTINATION has it already.
install_tree() {
	local folder=$1 destination=$2 log=$3 stamp=$2/.installed newer=
	if [ -e "$stamp" ]; then
		newer=$(cd "$clone" && find "$folder/bin" "$folder/cgi-bin" "$folder/lib" "$folder/model" conf nginx \
			rules sql -newer "$stamp" -print -quit)
		[ -n "$newer" ] || return 0
	fi
	rm -rf "$destination"
	mkdir -p "$destination"
	(
		flock 8
		cd "$clone/$folder" || exit 1
		run_logged "$log" make install DESTDIR="$destination"
	) 8>"$clone/var/build.lock"
	touch "$stamp"
}
