#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The units of examples/systemd by systemd's own checks, which need no systemd that runs; containers_systemd runs them.
set -euo pipefail

# shellcheck source=tests/packaging/lib.sh
. "$(dirname -- "$0")/lib.sh"

command -v systemd-analyze >/dev/null || skip "systemd-analyze is not installed"
for unit in "$SOURCE"/examples/systemd/*.service; do
	name=${unit##*/}
	# It looks for the program; the man page is not where man(1) finds it.
	sed "s|/usr/sbin/tcptop|$TCPTOP|" "$unit" >"$work/$name"
	grep -q "^ExecStart=$TCPTOP " "$work/$name" || fail "$name starts something else than /usr/sbin/tcptop"
	systemd-analyze --man=no verify "$work/$name" >"$work/log" 2>&1 || fail "verify: $(cat "$work/log")"
	[[ ! -s $work/log ]] || fail "verify: $(cat "$work/log")"
	# 3.1 by systemd 252, which sums up what it may do in tenths: 10 is everything.
	systemd-analyze --no-pager --offline=true --threshold=35 security "$work/$name" >"$work/log" 2>&1 ||
		fail "security: $(cat "$work/log")"
done

# What stands in both is the same in both: all but what each is for.
common() { # unit
	grep -vE '^(#|$|Description=|ExecStart=|ExecReload=|ReadWritePaths=|LogsDirectory)' "$1"
}
diff <(common "$SOURCE/examples/systemd/tcptop-textfile.service") <(common "$SOURCE/examples/systemd/tcptop-record.service") ||
	fail "the units differ in what they may do"
