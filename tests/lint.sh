#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Checks that need no build: see usage below. Part of tests/run.sh; .githooks/pre-commit runs it too.
set -uo pipefail

root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)
checks=(arrows arrows_test sizes sizes_test messages messages_test security security_test kernel_headers format shell licences)

# The release of clang-format and clang-tidy that the tree is right by: others see some lines differently.
clang_release=14

usage="usage: tests/lint.sh [--tidy] [CHECK]...

Runs the checks named, all of them by default. The last line is the sum: N passed, N failed, N skipped.

  arrows          includes of src/ point to the same or an earlier floor; no circles, no deep chains
  sizes           no function over 60 lines, no file over 500
  messages        what README.md and docs/troubleshooting.md explain is what the program says; they explain each refusal
  security        the system calls in SECURITY.md are those of the source, and the tests that it names are there
  kernel_headers  the program text is chosen without a header of the table or the screen
  format          clang-format $clang_release
  shell           shellcheck
  licences        reuse lint: the licence and the copyright of each file
  arrows_test, sizes_test, messages_test, security_test   do these find what they are for?
  tidy            clang-tidy $clang_release, as .clang-tidy says; not by default, for it takes some ten seconds

  --tidy          all checks, with tidy
  -l, --list      print the names of the checks and run none
  -h, --help      show this help

exit status: 0 when none failed; 1 when one did; 2 for wrong options"

skip() { # reason
	echo "$1"
	return 77
}

# Prints the name under which a tool of clang's is here in the right release, or why it is not.
clang_tool() { # name
	local release

	command -v "$1-$clang_release" && return
	release=$("$1" --version 2>/dev/null | sed -n 's/.*version \([0-9]*\)\..*/\1/p')
	[[ $release == "$clang_release" ]] || skip "needs $1 $clang_release; here is ${release:-none}" || return
	echo "$1"
}

sources() {
	find src tests -path tests/unit/golden -prune -o -name '*.[ch]' -print
}

# Shell scripts by name and by their first line.
scripts() {
	find .ci .githooks examples packaging tests -type f ! -path 'tests/unit/*' -exec awk '
		FNR == 1 && (FILENAME ~ /\.sh$/ || /^#!.*[\/ ](ba|da)?sh$/) { print FILENAME }
		FNR == 1 { nextfile }' {} +
}

check_arrows() {
	tests/lint/arrows
}

check_arrows_test() {
	python3 -B tests/lint/test_arrows.py 2>&1
}

check_sizes() {
	tests/lint/sizes
}

check_sizes_test() {
	python3 -B tests/lint/test_sizes.py 2>&1
}

check_messages() {
	tests/lint/messages
}

check_messages_test() {
	python3 -B tests/lint/test_messages.py 2>&1
}

check_security() {
	tests/lint/security
}

check_security_test() {
	python3 -B tests/lint/test_security.py 2>&1
}

# As the compiler sees it, through whatever the headers include.
check_kernel_headers() {
	local compiler=${CC:-cc} found

	command -v "$compiler" >/dev/null || skip "no compiler: $compiler" || return
	found=$("$compiler" -MM -MG -D_GNU_SOURCE -Isrc src/kernel/*.c 2>&1) || {
		echo "$found"
		return 1
	}
	found=$(tr ' ' '\n' <<<"$found" | grep -E '^src/(table|screen)/' | sort -u)
	[[ -z $found ]] || { echo "src/kernel includes: $found" && return 1; }
}

check_format() {
	local tool

	tool=$(clang_tool clang-format) || skip "$tool" || return
	sources | xargs "$tool" --dry-run -Werror 2>&1
}

check_shell() {
	command -v shellcheck >/dev/null || skip "shellcheck is not installed" || return
	scripts | xargs shellcheck -x
}

# Releases before 4 do not know REUSE.toml: they see a copy of what git knows, in which the same stands as they read it.
check_licences() {
	local release copy status

	release=$(reuse --version 2>/dev/null | sed -n 's/^reuse,* \(version \)*\([0-9]*\)\..*/\2/p')
	((${release:-0} >= 1)) || skip "needs reuse; here is ${release:-none}" || return
	if ((release >= 4)); then
		reuse lint 2>&1
		return
	fi
	git ls-files >/dev/null 2>&1 || skip "reuse $release needs a checkout of git's here" || return
	copy=$(mktemp -d)
	git ls-files -z --cached --others --exclude-standard --deduplicate |
		while IFS= read -r -d '' file; do [[ ! -e $file ]] || printf '%s\0' "$file"; done |
		tar -c --null --no-recursion -T - | tar -x -C "$copy"
	mkdir "$copy/.reuse" && tests/lint/dep5 <REUSE.toml >"$copy/.reuse/dep5" && rm "$copy/REUSE.toml" &&
		reuse --root "$copy" lint 2>&1
	status=$?
	rm -r "$copy"
	return "$status"
}

# In a build of its own for compile_commands.json and the embedded texts.
check_tidy() {
	local tool build status=0

	tool=$(clang_tool clang-tidy) || skip "$tool" || return
	build=$(mktemp -d)
	{
		cmake -S . -B "$build" -G "Unix Makefiles" -DCMAKE_C_COMPILER=clang -DBUILD_TESTING=ON \
			-DCMAKE_EXPORT_COMPILE_COMMANDS=ON && cmake --build "$build" --target program_texts
	} >"$build/log" 2>&1 || { cat "$build/log" && status=1; }
	((status != 0)) || sources | grep '^src/.*\.c$' |
		xargs -n 8 -P "$(nproc)" "$tool" --quiet -p "$build" 2>/dev/null || status=1
	rm -rf "$build"
	return "$status"
}

check_run() { # name
	local output status

	output=$("check_$1")
	status=$?
	case $status in
	0) echo "ok $1" && passed=$((passed + 1)) ;;
	77) echo "skipped $1: $output" && skipped=$((skipped + 1)) ;;
	*)
		echo "not ok $1"
		echo "    ${output//$'\n'/$'\n    '}"
		failed=$((failed + 1))
		;;
	esac
}

options_parse() {
	while (($#)); do
		case $1 in
		-h | --help) echo "$usage" && exit 0 ;;
		-l | --list) list=yes ;;
		--tidy) wanted=("${checks[@]}" tidy) ;;
		*)
			if [[ " ${checks[*]} tidy " != *" $1 "* ]]; then
				echo "lint.sh: unknown argument '$1'; see tests/lint.sh --help" >&2
				exit 2
			fi
			wanted+=("$1")
			;;
		esac
		shift
	done
	((${#wanted[@]})) || wanted=("${checks[@]}")
}

wanted=() list=''
passed=0 failed=0 skipped=0
options_parse "$@"
[[ -z $list ]] || { printf '%s\n' "${wanted[@]}" && exit 0; }
cd -- "$root" || exit 1
for check in "${wanted[@]}"; do
	check_run "$check"
done
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
