#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What tcptop says that it costs, by method, beside the instructions that it takes: see usage below.
set -euo pipefail

usage="usage: tests/bench/prices.sh [--kernel NAME] [BUILD_DIRECTORY [VARIANT]...]

Boots one of Debian's stock kernels in an emulated machine that counts instructions, one a nanosecond, and prints for each rate of calls
and each VARIANT, the words of a tcptop's command line: the instructions that a send and a receive of 64 bytes take more beside it,
both ends counted; what it says of itself; the one by the other; and that by the same of the first VARIANT.

There are no caches in this machine, which a part of the prices stands for: it tells methods apart, not how right any of them is.

  --kernel NAME     of tests/vm/fetch.sh (default: 6.12)
  BUILD_DIRECTORY   has tcptop and tcptop-check (default: build/ of this checkout)
  VARIANT           default: --probe with each method"

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
kernel=6.12
work=''

case ${1-} in
-h | --help) echo "$usage" && exit 0 ;;
--kernel) kernel=${2:?} && shift 2 ;;
-*) echo "prices.sh: unknown option '$1', see --help" >&2 && exit 2 ;;
esac
build=${1:-$root/build}
shift || true
variants=("$@")
((${#variants[@]})) || variants=("--probe tracepoint" "--probe fentry" "--probe kprobe")
trap '[[ -z $work ]] || rm -rf "$work"' EXIT
work=$(mktemp -d)
chmod 755 "$work"
cp "$build/tcptop" "$build/tcptop-check" "$work/"
cc -std=gnu11 -O2 "$here/pair.c" -o "$work/pair"
# The machine has a /tmp of its own: only what is shared is there.
"$root/tests/vm/boot.sh" --kernel "$kernel" --icount --timeout 900 --share "$work" -- \
	/usr/bin/env TCPTOP="$work/tcptop" CHECK="$work/tcptop-check" TCPTOP_SLOWNESS=20 \
	/usr/bin/python3 -B "$here/prices_guest.py" "$work/pair" "${variants[@]}"
