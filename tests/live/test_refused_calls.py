#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""System calls that a filter of seccomp refuses. tcptop works, or says in two lines what is missing; it never hangs, dies, or ends
with 0 without its numbers."""
import errno
import os
import sys

import refusing
from live import Skipped, Tcptop, case, check, check_equal, hide_tmp, main, wait_for
from refusing import judge

ARGUMENTS = ("--no-cache", "-o", "json", "0.05", "1")  # it is the compiler that needs most
ERRORS = (errno.EPERM, errno.ENOSYS, errno.EACCES)
# Calls of the start and of the loop. Left out: those without which no C program runs, and futex, without which glibc aborts.
REFUSED = (
    "poll", "lseek", "rt_sigprocmask", "ioctl", "dup2", "sendmsg", "recvmsg", "socketpair", "clone", "wait4", "kill", "fcntl", "chdir",
    "mkdir", "prctl", "setgroups", "setresuid", "capset", "mount", "unshare", "getdents64", "signalfd4", "eventfd2", "perf_event_open",
    "prlimit64", "memfd_create", "clone3", "close_range", "seccomp", "landlock_restrict_self",
)
# Where the compiler's directory is not of its own mount, but under /tmp, and has to be removed.
REFUSED_IN_TMP = ("close_range", "setsid", "unlink", "rmdir", "unlinkat", "pipe2", "wait4", "clone")

def need_filters():
    if not refusing.available():
        raise Skipped("the numbers of system calls here are those of x86-64")


def judge_refused(names, error):
    tcptop = Tcptop(*ARGUMENTS, prepare=lambda: refusing.refuse(names, error), wait=False)
    return judge(tcptop, f"{' and '.join(names)} refused with {errno.errorcode[error]}")


@case
def a_refused_call():
    need_filters()
    for index, name in enumerate(REFUSED):
        judge_refused([name], ERRORS[index % len(ERRORS)])


@case
def no_mount_of_its_own():
    """The directory under /tmp is removed in any case but one: where it may not be."""
    need_filters()
    for index, name in enumerate(REFUSED_IN_TMP):
        before = set(os.listdir("/tmp"))
        code = judge_refused(["unshare", name], ERRORS[index % len(ERRORS)])
        check(code == 0 or name in ("pipe2", "clone"), f"without {name}: {code}")
        if name not in ("unlinkat", "unlink", "rmdir"):
            wait_for(lambda: set(os.listdir("/tmp")) == before, 5, f"an empty /tmp without {name}")  # noqa: B023


@case
def no_bpf():
    """Whatever a filter answers, the reason is that it is not permitted."""
    need_filters()
    for error in ERRORS:
        tcptop = Tcptop(*ARGUMENTS, prepare=lambda: refusing.refuse(["bpf"], error), wait=False)  # noqa: B023
        check_equal(judge(tcptop, errno.errorcode[error], "seccomp"), 3, "exit code")


if __name__ == "__main__":
    hide_tmp()
    sys.exit(main(180))
