#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs every test: see usage below. A test that cannot run here says why it is skipped.
set -uo pipefail

usage='usage: sudo tests/run.sh [--no-vm | --vm KERNEL|all] [--no-containers] [--userland [RELEASE|all]] [--only PATTERN]

Installs what is missing (Debian, Ubuntu), builds into build/, runs tests/lint.sh, the unit, live, containers and screen
tests by ctest, the unit tests once more as clang and as the sanitizers of addresses and undefined behaviour build them,
those with threads as the thread sanitizer does (with TSAN= in the environment all of them, which takes ten minutes), the
fuzz targets with libFuzzer for 30 seconds each, counts the branches that unit tests take, and the tests in emulated machines with stock kernels of Debian, 6.1 and the
newest unless told. The last line is the sum:
N passed, N failed, N skipped.

  --no-vm          leave the emulated machines out
  --vm KERNEL      in emulated machines with this kernel, or all: 5.10, 6.1, 6.12 and newest
  --no-containers  install neither container engines nor Node.js: where there are none, their tests skip
  --userland [RELEASE|all]
                   also all of this but the emulated machines in fresh roots of other Debian releases, by default of
                   all that tests/userland/run.sh names
  --only PATTERN   only tests whose name matches this regular expression; names of others than ctest has in build/
                   begin with lint/, clang/, asan/, tsan/, clang-tsan/, fuzz/, coverage/ and, in the emulated machines, vm/
  -h, --help       show this help

exit status: 0 when none failed; 1 when one did, or the build; 2 for wrong options'

root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)
# shellcheck source=tests/lib/packages.sh
. "$root/tests/lib/packages.sh"
# shellcheck source=tests/lib/build.sh
. "$root/tests/lib/build.sh"

# Under the thread sanitizer, unless TSAN is another pattern: what has no second thread finds nothing there, and takes ten minutes.
threaded='^unit_(names_|output_player|trace_)'

only='' with_vm=yes with_containers=yes vm_kernels=(6.1 newest) userland=''
passed=0 failed=0 skipped=0
work=''

options_parse() {
	while (($#)); do
		case $1 in
		-h | --help) echo "$usage" && exit 0 ;;
		--no-vm) with_vm=no ;;
		--no-containers) with_containers=no ;;
		--userland)
			userland=all
			[[ -z ${2-} || $2 == -* ]] || { userland=$2 && shift; }
			[[ $userland =~ ^[a-z]+$ ]] || options_refuse "'$userland' is no name of a release"
			;;
		--vm)
			vm_kernels_choose "${2-}"
			shift
			;;
		--only)
			(($# > 1)) || options_refuse "--only needs a pattern"
			only=$2
			shift
			;;
		*) options_refuse "unknown argument '$1'" ;;
		esac
		shift
	done
}

vm_kernels_choose() { # a kernel, or all
	local names

	names=$("$root/tests/vm/fetch.sh" --kernels)
	[[ -n $1 && " $names all " == *" $1 "* ]] || options_refuse "--vm takes one of $names all"
	read -r -a vm_kernels <<<"${1/#all/$names}"
}

options_refuse() {
	echo "run.sh: $1; see tests/run.sh --help" >&2
	exit 2
}

count_add() { # passed, failed, skipped
	passed=$((passed + $1))
	failed=$((failed + $2))
	skipped=$((skipped + $3))
}

# The last line "N passed, N failed, N skipped" of a file, as three numbers.
sum_read() { # file
	sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$1" | tail -n 1
}

