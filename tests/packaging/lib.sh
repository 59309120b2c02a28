# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the tests of packaging share: a directory of their own, in $work, and how they end. The environment has SOURCE and
# BUILD, the directories, and TCPTOP and CHECK, the programs.

: "${SOURCE:?}" "${BUILD:?}" "${TCPTOP:?}" "${CHECK:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { # reason
	echo "not ok: $*" >&2
	exit 1
}

skip() { # reason
	echo "skip: $*"
	exit 77
}

# The command's output is shown when it fails, which ends the test.
run() { # command
	"$@" >"$work/log" 2>&1 || { tail -n 60 "$work/log" >&2 && fail "$*"; }
}

# What is built and installed, without builds and what git keeps.
source_copy() { # target
	mkdir -p "$1"
	tar -c -C "$SOURCE" --exclude=./build --exclude='./build-*' --exclude=./.git . | tar -x -C "$1" --no-same-owner
}
