#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs tests inside the emulated machine, as run.sh asks, and reports each as one line.

usage: guest_run.py DIRECTORY STEP...

DIRECTORY has the programs tcptop and tcptop-check. A step is METHOD/check, for tcptop --check by that probe method, or
METHOD/TEST or METHOD/TEST:CASE,CASE..., for the live test test_TEST.py, or for guest_TEST.py beside this file, with
every tcptop in it tracing by that method.

Lines: "ok - ", "not ok - " and the test's name, or "ok - NAME # skipped: REASON"; what begins with "# " are figures
or what a failed test said. The last line is "# complete".
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from guest_preemption import preemption

HERE = os.path.dirname(os.path.abspath(__file__))
LIVE = os.path.join(HERE, "..", "live")
SLOWNESS = 20
STEP_SECONDS = 1500
STATUS_SKIPPED = 77

# What no method is able to see on 6.1; anything else that --check calls "not counted" has failed.
BLIND = ("blocked_recv_earlier", "blocked_send_earlier")
if not os.path.exists("/sys/kernel/btf/vmlinux"):
    BLIND += ("link_local_mptcp",)
# Where tasks in the kernel are preempted, runs are skipped, on any path: no path is then sure to be exact, but by the
# method that is taken unasked.
PREEMPTED = re.compile(r"preemptible|the kernel skips runs")
# Of kprobes before 6.1, on any path that more than one processor works on.
BUSY = "busy_returns"
# A limit in time of the self-test's own: a process that lives longer is not what the path is about.
TOO_SLOW = re.compile(r"^brief: .*every process lived for")


def say(outcome, name, text=""):
    line = {
        "passed": f"ok - {name}{': ' if text else ''}{text}",
        "failed": f"not ok - {name}{': ' if text else ''}{text}",
        "skipped": f"ok - {name} # skipped: {text}",
    }[outcome]
    print(line, flush=True)


def note(text):
    print(f"# {text}", flush=True)


def unasked_method(environment):
    """The method that is taken where none is named (--check takes auto for all of them): that must be exact."""
    command = [environment["TCPTOP"], "-o", "json", "0.1", "1"]
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    return json.loads(output.splitlines()[-1])["probe"]


def clock_rate():
    """Seconds of this machine's clock for one second of the host's, which the emulated RTC shows."""

    def edge():
        with open("/sys/class/rtc/rtc0/since_epoch", encoding="ascii") as stream:
            first = value = int(stream.read())
            while value == first:
                time.sleep(0.002)
                stream.seek(0)
                value = int(stream.read())
        return value, time.monotonic()

    (first, start), (last, end) = edge(), edge()
    return (end - start) / (last - first)


def clock_set():
    """On a busy host, Linux measures the TSC wrong: limits in time would then be any. The PM timer never is."""
    with open("/proc/cmdline", encoding="ascii") as stream:
        counts_instructions = "tcptop.icount" in stream.read().split()
    if os.uname().machine != "x86_64" or counts_instructions:
        return
    rates = [clock_rate()]
    while abs(rates[-1] - 1) > 0.1 and len(rates) < 3:
        rates.append(clock_rate())
    if abs(rates[-1] - 1) <= 0.1:
        return
    with open(
        "/sys/devices/system/clocksource/clocksource0/current_clocksource", "w", encoding="ascii"
    ) as stream:
        stream.write("acpi_pm")
    note(f"the clock ran {rates[-1]:.2f} times too fast by the TSC; by the PM timer {clock_rate():.2f} times")


def addresses_fix():
    """QEMU keeps its translation of code by address: programs that start again and again start faster."""
    with open("/proc/sys/kernel/randomize_va_space", "w", encoding="ascii") as stream:
        stream.write("0")


class Step:
    """A started program whose output comes line by line; it is killed, with what it started, after its time."""

    def __init__(self, command, environment):
        self.popen = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )

    def lines(self):
        signal.signal(signal.SIGALRM, lambda *_: os.killpg(self.popen.pid, signal.SIGKILL))
        signal.alarm(STEP_SECONDS)
        for line in self.popen.stdout:
            yield line.rstrip("\n")
        signal.alarm(0)

    def status(self):
        return self.popen.wait()


