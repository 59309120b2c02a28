#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs what is missing (Debian, Ubuntu), builds tcptop into build/ and runs it with the arguments given:
#	sudo examples/quickstart.sh            the screen
#	sudo examples/quickstart.sh -C 1 3     three tables as text
# What is built stays, so that the next start is quick.
set -euo pipefail

root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)
# shellcheck source=tests/lib/packages.sh
. "$root/tests/lib/packages.sh"
# shellcheck source=tests/lib/build.sh
. "$root/tests/lib/build.sh"

packages_install "${packages_build[@]}"
if [[ -e $root/build/Makefile ]]; then
	build_run "$root" build tcptop
else
	build_run "$root" build tcptop -DBUILD_TESTING=OFF
fi
exec "$root/build/tcptop" "$@"
