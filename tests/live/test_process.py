#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Life and end of the process: signals, pipes, terminals, closed descriptors, full disks, -v."""
import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time

from live import (
    ARGUMENTS,
    Failed,
    Process,
    Tcptop,
    case,
    check,
    check_equal,
    check_error,
    check_exact,
    check_totals,
    children,
    compare,
    directory,
    held_flows,
    holds_programs,
    intervals,
    main,
    move,
    program,
    seconds,
    wait_for,
)

QUIET = ("-p", os.getpid())  # this process has no TCP traffic


SHOWN = {"text": b"Tracing", "json": b'"interval"', "screen": b"\x1b["}


def without_declarations(tcptop):
    """The lines on stderr but those that a run without any error has on some kernels."""
    return [x for x in tcptop.stderr.splitlines() if not re.match(r"tcptop: (not counted \(\w+\): |\d+ rare paths? (is|are) not counted: )", x)]


@case
def signals_print_the_last_interval():
    """Ended in the middle of a long interval, all that has been moved is printed, and it ends with 0."""
    for number in (signal.SIGINT, signal.SIGTERM):
        tcptop = Tcptop("-o", "json", "600")
        truth = move("flow", "--bytes", 30011)
        wait_for(tcptop.lines, 5, "the first line")
        check_equal([line["type"] for line in tcptop.lines()], ["start"], f"stdout before {number.name}")
        start = time.monotonic()
        lines = tcptop.stop(number)
        check(time.monotonic() - start < seconds(2), f"{number.name} took over 2 s")
        check_equal(len(intervals(lines)), 1, "intervals")
        check(0 < intervals(lines)[0]["interval_s"] < seconds(60), "the interval's real length")
        check_exact(lines, truth)


@case
def other_signals():
    """HUP and QUIT end it as they should: with the last interval, and nothing left behind."""
    for number in (signal.SIGHUP, signal.SIGQUIT):
        tcptop = Tcptop("-o", "json", "600")
        truth = move("flow", "--bytes", 30011)
        tcptop.send(number)
        code = tcptop.wait()
        check(code in (0, -number), f"{number.name}: it ended with {code}")
        if code == 0:
            compare(tcptop.lines(), truth)


@case
def two_signals():
    """A second Ctrl-C while it ends does no harm."""
    tcptop = Tcptop("-o", "json", *QUIET, "600")
    for _ in range(3):
        tcptop.send(signal.SIGINT)
    tcptop.expect(0)
    check_totals(tcptop.lines())


def unread_bytes(descriptor):
    count = bytearray(4)
    fcntl.ioctl(descriptor, termios.FIONREAD, count)
    return int.from_bytes(count, sys.byteorder)


