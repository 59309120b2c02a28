#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""After the start there is nothing to take over: what an intruder would do fails or ends the process, from inside and from outside."""
import contextlib
import errno
import os
import pty
import re
import signal
import subprocess
import sys
import threading

from live import (
    Skipped, Tcptop, as_user, case, check, check_equal, check_exact, children, directory, main, move, own_ids, program, wait_for,
)
from refusing import X86_64, available, refuse

OUTPUTS = (("-o", "json"), ("-o", "text"), ("-o", "csv"), ("-o", "openmetrics"), ("-o", "json", "--filter", "!user:daemon"))
PAGE, EXECUTABLE, PRIVATE_ANONYMOUS = 4096, 5, 0x22
AF_INET, AF_NETLINK, STREAM = 2, 16, 1
BPF_PROG_LOAD, BPF_OBJ_PIN, BPF_PROG_GET_FD_BY_ID = 5, 6, 13
TIOCSTI = 0x5412
THREAD = 0x10f00
# Name and arguments. What only an intruder does: SIGSYS.
DEADLY = (
    ("execve", 0, 0, 0), ("execveat", 0, 0, 0), ("ptrace", 16, 1, 0), ("process_vm_writev", 1, 0, 0), ("kill", 0, 0, 0), ("mount", 0, 0, 0),
    ("unshare", 0x10000000, 0, 0), ("setns", 0, 0, 0), ("setresuid", 0, 0, 0), ("setuid", 0, 0, 0), ("setgroups", 0, 0, 0),
    ("capset", 0, 0, 0), ("chroot", 0, 0, 0), ("bpf", BPF_PROG_LOAD, 0, 0), ("bpf", BPF_OBJ_PIN, 0, 0), ("bpf", BPF_PROG_GET_FD_BY_ID, 1, 16),
    ("perf_event_open", 0, 0, 0), ("init_module", 0, 0, 0), ("finit_module", 0, 0, 0), ("io_uring_setup", 1, 0, 0), ("keyctl", 0, 0, 0),
    ("userfaultfd", 0, 0, 0), ("ioctl", 0, TIOCSTI, 0), ("pidfd_open", 1, 0, 0), ("open_by_handle_at", 0, 0, 0),
)
# What a mistake could do, too: it fails, and the tool goes on.
REFUSED = (
    ("socket", AF_INET, STREAM, 0), ("openat", -100, 0, os.O_CREAT | os.O_WRONLY), ("openat", -100, 0, os.O_RDWR), ("mkdirat", -100, 0, 0),
    ("unlinkat", -100, 0, 0), ("renameat", -100, 0, 0), ("symlinkat", 0, -100, 0), ("mmap", 0, PAGE, EXECUTABLE), ("mprotect", 0, PAGE, 4),
    ("clone", signal.SIGCHLD, 0, 0), ("fchmod", 0, 0, 0), ("tgkill", 1, 1, 0), ("ioctl", 0, 0x1234, 0), ("shmget", 0, 1, 0),
)
X86_64.update(process_vm_writev=311, setns=308, chroot=161, execve=59, execveat=322, ptrace=101, init_module=175, finit_module=313,
              io_uring_setup=425, keyctl=250, userfaultfd=323, pidfd_open=434, open_by_handle_at=304, symlinkat=266, shmget=29, wait4=61)


def is_sanitized():
    with open(program("TCPTOP"), "rb") as stream:
        return b"__asan_init" in (text := stream.read()) or b"__tsan_init" in text


def need_confinement():
    if not available():
        raise Skipped("the numbers of system calls here are those of x86-64")
    if is_sanitized():
        raise Skipped("a sanitizer's build makes calls of its own, and is not confined")


def intruded(call, *arguments):
    environment = {**os.environ, "LD_PRELOAD": os.environ["INTRUDER_MODULE"], "INTRUDER": f"{X86_64[call[0]]} {call[1]} {call[2]} {call[3]}"}
    return Tcptop(*(arguments or ("-o", "json")), "0.05", "3", env=environment, wait=False)


@case
def deadly_from_inside():
    need_confinement()
    for index, call in enumerate(DEADLY):
        output = OUTPUTS[index % len(OUTPUTS)]
        tcptop = intruded(call, *output)
        code = tcptop.wait()
        check_equal(code, -signal.SIGSYS, f"{call} in {output}: {tcptop.stderr!r}")
        check("intruder: " not in tcptop.stderr, f"{call}: {tcptop.stderr!r}")


@case
def refused_from_inside():
    """-o json prints lines: it needs no socket, no code, no process."""
    need_confinement()
    for call in REFUSED:
        tcptop = intruded(call)
        tcptop.expect(0)
        found = re.search(r"intruder: (-?\d+) (\d+)", tcptop.stderr)
        check(found, f"{call}: {tcptop.stderr!r}")
        check_equal((int(found[1]), int(found[2])), (-1, errno.EPERM), f"{call}")


