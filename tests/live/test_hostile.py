#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the user's directory and environment hold does not reach the compiler."""
import contextlib
import os
import stat
import sys

from live import Tcptop, case, check, check_equal, check_exact, directory, hide_tmp, main, move

HEADERS = (
    "linux/types.h",
    "linux/kconfig.h",
    "linux/version.h",
    "linux/bpf_common.h",
    "linux/log2.h",
    "linux/bpf.h",
    "linux/if_packet.h",
    "linux/if_ether.h",
    "uapi/linux/bpf.h",
    "uapi/linux/if_packet.h",
    "uapi/linux/if_ether.h",
    "uapi/linux/ptrace.h",
    "asm/page.h",
    "asm/types.h",
    "asm/bitsperlong.h",
    "net/sock.h",
    "bcc/proto.h",
    "bcc/helpers.h",
    "stddef.h",
    "stdint.h",
)
PROGRAMS = ("modprobe", "tar", "sh", "mkdir", "rm", "xz", "uname", "clang", "ld", "tcptop", "umount", "mount")


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.chmod(path, mode)


@contextlib.contextmanager
def traps():
    """A directory in which every header is an error, also below what a kernel's source tree would have."""
    with directory() as path:
        for base in ("", "include", "include/uapi", "arch/x86/include", "build/include", "source/include"):
            for header in HEADERS:
                write(os.path.join(path, base, header), '#error "a trap was included"\n')
        for name in PROGRAMS:
            write(os.path.join(path, "bin", name), f"#!/bin/sh\n: > {path}/ran-{name}\nexit 1\n", 0o755)
        yield path
        check_equal([x for x in os.listdir(path) if x.startswith("ran-")], [], "traps that were run")


def check_works(**options):
    tcptop = Tcptop("--no-cache", "-o", "json", "0.2", **options)
    truth = move("flow", "--bytes", 30011)
    check_exact(tcptop.stop(), truth)
    check("trap" not in tcptop.stderr, f"stderr: {tcptop.stderr!r}")


@case
def directory_with_headers():
    with traps() as path:
        check_works(cwd=path)


@case
def environment():
    with traps() as path:
        hostile = {
            "CPATH": path,
            "C_INCLUDE_PATH": path,
            "CPLUS_INCLUDE_PATH": path,
            "OBJC_INCLUDE_PATH": path,
            "BCC_KERNEL_SOURCE": path,
            "BCC_KERNEL_MODULES_SUFFIX": "../../../../../.." + path,
            "BCC_LINUX_VERSION_CODE": "1",
            "BCC_PROBE_PREFIX": "../" + path,
            "BCC_SYMBOLS": "x",
            "ARCH": "mips",
            "CROSS_COMPILE": "x",
            "TMPDIR": path,
            "HOME": path,
            "PWD": path,
            "PATH": os.path.join(path, "bin"),
            "SHELL": os.path.join(path, "bin", "sh"),
            "LIBBPF_LOG_LEVEL": "debug",
            "CCC_OVERRIDE_OPTIONS": "# +-DTRAP",
            "SOURCE_DATE_EPOCH": "x",
            "POSIXLY_CORRECT": "1",
        }
        check_works(env=hostile, cwd=path)
        check_works(env={})


@case
def deleted_directory():
    with directory() as path:
        gone = os.path.join(path, "gone")
        os.mkdir(gone)

        def enter():
            os.chdir(gone)
            os.rmdir(gone)

        check_works(prepare=enter)


@case
def long_directory():
    """Longer than any path may be: entered step by step."""
    with directory() as path:

        def enter():
            os.chdir(path)
            for _ in range(20):
                os.mkdir("d" * 250)
                os.chdir("d" * 250)

        check_works(prepare=enter)


@case
def file_mode_and_limits():
    """An umask that forbids all, and limits of the shell on files' sizes and locked memory."""
    check_works(prepare=lambda: os.umask(0o777))
    check_works(prefix=["prlimit", "--memlock=65536", "--core=0", "--fsize=1048576", "--"])


@case
def nothing_in_tmp():
    """Nothing is left there, and no headers are read from where anybody could have put them."""
    check_works()
    check_equal(os.listdir("/tmp"), [], "/tmp")
    with directory() as path:
        decoy = "/tmp/kheaders-" + os.uname().release
        os.mkdir(decoy, stat.S_IRWXU)
        for header in HEADERS:
            write(os.path.join(decoy, "include", header), '#error "a trap was included"\n')
        check_works(cwd=path)


if __name__ == "__main__":
    hide_tmp()
    sys.exit(main())