@case
def output_that_nobody_reads():
    """Stuck in a write to a full pipe, it still ends by the signal, within a second or two."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    tcptop = Tcptop("-o", "json", *QUIET, "0.01", stdout=writer)
    os.close(writer)
    # an interval's line is over 200 bytes long: with less room than that the next one is stuck
    wait_for(lambda: unread_bytes(reader) > 4096 - 200, 20, "a full pipe")
    time.sleep(seconds(0.3))
    start = time.monotonic()
    tcptop.send(signal.SIGTERM)
    code = tcptop.wait()
    os.close(reader)
    check_equal(code, -signal.SIGTERM, "how it ended")
    check(time.monotonic() - start < seconds(4), "SIGTERM took over 4 s")


@case
def stop_and_continue():
    """What is moved while it is stopped is counted: the kernel goes on."""
    tcptop = Tcptop("-o", "json", "0.1")
    tcptop.send(signal.SIGSTOP)
    truth = move("flow", "--bytes", 30011)
    tcptop.send(signal.SIGCONT)
    check_exact(tcptop.stop(), truth)


def be_a_shell(terminal):
    """Becomes a session's leader; what follows in this function's caller runs as its job in the foreground."""
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    job = os.fork()
    if job:
        os.closerange(3, 4096)  # Popen waits for the end of one of them
        os._exit(os.waitstatus_to_exitcode(os.waitpid(job, 0)[1]) & 0xFF)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.setpgid(0, 0)
    os.tcsetpgrp(terminal, os.getpgrp())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)


def in_terminal(output, prepare=lambda terminal: os.setsid(), arguments=()):
    """The tool on a terminal of its own: the process, and what stands for the keyboard and the glass."""
    glass, terminal = pty.openpty()
    tcptop = Tcptop(
        *(*arguments, "-o", output, *QUIET, "0.1"),
        wait=False,
        stdin=terminal,
        stdout=terminal,
        prepare=lambda: prepare(terminal),
        env=dict(os.environ, TERM="xterm"),
    )
    os.close(terminal)
    os.set_blocking(glass, False)
    return tcptop, glass


def wait_shown(glass, output):
    """Until it traces and shows something."""
    seen = b""

    def is_shown():
        nonlocal seen
        with contextlib.suppress(BlockingIOError):
            seen += os.read(glass, 65536)
        return SHOWN[output] in seen

    wait_for(is_shown, 20, f"{output} on the terminal")


def state(pid):
    with open(f"/proc/{pid}/stat", "rb") as stream:
        return stream.read().rpartition(b")")[2].split()[0].decode()


@case
def stopped_in_the_compile():
    """Ctrl-Z while it compiles stops it and the compiler; fg goes on with both."""
    for output in ("text", "screen"):
        shell, glass = in_terminal(output, be_a_shell, ["--no-cache"])
        pid = wait_for(lambda: children(shell.pid), 20, "the shell's job")[0]
        compiler = wait_for(lambda: children(pid), 20, "the compiler")[0]
        os.write(glass, b"\x1a")
        for process in (pid, compiler):
            wait_for(lambda: state(process) == "T", 2, f"{output}: process {process} stopped")
        time.sleep(seconds(1))  # longer than all of the compile takes
        check_equal(state(pid) + state(compiler), "TT", f"{output}: their states after a second")
        os.killpg(pid, signal.SIGCONT)
        wait_shown(glass, output)
        os.kill(pid, signal.SIGTERM)
        shell.expect(0)
        os.close(glass)


@case
def killed_screen():
    """Whatever signal ends it, the terminal shows the shell's screen again, and the status tells the signal."""
    for number in (signal.SIGUSR1, signal.SIGALRM, signal.SIGXCPU, signal.SIGSEGV):
        tcptop, glass = in_terminal("screen")
        wait_shown(glass, "screen")
        tcptop.send(number)
        check_equal(tcptop.wait(), -number, f"how it ended by {number.name}")
        rest = b""
        with contextlib.suppress(OSError):
            while chunk := os.read(glass, 65536):
                rest += chunk
        os.close(glass)
        check(b"\x1b[?1049l" in rest, f"{number.name}: the end of what the terminal got: {rest[-80:]!r}")


@case
def nohup():
    """A hangup that is ignored does not end it."""
    tcptop = Tcptop("-o", "json", *QUIET, "0.1", prepare=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    tcptop.send(signal.SIGHUP)
    seen = len(intervals(tcptop.lines()))
    wait_for(lambda: len(intervals(tcptop.lines())) > seen + 3, 10, "more intervals after SIGHUP")
    tcptop.stop()


@case
def vanished_terminal():
    """Gone within a second, and no failure: with the hangup's signal and without, whatever it showed."""
    for output in ("text", "json", "screen"):
        for prepare in (
            lambda terminal: os.setsid(),
            lambda terminal: (os.setsid(), fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)),
        ):
            tcptop, glass = in_terminal(output, prepare)
            wait_shown(glass, output)
            time.sleep(seconds(0.3))
            start = time.monotonic()
            os.close(glass)
            tcptop.expect(0)
            took = time.monotonic() - start
            check(took < seconds(1), f"{output}: it took {took:.1f} s")


