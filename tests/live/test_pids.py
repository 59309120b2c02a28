#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""PIDs that -p takes: those of the host's processes, whatever /proc shows."""
import os
import subprocess
import sys
import threading

from live import Process, Tcptop, case, check, check_equal, children, main, wait_for

IN_NAMESPACE = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")


def told(*arguments, prefix=()):
    """What it says of -p on standard error, beside its other lines."""
    tcptop = Tcptop("-C", *arguments, "0.1", "1", prefix=prefix, wait=False).expect(0)
    return [x for x in tcptop.stderr.splitlines() if x.startswith("tcptop: -p")]


@case
def pids_that_are_no_processes():
    """A thread's id and a PID that nobody has count nothing: a line for each, and it goes on."""
    ended = Process(["true"]).expect(0).pid
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        check_equal(told("-p", os.getpid()), [], "of a process")
        for lines in (told("-p", thread.native_id), told("-p", os.getpid(), "-p", thread.native_id)):
            check_equal(len(lines), 1, f"lines of a thread ({lines})")
            expected = f"-p {thread.native_id} is a thread of process {os.getpid()}:"
            check(expected in lines[0], f"of a thread: {lines}")
        lines = told("-p", f"{ended},{thread.native_id}")
        check_equal(len(lines), 2, f"lines of both ({lines})")
        check(any(f"-p {ended}: there is no such process" in x for x in lines), f"of nobody: {lines}")
        with open("/proc/sys/kernel/pid_max", encoding="ascii") as stream:
            last = int(stream.read())
        if last < 4194304 - 100:
            lines = told("-p", ",".join(map(str, range(last + 1, last + 101))))
            check_equal(len(lines), 9, f"lines of a hundred ({lines})")
            check("92 more" in lines[-1], f"the last line: {lines[-1]}")
        # Another /proc has other processes: nothing is said of them.
        lines = told("-p", ended, prefix=IN_NAMESPACE)
        check_equal(len(lines), 1, f"lines in a PID namespace ({lines})")
        check("it cannot be told" in lines[0], f"in a PID namespace: {lines}")
        # The host's /proc is as good in there as out here.
        lines = told("-p", ended, prefix=("unshare", "--pid", "--fork", "--kill-child"))
        check_equal(len(lines), 1, f"lines with the host's /proc ({lines})")
        check("there is no such process" in lines[0], f"with the host's /proc: {lines}")
    finally:
        done.set()
        thread.join()


@case
def a_foreign_proc():
    """That of a PID namespace below, seen from the host: others are shown under the same numbers, and that is said."""
    below = Process([*IN_NAMESPACE, "sleep", "60"])
    inside = wait_for(lambda: children(below.pid), 5, "the namespace's first process")[0]
    enter = ("nsenter", "--mount", "--target", str(inside))

    def mounted():
        found = subprocess.run([*enter, "cat", "/proc/1/comm"], capture_output=True, check=False)
        return found.stdout == b"sleep\n"

    wait_for(mounted, 5, "the namespace's /proc")
    tcptop = Tcptop("-C", "-p", "1", "0.1", "1", prefix=enter, wait=False).expect(0)
    check("tcptop: /proc shows another PID namespace: PIDs" in tcptop.stderr, f"stderr: {tcptop.stderr!r}")
    check("it cannot be told" in tcptop.stderr, f"of -p: {tcptop.stderr!r}")


if __name__ == "__main__":
    sys.exit(main())
