#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What tcptop adds to a pair, in instructions: see usage below.
set -euo pipefail

usage="usage: tests/bench/instructions.sh [--kernel NAME] [--peers] [BUILD_DIRECTORY [VARIANT]...]

Boots one of Debian's stock kernels in an emulated machine that counts instructions and prints a line for each VARIANT, the words
of a tcptop's command line: the instructions that a send and a receive of 64 bytes over loopback take more beside it, both
ends counted, and the variant. The figures are the same each time but for two or three.

  --kernel NAME     of tests/vm/fetch.sh (default: 6.1)
  --peers           also the tools of that name of libbpf-tools and bcc, in the same boot: 6.1 alone, some minutes more
  BUILD_DIRECTORY   has tcptop (default: build/ of this checkout)
  VARIANT           default: --probe with each method, and without and with options that count less"

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
kernel=6.1
with_peers=no
machine=()
peers=()
work=''

while (($#)); do
	case $1 in
	-h | --help) echo "$usage" && exit 0 ;;
	--kernel) kernel=${2:?} && shift 2 ;;
	--peers) with_peers=yes && shift ;;
	-*) echo "instructions.sh: unknown option '$1', see --help" >&2 && exit 2 ;;
	*) break ;;
	esac
done
if [[ $with_peers == yes ]]; then
	[[ $kernel == 6.1 ]] || { echo "instructions.sh: --peers works with the kernel 6.1 alone" >&2 && exit 2; }
	fetched=$("$here/peers_fetch.sh")
	peers=(--peers "$fetched")
	machine=(--headers yes --memory 3072)
fi
build=${1:-$root/build}
shift || true
variants=("$@")
if ((${#variants[@]} == 0)); then
	for method in tracepoint fentry kprobe; do
		[[ $method != tracepoint || ! $kernel =~ ^(5.10|6.1)$ ]] || continue
		for option in '' ' -4' ' -p 1' ' --no-splice'; do
			variants+=("--probe $method$option")
		done
	done
fi
trap '[[ -z $work ]] || rm -rf "$work"' EXIT
work=$(mktemp -d)
chmod 755 "$work"
cp "$build/tcptop" "$work/"
cc -std=gnu11 -O2 "$here/pair.c" -o "$work/pair"
# The machine has a /tmp of its own: only what is shared is there.
"$root/tests/vm/boot.sh" --kernel "$kernel" --icount --timeout 1500 "${machine[@]}" --share "$work" -- \
	/usr/bin/python3 -B "$here/instructions_guest.py" "${peers[@]}" "$work" "${variants[@]}"
