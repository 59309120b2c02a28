#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds and tests in fresh Debian releases: see usage below. enter.sh is how a command runs in one.
set -uo pipefail

# shellcheck disable=SC2016
usage='usage: sudo tests/userland/run.sh [--only PATTERN] [--update] [RELEASE]...

For each release, by default trixie (Debian 13) and sid, makes a fresh root directory by debootstrap, from the mirror
that apt uses, copies the files of this checkout that git knows into it, and runs tests/run.sh --no-vm --no-containers there on the
running kernel: packages, compilers and libbcc are those of the release. A line a release, "ok" or "not ok", below the
output of its tests; the last line is the sum of all: N passed, N failed, N skipped. What cannot be fetched is skipped.

  --only PATTERN   as that of tests/run.sh
  --update         make the pristine roots anew; else this is done when they are a week old
  -h, --help       show this help

TCPTOP_USERLAND_CACHE names the directory for pristine roots and downloaded packages, by default
${XDG_CACHE_HOME:-~/.cache}/tcptop-userland; TCPTOP_USERLAND_MIRROR another mirror.

exit status: 0 when none failed; 1 when one did; 2 for wrong arguments'

here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)
root=$(cd -- "$here/../.." && pwd)
# shellcheck source=tests/lib/packages.sh
. "$root/tests/lib/packages.sh"
# shellcheck source=tests/lib/build.sh
. "$root/tests/lib/build.sh"

cache=${TCPTOP_USERLAND_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/tcptop-userland}
fetch_timeout_s=1200
test_timeout_s=5400
age_days=7
releases=() only='' update=no
passed=0 failed=0 skipped=0
work='' enter=() # of the release at hand: fresh root and logs; how a command runs in that root

say() {
	echo "userland: $*" >&2
}

arguments_refuse() {
	say "$1; see tests/userland/run.sh --help"
	exit 2
}

