#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What tcptop and its two peers count on the same loads: see usage below.
set -euo pipefail

usage="usage: tests/bench/peers.sh [PATH]...

Boots Debian's stock 6.1 kernel in an emulated machine and runs this tcptop (fentry and kprobe) and the tools
of that name from the packages libbpf-tools and bpfcc-tools on the same loads, one after the other. Prints
Markdown: for each data path (default: all of 'tcptop-check list', and three loads more) what each tool reported
divided by the true bytes, sent and received. Takes 15 to 40 minutes. The packages come from peers_fetch.sh.

  TCPTOP    the program, by default build/tcptop of this checkout
  CHECK     tcptop-check, which moves the bytes, by default that beside tcptop
  TIMEOUT   seconds for all of it, by default 3000"

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
work=''

say() {
	echo "peers.sh: $*" >&2
}

die() {
	say "$*"
	exit 1
}

package_version() { # package
	apt-cache policy "$1" | sed -n 's/^ *Candidate: //p'
}

legend_print() {
	cat <<-END
		Measured on $(date -u +%Y-%m-%d) in an emulated machine, Debian's kernel $1 with voluntary
		preemption, two processors: $("$work/tcptop" --version | head -n 1);
		bpfcc-tools $(package_version bpfcc-tools); libbpf-tools $(package_version libbpf-tools).

		A cell is reported divided by true bytes, sent / received, of the processes that moved them; one number
		where only one direction was moved or where both are exact. The peers print floored KB: 1 stands where
		the truth lies within that rounding, ~1 where it does and the rounding of many or small rows leaves
		more than 1% open. tcptop is compared to the byte.

	END
}

case ${1-} in
-h | --help) echo "$usage" && exit 0 ;;
-*) die "unknown option '$1', see peers.sh --help" ;;
esac
tcptop=${TCPTOP:-$root/build/tcptop}
[[ -x $tcptop ]] || die "$tcptop is not there: build it first, or set TCPTOP"
check=${CHECK:-${tcptop%/*}/tcptop-check}
[[ -x $check ]] || die "$check is not there: build it first, or set CHECK"
image=$("$root/tests/vm/fetch.sh")
peers=$("$here/peers_fetch.sh")
trap '[[ -z $work ]] || rm -rf "$work"' EXIT
work=$(mktemp -d)
chmod 755 "$work"
cp "$tcptop" "$work/tcptop"
cp "$check" "$work/tcptop-check"
legend_print "$(<"$image/release")"
# The machine has a /tmp of its own: only what is shared is there.
"$root/tests/vm/boot.sh" --headers yes --timeout "${TIMEOUT:-3000}" --memory 3072 --share "$work" -- \
	env TCPTOP="$work/tcptop" CHECK="$work/tcptop-check" TCPTOP_SLOWNESS=20 \
	/usr/bin/python3 "$here/peers_guest.py" "$peers" "$@"
