#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Installed under another prefix than the build was told of, tcptop and tcptop-check find each other, and execute nothing
# that an attacker may have put there.
set -euo pipefail

# shellcheck source=tests/packaging/lib.sh
. "$(dirname -- "$0")/lib.sh"

prefix="$work/another prefix"
run cmake --install "$BUILD" --prefix "$prefix"
tcptop=$(find "$prefix" -path "*bin/${TCPTOP##*/}" -type f)
check=$(find "$prefix" -path '*/libexec/*' -name tcptop-check -type f)
[[ -x $tcptop && -x $check ]] || fail "not installed: $(find "$prefix")"
grep -q "^usage: ${TCPTOP##*/} " <("$tcptop" --help) || fail "its usage does not begin with its name"
man=$(find "$prefix" -name "${TCPTOP##*/}.8")
grep -qxF ".SY ${TCPTOP##*/}" "$man" || fail "the man page has another name than the program"
for file in "bash-completion/completions/${TCPTOP##*/}" "zsh/site-functions/_${TCPTOP##*/}" \
	"fish/vendor_completions.d/${TCPTOP##*/}.fish"; do
	[[ -s $prefix/share/$file ]] || fail "$file is not installed"
done

((EUID == 0)) || skip "the rest needs root: --check asks for it first"

# Programs that tell who was executed, and how.
refused() { # what it is
	local status=0

	"$tcptop" --check >"$work/out" 2>&1 || status=$?
	((status == 4)) || fail "$1: exit status $status: $(cat "$work/out")"
	grep -q 'needs the program tcptop-check' "$work/out" || fail "$1: $(cat "$work/out")"
}

found() { # what it is
	local status=0

	"$tcptop" --check --probe tracepoint >"$work/out" 2>&1 || status=$?
	((status == 0)) || fail "$1: exit status $status: $(cat "$work/out")"
	grep -qxF -e "--probe tracepoint -o text --tcptop $tcptop" "$work/out" || fail "$1: $(cat "$work/out")"
}

cp -p "$check" "$work/kept"
cp /bin/echo "$check"
chmod 755 "$check"
found "root's"
chown 65534 "$check"
refused "another user's"
chown 65534 "$tcptop"
found "that of the owner of both"
chown 0 "$tcptop" "$check"
chmod o+w "$check"
refused "one that all can write"
rm "$check"
ln -s /bin/echo "$check"
refused "a symbolic link"
rm "$check"
refused "a missing one"
cp /bin/echo "${tcptop%/*}/tcptop-check"
found "the one beside it"

# The other way round: a tcptop that fails at once tells that it was started.
cp -p "$work/kept" "$check"
cp /bin/false "$tcptop"
"$check" --probe tracepoint >"$work/out" 2>&1 && fail "it went on without tcptop: $(cat "$work/out")"
grep -q 'tcptop ended early, with status 1' "$work/out" || fail "tcptop was not found: $(cat "$work/out")"
chown 65534 "$tcptop"
status=0
"$check" --probe tracepoint >"$work/out" 2>&1 || status=$?
((status == 4)) || fail "another user's tcptop: exit status $status: $(cat "$work/out")"