@case
def pid_namespace():
    """In one it says at the start whose PIDs it shows, and shows those; elsewhere it does not say it."""
    inside = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
    for output in ("text", "json"):
        tcptop = Tcptop("-o", output, "0.5", "3", prefix=inside, wait=False)
        wait_for(lambda: SHOWN[output] in tcptop.stdout, 20, "the first interval")
        truth = move("flow", "--bytes", 30011)
        tcptop.expect(0)
        told = [x for x in tcptop.stderr.splitlines() if "PID namespace: PIDs" in x]
        check_equal(len(told), 1, f"{output}: warnings on stderr ({tcptop.stderr!r})")
        if output == "json":
            compare(tcptop.lines(), truth)
        outside = Tcptop("-o", output, *QUIET, "0.1", "1", wait=False).expect(0)
        check("PID namespace: PIDs" not in outside.stderr, f"outside: {outside.stderr!r}")
    glass, terminal = pty.openpty()
    tcptop = Tcptop(
        *("-o", "screen", *QUIET, "0.1", "1"),
        prefix=inside,
        wait=False,
        stdin=terminal,
        stdout=terminal,
        env=dict(os.environ, TERM="xterm"),
    )
    os.close(terminal)
    wait_shown(glass, "screen")
    check("PID namespace: PIDs" in tcptop.stderr, f"screen: {tcptop.stderr!r}")
    os.close(glass)
    tcptop.wait()


@case
def short_of_memory():
    """Tables that the host has no memory for are refused before the kernel takes it; those of the default shrink."""
    with directory() as path:
        meminfo = os.path.join(path, "meminfo")
        with open(meminfo, "w", encoding="ascii") as stream:
            stream.write("MemTotal:     8000000 kB\nMemFree:  100000 kB\nMemAvailable:  1000000 kB\n")
        fake = ("unshare", "-m", "sh", "-c", 'mount --bind "$0" /proc/meminfo && exec "$@"', meminfo)
        refused = Tcptop("-C", *QUIET, "--max-sessions", "16777216", "0.1", "1", prefix=fake, wait=False)
        check_error(refused, 1, r"needs 10469\.0 MB .* 1024\.0 MB", "820512 fits")
        Tcptop("-C", *QUIET, "--max-sessions", "1000", "0.1", "1", prefix=fake, wait=False).expect(0)
        with open(meminfo, "w", encoding="ascii") as stream:
            stream.write("MemAvailable:  60000 kB\n")
        smaller = Tcptop("-C", *QUIET, "0.1", "1", prefix=fake, wait=False).expect(0)
        check("tables for 49230 connections, not 65536" in smaller.stderr, smaller.stderr)


@case
def sixteen_at_once():
    """All count the same."""
    with held_flows((("--bytes", 3000017, "--connections", 3), None)) as (movers, release):
        pids = ",".join(map(str, movers[0].pids()))
        options = ("-o", "json", "-p", pids, "--max-sessions", 1000, "0.5")
        all_of_them = [Tcptop(*options, wait=False) for _ in range(16)]
        for tcptop in all_of_them:
            tcptop.wait_attached(60)
        release()
        truth = movers[0].truth()
    for tcptop in all_of_them:
        check_exact(tcptop.stop(), truth)


@case
def replayed_with_filters():
    """-p and a family choose among a recording's rows, too."""
    tcptop = Tcptop("-o", "json", "0.2")
    truth = move("flow", "--bytes", 30011)
    move("flow", "-6", "--bytes", 50021)
    recorded = b"".join(json.dumps(x).encode() + b"\n" for x in tcptop.stop())
    pid = min(key[0] for key in truth)
    with directory() as path:
        recording = os.path.join(path, "recording")
        with open(recording, "wb") as stream:
            stream.write(recorded)
        for filters, family, pids in (
            (("-4",), 4, None),
            (("-6",), 6, None),
            (("-p", pid), None, (pid,)),
            (("-4", "-p", pid), 4, (pid,)),
            (("-6", "-p", pid), 6, (pid,)),
        ):
            command = [program("TCPTOP"), "-o", "json", *map(str, filters), "--replay", recording]
            lines = Process(command).expect(0).lines()
            check_totals(lines)
            rows = [x for x in lines if x["type"] == "session"]
            expected = [
                x
                for x in map(json.loads, recorded.splitlines())
                if x["type"] == "session"
                and family in (None, x["family"])
                and (pids is None or x["pid"] in pids)
            ]
            check_equal(len(rows), len(expected), f"rows with {filters}")
            for row in rows:
                check(family in (None, row["family"]) and (pids is None or row["pid"] in pids), f"{row}")