def blind_ids(method):
    """What a method may declare for a path: a kprobe before 6.1, or tracepoints that follow splice().

    They do so where tasks are preempted, but not in tracepoints.
    """
    major = int(os.uname().release.split(".")[0])
    if method == "kprobe":
        return (BUSY,)
    if method != "tracepoint" or preemption() != "full" or major >= 7:
        return ()
    return ("splice_tls", "splice_io_uring", "splice_unfollowed")


def judge_path(line, excused, blind):
    """(outcome, text) of a path of tcptop --check. excused: runs may be skipped. blind: ids that may be declared."""
    result, reason = line["result"], line["reason"]
    if result == "exact":
        return "passed", ""
    if result == "skipped" or (result == "failed" and TOO_SLOW.search(reason)):
        return "skipped", reason
    figures = ", ".join(
        f"{line[name]} {word}"
        for name, word in (
            ("tx_bytes", "sent"),
            ("counted_tx_bytes", "counted"),
            ("rx_bytes", "received"),
            ("counted_rx_bytes", "counted"),
        )
    )
    text = f"{result} ({figures}): {reason}"
    known = line["path"] in BLIND or line.get("declared") in blind
    if result == "not_counted" and (known or (excused and PREEMPTED.search(reason))):
        return "passed", text
    return "failed", text


def run_check(name, method, environment):
    step = Step([environment["TCPTOP"], "--check", "--probe", method, "-o", "json"], environment)
    excused = preemption() in ("full", "lazy") and method != unasked_method(environment)
    other, failed, summary = [], False, None
    for text in step.lines():
        try:
            line = json.loads(text)
        except ValueError:
            other.append(text)
            continue
        if line["type"] == "check_summary":
            summary = line
            continue
        outcome, reason = judge_path(line, excused, blind_ids(method))
        failed |= line["result"] in ("wrong", "failed")
        say(outcome, f"{name} {line['path']}", reason)
    status = step.status()
    if not summary or (status != 0) != failed:
        say("failed", f"{name}: ended with {status}: {' '.join(other)}")
    else:
        say("passed", f"{name} ended with {status}")
        counts = ", ".join(f"{summary[x]} {x}" for x in summary if x not in ("type", "probe"))
        note(f"{os.uname().release} {name}: {counts}")


def script(test):
    for path in (os.path.join(HERE, f"guest_{test}.py"), os.path.join(LIVE, f"test_{test}.py")):
        if os.path.exists(path):
            return path
    sys.exit(f"guest_run.py: no test '{test}'")


def run_live(name, test, environment):
    test, _, cases = test.partition(":")
    command = [sys.executable, "-B", script(test), *filter(None, cases.split(","))]
    step = Step(command, environment)
    other, outcomes = [], []
    for text in step.lines():
        found = re.match(r"(passed|failed|skipped) +(.*)", text)
        if found:
            outcomes.append(found[1])
            case, _, reason = found[2].partition(": ")
            say(found[1], f"{name} {case}", reason)
        elif text.startswith("# "):
            print(text, flush=True)
        else:
            other.append(text)
    status = step.status()
    if status == STATUS_SKIPPED and not outcomes:
        say("skipped", name, " ".join(other))
    elif status not in (0, STATUS_SKIPPED) and "failed" not in outcomes or not outcomes:
        say("failed", name, f"ended with {status}")
        for text in other[-20:]:
            note(text)


def main():
    programs, steps = sys.argv[1], sys.argv[2:]
    # Executed from memory, they start faster than from the host's files.
    place = "/run/tcptop-programs"
    addresses_fix()
    clock_set()
    shutil.copytree(programs, place)
    for step in steps:
        method, _, test = step.partition("/")
        environment = dict(
            os.environ,
            TCPTOP=os.path.join(place, "tcptop"),
            CHECK=os.path.join(place, "tcptop-check"),
            PAIR=os.path.join(place, "pair"),
            TCPTOP_ARGUMENTS=f"--probe {method}",
            TCPTOP_SLOWNESS=str(SLOWNESS),
        )
        name = f"{preemption()} {method} {test.partition(':')[0]}"
        start = time.monotonic()
        if test == "check":
            run_check(name, method, environment)
        else:
            run_live(name, test, environment)
        note(f"{name} took {time.monotonic() - start:.0f} s")
    print("# complete", flush=True)


if __name__ == "__main__":
    main()
