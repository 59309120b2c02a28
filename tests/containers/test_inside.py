#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tcptop in a container of the engine that ENGINE names: what it may do there, and what it says to whom it may not."""
import json
import os
import re
import signal
import sys

import stage
from contained import tracing_process
from engines import ENGINES
from live import Failed, Process, case, check, check_equal, check_exact, judged, main, move, wait_for

engine = ENGINES[os.environ["ENGINE"]]()

TWO = ("--cap-drop", "ALL", "--cap-add", "BPF", "--cap-add", "PERFMON")
ADMIN = ("--cap-drop", "ALL", "--cap-add", "SYS_ADMIN")
UNCONFINED = ("--security-opt", "seccomp=unconfined")
HOST = ("--pid", "host", "--cgroupns", "host", "-v", "/sys/fs/cgroup:/sys/fs/cgroup:ro")
NOBODY = ("--user", "65534")
# Podman has tmpfs at /tmp in read-only containers unless told; Docker has none.
READ_ONLY = ("--read-only", *(("--read-only-tmpfs=false",) if os.environ["ENGINE"] == "podman" else ()))
SECCOMP = "--security-opt seccomp=unconfined"


def profile(errno):
    """A seccomp profile that refuses bpf(2) with this error."""
    path = f"/run/seccomp-{errno}.json"
    refusal = {"names": ["bpf"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno}
    with open(path, "w", encoding="utf-8") as stream:
        json.dump({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [refusal]}, stream)
    return "--security-opt", f"seccomp={path}"


def rows():
    """(title, the engine's options, exit code, what is said); 0: it traces. Refused by the engine: the code is 125."""
    yield "no options", (), 3, "--cap-add BPF --cap-add PERFMON .Docker before 23: --cap-add SYS_ADMIN"
    yield "a user", NOBODY, 3, "run it with sudo, or as a service with CAP_BPF and CAP_PERFMON"
    yield "SYS_ADMIN", ADMIN, 0, None
    yield "SYS_ADMIN, the host's cgroups and PIDs", (*ADMIN, *HOST), 0, None
    yield "SYS_ADMIN, EPERM of seccomp", (*ADMIN, *profile(1)), 3, SECCOMP
    yield "SYS_ADMIN, ENOSYS of seccomp", (*ADMIN, *profile(38)), 3, SECCOMP
    if not engine.knows_bpf():
        yield "BPF and PERFMON", (*TWO, *UNCONFINED), 125, 'unknown capability: "CAP_BPF"'
        return
    yield "BPF and PERFMON", (*TWO, *UNCONFINED), 0, None
    yield "BPF and PERFMON, EPERM of seccomp", (*TWO, *profile(1)), 3, SECCOMP
    yield "BPF and PERFMON, a user", (*TWO, *UNCONFINED, *NOBODY), 0, None
    yield "BPF and PERFMON, read-only", (*TWO, *UNCONFINED, *READ_ONLY), 1, "writable /tmp: Read-only file system.*--tmpfs /tmp"
    yield "BPF and PERFMON, read-only, tmpfs", (*TWO, *UNCONFINED, *READ_ONLY, "--tmpfs", "/tmp"), 0, None


class Inside:
    """libbcc is the host's; who it is, is told by an argument."""

    def __init__(self, number, options):
        self.name = f"inside{number}"
        self.mark = str(5000 + number)
        what = f"/opt/tcptop -o json --max-sessions {self.mark} 0.3"
        self.process = Process(engine.run(self.name, what, "-v", "/usr:/usr:ro", *options))

    def text(self, kind):
        return stage.shared(f"{self.name}.{kind}")

    def ended(self):
        return self.process.popen.poll() is not None

    def pid(self):
        return tracing_process("/opt/tcptop", self.mark)

    def wait_attached(self):
        def attached():
            check(not self.ended(), f"ended at the start: {self.said()}")
            return self.pid()

        wait_for(attached, 60, f"{self.name} attached")

    def said(self):
        return self.text("err") or self.process.stderr

    def stop(self):
        os.kill(self.pid(), signal.SIGINT)
        self.process.wait(20)
        check_equal(self.text("code").strip(), "0", "exit code")
        return [json.loads(line) for line in self.text("out").splitlines()]


def judge_refused(inside, code, pattern):
    inside.process.wait(60)
    ended = inside.process.popen.returncode or int(inside.text("code") or 0)
    check_equal(ended, code, f"exit code, having said {inside.said()!r}")
    check(re.search(pattern, inside.said(), re.S), f"no {pattern!r} in {inside.said()!r}")
    check(code == 125 or len(inside.said().splitlines()) <= 2, f"many lines: {inside.said()!r}")


@case
def inside():
    engine.start()
    started = [(*row, Inside(number, row[1])) for number, row in enumerate(rows())]
    tracing = {}
    for title, _, code, pattern, each in started:
        if code:
            yield judged(title, judge_refused, each, code, pattern)
            continue
        try:
            each.wait_attached()
            tracing[title] = each
        except Failed as reason:
            yield "failed", title, str(reason)
    truth = move("flow", "--bytes", 100003)
    for title, each in tracing.items():
        yield judged(title, lambda each=each: check_exact(each.stop(), truth))


if __name__ == "__main__":
    sys.exit(main(240, stage.enter))
