#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The commands of the documents, as they stand there: each is run, or it is said why not."""
import contextlib
import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
import time

import documents
from documents import ABSENT, RULES, RUN
from live import (
    CLONE_NEWNET, Process, Skipped, call, case, cgroup2_root, check, check_equal, children, descriptors, holds_programs, judged, libc,
    main, mount, needs_root, program, seconds, unshare_mounts, wait_for,
)

CHECKOUT = "/mnt/checkout"
TEXTFILES = "/var/lib/prometheus/node-exporter"
SHIMS = {"sudo": 'exec "$@"', "cmake": "exit 0"}  # it is root; what quickstart.sh would build is there
MADE = ("system.slice/nginx.service", "system.slice", "downloads/nightly", "downloads", "backup")  # cgroups
# The session's pauses and counts leave time for a reader to follow. Here what comes after a pause goes to a tcptop that traces,
# and it ends when the script waits for it, however busy the host is. Its BPF file system is its own.
PACE = """
umount -l /sys/fs/bpf
tcptop() {
	exec tcptop "${@:1:$#-1}"
}
sleep() {
	while kill -0 "${tool:-x}" 2>/dev/null && ! ls -l "/proc/$tool/fd" 2>/dev/null | grep -q bpf-prog; do
		command sleep 0.05
	done
	command sleep 0.5
}
wait() {
	kill -INT "$1"
	builtin wait "$1"
}
"""
commands, session = list(documents.commands()), documents.session()


def write_checkout():
    for path in ("examples", "tests/lib"):
        shutil.copytree(os.path.join(documents.SOURCE, path), f"{CHECKOUT}/{path}")
    os.makedirs(f"{CHECKOUT}/build")
    for variable in ("TCPTOP", "CHECK"):
        shutil.copy(program(variable), f"{CHECKOUT}/build")
    with open(f"{CHECKOUT}/build/Makefile", "w", encoding="ascii"):
        pass
    os.mkdir("/mnt/shims")
    for name, text in SHIMS.items():
        with open(f"/mnt/shims/{name}", "w", encoding="ascii") as stream:
            stream.write(f"#!/bin/sh\n{text}\n")
        os.chmod(f"/mnt/shims/{name}", 0o755)


def enter():
    """A host of its own, but for its cgroups: nothing is left of what the commands write."""
    needs_root()
    if not cgroup2_root():
        raise Skipped("no cgroup v2 hierarchy is mounted")
    unshare_mounts()
    call(libc.unshare, CLONE_NEWNET)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    mount("tmp", "/mnt", "tmpfs", 0, "mode=755")
    write_checkout()
    for name in ("upper", "work", "home"):
        os.mkdir(f"/mnt/{name}")
    mount("overlay", "/var/lib", "overlay", 0, "lowerdir=/var/lib,upperdir=/mnt/upper,workdir=/mnt/work")
    os.makedirs(TEXTFILES, exist_ok=True)
    mount("tmp", "/tmp", "tmpfs", 0, "mode=1777")
    mount("bpf", "/sys/fs/bpf", "bpf")
    os.environ.update(PATH=f"/mnt/shims:{CHECKOUT}/build:{os.environ['PATH']}", HOME="/mnt/home", TERM="xterm-256color")
    os.chdir(CHECKOUT)


@contextlib.contextmanager
def cgroups():
    """One for the example with a service; those that the walk makes, and does not remove when it fails, go with it."""
    root = cgroup2_root()
    before = {name for name in MADE if os.path.exists(f"{root}/{name}")}
    os.makedirs(f"{root}/{MADE[0]}", exist_ok=True)
    try:
        yield
    finally:
        for name in MADE:
            if name not in before:
                with contextlib.suppress(OSError):
                    os.rmdir(f"{root}/{name}")


def read_file(path):
    with open(path, encoding="utf-8") as stream:
        return stream.read()


def name_of(pid):
    with contextlib.suppress(OSError):
        return read_file(f"/proc/{pid}/comm").strip()
    return ""


def tcptop_below(pid):
    """The first tcptop among a process and its descendants, or None."""
    below = [pid]
    while below:
        for each in below:
            if name_of(each) == "tcptop":
                return each
        below = [child for each in below for child in children(each)]
    return None


