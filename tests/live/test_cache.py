#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A compiled program is kept for the next start: what it counts is the same, and what is not sure to be the same is compiled anew."""
import contextlib
import glob
import os
import re
import shutil
import struct
import subprocess
import sys
import time

from live import (
    CLONE_NEWNS, MS_PRIVATE, MS_REC, Process, Tcptop, call, case, check, check_exact, check_totals, libc, main, move, needs_root, program, sessions,
)

CACHE = "/var/cache/tcptop"
MS_BIND = 4096
KEPT, COMPILED, AS_BEFORE = "program: compiled, and kept", "program: compiled", "program: as an earlier start compiled it"
BYTES = 30011
USER = 65533


def own_cache():
    """An empty one, that the host's does not see: a mount of this process alone."""
    call(libc.unshare, CLONE_NEWNS)
    call(libc.mount, None, b"/", None, MS_REC | MS_PRIVATE, None)
    os.makedirs("/var/cache", exist_ok=True)
    call(libc.mount, b"tcptop", b"/var/cache", b"tmpfs", 0, None)


def start(*arguments, prepare=None):
    """What a run says of its program."""
    run = Process([program("TCPTOP"), "-v", "-C", *map(str, arguments), "0.05", "1"], prepare=prepare)
    run.expect(0, 30)
    said = [line for line in run.stderr.splitlines() if re.match("tcptop: program(:|s are not kept)", line)]
    check(len(said) >= 1, f"what is said of the program: {run.stderr}")
    return "\n".join(said)


def check_said(wanted, *arguments, prepare=None):
    said = start(*arguments, prepare=prepare)
    check(wanted in said, f"of {arguments} it is said {said!r}, not {wanted!r}")
    return said


def files():
    return sorted(glob.glob(CACHE + "/*"))


def forget():
    shutil.rmtree(CACHE, ignore_errors=True)


@case
def counted_alike():
    """By each kind of text: as compiled and as kept, each byte of a load."""
    for arguments in ([], ["-a"], ["-4"], ["-p", os.getpid()], ["--connections"]):
        forget()
        for wanted in (KEPT, AS_BEFORE):
            tcptop = Tcptop("-v", "-o", "json", *arguments, "600")
            truth = move("flow", "--bytes", BYTES)
            lines = tcptop.stop()
            check(wanted in tcptop.stderr, f"{arguments}: {tcptop.stderr!r} without {wanted!r}")
            check_totals(lines)
            if "-p" not in arguments:
                check_exact(lines, truth)
            else:
                check(not [x for x in sessions(lines) if x["pid"] != os.getpid()], f"-p let others pass: {lines}")


@case
def another_filter_is_another_program():
    forget()
    for arguments in (["-p", 4711], ["-p", 4712], ["--port", "1"], ["--max-sessions", 1000]):
        check_said(KEPT, *arguments)
        check_said(AS_BEFORE, *arguments)


@case
def not_taken_and_not_kept():
    forget()
    said = check_said(COMPILED, "--no-cache")
    check(KEPT not in said and not files(), f"kept all the same: {said}, {files()}")
    start()
    check("earlier" not in start("--no-cache"), "taken all the same")


@case
def what_is_changed_is_compiled_anew():
    """A byte, the end, another form, another program of the same name; and it is mended then."""
    forget()
    start()
    (path,) = files()
    with open(path, "rb") as stream:
        good = stream.read()
    start("-4")
    (other,) = set(files()) - {path}
    with open(other, "rb") as stream:
        of_another_key = stream.read()
    middle = len(good) // 2
    for bad in (b"", good[:100], good[:-1], good + b"\0", good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1:], b"tcptop 0" + good[8:], of_another_key):
        with open(path, "wb") as stream:
            stream.write(bad)
        check_said(KEPT)
        check_said(AS_BEFORE)


