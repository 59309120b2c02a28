#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs the product's tests on Debian's stock kernels: see usage below. guest_run.py is its part in the machine.
set -uo pipefail

usage='usage: tests/vm/run.sh [--kernel NAME|all]... [--all] [--only PATTERN] [--list] [BUILD_DIRECTORY]

Boots stock kernels of Debian in emulated machines, at most two at once, and runs tcptop --check and the live tests
in them, by every probe method that works there, under the kinds of preemption that the kernel has, with and without
headers and BTF. A line a test, "ok" or "not ok" and its name, with the reason where one is skipped or fails; the last
line is the sum: N passed, N failed, N skipped. A kernel that cannot be fetched is skipped.

BUILD_DIRECTORY has tcptop and tcptop-check (default: build/ of this checkout).

  --kernel NAME    only machines with this kernel of fetch.sh, or with all of them (default: 6.1 and newest); those of
                   arm64, 6.12-arm64 and newest-arm64, are run only by name, with programs that are built for them
  --all            also those live tests that do not depend on the kernel
  --only PATTERN   only machines whose name matches this regular expression
  --list           print the machines and what runs in them
  -h, --help       show this help

exit status: 0 when none failed; 1 when one did; 2 for wrong arguments; 77 when all were skipped'

here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)
root=$(cd -- "$here/../.." && pwd)
timeout_s=3000
at_once=2
only='' list=no build=$root/build work=''
kernels=()

# Name, kernel, options of boot.sh, steps of guest_run.py. Those that take longest come first. Of the live tests these are
# the ones that depend on the kernel or on the probe method; --all adds the others, which run on the host as well.
machines=(
	"fentry|6.1||fentry/check fentry/stress fentry/kernel_threads fentry/conservation
		fentry/leftovers fentry/conditions:together fentry/accepted fentry/lives:bytes_and_who_closed_first,resets fentry/containers:one_short_life"
	"kprobe|6.1||kprobe/check kprobe/stress kprobe/healing:calls_beyond_the_places_of_a_kretprobe kprobe/call_places kprobe/kernel_threads
		kprobe/exact kprobe/conservation:interval_of_10_ms kprobe/filter_maps:cgroup_keys_while_running,mount_namespace_keys_while_running
		kprobe/privilege:nobody_without_capabilities,closed_to_others,capabilities_suffice kprobe/conditions:together kprobe/accepted kprobe/containers:one_short_life"
	"full-preemption|6.1|--preempt full|auto/stress fentry/stress fentry/healing:runs_that_were_preempted,connections_that_end kprobe/check fentry/check"
	"no-btf|6.1|--headers yes --btf no|fentry/start:refused_without_btf
		kprobe/start:refused_without_btf_and_headers kprobe/start:headers_without_btf kprobe/check kprobe/containers:one_short_life"
	"instructions|6.1|--icount|fentry/instructions kprobe/instructions"
	"newest-instructions|newest|--icount|tracepoint/instructions"
	"headers|6.1|--headers yes|fentry/start:headers_with_btf kprobe/start:headers_with_btf"
	"newest|newest||tracepoint/check auto/stress auto/conservation auto/filters:cgroup_and_mount_namespace_in_json
		auto/start:stubs_with_btf auto/conditions:together auto/accepted auto/containers:one_short_life"
	"newest-methods|newest||fentry/check kprobe/check fentry/stress kprobe/stress"
	"newest-full|newest|--preempt full|auto/stress tracepoint/check auto/containers:one_short_life"
	"6.12|6.12||tracepoint/check auto/stress auto/filters:cgroup_and_mount_namespace_in_json
		auto/start:stubs_with_btf"
	"6.12-instructions|6.12|--icount|tracepoint/instructions fentry/instructions auto/situations:causes,diagnosed"
	"6.12-methods|6.12||fentry/check kprobe/check fentry/stress kprobe/stress"
	"6.12-full|6.12|--preempt full|auto/stress tracepoint/check tracepoint/splice"
	"arm64|6.12-arm64||tracepoint/check fentry/check kprobe/check auto/stress auto/start:stubs_with_btf"
	"arm64-newest|newest-arm64||tracepoint/check fentry/check kprobe/check auto/stress auto/start:stubs_with_btf"
	"5.10|5.10||fentry/check fentry/stress fentry/conservation fentry/filters:cgroup_and_mount_namespace_in_json
		fentry/start:stubs_with_btf kprobe/check
		kprobe/stress auto/containers:one_short_life"
)
machines_all=(
	"fentry-all|6.1||fentry/process fentry/filters fentry/filter_maps fentry/hostile fentry/text
		fentry/names fentry/paths fentry/usage fentry/privilege fentry/ebpf"
	"kprobe-all|6.1||kprobe/conservation kprobe/process kprobe/filters kprobe/overflow kprobe/leftovers kprobe/hostile kprobe/text
		kprobe/names kprobe/paths kprobe/usage kprobe/ebpf"
)

say() {
	echo "run.sh: $*" >&2
}

arguments_refuse() {
	say "$1; see tests/vm/run.sh --help"
	exit 2
}

