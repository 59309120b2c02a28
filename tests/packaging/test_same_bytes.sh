#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The programs are the same bytes when they are built in other directories, with the options of this build.
set -euo pipefail

# shellcheck source=tests/packaging/lib.sh
. "$(dirname -- "$0")/lib.sh"

source_copy "$work/another source"
mapfile -t options < <(cmake -N -LA "$BUILD" | grep -E '^(CMAKE_(BUILD_TYPE|C_|EXE_|INSTALL_)|TCPTOP_)' | sed 's/^/-D/')
run cmake -S "$work/another source" -B "$work/b" "${options[@]}" -DBUILD_TESTING=OFF
run cmake --build "$work/b" -j "$(nproc)"
for program in "$TCPTOP" "$CHECK"; do
	cmp "$program" "$work/b/${program##*/}"
	! grep -qF -e "$SOURCE" -e "$BUILD" "$program" || fail "$program names the directory in which it was built"
done
