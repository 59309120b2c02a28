#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a start does with a kernel's headers and BTF, or without. run.sh names the case that fits the machine."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

from live import (  # noqa: E402
    ARGUMENTS,
    Process,
    Tcptop,
    case,
    check,
    check_error,
    check_exact,
    main,
    merge,
    mount,
    move,
    program,
    unshare_mounts,
)

RELEASE = os.uname().release
MODULES = f"/lib/modules/{RELEASE}"
BYTES = 1000003


def check_uses(pattern):
    """One start that tells of these headers, and transfers in each family, to the byte."""
    tcptop = Tcptop("-v", "-o", "json", "1", wait=False)
    tcptop.wait_attached(30)
    truth = merge(move("flow", "--bytes", BYTES), move("flow", "--bytes", BYTES, "-6"))
    lines = tcptop.stop()
    told = [line for line in tcptop.stderr.splitlines() if "headers: " in line]
    check(len(told) == 1 and re.search(pattern, told[0]), f"-v tells {told}, not {pattern!r}")
    check_exact(lines, truth)


def check_machine(headers, btf):
    """The test is only worth something on the machine that it is meant for."""
    check(os.path.exists(f"{MODULES}/build/Makefile") == headers, f"headers in {MODULES}: not {headers}")
    check(os.path.exists("/sys/kernel/btf/vmlinux") == btf, f"BTF: not {btf}")


@case
def stubs_with_btf():
    check_machine(headers=False, btf=True)
    check_uses("generated stubs, layouts from BTF$")


@case
def headers_with_btf():
    check_machine(headers=True, btf=True)
    check_uses(f"{re.escape(MODULES)}/build, layouts from BTF$")


@case
def headers_without_btf():
    check_machine(headers=True, btf=False)
    check_uses(f"{re.escape(MODULES)}/build, layouts from <net/sock.h>$")


@case
def refused_without_btf():
    """The method cannot do without: exit code 4, and why."""
    check_machine(headers=True, btf=False)
    check_error(Process([program("TCPTOP"), *ARGUMENTS, "-C", "1", "1"]), 4, "no BTF")


def hide_headers():
    unshare_mounts()
    mount("none", os.path.realpath(MODULES), "tmpfs")


@case
def refused_without_btf_and_headers():
    """Nothing to learn the layouts from: exit code 4, and the package that helps."""
    check_machine(headers=True, btf=False)
    for arguments in (ARGUMENTS, []):
        command = [program("TCPTOP"), *arguments, "-C", "1", "1"]
        check_error(Process(command, prepare=hide_headers), 4, "BTF", f"linux-headers-{re.escape(RELEASE)}")


if __name__ == "__main__":
    sys.exit(main(limit=30))
