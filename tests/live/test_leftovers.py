#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""However it ends, nothing stays: no program, map, link, file, mount or process."""
import contextlib
import itertools
import os
import shutil
import signal
import sys
import time

import bpf
from live import (
    SLOWNESS,
    Failed,
    Tcptop,
    as_user,
    case,
    check,
    check_equal,
    children,
    hide_tmp,
    main,
    move,
    reachable,
    seconds,
    wait_for,
)

QUIET = ("-p", os.getpid())
TRACING = (
    "/sys/kernel/tracing/kprobe_events",
    "/sys/kernel/tracing/uprobe_events",
    "/sys/kernel/tracing/dynamic_events",
)


def traces():
    """What of the host an end could leave changed."""
    found = {"files": sorted(os.listdir("/tmp"))}
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as stream:
        found["mounts"] = stream.read()
    for path in TRACING:
        if os.path.exists(path):
            with open(path, encoding="utf-8") as stream:
                found[path] = stream.read()
    return found


def check_traces(before, when):
    end = time.monotonic() + seconds(2)
    while traces() != before and time.monotonic() < end:
        time.sleep(0.01)
    after = traces()
    for name, content in before.items():
        check_equal(after[name], content, f"{when}: {name}")


def check_gone(objects, processes):
    wait_for(lambda: not any(map(alive, processes)), 5, f"the end of its processes {processes}")
    wait_for(lambda: not objects & bpf.objects(), 10, f"the end of its BPF objects {sorted(objects)}")


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            return stream.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except OSError:
        return False


def end_running(number, before):
    tcptop = Tcptop("-o", "json", "0.1")
    move("flow", "--bytes", 30011)
    objects = bpf.objects_of(tcptop.pid)
    check({kind for kind, _ in objects} >= {"prog", "map"}, f"what it holds: {objects}")
    tcptop.send(number)
    tcptop.wait()
    check_gone(objects, [tcptop.pid])
    check_traces(before, "after it")


@case
def while_running():
    for number in (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGHUP, signal.SIGINT):
        end_running(number, traces())


@case
def killed_while_starting():
    """Its child goes with it, at whatever moment."""
    before = traces()
    for delay, compiles in itertools.product((0.02, 0.05, 0.1, 0.15, 0.2, 0.3), ([], ["--no-cache"])):
        tcptop = Tcptop(*compiles, "-o", "json", *QUIET, "600", wait=False)
        time.sleep(delay * SLOWNESS)
        processes = [tcptop.pid, *children(tcptop.pid)]
        tcptop.send(signal.SIGKILL)
        tcptop.wait()
        check_gone(set(), processes)
    check_traces(before, "after it")


def stopped_child(tcptop):
    """The child, stopped while it holds objects that its parent does not have yet."""
    end = time.monotonic() + seconds(20)
    while time.monotonic() < end and tcptop.popen.poll() is None:
        for child in children(tcptop.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGSTOP)
                objects = bpf.objects_of(child)
                if objects and not bpf.objects_of(tcptop.pid):
                    return child, objects
                os.kill(child, signal.SIGCONT)
        if bpf.objects_of(tcptop.pid):
            break
        time.sleep(0.002)
    return None


def kill_with_child(number, **options):
    """Most starts are caught between tables and programs; a fast machine takes some trials."""
    for _ in range(10):
        tcptop = Tcptop("-o", "json", *QUIET, "600", wait=False, **options)
        caught = stopped_child(tcptop)
        if caught:
            child, objects = caught
            tcptop.send(number)
            tcptop.wait()
            check_gone(objects, [tcptop.pid, child])
            return
        tcptop.send(signal.SIGKILL)
        tcptop.wait()
    raise Failed("the child was never seen with its objects")


@case
def killed_with_objects_in_the_child():
    before = traces()
    kill_with_child(signal.SIGKILL)
    kill_with_child(signal.SIGINT)
    check_traces(before, "after it")


@case
def ordinary_user_ended_while_starting():
    """Without root there is no mount of its own to compile in: what it uses instead goes, too."""
    with reachable():
        before = traces()
        for number in (signal.SIGINT, signal.SIGKILL):
            try:
                end_starts_of_ordinary_user(number, before)
                yield "passed", number.name, ""
            except Failed as reason:
                yield "failed", number.name, str(reason)
            for name in set(os.listdir("/tmp")) - set(before["files"]):
                shutil.rmtree(os.path.join("/tmp", name))


def end_starts_of_ordinary_user(number, before):
    for delay in (0.1, 0.15, 0.2, 0.3):
        tcptop = Tcptop("-o", "json", *QUIET, "600", wait=False, prefix=as_user(capabilities="bpf perfmon"))
        time.sleep(delay * SLOWNESS)
        processes = [tcptop.pid, *children(tcptop.pid)]
        tcptop.send(number)
        tcptop.wait()
        check_gone(set(), processes)
        check_traces(before, f"{number.name} after {delay} s of the start")


@case
def compiler_ended():
    """The child alone is ended, as by LLVM or for want of memory: one line, exit code 1, nothing left."""
    before = traces()
    for number in (signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV):
        tcptop = Tcptop("--no-cache", "-o", "json", *QUIET, "600", wait=False)
        child = wait_for(lambda: children(tcptop.pid), 10, "its child")[0]
        os.kill(child, number)
        try:
            tcptop.expect(1)
            check_equal(tcptop.stdout, b"", "stdout")
            lines = tcptop.stderr.splitlines()
            check(1 <= len(lines) <= 2 and "compiler" in lines[0], f"stderr: {tcptop.stderr!r}")
            check_gone(set(), [child])
            check_traces(before, "after it")
            yield "passed", number.name, ""
        except Failed as reason:
            yield "failed", number.name, str(reason)


if __name__ == "__main__":
    hide_tmp()
    sys.exit(main())
