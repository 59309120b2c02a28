# SPDX-License-Identifier: Apache-2.0
"""A kernel that refuses system calls, as a container's or a service's filter does, and what tcptop may make of what it lacks."""
import ctypes
import errno
import os
import re
import struct

from live import call, check, check_equal, intervals, libc

# Numbers of the system calls by name, as the kernel's headers tell them (linux/unistd.h).
X86_64 = dict(
    read=0, write=1, close=3, fstat=5, poll=7, lseek=8, mmap=9, mprotect=10, munmap=11, brk=12, rt_sigaction=13, rt_sigprocmask=14,
    ioctl=16, pread64=17, access=21, pipe=22, dup=32, dup2=33, socket=41, sendto=44, recvfrom=45, sendmsg=46, recvmsg=47,
    bind=49, getsockname=51, socketpair=53, setsockopt=54, getsockopt=55, clone=56, fork=57, vfork=58, wait4=61, kill=62, uname=63,
    fcntl=72, ftruncate=77, getcwd=79, chdir=80, rename=82, mkdir=83, rmdir=84, unlink=87, readlink=89, fchmod=91, umask=95,
    getrlimit=97, sysinfo=99, getuid=102, getgid=104, setuid=105, setgid=106, geteuid=107, getegid=108, setpgid=109, getppid=110,
    setsid=112, setgroups=116, setresuid=117, getresuid=118, setresgid=119, getresgid=120, capget=125, capset=126, sigaltstack=131,
    statfs=137, sched_setscheduler=144, prctl=157, setrlimit=160, mount=165, umount2=166, gettid=186, futex=202,
    sched_getaffinity=204, getdents64=217, clock_gettime=228, clock_nanosleep=230, tgkill=234, openat=257, mkdirat=258,
    newfstatat=262, unlinkat=263, renameat=264, readlinkat=267, faccessat=269, unshare=272, set_robust_list=273, splice=275,
    timerfd_create=283, signalfd4=289, eventfd2=290, dup3=292, pipe2=293, perf_event_open=298, prlimit64=302, getcpu=309, seccomp=317,
    getrandom=318, memfd_create=319, bpf=321, statx=332, rseq=334, clone3=435, close_range=436, openat2=437, faccessat2=439,
    landlock_create_ruleset=444, landlock_add_rule=445, landlock_restrict_self=446,
)
LOAD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
RET_ERRNO, RET_ALLOW = 0x00050000, 0x7FFF0000
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER_MODE = 38, 22, 2


def available():
    return os.uname().machine == "x86_64"


def refuse(names, error=errno.EPERM, new_privileges=True):
    """For a started process, before its exec: from now on these end with this error."""
    program = [struct.pack("HBBI", LOAD, 0, 0, 0)]
    for index, name in enumerate(names):
        program.append(struct.pack("HBBI", JUMP_EQUAL, len(names) - index, 0, X86_64[name]))
    program.append(struct.pack("HBBI", RETURN, 0, 0, RET_ALLOW))
    program.append(struct.pack("HBBI", RETURN, 0, 0, RET_ERRNO | error))
    code = ctypes.create_string_buffer(b"".join(program))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(code)))
    if not new_privileges:
        call(libc.prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    call(libc.prctl, PR_SET_SECCOMP, FILTER_MODE, header)


def judge(tcptop, what, *remedies):
    """0 and the numbers asked for, or two lines that name a remedy. Returns the exit code."""
    code = tcptop.wait()
    lines = [x for x in tcptop.stderr.splitlines() if "rare path" not in x]
    check(code in (0, 1, 3, 4), f"{what}: ended with {code}: {tcptop.stderr!r}")
    if code == 0:
        check_equal(len(intervals(tcptop.lines())), 1, f"{what}: intervals")
        return 0
    check(1 <= len(tcptop.stderr.splitlines()) <= 2, f"{what}: {len(lines)} lines: {tcptop.stderr!r}")
    check(lines[0].startswith("tcptop: "), f"{what}: {tcptop.stderr!r}")
    for remedy in remedies:
        check(re.search(remedy, tcptop.stderr), f"{what}: no {remedy!r}: {tcptop.stderr!r}")
    return code