def hash_of(data):
    """FNV-1a, as the file has it of all that follows."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % (1 << 64)
    return value


@case
def what_the_kernel_refuses_is_compiled_anew():
    """A file with a right sum, and a program that the verifier does not take: it is replaced, and nothing is counted twice."""
    command = ("-v", "-o", "json", "600")
    forget()
    Tcptop(*command).stop()
    (path,) = files()
    with open(path, "rb") as stream:
        data = bytearray(stream.read())
    key, maps, functions = struct.unpack_from("=III", data, 16)
    first = 40 + (key + 7) // 8 * 8 + maps * 112 + functions * 72
    data[first : first + 8] = struct.pack("=BBhi", 0x95, 0, 0, 0)  # exit, without a result
    data[8:16] = struct.pack("=Q", hash_of(data[16:]))
    with open(path, "wb") as stream:
        stream.write(data)
    for wanted in (("the kernel refuses what an earlier start compiled", KEPT), (AS_BEFORE,)):
        tcptop = Tcptop(*command)
        truth = move("flow", "--bytes", BYTES)
        check_exact(tcptop.stop(), truth)
        check(all(words in tcptop.stderr for words in wanted), f"not {wanted}: {tcptop.stderr}")
        check(wanted[0] != AS_BEFORE or "refuses" not in tcptop.stderr, f"refused again: {tcptop.stderr}")


@case
def without_room():
    forget()
    os.makedirs(CACHE, 0o700)
    call(libc.mount, b"tcptop", CACHE.encode(), b"tmpfs", 0, b"size=16k,mode=0700")
    try:
        said = start()
        check("not kept: No space left on device" in said and not files(), f"{said}, {files()}")
    finally:
        call(libc.umount, CACHE.encode())


@case
def what_others_may_have_written_is_not_trusted():
    forget()
    start()
    (path,) = files()

    def as_root():
        os.chown(path, 0, 0)
        os.chmod(path, 0o600)
        os.chown(CACHE, 0, 0)
        os.chmod(CACHE, 0o700)

    for what, change in {
        "a file that the group may write": lambda: os.chmod(path, 0o660),
        "a file that all may write": lambda: os.chmod(path, 0o602),
        "a user's file": lambda: os.chown(path, USER, 0),
    }.items():
        change()
        check(AS_BEFORE not in start(), f"{what} was taken")
        as_root()
    for what, change in {
        "a directory that all may write": lambda: os.chmod(CACHE, 0o777),
        "a user's directory": lambda: os.chown(CACHE, USER, 0),
    }.items():
        change()
        said = start()
        check("programs are not kept: /var/cache/tcptop" in said and AS_BEFORE not in said, f"{what}: {said}")
        as_root()
    os.rename(CACHE, CACHE + ".real")
    os.symlink(CACHE + ".real", CACHE)
    check(AS_BEFORE not in start(), "a link was followed")
    os.unlink(CACHE)
    os.rename(CACHE + ".real", CACHE)
    os.rename(path, CACHE + "/elsewhere")
    os.symlink("elsewhere", path)
    check(AS_BEFORE not in start(), "a linked file was taken")
    for name in (path, CACHE + "/elsewhere"):
        with contextlib.suppress(OSError):
            os.unlink(name)
    os.mkfifo(path)
    check_said(KEPT)


@case
def few_are_kept_and_nothing_is_left():
    """The oldest go first; what another start left unfinished goes, too; the modes are root's alone."""
    forget()
    start()
    (own,) = files()
    check(os.stat(CACHE).st_mode & 0o777 == 0o700 and os.stat(own).st_mode & 0o777 == 0o600, "modes")
    for i in range(60):
        name = f"{CACHE}/{i:016x}"
        with open(name, "wb"):
            pass
        os.utime(name, (1, 1 + i))
    with open(f"{CACHE}/new-1", "wb"):
        pass
    os.utime(f"{CACHE}/new-1", (1, 1))
    start("-6")
    left = files()
    check(len(left) == 32 and own in left and f"{CACHE}/{59:016x}" in left, f"left: {left}")
    check(not [x for x in left if "new-" in x], f"unfinished: {left}")


@case
def without_a_place():
    """No directory can be made: it works as ever, and says so with -v alone."""
    forget()
    with open(CACHE, "wb"):
        pass
    said = start()
    check("programs are not kept: /var/cache/tcptop: Not a directory" in said and COMPILED in said, said)
    quiet = Process([program("TCPTOP"), "-C", "0.05", "1"])
    quiet.expect(0, 30)
    check("kept" not in quiet.stderr, quiet.stderr)
    os.unlink(CACHE)


@case
def without_the_compiler():
    """A start that finds its program needs no libbcc, and takes less than half of the processor's time."""
    forget()
    taken_s = []
    for _ in range(2):
        before = os.times()
        start()
        after = os.times()
        taken_s.append(after.children_user + after.children_system - before.children_user - before.children_system)
    known = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    library = os.path.realpath(re.search(r"libbcc\.so\.0 .*=> (.*)", known).group(1))
    call(libc.mount, b"/dev/null", library.encode(), None, MS_BIND, None)
    try:
        check_said(AS_BEFORE)
        Process([program("TCPTOP"), "--no-cache", "-C", "0.05", "1"]).expect(4, 30)
    finally:
        call(libc.umount, library.encode())
    check(taken_s[1] < 0.5 * taken_s[0], f"processor time of the first and the second start: {taken_s} s")
    yield "passed", "processor time", f"{taken_s[0]:.2f} s of the first start, {taken_s[1]:.2f} s of the second"


if __name__ == "__main__":
    own_cache()
    sys.exit(main(60, needs_root))