# Process, what starts it, what it may not do beside what DEADLY has, and whether its end can be told from outside.
FILTER = ("-o", "json", "--filter", "user:root", "0.05")
KILLED = (("execve", 0, 0, 0), ("ptrace", 16, 1, 0), ("bpf", BPF_PROG_LOAD, 0, 0), ("kill", 0, 0, 0), ("mount", 0, 0, 0))
NO_WRITES = (("openat", -100, 0, os.O_CREAT | os.O_WRONLY), ("mkdirat", -100, 0, 0), ("unlinkat", -100, 0, 0), ("bpf", 1, 0, 0))
NO_SOCKETS = (("socket", AF_INET, STREAM, 0), ("clone", signal.SIGCHLD, 0, 0), ("mmap", 0, PAGE, EXECUTABLE), ("setsockopt", 0, 0, 0))


def intrude_in(process, call, fails, *arguments, env=None, **options):
    """tcptop, of which this process has been taken over; None or the error that the call is to fail with."""
    environment = {
        **(env or os.environ), "LD_PRELOAD": os.environ["INTRUDER_MODULE"], "INTRUDER_IN": process,
        "INTRUDER": f"{X86_64[call[0]]} {call[1]} {call[2]} {call[3]}", **({"INTRUDER_FAILS": str(fails)} if fails else {}),
    }
    return Tcptop(*arguments, env=environment, **options)


def named(tcptop, name):
    """The child of this name that is no zombie; None: there is none."""
    for child in children(tcptop.pid):
        try:
            found = status(f"/proc/{child}")
        except OSError:
            continue
        if found["Name"] == name and not found["State"].startswith("Z"):
            return child
    return None


@case
def taken_over_while_asking_for_names():
    """Nothing of it dies but the process that asks, which is told; what fails is no matter."""
    need_confinement()
    for call in (*KILLED, ("socket", 17, 3, 0), *NO_WRITES):
        deadly = call in KILLED or call[0] == "bpf"
        tcptop = intrude_in("tcptop-names", call, None if deadly else errno.EPERM, *FILTER)
        with move_on():
            if deadly:
                wait_for(lambda: "the process that asks for names has ended" in tcptop.stderr, 10, f"{call}: told")  # noqa: B023
            before = len(tcptop.lines())
            wait_for(lambda: len(tcptop.lines()) > before + 2, 10, f"{call}: it goes on")  # noqa: B023
        check_equal(bool(named(tcptop, "tcptop-names")), not deadly, f"{call}: the process")
        tcptop.send(signal.SIGINT)
        tcptop.expect(0)
        check(deadly or "has ended" not in tcptop.stderr, f"{call}: {tcptop.stderr!r}")