class Terminal:
    """A command in a terminal of 24 by 80, as a user types it."""

    def __init__(self, command):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        os.set_blocking(self.master, False)

        def prepare():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = Process(["bash", "-c", command], prepare=prepare, stdin=slave, stdout=slave)
        os.close(slave)

    def ended(self):
        """What the terminal shows is taken, so that nobody waits for it."""
        with contextlib.suppress(OSError):
            while os.read(self.master, 65536):
                pass
        return self.process.popen.poll() is not None

    def works(self):
        """It traces, or has opened a recording."""
        time.sleep(0.05)  # looking costs more than that
        pid = tcptop_below(self.process.pid)
        return pid and (holds_programs(pid) or any(path.endswith(".jsonl") for path in descriptors(pid).values()))

    def stop(self):
        """As by Ctrl-C, which a shell and a pipe's reader get, too."""
        pid = tcptop_below(self.process.pid)
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 2)
        wait_for(self.ended, 20, f"the end of {self.process.command[-1]}")
        os.close(self.master)
        return self.process.popen.returncode


def judge_command(terminal, how):
    command = terminal.process.command[-1]
    wait_for(lambda: terminal.ended() or terminal.works(), 20, f"tracing by {command}")
    written = re.search(r"> ?(\S+\.jsonl)$", command)
    if how == RUN and written:
        wait_for(lambda: os.path.exists(written[1]) and "\n" in read_file(written[1]).partition('"interval"')[2], 20, "an interval in it")
    elif how == RUN:
        time.sleep(seconds(0.2))
    code = terminal.stop()
    said = terminal.process.stderr.strip()
    check_equal(code, 0 if how == RUN else 2, f"exit status of {command}, which said {said!r}")
    check(how == RUN or re.match(r"tcptop: (wrong )?--\S+", said), f"{command} said {said!r}")
    check("unknown" not in said, f"{command} said {said!r}")


def figures(text):
    """What does not differ from run to run: how many keys are printed, and KB received by name of the program."""
    rows = re.findall(r"^\d+ +(\S+) .* (\d+) +\d+$", text, re.M)
    totals = {name: sum(int(rx) for other, rx in rows if other == name) for name, _ in rows}
    return re.findall(r"^(hex|key:|Found \d+)\b", text, re.M), totals


def judge_block(script, printed, shown):
    keys, totals = figures(printed)
    expected_keys, expected = figures(shown)
    check_equal(keys, expected_keys, f"keys printed by {script}")
    check_equal(set(totals), set(expected), f"rows of {script}, which printed {printed}")
    for name, kb in expected.items():
        # Cut into two intervals they are two numbers, each rounded down.
        check(abs(totals[name] - kb) <= 3, f"{name} received {totals[name]} KB, expected {kb}, by {script}")


def judge_session(process):
    process.expect(0, 60)
    parts = process.stdout.decode().split("@@@\n")
    check_equal(len(parts), len(session) + 1, "blocks that ran to their end")
    for (script, shown), printed in zip(session, parts):
        judge_block(script, printed, shown)


@case
def packages():
    """What README installs for a build by hand is what quickstart.sh installs."""
    shown = next(command for _, command in commands if command.startswith("sudo apt-get install "))
    known = subprocess.run(["bash", "-c", '. tests/lib/packages.sh; echo "${packages_build[@]}"'], capture_output=True, text=True, check=True)
    check_equal(set(shown.replace("\\\n", " ").split()[3:]), set(known.stdout.split()), "packages")


def judge_commands(missing):
    """While one is judged the next one starts, but for one that reads what it writes."""
    waiting = []
    for where, command in commands:
        rule = documents.rule(command)
        check(rule is not None, f"{where}: {command}: no rule of documents.py says how it is tried")
        how = RULES[rule][1]
        if how not in (RUN, ABSENT) or "jq" in command and "jq" in missing:
            yield "skipped", f"{where} {command.splitlines()[0]}", how if how != RUN else "needs jq"
            continue
        if waiting and "--replay" in command:
            yield judged(*waiting.pop())
        waiting.append((f"{where} {command}", judge_command, Terminal(command), how))
        if len(waiting) > 1:
            yield judged(*waiting.pop(0))
    yield judged(*waiting.pop())


@case
def shown():
    script = "set -e\n" + PACE + "\necho @@@\n".join(text for text, _ in session) + "\necho @@@\n"
    missing = [name for name in ("bpftool", "curl", "findmnt", "jq") if not shutil.which(name)]
    with cgroups():
        walk = None if missing else Process(["unshare", "--mount", "--propagation", "private", "bash", "-c", script])
        yield from judge_commands(missing)
        if walk:
            yield judged(f"{documents.WALK}, its session of {len(session)} blocks", judge_session, walk)
        else:
            yield "skipped", documents.WALK, f"needs {', '.join(missing)}"
    used = {documents.rule(command) for _, command in commands}
    check_equal([pattern for i, (pattern, _) in enumerate(RULES) if i not in used], [], "rules without a command")


if __name__ == "__main__":
    sys.exit(main(120, enter))
