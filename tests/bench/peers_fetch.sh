#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Downloads and unpacks the packages of tcptop's two peers, where that has not been done; prints the directory. They go into
# the cache of tests/vm/fetch.sh; nothing is installed.
set -euo pipefail

packages=(bpfcc-tools libbpf-tools python3-bpfcc)
cache=${TCPTOP_VM_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/tcptop-vm}

die() {
	echo "peers_fetch.sh: $*" >&2
	exit 1
}

versions=$(apt-cache policy bpfcc-tools libbpf-tools | sed -n 's/^ *Candidate: //p' | paste -sd _)
target=$cache/peers-$(tr -c '[:alnum:].\n' _ <<<"$versions")
new=''
trap '[[ -z $new ]] || rm -rf "$new"' EXIT
if [[ ! -e $target ]]; then
	mkdir -p "$cache"
	new=$(mktemp -d "$cache/peers.XXXXXX")
	# Run by root, apt warns that its own user cannot write here, and downloads all the same.
	(cd "$new" && apt-get -q download "${packages[@]}") >"$new/log" 2>&1 ||
		die "downloading ${packages[*]} failed (apt-get update?): $(grep -m 1 '^E:' "$new/log")"
	for deb in "$new"/*.deb; do
		dpkg-deb -x "$deb" "$new"
	done
	rm -f "$new"/*.deb "$new/log"
	mv "$new" "$target"
	new=''
fi
echo "$target"
