# SPDX-License-Identifier: Apache-2.0
"""What the live tests share: they start the real tool beside movers of known bytes, and compare.

Environment: TCPTOP and CHECK, the programs tcptop and tcptop-check; TCPTOP_ARGUMENTS, more arguments of every tcptop that traces (say
--probe fentry); TCPTOP_SLOWNESS, by which every limit in time is multiplied (an emulated machine: 20).
"""
import atexit
import contextlib
import ctypes
import ctypes.util
import json
import os
import pwd
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

# For the tests, too: they take everything from here.
from accounts import (  # noqa: F401
    KEY, check_exact, check_totals, compare, intervals, key_text, merge, of_pids, sessions, sum_sessions,
)
from cases import Failed, Skipped, case, cases, check, check_equal, judged  # noqa: F401
from programs import program, program_for_all  # noqa: F401

EXIT_SKIPPED = 77
CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
PR_SET_PDEATHSIG = 1
SLOWNESS = float(os.environ.get("TCPTOP_SLOWNESS", "1"))
ARGUMENTS = shlex.split(os.environ.get("TCPTOP_ARGUMENTS", ""))

libc = ctypes.CDLL(None, use_errno=True)
started = []


def seconds(limit):
    return limit * SLOWNESS


def wait_for(condition, limit, what):
    """Polls until condition() is true and returns what it returned."""
    end = time.monotonic() + seconds(limit)
    while True:
        value = condition()
        if value:
            return value
        check(time.monotonic() < end, f"{what}: not within {seconds(limit):g} s")
        time.sleep(min(0.1, seconds(0.01)))


