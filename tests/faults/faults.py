# SPDX-License-Identifier: Apache-2.0
"""What the tests of single failures share: scenes that are played once untouched and then again and again with one failure, and
the judge, who wants of each: 0 only with all of the data, else one or two lines and no cut line before; no crash, no hang, the terminal as it was,
and nothing left behind.

Environment: FAULTS, how many runs of a scene are tried, spread over all ("all": each, in minutes); FAULTS_FIRST, the first of them, by
default another one each day.
"""
import contextlib
import datetime
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "live"))

import bpf  # noqa: E402
from live import (  # noqa: E402
    Failed, Skipped, case, check, check_equal, hide_tmp, libc, main, program, wait_for,  # noqa: F401
)

PR_SET_CHILD_SUBREAPER = 36
HANG_S = 30
CODES = (0, 1, 3, 4, 5)
RECORDING, LONG_RECORDING = "/mnt/demo.json", "/mnt/long.json"
ENVIRONMENT = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "TZ": "UTC", "LANG": "C.UTF-8", "TERM": "xterm-256color",
               "HOME": "/nowhere"}


class Scene:
    """arguments: tcptop's. screen: on a terminal. untouched: how it ends without a failure.
    expected: what it prints then; None: it differs each time, and is_whole(stdout) tells whether it is all."""

    def __init__(self, name, *arguments, screen=False, is_whole=None, untouched=0):
        self.name, self.arguments, self.screen = name, arguments, screen
        self.is_whole, self.untouched = is_whole, untouched
        self.codes = {*CODES, untouched}
        self.expected = None

    def command(self):
        return [program("TCPTOP"), *map(str, self.arguments)]


class Run:
    """One run, to its end. What it printed, and what it left of the terminal."""

    def __init__(self, scene, prefix=(), environment=()):
        self.code, self.stdout, self.stderr, self.terminal = None, b"", "", ""
        options = {"env": {**ENVIRONMENT, **dict(environment)}, "start_new_session": True, "preexec_fn": die_with_parent}
        command = [*prefix, *scene.command()]
        with tempfile.TemporaryFile() as errors:
            if scene.screen:
                self.on_terminal(command, errors, options)
            else:
                self.in_pipe(command, errors, options)
            errors.seek(0)
            self.stderr = errors.read().decode("utf-8", "replace")

    def in_pipe(self, command, errors, options):
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, **options) as process:
            try:
                self.stdout = process.communicate(timeout=HANG_S)[0]
            except subprocess.TimeoutExpired:
                kill_group(process)
                self.stdout = process.communicate()[0]
                return
        self.code = process.returncode

    def on_terminal(self, command, errors, options):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        before, end = termios.tcgetattr(theirs), time.monotonic() + HANG_S
        with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=errors, **options) as process:
            while True:
                ended = process.poll() is not None
                if select.select([ours], [], [], 0 if ended else 0.02)[0]:
                    self.stdout += os.read(ours, 65536)
                elif ended:
                    break
                if not ended and time.monotonic() > end:
                    kill_group(process)
                    break
        self.code = process.returncode if time.monotonic() <= end else None
        if termios.tcgetattr(theirs) != before:
            self.terminal = "other settings"
        elif self.stdout.count(b"\033[?1049h") > self.stdout.count(b"\033[?1049l"):
            self.terminal = "the other screen"
        os.close(ours)
        os.close(theirs)


def die_with_parent():
    libc.prctl(1, signal.SIGKILL)


