#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Life and end of the process: signals, pipes, closed descriptors, full disks, -v."""
import fcntl
import os
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
    check_exact,
    check_totals,
    compare,
    holds_programs,
    intervals,
    main,
    move,
    program,
    seconds,
    wait_for,
)

QUIET = ("-p", os.getpid())  # this process has no TCP traffic


def without_declarations(tcptop):
    """The lines on stderr but those that a run without any error has on some kernels."""
    return [x for x in tcptop.stderr.splitlines() if not re.match(r"tcptop: not counted \(\w+\): ", x)]


@case
def signals_print_the_last_interval():
    """Ended in the middle of a long interval, all that has been moved is printed, and it ends with 0."""
    for number in (signal.SIGINT, signal.SIGTERM):
        tcptop = Tcptop("-o", "json", "600")
        truth = move("flow", "--bytes", 30011)
        check_equal(tcptop.stdout, b"", f"stdout before {number.name}")
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
    """Under a limit on open files that is too low it says so, and ends with 1."""
    tcptop = Tcptop("-C", *QUIET, "0.1", "1", prefix=["prlimit", "--nofile=12", "--"], wait=False)
    code = tcptop.wait()
    check(code in (0, 1), f"it ended with {code}")
    if code:
        lines = tcptop.stderr.splitlines()
        check(1 <= len(lines) <= 2, f"{len(lines)} lines on stderr: {tcptop.stderr!r}")


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
    check("probe " not in quiet.stderr, f"without -v: {quiet.stderr!r}")


@case
def not_counted_is_declared():
    """What JSON declares stands on stderr, too."""
    tcptop = Tcptop("-o", "json", *QUIET, "0.1", "1", wait=False).expect(0)
    for name in intervals(tcptop.lines())[0]["not_counted"]:
        check(f"({name})" in tcptop.stderr, f"{name} is not on stderr: {tcptop.stderr!r}")


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
