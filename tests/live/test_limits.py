#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a service manager, a container or a shell may limit: descriptors, processes, memory, sizes of files; and who calls, under which user database."""
import json
import os
import resource
import socket
import stat
import struct
import sys

from live import (
    Tcptop, as_user, case, check, check_equal, directory, hide_tmp, main, reachable, unshare_mounts, mount, wait_for,
)
from refusing import judge

ARGUMENTS = ("--no-cache", "-o", "json", "0.05", "1")  # it is the compiler that needs most
OWN_UID = 54321  # RLIMIT_NPROC counts a user's processes: nobody has some
CAPABILITIES = "bpf perfmon"


def of_own_user(*command):
    return [x.replace("65534", str(OWN_UID)) for x in as_user(*command, capabilities=CAPABILITIES)]


@case
def descriptors():
    """Each limit from where the dynamic loader itself can work."""
    codes = []
    for limit in (*range(4, 36), 64):
        tcptop = Tcptop(*ARGUMENTS, prefix=["prlimit", f"--nofile={limit}", "--"], wait=False)
        codes.append(judge(tcptop, f"{limit} descriptors", "Too many open files", r"ulimit -n \d+"))
    check_equal(set(codes), {0, 1}, "exit codes")
    check_equal(sorted(codes, reverse=True), codes, "exit codes, by limit")


@case
def processes():
    """Of root, who becomes a user of its own, and of a user with the two capabilities."""
    with reachable() as copy:
        for limit in range(6):
            prefix = ["prlimit", f"--nproc={limit}", "--"]
            judge(Tcptop(*ARGUMENTS, prefix=prefix, wait=False), f"root, {limit} processes", "ulimit -u")
            tcptop = Tcptop(*ARGUMENTS, prefix=of_own_user(*prefix)[:-1] + ["--"], wait=False)
            judge(tcptop, f"{copy}: a user, {limit} processes", "ulimit -u")


@case
def memory():
    for megabytes in (12, 24, 48, 96, 160, 200, 220, 228, 232, 236, 240, 244, 280, 1024):
        tcptop = Tcptop(*ARGUMENTS, prefix=["prlimit", f"--as={megabytes << 20}", "--"], wait=False)
        judge(tcptop, f"{megabytes} MB of address space", "ulimit|memory")


@case
def memory_of_threads():
    """A thread for whose stack there is no room is none too many: the remedy is another one."""
    for megabytes in (6, 8):
        tcptop = Tcptop("-o", "json", "0.05", "1", prefix=["prlimit", f"--data={megabytes << 20}", "--"], wait=False)
        judge(tcptop, f"{megabytes} MB of data", "ulimit -v, -d")


@case
def stack():
    """Of a hard limit from where a program can begin; a soft one, and root's where it has CAP_SYS_RESOURCE, is raised."""
    codes = []
    for kilobytes in (32, 64, 96, 128, 256, 1024):
        tcptop = Tcptop(*ARGUMENTS, prefix=["prlimit", f"--stack={kilobytes << 10}", "--"], wait=False)
        codes.append(judge(tcptop, f"{kilobytes} kB of stack", "limit on the stack is too small", "ulimit -s 1024"))
    check_equal(sorted(codes, reverse=True), codes, "exit codes, by limit")
    check_equal(codes[3:], [0, 0, 0], "from 128 kB on")
    Tcptop(*ARGUMENTS, prefix=["prlimit", f"--stack={32 << 10}:{2 << 20}", "--"], wait=False).expect(0)


def limit_files(size):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def check_whole_lines(path, output, limit):
    with open(path, "rb") as stream:
        data = stream.read()
    check(len(data) <= limit, f"{output}: {len(data)} bytes of {limit}")
    check(data.endswith(b"\n") or not data, f"{output}, {limit}: cut: {data[-80:]!r}")
    if output == "json":
        for line in data.splitlines():
            json.loads(line)