# Shortens what `ctest -V` prints, of several tests at once: a line a test, the output of those that failed, the reasons of those that were
# skipped, whole or in part. Its last line is the sum. A test counts as one, with what it left out beside it; one with a
# sum of its own counts as that. prefix stands before the names.
# shellcheck disable=SC2016
ctest_report='
function is_sum(line) {
	return line ~ /^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/
}
function show(prefix,   i) {
	for (i = 1; i <= lines[test]; i++)
		print prefix output[test, i]
}
# What a test that passed had to leave out, each once. Returns how many.
function show_skipped(   i, count, seen) {
	count = 0
	for (i = 1; i <= lines[test]; i++)
		if (output[test, i] ~ /^ *(skip|SKIP|\[  SKIPPED \] [^0-9]|ok .*# (skip|SKIP))/ && !seen[output[test, i]]++) {
			print "    " output[test, i]
			count++
		}
	return count
}
/^test [0-9]+$/ { begun = $2; lines[begun] = 0; sum[begun] = ""; next }
/^[0-9]+: (Test command|Working Directory|Test timeout computed to be|Environment variables):/ { next }
/^[0-9]+: / {
	test = $1 + 0
	sub(/^[0-9]+: /, "")
	output[test, ++lines[test]] = $0
	sum[test] = is_sum($0) ? $0 : ""
	next
}
/^(Could not find|Unable to find) / { output[begun, ++lines[begun]] = $0 }
/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / {
	test = $0
	sub(/^[^#]*#/, "", test)
	test += 0
	sub(/: /, ": " prefix)
	print
	good = $0 ~ / Passed +[0-9.]+ sec$/
	left_out = $0 ~ /\*\*\*(Skipped|Not Run \(Disabled\))/
	if (left_out)
		show("    skipped: ")
	else if (!good)
		show("    ")
	else
		within = show_skipped()
	if (sum[test] != "") {
		gsub(/[^0-9 ]/, "", sum[test])
		split(sum[test], own, / +/)
		passed += own[1]; failed += own[2]; skipped += own[3]
		if (!good && !left_out && own[2] == 0)
			failed++
	} else if (good) {
		passed++
		skipped += within
	} else if (left_out)
		skipped++
	else
		failed++
	fflush()
}
END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped }'

run_ctest() { # folder of the build, pattern of the names (empty: all), prefix
	local log=$work/ctest.log status counts=()

	ctest --test-dir "$root/$1" -V -j "$(nproc)" --timeout 600 --no-tests=ignore ${2:+-R "$2"} 2>&1 |
		tee "$log" | awk -v prefix="$3" "$ctest_report" | tee "$work/ctest.report" | sed '$d'
	status=${PIPESTATUS[0]}
	# As the owner's own ctest will find it.
	chown -hR --reference="$root/$1" "$root/$1/Testing"
	read -r -a counts < <(sum_read "$work/ctest.report")
	((${#counts[@]})) || counts=(0 0 0)
	count_add "${counts[@]}"
	if ((status != 0 && counts[1] == 0)); then
		echo "run.sh: ctest itself failed, with status $status:"
		tail -n 20 "$log"
		count_add 0 1 0
	fi
}

# The unit tests as a preset of CMakePresets.json builds them, in its folder.
run_preset() { # name, pattern of the tests (without one: all)
	local name names=() wanted=() built=unit_tests

	mapfile -t names < <(ctest --test-dir "$root/build" -N -L '^unit$' | sed -n 's/^ *Test *#[0-9]*: //p')
	for name in "${names[@]}"; do
		[[ ! $1/$name =~ $only || ! $name =~ ${2-} ]] || wanted+=("$name")
	done
	((${#wanted[@]})) || return
	[[ ${2-} != "$threaded" ]] || built=${wanted[*]/#unit_/test_}
	if build_run "$root" "build-$1" "$built" --preset "$1"; then
		run_ctest "build-$1" "^($(IFS='|' && echo "${wanted[*]}"))\$" "$1/"
	else
		echo "$1/: not ok: the build failed"
		count_add 0 1 0
	fi
}

# A script counts as its closing line says; without such a line as one test.
run_script() { # name, command
	local status sum counts=()

	echo "running $1"
	shift
	"$@" </dev/null 2>&1 | tee "$work/script.log" | sed -u 's/^/    /'
	status=${PIPESTATUS[0]}
	sum=$(sum_read "$work/script.log")
	case $status in
	0) sum=${sum:-1 0 0} ;;
	77) sum=${sum:-0 0 1} ;;
	*) sum=${sum:-0 1 0} ;;
	esac
	read -r -a counts <<<"$sum"
	((status == 0 || status == 77 || counts[1] > 0)) || counts[1]=1
	count_add "${counts[@]}"
}

run_lint() {
	local name checks=()

	for name in $("$root/tests/lint.sh" --tidy --list); do
		[[ ! lint/$name =~ $only ]] || checks+=("$name")
	done
	((${#checks[@]})) || return
	run_script lint build_as_owner "$root" build "$root/tests/lint.sh" "${checks[@]}"
}

run_fuzz() {
	[[ ! fuzz/run =~ $only ]] || run_script fuzz/run build_as_owner "$root" build-fuzz "$root/tests/fuzz/run.sh"
}

run_coverage() {
	[[ ! coverage/run =~ $only ]] || run_script coverage/run build_as_owner "$root" build-coverage "$root/tests/coverage"
}

# The kernels come from the mirror whose package lists apt has; what cannot be fetched, the scripts skip.
run_vm() {
	local kernel options=()

	[[ vm/selftest =~ $only || vm/run =~ $only ]] || return
	apt-cache show linux-image-amd64 >/dev/null 2>&1 || packages_apt_get update || true
	# The machine itself, once.
	[[ ! vm/selftest =~ $only ]] || run_script "vm/selftest" "$root/tests/vm/selftest.sh" "${vm_kernels[0]}"
	for kernel in "${vm_kernels[@]}"; do
		options+=(--kernel "$kernel")
	done
	[[ ! vm/run =~ $only ]] || run_script vm/run "$root/tests/vm/run.sh" "${options[@]}"
}

run_userland() {
	run_script "userland/$userland" "$root/tests/userland/run.sh" ${only:+--only "$only"} "$userland"
}

packages() {
	printf '%s\n' "${packages_build[@]}" "${packages_test[@]}"
	[[ $with_vm == no ]] || "$root/tests/vm/fetch.sh" --packages | tr ' ' '\n'
}

options_parse "$@"
if ((EUID != 0)); then
	echo "run.sh: the live tests trace the kernel: run it with sudo" >&2
	exit 1
fi
mapfile -t wanted < <(packages)
packages_install "${wanted[@]}" || exit 1
[[ $with_containers == no ]] || packages_install_known "${packages_containers[@]}"
[[ $with_containers == no ]] || packages_install_known "${packages_node[@]}"
packages_install_known "${packages_fuzz[@]}"
CC=${CC:-gcc} build_run "$root" build all -DBUILD_TESTING=ON -DTCPTOP_WERROR=ON || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
run_lint
run_ctest build "$only" ""
run_preset clang
run_preset asan
run_preset tsan "${TSAN-$threaded}"
run_preset clang-tsan "${TSAN-$threaded}"
run_fuzz
run_coverage
[[ $with_vm == no ]] || run_vm
[[ -z $userland ]] || run_userland
if ((passed + failed + skipped == 0)); then
	echo "run.sh: no test has a name that matches '$only'"
	failed=1
fi
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