@case
def count():
    """As many intervals as asked for, each as long as asked for, and the end by itself."""
    tcptop = Tcptop("-o", "json", *QUIET, "0.2", "5", wait=False).expect(0)
    found = [x["interval_s"] for x in intervals(tcptop.lines())]
    check_equal(len(found), 5, "intervals")
    check(all(0.199 <= x < 0.2 + seconds(1) for x in found), f"their lengths: {found}")


@case
def flushed_each_interval():
    """Through a pipe, while it runs."""
    for output, sign in (("json", b'"type":"interval"'), ("text", b" loadavg: ")):
        reading, writing = os.pipe()
        tcptop = Tcptop("-o", output, *QUIET, "0.3", stdout=writing)
        os.close(writing)
        data, arrivals = b"", []
        while len(arrivals) < 3:
            chunk = os.read(reading, 65536)
            check(chunk, "it ended early")
            data += chunk
            arrivals += [time.monotonic()] * (data.count(sign) - len(arrivals))
        os.close(reading)
        gaps = [later - earlier for earlier, later in zip(arrivals, arrivals[1:])]
        check(all(0.2 < gap < 0.3 + seconds(1) for gap in gaps), f"{output}: arrived after {gaps} s")
        check_equal(tcptop.wait(), 0, f"{output}: exit code when the reader of the pipe has gone")
        check_equal(without_declarations(tcptop), [], "stderr")


@case
def head():
    """| head -1"""
    for output in ("json", "text"):
        tcptop = Tcptop("-o", output, *QUIET, "0.1", stdout=subprocess.PIPE, wait=False)
        first = subprocess.run(
            ["head", "-1"], stdin=tcptop.popen.stdout, capture_output=True, check=True
        ).stdout
        tcptop.popen.stdout.close()
        check_equal(first.count(b"\n"), 1, "lines that head got")
        check_equal(tcptop.wait(), 0, f"{output}: exit code")


def check_refused_output(tcptop):
    tcptop.expect(5)
    lines = without_declarations(tcptop)
    check(1 <= len(lines) <= 2, f"{len(lines)} lines on stderr: {tcptop.stderr!r}")


@case
def full_disk():
    for output in ("json", "text"):
        with open("/dev/full", "wb") as full:
            check_refused_output(Tcptop("-o", output, *QUIET, "0.1", "3", stdout=full, wait=False))


@case
def closed_stdout():
    for output in ("json", "text"):
        check_refused_output(
            Tcptop("-o", output, *QUIET, "0.1", "3", prepare=lambda: os.close(1), wait=False)
        )


@case
def closed_stdin_and_stderr():
    """Needed for nothing; and no file of its own takes their numbers."""
    for closed in ((0,), (2,), (0, 2)):

        def prepare():
            for number in closed:
                os.close(number)

        tcptop = Tcptop("-o", "json", "0.2", prepare=prepare)
        truth = move("flow", "--bytes", 30011)
        check_exact(tcptop.stop(), truth)