def call(function, *arguments):
    """A function of the C library that returns -1 and errno."""
    result = function(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def unshare_mounts():
    """A private mount namespace for this process and all that it starts from now on."""
    call(libc.unshare, CLONE_NEWNS)
    mount("none", "/", None, MS_REC | MS_PRIVATE)


def mount(source, target, kind, flags=0, data=None):
    call(
        libc.mount,
        source.encode(),
        target.encode(),
        kind.encode() if kind else None,
        ctypes.c_ulong(flags),
        data.encode() if data else None,
    )


@contextlib.contextmanager
def directory():
    path = tempfile.mkdtemp(prefix="tcptop-test-")
    try:
        os.chmod(path, 0o755)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def replay(lines, *arguments):
    """What tcptop prints of lines of JSON that it printed before."""
    with directory() as path:
        recording = os.path.join(path, "recording")
        with open(recording, "w", encoding="utf-8") as stream:
            stream.writelines(json.dumps(line) + "\n" for line in lines)
        command = [program("TCPTOP"), *arguments, "--replay", recording]
        return subprocess.run(command, capture_output=True, check=True).stdout.decode()


@contextlib.contextmanager
def bpffs():
    """A BPF file system of the test's own. Needs unshare_mounts()."""
    with directory() as path:
        mount("bpf", path, "bpf")
        try:
            yield path
        finally:
            call(libc.umount2, path.encode(), 2)


def cgroup2_root():
    """The mount point of the v2 hierarchy, or None."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as stream:
        for line in stream:
            mounted, _, kind = line.partition(" - ")
            if kind.split()[0] == "cgroup2" and os.path.exists(mounted.split()[4]):
                return mounted.split()[4]
    return None


@contextlib.contextmanager
def cgroup(suffix=""):
    root = cgroup2_root()
    if not root:
        raise Skipped("no cgroup v2 hierarchy is mounted")
    path = tempfile.mkdtemp(suffix, "tcptop-test-", root)
    try:
        yield path
    finally:
        kill_started()  # after a failure movers are still in it
        wait_for(lambda: remove_cgroup(path), 5, f"removing {path}")


def enter_cgroup(path):
    """For what is to be started in it: before the exec."""
    with open(os.path.join(path, "cgroup.procs"), "w", encoding="ascii") as stream:
        stream.write(str(os.getpid()))


def remove_cgroup(path):
    """With those that a test made in it."""
    try:
        for inside, _, _ in os.walk(path, topdown=False):
            os.rmdir(inside)
    except OSError:
        return False
    return True


def kill_started():
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


class Process:
    """A started program whose stdout and stderr go to files that can be read while it runs."""

    def __init__(self, command, prepare=None, stdout=None, **options):
        self.command = command
        self.files = [tempfile.TemporaryFile(), tempfile.TemporaryFile()]

        def in_child():
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if prepare:
                prepare()

        options.setdefault("stdin", subprocess.DEVNULL)
        self.popen = subprocess.Popen(
            command,
            stdout=self.files[0] if stdout is None else stdout,
            stderr=self.files[1],
            preexec_fn=in_child,
            **options,
        )
        self.pid = self.popen.pid
        started.append(self.popen)

    def read(self, index):
        descriptor = self.files[index].fileno()
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0)

    @property
    def stdout(self):
        return self.read(0)

    @property
    def stderr(self):
        return self.read(1).decode("utf-8", "replace")

    def lines(self):
        """The JSON objects that are complete."""
        text = self.stdout
        return [json.loads(line) for line in text[: text.rfind(b"\n") + 1].splitlines()]

    def send(self, number):
        self.popen.send_signal(number)

    def wait(self, limit=20):
        try:
            return self.popen.wait(seconds(limit))
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise Failed(
                f"{shlex.join(map(str, self.command))} did not end in {seconds(limit):g} s"
            ) from None

    def expect(self, code, limit=20):
        found = self.wait(limit)
        check(
            found == code,
            f"{shlex.join(map(str, self.command))} ended with {found}, not {code}: {self.stderr.strip()}",
        )
        return self


def descriptors(pid):
    """What the descriptors of a process are: number to text. Empty when it has gone."""
    found = {}
    with contextlib.suppress(OSError):
        for number in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                found[int(number)] = os.readlink(f"/proc/{pid}/fd/{number}")
    return found


def holds_programs(pid):
    return any("bpf-prog" in target for target in descriptors(pid).values())


def children(pid):
    """Processes whose parent it is."""
    found = []
    threads = f"/proc/{pid}/task"
    if os.path.exists(f"/proc/self/task/{os.getpid()}/children"):  # CONFIG_PROC_CHILDREN
        with contextlib.suppress(OSError):
            for thread in os.listdir(threads):
                with open(f"{threads}/{thread}/children", encoding="ascii") as stream:
                    found += map(int, stream.read().split())
        return found
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{name}/stat", "rb") as stream:
                if int(stream.read().rpartition(b")")[2].split()[1]) == pid:
                    found.append(int(name))
    return found


def hide_tmp():
    """An empty /tmp for this process and what it starts, with the programs still in reach: in /mnt, side by side."""
    unshare_mounts()
    mount("tmp", "/mnt", "tmpfs", 0, "mode=755")
    for variable in ("TCPTOP", "CHECK"):
        os.environ[variable] = shutil.copy(program(variable), "/mnt")
    mount("tmp", "/tmp", "tmpfs", 0, "mode=1777")
    os.chdir("/")


def own_ids():
    """User and group that the tool becomes: those of the build (CMake's TCPTOP_USER)."""
    user = os.environ.get("TCPTOP_USER", "1952673908")
    if user.isdigit():
        return int(user), int(user)
    entry = pwd.getpwnam(user)
    return entry.pw_uid, entry.pw_gid


def as_user(*command, capabilities=""):
    """The command of an ordinary user with these capabilities alone."""
    prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]
    if capabilities:
        wanted = ",".join("+" + name for name in capabilities.split())
        prefix[-1] += "," + wanted
        prefix.append(f"--ambient-caps=-all,{wanted}")
    return [*prefix, "--", *command]


@contextlib.contextmanager
def reachable():
    """A copy of the tool that an ordinary user can execute, with the self-test beside it."""
    with directory() as path:
        copy = os.path.join(path, "tcptop")
        for variable, name in (("TCPTOP", "tcptop"), ("CHECK", "tcptop-check")):
            shutil.copyfile(program(variable), os.path.join(path, name))
            os.chmod(os.path.join(path, name), 0o755)
        original = os.environ["TCPTOP"]
        os.environ["TCPTOP"] = copy
        try:
            yield copy
        finally:
            os.environ["TCPTOP"] = original


def need_user_namespaces():
    command = ["unshare", "--user", "--map-root-user", "true"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        raise Skipped("this kernel or its settings forbid user namespaces")


class Tcptop(Process):
    """The tool, tracing; with wait (the default) it is attached when the constructor returns."""

    def __init__(self, *arguments, wait=True, prefix=(), **options):
        command = [*prefix, program("TCPTOP"), *ARGUMENTS, *map(str, arguments)]
        super().__init__(command, **options)
        if wait:
            self.wait_attached()

    def is_attached(self):
        """The parent gets programs from its child when all are attached."""
        if self.popen.poll() is not None:
            raise Failed(f"tcptop ended with {self.popen.returncode} at the start: {self.stderr.strip()}")
        return holds_programs(self.pid)

    def wait_attached(self, limit=20):
        wait_for(self.is_attached, limit, "tcptop attached")
        return self

    def stop(self, number=signal.SIGINT):
        """Ends it and returns what it printed, as JSON objects."""
        self.send(number)
        self.expect(0)
        return self.lines()

    def stop_text(self, number=signal.SIGINT):
        self.send(number)
        return self.expect(0).stdout.decode()


class Mover(Process):
    def __init__(self, *arguments, **options):
        options.setdefault("stdin", subprocess.PIPE)
        super().__init__([program_for_all("CHECK"), *map(str, arguments)], **options)

    def wait_event(self, event, limit=20):
        def happened():
            found = any(line.get("event") == event for line in self.lines())
            check(found or self.popen.poll() is None, f"the mover ended early: {self.stderr.strip()}")
            return found

        wait_for(happened, limit, f"the mover's {event}")
        return self

    def release(self):
        self.popen.stdin.write(b"\n")
        self.popen.stdin.close()

    def pids(self, side=None):
        """Of a flow, once connected: those of its processes."""
        return [x["pid"] for x in self.lines() if x.get("event") == "started" and side in (None, x["side"])]

    def truth(self, limit=40):
        """Waits for its end. What its calls returned, by key."""
        self.expect(0, limit)
        return sum_sessions(line for line in self.lines() if "event" not in line and "side" in line)


def ports_of(pid):
    """(local, remote) of the one connection that a process has."""
    shown = subprocess.run(["ss", "-Htnp"], check=True, capture_output=True, text=True).stdout
    for line in shown.splitlines():
        if f"pid={pid}," in line:
            return tuple(int(end.rsplit(":", 1)[1]) for end in line.split()[3:5])
    raise Failed(f"no connection of process {pid}")


def receive_from_child(server, size, prepare):
    """A process calls prepare(), sends so many bytes to the listening socket, and is gone when they are here; its PID."""
    pid = os.fork()
    if pid == 0:
        prepare()
        with socket.create_connection(server.getsockname()) as client:
            client.sendall(b"x" * size)
        os._exit(0)
    peer, _ = server.accept()
    with peer:
        while peer.recv(65536):
            pass
    os.waitpid(pid, 0)
    return pid


def move(*arguments, **options):
    """Runs a mover to its end and returns the truth."""
    return Mover(*arguments, **options).truth()


@contextlib.contextmanager
def held_flows(*flows):
    """Flows that are connected and wait: yields the movers and a function that lets all of them move.

    Each is (arguments, prepare).
    """
    with directory() as path:
        gate = os.path.join(path, "go")
        movers = [
            Mover("flow", "--wait-file", gate, *arguments, prepare=prepare) for arguments, prepare in flows
        ]
        for mover in movers:
            mover.wait_event("connected")

        def release():
            with open(gate, "w", encoding="utf-8"):
                pass

        yield movers, release


def check_error(process, code, *patterns):
    """As the user is to see an error: nothing on stdout, one or two lines on stderr with these patterns."""
    process.expect(code)
    check_equal(process.stdout, b"", "stdout")
    lines = process.stderr.splitlines()
    check(1 <= len(lines) <= 2, f"{len(lines)} lines on stderr: {process.stderr!r}")
    check(lines[0].startswith("tcptop: "), f"stderr begins {lines[0]!r}")
    for pattern in patterns:
        check(re.search(pattern, process.stderr), f"no {pattern!r} on stderr: {process.stderr!r}")


def needs_root():
    if os.geteuid() != 0:
        raise Skipped("needs root")


def report(outcome, name, text="", start=None):
    took = f" ({time.monotonic() - start:.1f} s)" if start is not None else ""
    print(f"{outcome:7} {name}{': ' if text else ''}{text}{took}", flush=True)


def run_case(function):
    """A case that is a generator reports several lines: it yields (outcome, name, text)."""
    name, start = function.__name__, time.monotonic()
    outcomes = []
    try:
        for outcome, part, text in function() or ():
            outcomes.append(outcome)
            report(outcome, f"{name} {part}", text)
        if not outcomes:
            outcomes.append("passed")
            report("passed", name, start=start)
    except Skipped as reason:
        outcomes.append("skipped")
        report("skipped", name, str(reason), start)
    except (Failed, OSError, ValueError, KeyError) as reason:
        outcomes.append("failed")
        report(
            "failed",
            name,
            f"{type(reason).__name__ + ': ' if not isinstance(reason, Failed) else ''}{reason}",
            start,
        )
    return outcomes


def limit_time(function, limit):
    def on_alarm(_number, _frame):
        print(f"failed  {function.__name__}: did not end in {seconds(limit):g} s", flush=True)
        kill_started()
        os._exit(1)

    signal.signal(signal.SIGALRM, on_alarm)
    signal.alarm(int(seconds(limit)))


def main(limit=60, prepare=needs_root):
    """Runs the cases, or those that the command line names, and ends if one takes longer than the limit, in seconds.

    prepare: called first; its Skipped skips all.

    Exit codes: 0, 1, or 77 when all were skipped.
    """
    atexit.register(kill_started)
    wanted = sys.argv[1:]
    outcomes = []
    try:
        prepare()
        for function in cases:
            if not wanted or function.__name__ in wanted:
                limit_time(function, limit)
                outcomes += run_case(function)
                kill_started()
                started.clear()
    except Skipped as reason:
        print(f"skipped: {reason}")
        return EXIT_SKIPPED
    if "failed" in outcomes or not outcomes:
        return 1
    return 0 if "passed" in outcomes else EXIT_SKIPPED