@case
def sizes_of_files():
    """RLIMIT_FSIZE: 5, not SIGXFSZ, and the last line is whole."""
    smallest = 4096  # the stub headers are files, too
    with directory() as path:
        for output in ("json", "text", "csv", "openmetrics"):
            for limit in (smallest, 5003):
                name = f"{path}/{output}-{limit}"
                with open(name, "wb") as stream:
                    tcptop = Tcptop("-o", output, "0.01", wait=False, stdout=stream, prepare=limit_files(limit))
                    keep_moving(tcptop)
                check_equal(tcptop.wait(60), 5, f"{output}, {limit}: {tcptop.stderr!r}")
                check_whole_lines(name, output, limit)
        name = f"{path}/log"
        tcptop = Tcptop("-o", "json", "--output-file", name, "0.01", wait=False, prepare=limit_files(5003))
        tcptop.expect(5, 60)
        check_whole_lines(name, "json", 5003)
        for option in ("--help", "--ebpf"):
            with open(f"{path}/{option}", "wb") as stream:
                Tcptop(option, wait=False, stdout=stream, prepare=limit_files(100)).expect(5)
        for limit in (0, 1, 1000):  # of stderr, too; 5: root has raised the limit for the compiler
            tcptop = Tcptop(*ARGUMENTS, wait=False, prepare=limit_files(limit))
            check(tcptop.wait() in (1, 5), f"files of {limit} bytes: {tcptop.wait()}")
            check(limit < 1000 or "ulimit -f" in tcptop.stderr, f"stderr: {tcptop.stderr!r}")


def keep_moving(tcptop):
    """Text, CSV and metrics print a line only of what moves."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as client:
            peer, _ = server.accept()
            with peer:
                while tcptop.popen.poll() is None:
                    client.sendall(b"x" * 100)
                    peer.recv(1000)


def set_file_capabilities(path, *numbers):
    """Permitted and effective (linux/capability.h: VFS_CAP_REVISION_2)."""
    bits = sum(1 << number for number in numbers)
    low, high = bits & 0xFFFFFFFF, bits >> 32
    os.setxattr(path, "security.capability", struct.pack("<5I", 0x02000001, low, 0, high, 0))


CAP_SYS_ADMIN, CAP_PERFMON, CAP_BPF = 21, 38, 39


@case
def capabilities_of_the_file():
    """A directory that the caller can write to is no place for the compiler when the capabilities are not the caller's."""
    unprivileged = as_user()
    with reachable() as copy:
        set_file_capabilities(copy, CAP_BPF, CAP_PERFMON)
        before = set(os.listdir("/tmp"))
        tcptop = Tcptop(*ARGUMENTS, prefix=unprivileged, wait=False)
        check_equal(judge(tcptop, "file capabilities", "sudo"), 3, "exit code")
        check_equal(set(os.listdir("/tmp")), before, "/tmp")
        set_file_capabilities(copy, CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN)
        check_equal(judge(Tcptop(*ARGUMENTS, prefix=unprivileged, wait=False), "with a mount of its own"), 0, "exit code")
        os.removexattr(copy, "security.capability")
        for mode in (stat.S_ISUID, stat.S_ISGID):
            os.chmod(copy, mode | 0o755)
            for arguments in (ARGUMENTS, ("--replay", "/etc/shadow"), ("--help",)):
                tcptop = Tcptop(*arguments, prefix=unprivileged, wait=False)
                check_equal(judge(tcptop, f"mode {mode:o} {arguments}", "sudo"), 3, "exit code")


ODD_USERS = (
    "root:x:0:0::/root:/bin/sh\nnobody:x:0:0::/:/bin/sh\n",
    "nobody:x:4294967295:4294967295::/:/bin/sh\n",
    "nobody:x:0:65534::/:/bin/sh\n",
    "nobody:x:65534:0::/:/bin/sh\n",
    "nobody:x:-1:-1::/:/bin/sh\n",
    "tcptop:x:0:0::/:/bin/sh\n_tcptop:x:0:0::/:/bin/sh\n",
    "",
    "\n::::::\nnobody\nnobody:x:\n" + "x" * 100000,
)


@case
def odd_user_databases():
    """Whoever nobody is there: who traces is not root."""
    with directory() as path:
        for index, text in enumerate(ODD_USERS):
            users = f"{path}/passwd{index}"
            with open(users, "w", encoding="ascii") as stream:
                stream.write(text)

            def prepare():
                unshare_mounts()
                mount(users, "/etc/passwd", None, 4096)  # noqa: B023

            tcptop = Tcptop("-o", "json", "0.1", prepare=prepare)
            wait_for(lambda: tcptop.stdout, 20, "the first interval")  # noqa: B023
            with open(f"/proc/{tcptop.pid}/status", encoding="ascii") as stream:
                ids = [line.split()[1:] for line in stream if line.startswith(("Uid:", "Gid:"))]
            for found in ids:
                check(len(set(found)) == 1 and found[0] not in ("0", "4294967295"), f"{text[:60]!r}: {ids}")
            tcptop.stop()


if __name__ == "__main__":
    hide_tmp()
    sys.exit(main(180))