arguments_parse() {
	while (($#)); do
		case $1 in
		-h | --help) echo "$usage" && exit 0 ;;
		--all) machines+=("${machines_all[@]}") ;;
		--list) list=yes ;;
		--only)
			(($# > 1)) || arguments_refuse "--only needs a pattern"
			only=$2
			shift
			;;
		--kernel)
			kernel_add "${2-}"
			shift
			;;
		-*) arguments_refuse "unknown option '$1'" ;;
		*) build=$1 ;;
		esac
		shift
	done
	((${#kernels[@]})) || kernels=(6.1 newest)
}

fetch() {
	"$here/fetch.sh" "$@"
}

kernel_add() { # a kernel, or all
	local names chosen

	names=$(fetch --kernels)
	[[ -n $1 && " $names all 6.12-arm64 newest-arm64 " == *" $1 "* ]] ||
		arguments_refuse "--kernel takes one of $names all 6.12-arm64 newest-arm64"
	read -r -a chosen <<<"${1/#all/$names}"
	kernels+=("${chosen[@]}")
}

# Those for arm64, with an image as the system to build for.
programs_build() { # kernel
	local system

	system=$(fetch --kernel "$1")/root || return
	echo "# building in $root/build-arm64"
	{ TCPTOP_VM_ROOT=$system cmake -S "$root" -B "$root/build-arm64" --fresh --toolchain "$here/arm64.cmake" \
		-DBUILD_TESTING=OFF && cmake --build "$root/build-arm64" -j "$(nproc)"; } >"$work/build" 2>&1 ||
		{ tail -n 5 "$work/build" >&2 && return 1; }
}

# The guest sees them at the same path, wherever that is, for they are shared with it.
programs_copy() { # directory, directory of the build
	local program

	mkdir -p "$1"
	for program in tcptop tcptop-check; do
		[[ -x $2/$program ]] || arguments_refuse "no program $program in '$2'"
		cp "$2/$program" "$1/$program"
	done
}

# As selftest.sh and guest_run.py do.
line() { # outcome, text
	echo "$1 - $2"
}

# Its lines go to stdout at once and to a file; how it ended is added as one test of its own.
machine_run() { # name, kernel, options of boot.sh, steps
	local log=$work/log.$1 start=$EPOCHSECONDS programs=$work/programs status options steps

	[[ $2 != *-arm64 ]] || programs+=-arm64
	read -r -a options <<<"--kernel $2 $3"
	read -r -d '' -a steps <<<"$4"
	# boot.sh ends when this process is killed.
	(cd "$root" && exec setpriv --pdeathsig TERM "$here/boot.sh" --timeout "$timeout_s" --share "$programs" \
		"${options[@]}" -- python3 -B "$here/guest_run.py" "$programs" "${steps[@]}") 2>&1 </dev/null |
		sed -u "s/^\(ok - \|not ok - \|# \)/\1$1: /" | tee "$log"
	status=${PIPESTATUS[0]}
	if ((status == 0)) && grep -qx "# $1: complete" "$log"; then
		line ok "$1: the machine ran all of its tests"
	else
		line "not ok" "$1: the machine ended early, with status $status"
	fi | tee -a "$log"
	echo "# $1: $((EPOCHSECONDS - start)) s"
}

# shellcheck disable=SC2317
clean_up() {
	local pids

	trap '' INT TERM HUP
	mapfile -t pids < <(jobs -p)
	((${#pids[@]} == 0)) || { kill "${pids[@]}" 2>/dev/null && wait "${pids[@]}"; } || true
	[[ -z $work ]] || rm -rf "$work"
}

# Drops from kernels what cannot be fetched, with the reason, and has the programs for the others ready.
kernels_fetch() {
	local name fetched=()

	for name in "${kernels[@]}"; do
		if fetch --kernel "$name" >/dev/null 2>"$work/fetch"; then
			fetched+=("$name")
		else
			line ok "kernel $name # skipped: $(tail -n 1 "$work/fetch")" | tee "$work/log.kernel-$name"
		fi
	done
	kernels=("${fetched[@]}")
	for name in "${kernels[@]}"; do
		if [[ $name != *-arm64 ]]; then
			programs_copy "$work/programs" "$build"
			# Where there is no compiler, what needs it is skipped.
			cc -std=gnu11 -O2 "$root/tests/bench/pair.c" -o "$work/programs/pair" 2>/dev/null || true
		else
			programs_build "$name" || exit 1
			programs_copy "$work/programs-arm64" "$root/build-arm64"
		fi
	done
}

machines_run() {
	local machine name kernel options steps running=0

	for machine in "${machines[@]}"; do
		IFS='|' read -r -d '' name kernel options steps <<<"$machine"
		[[ $name =~ $only && " ${kernels[*]} " == *" $kernel "* ]] || continue
		if [[ $list == yes ]]; then
			echo "$name: boot.sh --kernel $kernel $options: ${steps//$'\n'/}" | tr -s '\t ' ' '
			continue
		fi
		((running < at_once)) || wait -n
		machine_run "$name" "$kernel" "$options" "$steps" &
		running=$((running + 1))
	done
	wait
}

sum_print() {
	local failed skipped ok

	ok=$(cat "$work"/log.* | grep -c '^ok - ')
	failed=$(cat "$work"/log.* | grep -c '^not ok - ')
	skipped=$(cat "$work"/log.* | grep -c '^ok - .*# skipped: ')
	echo "# $((SECONDS / 60)) min $((SECONDS % 60)) s in all"
	echo "$((ok - skipped)) passed, $failed failed, $skipped skipped"
	((failed == 0)) || return 1
	((ok > skipped)) || return 77
}

arguments_parse "$@"
if [[ $list == yes ]]; then
	machines_run
	exit
fi
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
work=$(mktemp -d)
kernels_fetch
machines_run
compgen -G "$work/log.*" >/dev/null || arguments_refuse "no machine has a name that matches '$only'"
sum_print