@contextlib.contextmanager
def move_on():
    """Connections of users whose names are to be asked for, meanwhile."""
    movers = [
        subprocess.Popen([sys.executable, "-c", TALKER, str(uid)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) for uid in (70001, 70002)
    ]
    try:
        yield
    finally:
        for mover in movers:
            mover.kill()
            mover.wait()


TALKER = """
import encodings.idna, os, socket, sys, time
os.setuid(int(sys.argv[1]))
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
peer = server.accept()[0]
while True:
    client.send(b"x" * 100)
    peer.recv(200)
    time.sleep(0.01)
"""


@case
def taken_over_while_keeping_a_file():
    need_confinement()
    with directory() as path:
        for call in (*KILLED, *NO_SOCKETS, ("mkdirat", -100, 0, 0)):
            deadly = call in KILLED
            arguments = ("-o", "json", "--output-file", f"{path}/log", "0.05", "2")
            tcptop = intrude_in("tcptop-keeper", call, None if deadly else errno.EPERM, *arguments, wait=False)
            code = tcptop.wait()
            check_equal(code, 5 if deadly else 0, f"{call}: {tcptop.stderr!r}")


@case
def taken_over_while_writing_for_the_user():
    """The screen goes on without it, and ends as ever."""
    need_confinement()
    for call in (*KILLED[:3], *NO_SOCKETS[:3]):
        deadly = call in KILLED
        ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm-256color"}
        tcptop = intrude_in("tcptop-writer", call, None if deadly else errno.EPERM, "0.1", wait=False, stdin=theirs, stdout=theirs, env=environment)
        os.close(theirs)
        drain = threading.Thread(target=read_all, args=(ours,))
        drain.start()
        wait_for(lambda: named(tcptop, "tcptop-names"), 20, f"{call}: the screen")  # noqa: B023
        if deadly:
            wait_for(lambda: not named(tcptop, "tcptop-writer"), 5, f"{call}: the end")  # noqa: B023
        check_equal(bool(named(tcptop, "tcptop-writer")), not deadly, f"{call}: the process")
        tcptop.send(signal.SIGINT)
        check_equal(tcptop.wait(), 0, f"{call}: {tcptop.stderr!r}")
        drain.join()
        os.close(ours)


def read_all(descriptor):
    with contextlib.suppress(OSError):  # nobody has the terminal any more
        while os.read(descriptor, 65536):
            pass


@case
def taken_over_while_checking():
    """The processes that move bytes: each path fails then, which is told, or nothing is wrong."""
    need_confinement()
    for call in (("mount", 0, 0, 0), ("bpf", BPF_PROG_LOAD, 0, 0), ("mkdirat", -100, 0, 0)):
        deadly = call[0] != "mkdirat"
        environment = {
            **os.environ, "LD_PRELOAD": os.environ["INTRUDER_MODULE"], "INTRUDER_IN": "dp-runner",
            "INTRUDER": f"{X86_64[call[0]]} {call[1]} {call[2]} {call[3]}", "INTRUDER_FAILS": str(errno.EPERM),
        }
        ran = subprocess.run(
            [program("CHECK"), "--probe", "tracepoint", "--tcptop", program("TCPTOP")], env=environment, capture_output=True, text=True, check=False
        )
        check_equal(("failed       blocking " in ran.stdout, "exact        blocking " in ran.stdout), (deadly, not deadly), f"{call}: {ran.stdout[:500]}")


@case
def taken_over_while_comparing():
    """What reads tcptop's lines and judges them: it starts nothing itself, and is not root."""
    need_confinement()
    for call in (*DEADLY, *REFUSED, ("socket", AF_NETLINK, 3, 0), ("wait4", -1, 0, 0), ("clone", THREAD, 0, 0)):
        deadly = call in DEADLY
        environment = {
            **os.environ, "LD_PRELOAD": os.environ["INTRUDER_MODULE"], "INTRUDER_IN": "tcptop-check",
            "INTRUDER": f"{X86_64[call[0]]} {call[1]} {call[2]} {call[3]}",
        }
        # of an unknown method: it compares up to the first answer
        command = [program("CHECK"), "--probe", "nonsense", "--tcptop", program("TCPTOP")]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        check_equal(ran.returncode, -signal.SIGSYS if deadly else 2, f"{call}: {ran.stderr!r}")
        check_equal(re.findall(r"intruder: (.*)", ran.stderr), [] if deadly else [f"-1 {errno.EPERM}"], f"{call}")


@case
def from_outside_while_comparing():
    """Its processes: one that is root and starts others, one that judges and is no one."""
    need_confinement()
    checking = subprocess.Popen([program("CHECK"), "--probe", "tracepoint", "--tcptop", program("TCPTOP")], stdout=subprocess.PIPE, text=True)
    try:
        check("tcptop" in checking.stdout.readline(), "it has begun")
        facts = status(f"/proc/{checking.pid}")
        check_equal((facts["Name"], facts["Seccomp"], facts["NoNewPrivs"], facts["CapPrm"]), ("tcptop-check", "2", "1", "0" * 16), "what judges")
        check_equal(facts["Uid"].split(), ["1952673908"] * 4, "its user, whom nobody else is")
        started = children(checking.pid)
        check_equal(len(started), 1, "what it has started")
        wait_for(lambda: named(checking, "tcptop-launcher") == started[0], 10, "that, by its name")
    finally:
        checking.kill()
        checking.communicate()
    wait_for(lambda: not os.path.exists(f"/proc/{started[0]}"), 10, "that ends with it")


@case
def comparing_without_what_starts():
    """It ends, and says why: the paths that are left are no failures of theirs."""
    command = [program("CHECK"), "--probe", "tracepoint", "--tcptop", program("TCPTOP")]
    checking = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    first = [checking.stdout.readline() for _ in range(2)]
    os.kill(wait_for(lambda: named(checking, "tcptop-launcher"), 10, "what starts tcptop"), signal.SIGKILL)
    output = "".join(first) + checking.communicate()[0]
    check_equal(checking.returncode, 1, output)
    check_equal(output.count("not completed: the process that starts tcptop has ended"), 1, output)
    check("failed " not in output, output)


@case
def compares_all_the_same():
    """Also where nothing can be taken away, which -v tells; not with the rights of root."""
    need_confinement()
    for names, told in (((), ()), (("seccomp",), ("seccomp",)), (("landlock_create_ruleset",), ("landlock",)), (("capset",), None)):
        for flags in ((), ("-v",)):
            command = [program("CHECK"), "--probe", "nonsense", "--tcptop", program("TCPTOP"), *flags]
            ran = subprocess.run(
                command, preexec_fn=lambda: names and refuse(names, errno.EPERM), capture_output=True, text=True, check=False  # noqa: B023
            )
            check_equal(ran.returncode, 1 if told is None else 2, f"{names}: {ran.stderr!r}")
            check_equal("check: cannot give up capabilities: " in ran.stderr, told is None, f"{names}: {ran.stderr!r}")
            for what in ("seccomp", "landlock"):
                check_equal(f"check: not confined by {what}: " in ran.stderr, bool(flags and told and what in told), f"{names}: {ran.stderr!r}")


def status(path):
    with open(f"{path}/status", encoding="utf-8") as stream:
        return {name: value.strip() for name, _, value in (line.partition(":") for line in stream)}


def limits(pid):
    with open(f"/proc/{pid}/limits", encoding="ascii") as stream:
        return {line[:26].strip(): line[26:].split()[:2] for line in stream}


@case
def from_outside():
    """What the kernel says of it, in each output and thread; and what another process, of its own user even, can do to it."""
    need_confinement()
    for output in OUTPUTS:
        tcptop = Tcptop(*output, "0.1")
        wait_for(lambda: status(f"/proc/{tcptop.pid}")["Seccomp"] == "2", 20, f"{output}: seccomp")  # noqa: B023
        for thread in os.listdir(f"/proc/{tcptop.pid}/task"):
            facts = status(f"/proc/{tcptop.pid}/task/{thread}")
            check_equal((facts["Seccomp"], facts["NoNewPrivs"], facts["CapPrm"]), ("2", "1", "0" * 16), f"{output}: thread")
        helper = named(tcptop, "tcptop-names")
        check_equal(bool(helper), "--filter" in output, f"{output}: a process that asks for names")
        if helper:
            wait_for(lambda: status(f"/proc/{helper}")["Seccomp"] == "2", 20, "its seccomp")  # noqa: B023
            facts = status(f"/proc/{helper}")
            check_equal((facts["NoNewPrivs"], facts["CapPrm"], facts["Uid"].split()[0]), ("1", "0" * 16, str(own_ids()[0])), "its rights")
            check_equal(len(os.listdir(f"/proc/{helper}/fd")), 7, "its descriptors")
        check_equal(os.readlink(f"/proc/{tcptop.pid}/cwd"), "/", "directory")
        found = limits(tcptop.pid)
        check_equal(found["Max core file size"], ["0", "0"], "core")
        check(int(found["Max open files"][1]) <= 256, f"files: {found['Max open files']}")
        check(int(found["Max processes"][1]) <= 1024, f"processes: {found['Max processes']}")
        uid = own_ids()[0]
        for code in (
            f"open('/proc/{tcptop.pid}/mem', 'rb')", f"import os; os.listdir('/proc/{tcptop.pid}/fd')",
            f"import ctypes; exit(ctypes.CDLL(None).ptrace(16, {tcptop.pid}, 0, 0) and 'Operation not permitted')",
        ):
            command = [x.replace("65534", str(uid)) for x in as_user(sys.executable, "-c", code)]
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            check(ran.returncode and re.search("Permission denied|not permitted", ran.stderr), f"{code}: {ran.stderr[-200:]}")
        tcptop.send(signal.SIGINT)
        tcptop.expect(0)
        check(not helper or not os.path.exists(f"/proc/{helper}"), "it has ended, too")


@case
def counts_all_the_same():
    """Also where the kernel, or a sandbox around it, has neither seccomp nor landlock; -v says so."""
    need_confinement()
    for names, told in (
        ((), ()), (("seccomp",), ("seccomp",)), (("landlock_create_ruleset",), ("landlock",)),
        (("seccomp", "landlock_restrict_self"), ("seccomp", "landlock")),
    ):
        for error in (errno.ENOSYS, errno.EPERM):
            tcptop = Tcptop("-v", "-o", "json", "0.2", prepare=lambda: names and refuse(names, error))  # noqa: B023
            truth = move("flow", "--bytes", 30011)
            check_exact(tcptop.stop(), truth)
            for what in ("seccomp", "landlock"):
                check_equal(f"not confined by {what}" in tcptop.stderr, what in told, f"{names}: {tcptop.stderr!r}")


@case
def files_are_written_all_the_same():
    """Those of --output-file and --textfile, also opened anew: by a process that may."""
    need_confinement()
    with directory() as path:
        log, metrics = f"{path}/log", f"{path}/m.prom"
        tcptop = Tcptop("-o", "json", "--output-file", log, "--textfile", metrics, "0.1")
        wait_for(lambda: os.path.exists(metrics) and os.path.getsize(log), 20, "both files")
        os.rename(log, log + ".1")
        tcptop.send(signal.SIGUSR1)
        wait_for(lambda: os.path.exists(log) and os.path.getsize(log), 20, "a new file")
        tcptop.send(signal.SIGTERM)
        tcptop.expect(0)
        check(not os.path.exists(metrics), "the metrics are removed at the end")


if __name__ == "__main__":
    sys.exit(main(120))
