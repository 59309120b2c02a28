#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The units of examples/systemd, as they stand, under a systemd of their own: what they may, and what they count."""
import json
import os
import re
import shutil
import subprocess
import sys

import stage
from live import (
    Process, cgroup2_root, check, check_equal, check_exact, check_totals, children, enter_cgroup, judged, case, main, mount,
    move, own_ids, program, seconds, wait_for,
)

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples/systemd")
ROOT = "/run/root"
TEXTFILES = "/var/lib/prometheus/node-exporter"
LOG = "/var/log/tcptop/tcptop.jsonl"
USERS = "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/sh\n"
GROUPS = "root:x:0:\nnogroup:x:65534:\n"


def write(path, text):
    os.makedirs(os.path.dirname(ROOT + path), exist_ok=True)
    with open(ROOT + path, "w", encoding="utf-8") as stream:
        stream.write(text)


def write_root(examples):
    """The host's /usr with tcptop in it, and nothing of its /etc."""
    for name in ("usr", "proc", "sys", "dev", "run", "tmp", "root", "home"):
        os.makedirs(f"{ROOT}/{name}")
    for name in ("bin", "sbin", "lib", "lib64"):
        if os.path.islink(f"/{name}"):
            os.symlink(f"usr/{name}", f"{ROOT}/{name}")
    for name in ("upper", "work"):
        os.makedirs(f"/run/{name}")
    mount("overlay", f"{ROOT}/usr", "overlay", 0, "lowerdir=/usr,upperdir=/run/upper,workdir=/run/work")
    shutil.copy(program("TCPTOP"), f"{ROOT}/usr/sbin/tcptop")
    for path, text in (("passwd", USERS), ("group", GROUPS), ("machine-id", "0123456789abcdef0123456789abcdef\n"), ("os-release", "ID=test\n")):
        write(f"/etc/{path}", text)
    os.makedirs(ROOT + TEXTFILES)
    for name in os.listdir(examples):
        directory = "logrotate.d" if name.endswith(".logrotate") else "systemd/system"
        os.makedirs(f"{ROOT}/etc/{directory}", exist_ok=True)
        shutil.copy(f"{examples}/{name}", f"{ROOT}/etc/{directory}")


