# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Configures and builds into build/. Sourced by examples/quickstart.sh and tests/run.sh.

# Root builds as the owner of the checkout, so that he finds nothing of root's in his tree.
build_as_owner() { # directory of the checkout, command
	local root=$1 uid gid

	shift
	uid=$(stat -c %u "$root")
	gid=$(stat -c %g "$root")
	if ((EUID != 0 || uid == 0)) || [[ -e $root/build && $(stat -c %u "$root/build") != "$uid" ]]; then
		"$@"
	else
		setpriv --reuid "$uid" --regid "$gid" --clear-groups -- "$@"
	fi
}

# build_run ROOT TARGET [OPTION OF CMAKE]...: quiet; what cmake printed is shown when it failed. Two at once
# wait for each other.
build_run() {
	local root=$1 target=$2 log lock status=0

	shift 2
	build_as_owner "$root" mkdir -p "$root/build" || return
	log=$(mktemp)
	exec {lock}<"$root/build"
	flock "$lock"
	{
		if [[ ! -e $root/build/Makefile ]] || (($#)); then
			build_as_owner "$root" cmake -S "$root" -B "$root/build" -G "Unix Makefiles" "$@"
		fi && build_as_owner "$root" cmake --build "$root/build" --target "$target" --parallel "$(nproc)"
	} >"$log" 2>&1 {lock}<&- || status=$?
	exec {lock}<&-
	if ((status != 0)); then
		tail -n 60 "$log" >&2
		echo "${0##*/}: the build failed: see above; a build/ of another checkout or of other packages is" \
			"best removed" >&2
	fi
	rm -f "$log"
	return "$status"
}