@case
def few_descriptors():
    """Under a limit on open files that is too low it says so, and ends with 1; one that is soft is raised."""
    for limit in (7, 9, 12, 16, 19, 22):
        tcptop = Tcptop("-C", *QUIET, "0.1", "1", prefix=["prlimit", f"--nofile={limit}", "--"], wait=False)
        tcptop.expect(1)
        lines = tcptop.stderr.splitlines()
        check(1 <= len(lines) <= 2, f"{len(lines)} lines on stderr: {tcptop.stderr!r}")
        check("Too many open files" in tcptop.stderr, f"with {limit}: {tcptop.stderr!r}")
    Tcptop("-C", *QUIET, "0.1", "1", prefix=["prlimit", "--nofile=8:1024", "--"], wait=False).expect(0)


@case
def interrupted_compile():
    """Ctrl-C and SIGTERM at any moment of the start: it ends at once, with 0 and nothing printed."""
    for number in (signal.SIGINT, signal.SIGTERM):
        for delay in (0.05, 0.1, 0.2):
            tcptop = Tcptop("-o", "json", *QUIET, "600", wait=False)
            time.sleep(seconds(delay))
            start = time.monotonic()
            tcptop.send(number)
            tcptop.expect(0)
            took = time.monotonic() - start
            check(took < seconds(0.5), f"{number.name} after {delay} s of the start took {took:.1f} s")
            check_equal(without_declarations(tcptop), [], "stderr")


@case
def verbose():
    """-v tells on stderr the method that was tried and taken; stdout is the same."""
    tcptop = Tcptop("-v", "-o", "json", *QUIET, "0.1", "1", wait=False).expect(0)
    method = intervals(tcptop.lines())[0]["probe"]
    check(f"probe {method}: works" in tcptop.stderr, f"stderr does not tell of {method}: {tcptop.stderr!r}")
    check("privileges: " in tcptop.stderr, f"stderr does not tell of privileges: {tcptop.stderr!r}")
    check("headers: " in tcptop.stderr, f"stderr does not tell of headers: {tcptop.stderr!r}")
    quiet = Tcptop("-o", "json", *QUIET, "0.1", "1", wait=False).expect(0)
    check(f"probe {method}:" not in quiet.stderr, f"without -v: {quiet.stderr!r}")


@case
def not_counted_is_declared():
    """What JSON declares stands on stderr, too: counted in one line, and each with -v."""
    tcptop = Tcptop("-v", "-o", "json", *QUIET, "0.1", "1", wait=False).expect(0)
    names = intervals(tcptop.lines())[0]["not_counted"]
    for name in names:
        check(f"({name})" in tcptop.stderr, f"{name} is not on stderr: {tcptop.stderr!r}")
    told = Tcptop("-o", "json", *QUIET, "0.1", "1", wait=False).expect(0).stderr
    check_equal(len(told.splitlines()), 1 if names else 0, f"lines of {told!r}")
    check(not names or "not counted" in told, f"stderr {told!r}")


@case
def each_method():
    """Every method either works, and moves are exact, or is refused with 4 and the reason."""
    if "--probe" in ARGUMENTS:
        yield "skipped", "all", f"the method is given: {ARGUMENTS}"
        return
    for method in ("tracepoint", "fentry", "kprobe"):
        try:
            yield "passed", method, try_method(method)
        except Failed as reason:
            yield "failed", method, str(reason)


def try_method(method):
    tcptop = Process([program("TCPTOP"), "-o", "json", "--probe", method, "0.2"])
    wait_for(lambda: tcptop.popen.poll() is not None or holds_programs(tcptop.pid), 20, f"{method} decided")
    if tcptop.popen.returncode is None:
        truth = move("flow", "--bytes", 30011)
        tcptop.send(signal.SIGINT)
        tcptop.expect(0)
        compare(tcptop.lines(), truth)
        check_equal(intervals(tcptop.lines())[-1]["probe"], method, "probe")
        return "works"
    tcptop.expect(4)
    check_equal(tcptop.stdout, b"", "stdout")
    check(method in tcptop.stderr and len(tcptop.stderr.splitlines()) <= 2, f"stderr: {tcptop.stderr!r}")
    return tcptop.stderr.strip().splitlines()[-1]


if __name__ == "__main__":
    sys.exit(main(limit=90))