arguments_parse() {
	while (($#)); do
		case $1 in
		-h | --help) echo "$usage" && exit 0 ;;
		--update) update=yes ;;
		--only)
			(($# > 1)) || arguments_refuse "--only needs a pattern"
			only=$2
			shift
			;;
		-*) arguments_refuse "unknown option '$1'" ;;
		all) releases+=(trixie sid) ;;
		*)
			[[ $1 =~ ^[a-z]+$ ]] || arguments_refuse "'$1' is no name of a release"
			releases+=("$1")
			;;
		esac
		shift
	done
	((${#releases[@]})) || releases=(trixie sid)
}

line() { # outcome, text
	echo "$1 - $2"
}

skip() { # release, reason
	line ok "$1: # skipped: $2"
	skipped=$((skipped + 1))
}

# debootstrap and what runs in the root find a proxy in the environment alone.
proxy_export() {
	local proxy scheme

	for scheme in http https; do
		proxy=${scheme}_proxy
		[[ -z ${!proxy-} ]] || continue
		eval "$(apt-config shell "$proxy" "Acquire::$scheme::Proxy")"
		[[ -z ${!proxy-} || ${!proxy} == DIRECT ]] || export "${proxy?}"
	done
}

# Processes whose "/" is this directory, in whatever mount namespace.
processes_of() { # root directory
	local process

	for process in /proc/[0-9]*; do
		[[ ! $process/root -ef $1 ]] || echo "${process#/proc/}"
	done 2>/dev/null
}

processes_end() { # root directory
	local signal pids i

	for signal in TERM KILL; do
		mapfile -t pids < <(processes_of "$1")
		((${#pids[@]})) || return 0
		kill -s "$signal" "${pids[@]}" 2>/dev/null
		for ((i = 0; i < 50; i++)); do
			[[ -n $(processes_of "$1") ]] || return 0
			sleep 0.1
		done
	done
	say "processes are left in $1: $(processes_of "$1" | tr '\n' ' ')"
	return 1
}

# A directory in which nothing of the host's is mounted: that is only seen in the namespaces of its processes.
work_remove() { # directory
	processes_end "$1/root" && rm -rf --one-file-system "$1"
}

# shellcheck disable=SC2317
clean_up() {
	local pids

	trap '' INT TERM HUP
	mapfile -t pids < <(jobs -p)
	((${#pids[@]} == 0)) || { kill "${pids[@]}" 2>/dev/null && wait "${pids[@]}"; } || true
	[[ -z $work ]] || work_remove "$work"
}

# In the background, so that a signal is acted upon at once. The command ends with this process and does not inherit the
# release's lock, which a process that it left behind would keep.
run_bounded() { # seconds, command
	local seconds=$1

	shift
	setpriv --pdeathsig TERM timeout --kill-after=30 "$seconds" "$@" </dev/null {lock}>&- &
	wait $!
}

# The last line of a log that says what was wrong.
reason() { # log, status
	local text

	if (($2 == 124 || $2 == 137)); then
		echo "it took longer than $fetch_timeout_s s"
		return
	fi
	text=$(grep -E '^(E|W): ' "$1" | tail -n 1)
	echo "${text:-$(tail -n 1 "$1")}"
}

# Makes $cache/base-RELEASE, or finds it there. An old one is better than none.
base_prepare() { # release
	local base=$cache/base-$1 mirror status=0

	if [[ $update == no && -e $base && -z $(find "$base" -maxdepth 0 -mtime +"$age_days") ]]; then
		return 0
	fi
	mirror=${TCPTOP_USERLAND_MIRROR-$(packages_mirror Debian)}
	if [[ -z $mirror ]]; then
		echo "apt's sources have no mirror of Debian's" >"$work/debootstrap.log"
		status=1
	else
		say "$1: debootstrap from $mirror"
		run_bounded "$fetch_timeout_s" debootstrap --force-check-gpg --variant=minbase "$1" "$work/base" \
			"$mirror" >"$work/debootstrap.log" 2>&1 || status=$?
	fi
	if ((status == 0)); then
		rm -rf --one-file-system "$base"
		touch "$work/base"
		mv "$work/base" "$base"
	elif [[ -e $base ]]; then
		say "$1: $(reason "$work/debootstrap.log" "$status"); the root of $(date -r "$base" +%F) is used"
	else
		skip "$1" "no root by debootstrap: $(reason "$work/debootstrap.log" "$status")"
		return 1
	fi
}

# The files that git knows, as they are here; of a tree without git all but what was built.
checkout_copy() { # target
	mkdir "$1"
	if build_as_owner "$root" . git -C "$root" rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		(cd "$root" && build_as_owner "$root" . git ls-files -z | while IFS= read -r -d '' file; do
			[[ ! -e $file && ! -L $file ]] || printf '%s\0' "$file"
		done | tar -c --null --no-recursion -T -)
	else
		tar -c -C "$root" --exclude=./build --exclude='./build-*' .
	fi | tar -x -C "$1" --no-same-owner
}

# A copy of the pristine root with what an installation adds: names of the host, no waiting for the disk.
root_make() { # release
	cp -a --reflink=auto "$cache/base-$1" "$work/root" || return
	cp -L /etc/resolv.conf "$work/root/etc/resolv.conf"
	printf '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n' >"$work/root/etc/hosts"
	echo force-unsafe-io >"$work/root/etc/dpkg/dpkg.cfg.d/userland"
	# A mirror that is behind, or one of a past day, will do for tests; signatures are checked all the same.
	echo 'Acquire::Check-Valid-Until "false";' >"$work/root/etc/apt/apt.conf.d/90userland"
	checkout_copy "$work/root/tcptop"
}

# Downloads what tests/run.sh installs, so that a failure of the network is told from one of the packages.
packages_fetch() { # release
	local log=$work/fetch.log status=0

	say "$1: downloading packages"
	run_bounded "$fetch_timeout_s" "${enter[@]}" bash -c '
		apt-get -q update -o APT::Update::Error-Mode=any &&
			apt-get -q -y --no-install-recommends --download-only install "$@" &&
			apt-get -q autoclean' - "${packages_build[@]}" "${packages_test[@]}" >"$log" 2>&1 || status=$?
	((status != 0)) || return 0
	if ((status == 124 || status == 137)) || grep -qE '^(E|W): (Failed|Unable) to fetch' "$log"; then
		skip "$1" "packages cannot be fetched: $(reason "$log" "$status")"
	else
		tail -n 20 "$log" | sed 's/^/    /'
		line "not ok" "$1: packages: $(reason "$log" "$status")"
		failed=$((failed + 1))
	fi
	return 1
}

# What the release has: "libbcc 0.31.0, libbpf 1.5.0, gcc 14.2.0, clang 19.1.7, kernel 6.18.1".
versions() { # release
	# shellcheck disable=SC2016
	run_bounded 60 "${enter[@]}" bash -c '
		version() { dpkg-query -W -f "\${source:Upstream-Version}" "$1" | sed "s/[+~].*//"; }
		libbpf=$(dpkg-query -W -f "\${Depends}" libbpf-dev | grep -o "libbpf[0-9]*" | head -n 1)
		echo "libbcc $(version libbpfcc), libbpf $(version "$libbpf"), gcc $(gcc -dumpfullversion)," \
			"clang $(clang -dumpversion), cmake $(version cmake), kernel $(uname -r)"' 2>/dev/null
}

tests_run() { # release
	local log=$work/test.log start=$EPOCHSECONDS status=0 sum counts=() text

	say "$1: tests/run.sh --no-vm --no-containers"
	(
		setpriv --pdeathsig TERM timeout --kill-after=30 "$test_timeout_s" "${enter[@]}" \
			/tcptop/tests/run.sh --no-vm --no-containers ${only:+--only "$only"} </dev/null 2>&1 |
			tee "$log" | sed -u 's/^/    /'
		exit "${PIPESTATUS[0]}"
	) {lock}>&- &
	wait $!
	status=$?
	sum=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$log" | tail -n 1)
	read -r -a counts <<<"${sum:-0 0 0}"
	text="$1: $(versions)"
	if ((status == 124 || status == 137)); then
		text+=": not done in $test_timeout_s s"
	elif [[ -z $sum ]]; then
		text+=": ended early with status $status"
	else
		text+=": ${counts[0]} passed, ${counts[1]} failed, ${counts[2]} skipped in $(((EPOCHSECONDS - start) / 60)) min"
	fi
	passed=$((passed + counts[0])) failed=$((failed + counts[1])) skipped=$((skipped + counts[2]))
	if ((status == 0)); then
		line ok "$text"
	else
		((counts[1] > 0)) || failed=$((failed + 1))
		line "not ok" "$text"
	fi
}

# One at a time for a release; what a run that was killed has left goes first.
release_run() { # release
	local lock old

	exec {lock}>"$cache/lock-$1"
	flock "$lock"
	for old in "$cache/work-$1".*; do
		[[ ! -e $old ]] || work_remove "$old"
	done
	work=$(mktemp -d "$cache/work-$1.XXXXXX")
	mkdir -p "$cache/archives-$1"
	enter=("$here/enter.sh" --bind "$cache/archives-$1" /var/cache/apt/archives "$work/root")
	if base_prepare "$1"; then
		if ! root_make "$1" >&2; then
			line "not ok" "$1: no copy of the pristine root"
			failed=$((failed + 1))
		elif packages_fetch "$1"; then
			tests_run "$1"
		fi
	fi
	work_remove "$work"
	work=''
	exec {lock}>&-
}

arguments_parse "$@"
if ((EUID != 0)); then
	say "debootstrap and the live tests need root: run it with sudo"
	exit 1
fi
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir -p "$cache"
proxy_export
if packages_install debootstrap debian-archive-keyring; then
	for release in "${releases[@]}"; do
		[[ -e /usr/share/debootstrap/scripts/$release ]] ||
			arguments_refuse "debootstrap knows no release '$release'"
	done
	for release in "${releases[@]}"; do
		release_run "$release"
	done
else
	for release in "${releases[@]}"; do
		skip "$release" "debootstrap cannot be installed"
	done
fi
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
