#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Signals at random moments, of tcptop or of a child of it: of the start, of intervals, of the end. Nothing is left behind, what was printed is lines of
JSON, and the terminal is as it was unless nobody could have put it back.

Environment: KILLS, how many (200 by default; 1000 takes two minutes); KILLS_SEED, for the same moments again.
"""
import datetime
import fcntl
import json
import os
import pty
import random
import signal
import struct
import subprocess
import sys
import termios
import time

from faults import ENVIRONMENT, LONG_RECORDING, case, check, die_with_parent, left_behind, main, prepare, program, stage, things
from live import Failed, children, wait_for

KILLS = int(os.environ.get("KILLS", "200"))
SEED = int(os.environ.get("KILLS_SEED", str(datetime.date.today().toordinal())))
ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)  # after which all is in order
FATAL = (signal.SIGKILL, signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT)
OF_CHILDREN = (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM)
FILES = "/tmp/files"
# Arguments, on a terminal, the latest moment in seconds, how many of ten kills.
KINDS = (
    (("-o", "json", "0.03"), False, 0.6, 2),
    (("-o", "json", "0.03", "--output-file", f"{FILES}/log", "--textfile", f"{FILES}/m.prom"), False, 0.6, 1),
    (("-o", "json", "--replay", LONG_RECORDING, "--output-file", f"{FILES}/log"), False, 0.15, 4),
    (("--replay", LONG_RECORDING), True, 0.15, 3),
)


class Victim:
    def __init__(self, arguments, on_terminal):
        os.makedirs(FILES, exist_ok=True)
        self.log = f"{FILES}/log" if "--output-file" in arguments else "/tmp/stdout"
        self.ours = self.theirs = None
        with open(self.log, "wb"), open("/tmp/stdout", "wb") as stdout, open("/tmp/stderr", "wb") as stderr:
            if on_terminal:
                self.ours, self.theirs = pty.openpty()
                fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
                os.set_blocking(self.ours, False)
                self.before = termios.tcgetattr(self.theirs)
            stdin, stdout = (self.theirs, self.theirs) if on_terminal else (subprocess.DEVNULL, stdout)
            self.process = subprocess.Popen(
                [program("TCPTOP"), *arguments], env=ENVIRONMENT, preexec_fn=die_with_parent, stdin=stdin, stdout=stdout, stderr=stderr
            )
        self.shown = b""

    def wait(self, limit):
        """Until it ends, or for so many seconds; what it shows is taken, as by a terminal."""
        end = time.monotonic() + limit
        while self.process.poll() is None and time.monotonic() < end:
            self.take()
            time.sleep(0.001)
        self.take()
        return self.process.returncode

    def take(self):
        if self.ours is None:
            return
        try:
            while part := os.read(self.ours, 65536):
                self.shown += part
        except BlockingIOError:
            pass

    def close(self):
        for descriptor in (self.ours, self.theirs):
            if descriptor is not None:
                os.close(descriptor)


def check_lines(path, may_be_cut):
    with open(path, "rb") as stream:
        text = stream.read()
    whole = text[: text.rfind(b"\n") + 1]
    check(may_be_cut or whole == text, f"cut off: {text[-60:]!r}")
    for line in whole.splitlines():
        json.loads(line)


def check_end(victim, code, of_child, number):
    with open("/tmp/stderr", encoding="utf-8", errors="replace") as stream:
        lines = [x for x in stream.read().splitlines() if "not counted: -v lists" not in x]
    allowed = (0, 1, 5, -signal.SIGTERM) if of_child else (0, -number)
    check(code in allowed, f"ends with {code}: {lines}")
    check(len(lines) <= 2 and (code in (0, -number, -signal.SIGTERM) or lines), f"ends with {code}, stderr {lines}")
    fatal = not of_child and number in FATAL
    check_lines(victim.log, fatal)
    if victim.ours is not None and not (fatal and number == signal.SIGKILL):
        check(termios.tcgetattr(victim.theirs) == victim.before, "the terminal has other settings")
        check(victim.shown.count(b"\033[?1049h") <= victim.shown.count(b"\033[?1049l"), "the terminal shows the other screen")


def kill(victim, moment, numbers):
    """numbers: of tcptop, and of a child, or None. What was done, and how it ended."""
    victim.wait(moment)
    found = children(victim.process.pid) if numbers[1] else []
    number = numbers[1] if found else numbers[0]
    what = f"{number.name} of {'a child' if found else 'tcptop'} after {moment:.3f} s"
    if victim.process.returncode is None:
        try:
            os.kill(found[0] if found else victim.process.pid, number)
        except ProcessLookupError:
            pass
    if found and victim.wait(0.3) is None:
        victim.process.send_signal(signal.SIGTERM)
    code = victim.wait(10)
    if code is None:
        victim.process.kill()
        victim.process.wait()
        raise Failed(f"{what}: hangs")
    try:
        check_end(victim, code, bool(found), number)
    except Failed as reason:
        raise Failed(f"{what}: {reason}") from None


@case
def at_random_moments():
    chance, before = random.Random(SEED), things()
    for arguments, on_terminal, latest, share in KINDS:
        failures, count = [], KILLS * share // 10
        for _ in range(count):
            victim = Victim(arguments, on_terminal)
            numbers = (chance.choice(ENDS + FATAL), chance.choice(OF_CHILDREN) if chance.random() < 0.4 else None)
            try:
                kill(victim, chance.uniform(0, latest), numbers)
            except Failed as reason:
                failures.append(str(reason))
            victim.close()
            clear_files()
            try:
                wait_for(lambda: not left_behind(before), 5, "nothing left behind")
            except Failed as reason:
                failures.append(f"{numbers} {reason}: {sorted(left_behind(before))[:4]}")
        told = f"{count} kills, seed {SEED}"
        yield "failed" if failures else "passed", " ".join(arguments), f"{told}{'; ' if failures else ''}{'; '.join(failures[:8])}"


def clear_files():
    """What a run may leave that was killed: its output, and metrics, as a whole or under another name."""
    for path in ("/tmp/stdout", "/tmp/stderr", f"{FILES}/log", f"{FILES}/m.prom", f"{FILES}/.m.prom.tmp"):
        if os.path.exists(path):
            os.unlink(path)
    os.rmdir(FILES)


if __name__ == "__main__":
    stage()
    sys.exit(main(1800, prepare))