class System:
    """A systemd in a container, up to its basic target."""

    def __init__(self):
        group = os.path.join(cgroup2_root(), "machine.slice/systemd-nspawn@units.service")
        os.makedirs(group)
        self.process = Process(
            stage.engine(
                "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "-M", "units", "-D", ROOT,
                "--capability=CAP_BPF,CAP_PERFMON", "--system-call-filter=bpf perf_event_open", "--console=pipe",
                "--boot", "--", "systemd.unit=basic.target",
            ),
            prepare=lambda: enter_cgroup(group), env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
        )
        self.pid = wait_for(self.find, 20, "systemd in the container")
        wait_for(lambda: self.run("systemctl", "is-active", "basic.target").stdout == "active\n", 30, "basic.target")

    def find(self):
        """unshare's child is nspawn, whose child systemd becomes."""
        check(self.process.popen.poll() is None, f"systemd-nspawn ended: {self.process.stderr[-400:]}")
        below = [self.process.pid]
        while below:
            for pid in below:
                with open(f"/proc/{pid}/comm", encoding="utf-8") as stream:
                    if stream.read() == "systemd\n":
                        return pid
            below = [child for pid in below for child in children(pid)]
        return None

    def run(self, *command):
        return subprocess.run(
            ["nsenter", "-t", str(self.pid), "-m", "-p", "-C", "-n", "-u", "-i", "--", *command],
            capture_output=True, text=True, check=False, timeout=seconds(30), stdin=subprocess.DEVNULL,
        )

    def systemctl(self, *arguments):
        done = self.run("systemctl", *arguments)
        check(done.returncode == 0, f"systemctl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def show(self, unit, *properties):
        lines = self.systemctl("show", unit, "--property", ",".join(properties)).splitlines()
        return tuple(dict(line.split("=", 1) for line in lines)[name] for name in properties)

    def journal(self, unit):
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", unit).stdout.strip()[-600:]


def status(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as stream:
        return dict(line.rstrip("\n").split(":\t", 1) for line in stream if ":\t" in line)


def judge_privileges(system, unit):
    """A user of its own without capabilities, and beside it the writer as root without: the directories here are root's."""
    pids = wait_for(lambda: [pid for pid in children(system.pid) if status(pid)["Name"] == "tcptop"], 20, "tcptop")
    mine = [pid for pid in pids if f"{unit}.service" in open(f"/proc/{pid}/cgroup", encoding="utf-8").read()]
    check_equal(len(mine), 1, f"main processes of {unit}")
    # another user first, then without the capability that is kept until it is known not to be needed
    wait_for(lambda: status(mine[0])["Uid"].split()[0] == str(own_ids()[0]) and not int(status(mine[0])["CapPrm"], 16), 20,
             f"{unit} gave up root: {system.journal(unit)}")
    for pid in (*mine, *children(mine[0])):
        found = status(pid)
        for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb"):
            check_equal(int(found[name], 16), 0, f"{unit}: {name} of {pid}")
        check_equal(found["NoNewPrivs"], "1", f"{unit}: NoNewPrivs")


def series(text):
    """Bytes of the flow's two processes, by way."""
    pattern = r'^tcptop_(receive|transmit)_bytes_total\{comm="flow-(?:sender|receiver)"\} ([1-9]\d*)$'
    return {way: int(value) for way, value in re.findall(pattern, text, re.M)}


def judge_textfile(moved):
    path = f"{ROOT}{TEXTFILES}/tcptop.prom"

    def written():
        with open(path, encoding="utf-8") as stream:
            return series(stream.read())

    wait_for(lambda: os.path.exists(path), 15, "the file")
    wait_for(written, 15, "series of what moved")
    check_equal(written(), {"receive": moved, "transmit": moved}, "series")
    found = os.stat(path)
    check_equal((found.st_uid, found.st_mode & 0o777), (0, 0o644), "owner and mode of the file")


def read_log(name):
    with open(f"{ROOT}{os.path.dirname(LOG)}/{name}", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def judge_record(system, truth):
    """Two files, between which logrotate came; the second begins anew, and together they are all of it."""
    name = os.path.basename(LOG)
    old, new = read_log(f"{name}.1"), read_log(name)
    check_equal([lines[0]["type"] for lines in (old, new)], ["start", "start"], "first lines")
    check_equal(len([x for x in new if x["type"] == "start"]), 1, "start lines of the new file")
    check_exact(old + new, truth)


def judge_rotation(system):
    done = system.run("logrotate", "--force", "--state", "/tmp/logrotate.state", "/etc/logrotate.d/tcptop-record.logrotate")
    check_equal((done.returncode, done.stderr), (0, ""), "logrotate")
    wait_for(lambda: os.path.exists(ROOT + LOG), 15, "a new file")


def judge_stopped(system, unit):
    system.systemctl("stop", f"{unit}.service")
    check_equal(system.show(unit, "ActiveState", "Result"), ("inactive", "success"), f"{unit}: {system.journal(unit)}")


def judge_not_permitted(system):
    """What another start does not change is not tried again."""
    write("/etc/systemd/system/tcptop-textfile.service.d/none.conf", "[Service]\nCapabilityBoundingSet=\nCapabilityBoundingSet=CAP_SETUID\n"
          "RestartSec=0\n")
    system.systemctl("daemon-reload")
    system.run("systemctl", "start", "tcptop-textfile.service")
    wait_for(lambda: system.show("tcptop-textfile", "ActiveState")[0] == "failed", 20, "tcptop-textfile failed")
    check_equal(system.show("tcptop-textfile", "ExecMainStatus", "NRestarts"), ("3", "0"), "status and restarts")
    check("not permitted to trace: CAP_BPF and CAP_PERFMON missing" in system.journal("tcptop-textfile"), system.journal("tcptop-textfile"))


@case
def units():
    stage.need(("systemd-nspawn", "systemd-container"), ("nsenter", "util-linux"), ("logrotate", "logrotate"))
    write_root(EXAMPLES)
    system = System()
    names = ("tcptop-textfile", "tcptop-record")
    for unit in names:
        system.systemctl("start", f"{unit}.service")
    for unit in names:
        yield judged(f"{unit}: privileges", judge_privileges, system, unit)
    truth = move("flow", "--bytes", 100003)
    yield judged("tcptop-textfile: its series", judge_textfile, 100003)
    yield judged("tcptop-record: logrotate", judge_rotation, system)
    truth.update(move("flow", "--bytes", 100019))
    for unit in names:
        yield judged(f"{unit}: stopped", judge_stopped, system, unit)
    yield judged("tcptop-record: all bytes, in two files", judge_record, system, truth)
    yield judged("tcptop-textfile: the file is gone", lambda: check_equal(os.listdir(ROOT + TEXTFILES), [], "files"))
    yield judged("tcptop-textfile: not permitted", judge_not_permitted, system)


if __name__ == "__main__":
    sys.exit(main(120, stage.enter))
