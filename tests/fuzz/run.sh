#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs the targets with libFuzzer: see usage below.
set -uo pipefail

root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.." && pwd)
build=$root/build-fuzz
found=$root/tests/fuzz/found

usage="usage: tests/fuzz/run.sh [-t TARGET]... [HOURS]

Builds the targets of tests/fuzz with clang, libFuzzer, ASan and UBSan into build-fuzz/, and runs as many at once as there are processors:
30 seconds each, or so long that one after the other would take HOURS (0.5, 8). What is found is in tests/fuzz/found/, as TARGET-crash-...
and the like; mend it, and keep the file in tests/fuzz/seeds/TARGET/. Inputs that reach new code are kept in build-fuzz/corpus/
for the next time.

  -t, --target TARGET   only this one: recording, words, ...
  -h, --help            show this help

exit status: 0 when nothing was found; 1 when something was; 2 for wrong options; 77 without clang"

targets=()
hours=
while (($#)); do
	case $1 in
	-h | --help) echo "$usage" && exit 0 ;;
	-t | --target)
		[[ ${2-} ]] || { echo "$usage" >&2 && exit 2; }
		targets+=("$2")
		shift
		;;
	*)
		[[ -z $hours && $1 =~ ^[0-9]+(\.[0-9]+)?$ ]] || { echo "$usage" >&2 && exit 2; }
		hours=$1
		;;
	esac
	shift
done

command -v clang >/dev/null || { echo "clang is not installed" && exit 77; }
echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' | clang -x c -fsanitize=fuzzer,address -o /dev/null - 2>/dev/null ||
	{ echo "clang has no libFuzzer here: install libclang-rt-dev" && exit 77; }
if ((${#targets[@]} == 0)); then
	for source in "$root"/tests/fuzz/fuzz_*.c; do
		source=${source##*/fuzz_}
		targets+=("${source%.c}")
	done
fi
for target in "${targets[@]}"; do
	[[ -f $root/tests/fuzz/fuzz_$target.c ]] || { echo "no target '$target'" >&2 && exit 2; }
done

seconds=30
[[ -z $hours ]] || seconds=$(awk -v hours="$hours" -v count="${#targets[@]}" \
	'BEGIN { seconds = int(hours * 3600 / count); print seconds ? seconds : 1 }')

build_targets() {
	cmake -S "$root" -B "$build" -DBUILD_TESTING=ON -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=RelWithDebInfo \
		-DTCPTOP_SANITIZE=address -DTCPTOP_FUZZ=ON &&
		cmake --build "$build" --target "${targets[@]/#/fuzz_}" -j "${JOBS:-$(nproc)}"
}

mkdir -p "$build" "$found"
build_targets >"$build/build.log" 2>&1 || { tail -n 30 "$build/build.log" && exit 1; }

# The short run has the same random numbers each time: a suite does not fail by chance.
options=(-max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=16384)
[[ -n $hours ]] || options+=(-seed=1)

target_run() { # target
	local log=$build/$1.log corpus=$build/corpus/$1

	mkdir -p "$corpus"
	if "$build/tests/fuzz/fuzz_$1" "${options[@]}" -artifact_prefix="$found/$1-" \
		"$corpus" "$root/tests/fuzz/seeds/$1" >"$log" 2>&1; then
		echo "ok $1: $(sed -n 's/^Done \(.*\)/\1/p; s/.*DONE *cov: \([0-9]*\) .*/\1 edges,/p' "$log" | tr '\n' ' ')"
	else
		echo "not ok $1: $log"
		grep -m 3 -E 'does not hold|ERROR|runtime error|Test unit written' "$log"
		return 1
	fi
}

failed=0 running=0
for target in "${targets[@]}"; do
	if ((running == $(nproc))); then
		wait -n || failed=$((failed + 1))
		running=$((running - 1))
	fi
	target_run "$target" &
	running=$((running + 1))
done
while ((running)); do
	wait -n || failed=$((failed + 1))
	running=$((running - 1))
done
echo "$((${#targets[@]} - failed)) passed, $failed failed, 0 skipped"
((failed == 0))
