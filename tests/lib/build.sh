# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Configures and builds into build/ or another folder of the checkout. Sourced by examples/quickstart.sh and tests/run.sh.

# Root builds as the owner of the checkout, so that he finds nothing of root's in his tree.
build_as_owner() { # directory of the checkout, folder of the build in it, command
	local root=$1 folder=$2 uid gid

	shift 2
	uid=$(stat -c %u "$root")
	gid=$(stat -c %g "$root")
	if ((EUID != 0 || uid == 0)) || [[ -e $root/$folder && $(stat -c %u "$root/$folder") != "$uid" ]]; then
		"$@"
	else
		setpriv --reuid "$uid" --regid "$gid" --clear-groups -- "$@"
	fi
}

# build_run ROOT FOLDER TARGETS [OPTION OF CMAKE]...: quiet; what cmake printed is shown when it failed. Two at once
# wait for each other.
build_run() {
	local root=$1 folder=$2 targets log lock status=0
	local build=$root/$folder

	read -ra targets <<<"$3"
	shift 3
	build_as_owner "$root" "$folder" mkdir -p "$build" || return
	log=$(mktemp)
	exec {lock}<"$build"
	flock "$lock"
	{
		if [[ ! -e $build/Makefile ]] || (($#)); then
			build_as_owner "$root" "$folder" cmake -S "$root" -B "$build" -G "Unix Makefiles" "$@"
		fi && build_as_owner "$root" "$folder" \
			cmake --build "$build" --target "${targets[@]}" --parallel "$(nproc)"
	} >"$log" 2>&1 {lock}<&- || status=$?
	exec {lock}<&-
	if ((status != 0)); then
		tail -n 60 "$log" >&2
		echo "${0##*/}: the build failed: see above; a $folder/ of another checkout or of other packages is" \
			"best removed" >&2
	fi
	rm -f "$log"
	return "$status"
}