def kill_group(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def wrong(scene, run):
    """Why this is no way to end; None: it is."""
    lines = [x for x in run.stderr.splitlines() if "not counted: -v lists" not in x]
    if run.code is None:
        return "hangs"
    if run.code not in scene.codes:
        return f"ends with {run.code}"
    if run.terminal:
        return f"leaves the terminal: {run.terminal}"
    if len(lines) > 2 or (run.code and not lines):
        return f"{len(lines)} lines on stderr"
    if lines and not any(x.startswith("tcptop: ") for x in lines):  # the compiler's error may stand before
        return "stderr does not have the name"
    if run.code == 0:
        whole = scene.is_whole(run.stdout) if scene.is_whole else run.stdout == scene.expected
        return None if whole else f"0 without the data: {len(run.stdout)} bytes"
    if not scene.screen and run.stdout and not run.stdout.endswith(b"\n"):
        return "cut off in a line"
    if scene.expected is not None and run.code != 5 and not scene.expected.startswith(run.stdout):
        return "printed something else"
    return None


def things():
    """What a run could leave: processes, objects of BPF, files, namespaces that have names."""
    names = ("/run/netns", "/tmp", "/dev/shm", "/sys/fs/cgroup")
    found = {("file", f"{name}/{x}") for name in names if os.path.isdir(name) for x in os.listdir(name)}
    found |= {x for x in bpf.objects() if x[0] != "map"}  # a program holds its maps
    return found | {("process", x) for x in own_children()}


def left_behind(before):
    """What is new, and is nobody else's."""
    new = things() - before
    return new - bpf.objects_held() if any(kind in ("prog", "link") for kind, _ in new) else new


def own_children():
    """This process inherits those whose parent has gone."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as stream:
        return stream.read().split()


def chosen(count, most):
    """Numbers from 1 to count, at most so many, spread."""
    wanted = os.environ.get("FAULTS", str(most))
    if wanted == "all" or count <= int(wanted):
        return list(range(1, count + 1))
    step = count / int(wanted)
    first = float(os.environ.get("FAULTS_FIRST", datetime.date.today().toordinal() * 0.618)) % step
    return sorted({min(count, 1 + int(first + i * step)) for i in range(int(wanted))})


def try_all(scene, count, most, play):
    """play(n) gives a run with the n-th failure and a text that says which; until a run passes untouched, as none of the counted is left."""
    before, tried, failures = things(), chosen(count, most), []
    for number in tried:
        run, what = play(number)
        reason = wrong(scene, run)
        if reason:
            failures.append(f"{number} ({what}) {reason}: {run.stderr.strip()!r}")
    try:
        wait_for(lambda: not left_behind(before), 5, "nothing left behind")
    except Failed:
        failures.append(f"left behind: {sorted(left_behind(before))[:8]}")
    told = f"{len(tried)} of {count}, first {tried[0]}"
    return ("failed", scene.name, f"{told}; {len(failures)}: {'; '.join(failures[:8])}") if failures else ("passed", scene.name, told)


def is_interval(stdout):
    """All lines are whole, and the last one ends an interval."""
    lines = [json.loads(line) for line in stdout.splitlines()]
    return lines and lines[-1]["type"] == "interval"


def traced():
    """Starts on this host."""
    yield Scene("live", "-C", "0.05", "1", is_whole=lambda out: b"loadavg: " in out and out.endswith(b"\n"))
    yield Scene("live json", "-o", "json", "--probe", "tracepoint", "0.05", "1", is_whole=is_interval)


def checks():
    """The whole of --check by one method, with tcptop and the processes that move bytes."""
    yield Scene("check", "--check", "--probe", "tracepoint", is_whole=lambda out: b" exact, 0 wrong" in out)


def arguments():
    """What is done before anything is opened."""
    yield Scene("help", "--help")
    yield Scene("many options", "-4", "-p", "1,2,3", "--port", "443,8000-9000", "--host", "10.0.0.0/8", "--comm", "!ssh", "--columns", "pid,rx", "--sort",
                "rx", "--version")
    yield Scene("wrong option", "--sort", "nonsense", untouched=2)
    yield Scene("wrong probe of --check", "--check", "--probe", "nonsense", untouched=2)


def prepare():
    if os.geteuid() != 0:
        raise Skipped("needs root")
    with open(program("TCPTOP"), "rb") as stream:
        if b"__asan_init" in (text := stream.read()) or b"__tsan_init" in text:
            raise Skipped("a sanitizer has a heap, and calls, of its own")
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def stage(*variables):
    """An empty /tmp, and two recordings and the programs and libraries of these variables of the environment still in reach."""
    make = os.path.join(os.path.dirname(HERE), "screen", "make_recording.py")
    contents, recordings = {}, {}
    for path, intervals in ((RECORDING, "2"), (LONG_RECORDING, "300")):
        recordings[path] = subprocess.run([sys.executable, "-B", make, "demo", intervals], stdout=subprocess.PIPE, check=True).stdout
    for variable in variables:
        with open(program(variable), "rb") as stream:
            contents[variable] = stream.read()
    hide_tmp()
    for variable, content in contents.items():
        os.environ[variable] = f"/mnt/{variable.lower()}"
        with open(os.environ[variable], "wb") as stream:
            stream.write(content)
        os.chmod(os.environ[variable], 0o755)
    for path, content in recordings.items():
        with open(path, "wb") as stream:
            stream.write(content)


def replayed():
    """The same recording in each output."""
    for output in ("text", "json", "csv", "openmetrics"):
        yield Scene(output, "-o", output, "--replay", RECORDING)
    yield Scene("screen", "--replay", RECORDING, "0.01", "2", screen=True, is_whole=lambda out: b"containerd" in out.rpartition(b"\033[?1049l")[2])


def run_all(loop, variable):
    """A test whose loop(scene, most) tries so many failures, at most, of each scene. Ends the process. variable: what it needs."""

    @case
    def recordings():
        for scene in replayed():
            yield from loop(scene, 40 if not scene.screen else 12)

    @case
    def starts():
        for scene in traced():
            yield from loop(scene, 4)

    @case
    def whole_checks():
        for scene in checks():
            yield from loop(scene, 2)

    @case
    def options():
        for scene in arguments():
            yield from loop(scene, 5)

    stage(variable)
    sys.exit(main(7200, prepare))
