#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what tcptop costs here: time to start, memory, idle CPU, a large table, an event in the kernel, each filter.

usage: run.py [PART]...      the parts of PARTS below, by default all; takes root, about five minutes

Figures, not tests: nothing passes or fails. TCPTOP names the program (default: build/tcptop of this
checkout), CHECK the movers (default: tcptop-check beside it). The loads run in a network namespace of their own.
"""
import contextlib
import fcntl
import os
import pty
import re
import resource
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "live"))

import live  # noqa: E402
from figures import cost_build, programs_of, say, spread  # noqa: E402
from filter_cost import part_filters  # noqa: E402
from pair_cost import part_pair, part_rates  # noqa: E402
from sockets_cost import part_sockets  # noqa: E402

CLONE_NEWNET = 0x40000000
START_RUNS, START_BUSY, HELP_RUNS = 11, 4, 21
IDLE_S = 10
MEMORY_SESSIONS = 1000
MANY_SESSIONS, MANY_PROCESSES, MANY_INTERVAL_S = 100000, 4, 6
COST_ROUNDS = 8
COST_CONNECTIONS = (1, 8, 64, 400)  # in front of the tables are 128 places
SCREEN = (160, 50)
BURST_GAP_S = 0.3


def cpu_s(pid):
    """What its threads ran, to the nanosecond: /proc/PID/stat counts ticks of 10 ms."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as stream:
            total += int(stream.read().split()[0])
    return total / 1e9


def memory_text(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as stream:
        fields = dict(re.findall(r"^(\w+):\s+(\d+) kB$", stream.read(), re.M))
    parts = (int(fields[name]) / 1024 for name in ("VmRSS", "RssAnon", "RssFile", "VmHWM"))
    return "{:.2f} MB (anonymous {:.2f}, files {:.2f}; peak {:.2f})".format(*parts)


def flow(path, connections, processes=1):
    """A mover whose connections stand and wait for the file: (mover, comma list of its PIDs, release)."""
    gate = os.path.join(path, f"go-{time.monotonic_ns()}")
    mover = live.Mover(
        "flow", "--summary", "--wait-file", gate, "--connections", connections, "--processes", processes
    ).wait_event("connected", 60)

    def release():
        with open(gate, "w", encoding="ascii"):
            pass

    return mover, ",".join(map(str, mover.pids())), release


# --- start, help ---


def first_output_s(*options):
    """From before exec to the first line of the classic text, which says that it traces."""
    start = time.monotonic()
    with subprocess.Popen(
        [live.program("TCPTOP"), "-C", *options, "600"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as tool:
        line = tool.stdout.readline()
        took = time.monotonic() - start
        tool.send_signal(signal.SIGINT)
        tool.stdout.read()
    if not line.startswith(b"Tracing"):
        raise live.Failed(f"the first line is {line!r}")
    return took


@contextlib.contextmanager
def busy(count):
    """So many processes that take all the time they get."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        time.sleep(0.5)
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def start_cpu_s(*options):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [live.program("TCPTOP"), "-C", *options, "0.01", "1"]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def empty_start_s():
    """Another program that loads libraries and files of its own, and does nothing."""
    start = time.monotonic()
    subprocess.run([sys.executable, "-I", "-c", "pass"], check=True)
    return time.monotonic() - start


def part_start(_work):
    first_output_s()
    load = START_BUSY * os.cpu_count()
    reference_s = statistics.median(empty_start_s() for _ in range(START_RUNS))
    say("start", "python3 -c pass, exec to its end, s: 1 in what follows", f"{reference_s:.3f}")
    for name, options, target, busy_target in (
        ("the second time", (), "0.05", ""), ("compiled anew", ("--no-cache",), "0.4", "0.5"),
    ):
        times = [first_output_s(*options) for _ in range(START_RUNS)]
        say("start", f"{name}: exec to attached, s, {START_RUNS} runs", spread(times), target)
        say("start", f"{name}: that, by python3's", spread(times, reference_s, 2))
        say("start", f"{name}: processor time, to its end, s", spread([start_cpu_s(*options) for _ in range(START_RUNS)]))
        with busy(load):
            beside = [first_output_s(*options) for _ in range(START_RUNS)]
        say("start", f"{name}: beside {load} busy processes", spread(beside), busy_target)
        say("start", f"{name}: that, by the same without them", spread(beside, statistics.median(times), 2))


def part_help(_work):
    def once():
        start = time.monotonic()
        subprocess.run([live.program("TCPTOP"), "--help"], stdout=subprocess.DEVNULL, check=True)
        return time.monotonic() - start

    once()
    say("help", f"--help, ms, {HELP_RUNS} runs", spread([once() for _ in range(HELP_RUNS)], 1e-3, 1), "10")


# --- memory, idle ---


class Tmux:
    """The screen in a terminal of tmux's, on a server of its own."""

    def __init__(self, *arguments):
        self.name = f"tcptop-bench-{os.getpid()}"
        width, height = SCREEN
        command = ["env", "TERM=screen-256color", live.program("TCPTOP"), *map(str, arguments)]
        self.tmux("new-session", "-d", "-x", str(width), "-y", str(height), *command)
        self.pid = int(self.tmux("list-panes", "-F", "#{pane_pid}"))
        live.wait_for(lambda: live.holds_programs(self.pid), 20, "the screen's tcptop attached")

    def tmux(self, *arguments):
        command = ["tmux", "-L", self.name, "-f", "/dev/null", *arguments]
        return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout

    def capture(self):
        return self.tmux("capture-pane", "-p")

    def stop(self):
        self.tmux("kill-server")


class Text:
    """The classic text into nowhere."""

    def __init__(self, *arguments):
        self.tool = live.Tcptop("-C", *arguments, stdout=subprocess.DEVNULL)
        self.pid = self.tool.pid

    def stop(self):
        self.tool.send(signal.SIGINT)
        self.tool.expect(0)


def modes():
    yield "text", Text
    if shutil.which("tmux"):
        yield "screen", Tmux
    else:
        say("-", "the screen", "not run: tmux is not installed")


def part_memory(work):
    for name, mode in modes():
        mover, pids, release = flow(work, MEMORY_SESSIONS // 2)
        tool = mode("-p", pids, 1)
        time.sleep(2.5)
        say("memory", f"{name}, no session", memory_text(tool.pid), "5 MB")
        release()
        mover.expect(0)
        time.sleep(2.5)
        if isinstance(tool, Tmux) and "flow-" not in tool.capture():
            raise live.Failed("the screen does not show the load")
        say(
            "memory",
            f"{name}, after {MEMORY_SESSIONS} sessions in an interval",
            memory_text(tool.pid),
            "5 MB",
        )
        tool.stop()


def part_idle(_work):
    for name, mode in modes():
        tool = mode("-p", os.getpid(), 1)
        time.sleep(1.5)
        start, used = time.monotonic(), cpu_s(tool.pid)
        time.sleep(IDLE_S)
        used = (cpu_s(tool.pid) - used) / (time.monotonic() - start)
        say("idle", f"{name}, interval 1 s, of a core over {IDLE_S} s", f"{used:.3%}", "0.5%")
        tool.stop()


# --- many ---


class Reader(threading.Thread):
    """Reads all that a descriptor gives and when it came."""

    def __init__(self, descriptor):
        super().__init__(daemon=True)
        self.descriptor, self.chunks, self.times = descriptor, [], []
        self.start()

    def run(self):
        while True:
            try:
                chunk = os.read(self.descriptor, 1 << 20)
            except OSError:  # a terminal whose other side is closed
                break
            if not chunk:
                break
            self.times.append(time.monotonic())
            self.chunks.append(chunk)

    def burst_ends(self):
        """When output stopped for a while: one entry for each interval, and first one for the start's."""
        times = [*self.times, time.monotonic()]
        return [at for at, later in zip(times, times[1:]) if later - at > BURST_GAP_S]

    def wait_bursts(self, count, limit):
        live.wait_for(lambda: len(self.burst_ends()) >= count, limit, f"output for the {count}. time")
        return self.burst_ends()[count - 1]


def output_open(mode):
    """(descriptor to read, descriptor to give to the tool)"""
    if mode == "screen":
        near, far = pty.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", SCREEN[1], SCREEN[0], 0, 0))
    else:
        near, far = os.pipe()
        fcntl.fcntl(near, fcntl.F_SETPIPE_SZ, 1 << 20)
    return near, far


def sessions_seen(mode, reader):
    """On the screen only the first of them can be seen."""
    text = b"".join(reader.chunks)
    if mode == "json":
        return max(map(int, re.findall(rb'"sessions":(\d+)', text)))
    if mode == "text":
        return len(re.findall(rb"^\d+ +flow-", text, re.M))
    if b"flow-" not in text:
        raise live.Failed("the screen does not show the load")
    return MANY_SESSIONS
    return "a screenful" if b"flow-" in text else 0


def many(work, mode):
    """The loaded interval's output comes an interval after an idle one's, and later by what it costs."""
    mover, pids, release = flow(work, MANY_SESSIONS // 2 // MANY_PROCESSES, MANY_PROCESSES)
    near, far = output_open(mode)
    options = {"stdin": far, "env": {**os.environ, "TERM": "xterm-256color"}} if mode == "screen" else {}
    tool = live.Tcptop(
        "-o", mode, "-p", pids, "--max-sessions", 131072, MANY_INTERVAL_S, stdout=far, wait=False, **options
    )
    os.close(far)
    reader = Reader(near)
    tool.wait_attached()
    # text and screen begin with output that is no interval's
    before = reader.wait_bursts(2 if mode == "json" else 3, 5 * MANY_INTERVAL_S)
    used = cpu_s(tool.pid)
    release()
    mover.expect(0)
    moved_s = time.monotonic() - before
    after = reader.wait_bursts(len(reader.burst_ends()) + 1, 3 * MANY_INTERVAL_S)
    used = cpu_s(tool.pid) - used
    memory = memory_text(tool.pid)
    tool.send(signal.SIGINT)
    tool.expect(0)
    reader.join(5)
    os.close(near)
    if moved_s > MANY_INTERVAL_S - 0.1:
        raise live.Failed(f"the load took {moved_s:.1f} s, more than the interval")
    return after - before - MANY_INTERVAL_S, used, sessions_seen(mode, reader), memory


def part_many(work):
    for mode in ("screen", "text", "json"):
        late_s, used_s, seen, memory = many(work, mode)
        say(
            "many",
            f"{mode}: swap to last byte, above an idle one's",
            f"{late_s:.3f} s, {seen} sessions",
            "0.3 s",
        )
        say("many", f"{mode}: CPU time of that interval", f"{used_s:.3f} s; {memory}")


# --- cost ---


def cost_start(command):
    """The comparison programs, attached: (process, {program id: name})."""
    cost = live.Process(command, stdin=subprocess.PIPE)

    def names():
        if cost.popen.poll() is not None:
            raise live.Failed(cost.stderr.strip())
        return {number: name for name, number in re.findall(r"^(\w+) (\d+)$", cost.stdout.decode(), re.M)}

    live.wait_for(lambda: len(names()) == 7, 5, "the comparison programs attached")
    return cost, names()


def cost_round(command, ours_first, load=("move", "messages")):
    """{name of program: ns a run}. Who runs first at an event pays for what the others find in the cache."""
    if ours_first:
        tool = live.Tcptop("-C", 600)
    cost, names = cost_start(command)
    if not ours_first:
        tool = live.Tcptop("-C", 600)

    def figures():
        return {**programs_of(tool.pid), **programs_of(cost.pid)}

    before = figures()
    live.Mover(*load).expect(0)
    found = {}
    for number, (point, ns, runs) in figures().items():
        name = names.get(number, "tcptop " + point)
        found[name] = (ns - before[number][1]) / max(1, runs - before[number][2])
    cost.popen.stdin.close()
    cost.expect(0)
    tool.stop_text()
    return found


def part_cost(work):
    command = cost_build(work)
    cost_round(command, True)
    rounds = [cost_round(command, number % 2 == 0) for number in range(COST_ROUNDS)]
    for side, point in (("send", "sock_send_length"), ("receive", "sock_recv_length")):
        if any(f"tcptop {point}" not in figures for figures in rounds):
            raise live.Skipped(
                "the method in use here is not tracepoint: there is nothing to compare at one hook"
            )
        empty = [figures[f"empty_{side}"] for figures in rounds]
        say("cost", f"{side}: empty program, ns a run", spread(empty, 1, 1))
        above = {}
        for name, text in (
            (f"tcptop {point}", "tcptop"),
            (f"layout_{side}", "bcc's key and reads"),
            (f"calls_{side}", "and its socket store (its layout)"),
        ):
            above[text] = [figures[name] - figures[f"empty_{side}"] for figures in rounds]
            say(
                "cost",
                f"{side}: {text}, above empty",
                spread(above[text], 1, 1),
                "100" if text == "tcptop" else "",
            )
        ratios = [b / a for a, b in zip(above["tcptop"], list(above.values())[-1])]
        say("cost", f"{side}: bcc's layout to tcptop, times", spread(ratios, 1, 2))
    splice = [f.get("tcptop tcp_rcv_space_adjust", 0) - f["empty_receive"] for f in rounds]
    say("cost", "receive: splice accounting, above empty", spread(splice, 1, 1))
    for connections in COST_CONNECTIONS:
        load = ("threads", "--threads", connections, "--seconds", 1, "--size", 64)
        rounds = [cost_round(command, number % 2 == 0, load) for number in range(COST_ROUNDS)]
        for side, point in (("send", "sock_send_length"), ("receive", "sock_recv_length")):
            above = [figures[f"tcptop {point}"] - figures[f"empty_{side}"] for figures in rounds]
            say("cost", f"{side}: {connections} connections, a thread each, above empty", spread(above, 1, 1))


def part_sessions(_work):
    """Stages of an interval, ns of processor time a session."""
    program = os.path.join(os.path.dirname(live.program("TCPTOP")), "tests", "bench", "bench_sessions")
    if not os.path.exists(program):
        raise live.Skipped(f"{program} is not built (BUILD_TESTING)")
    for options in ((), ("-r",)):
        print("the same sessions in each interval:" if not options else "13 of 100 new each:")
        table = subprocess.run([program, *options], stdout=subprocess.PIPE, check=True, text=True).stdout
        print(table, end="", flush=True)
        lines = [line.replace("|", " ").split() for line in table.splitlines()]
        print(f"{'by the first line:':>8}")
        for line in lines[2:]:
            ratios = " ".join(f"{float(x) / float(first):7.2f}" for x, first in zip(line[1:], lines[1][1:]))
            print(f"{line[0]:>8} {ratios}", flush=True)


PARTS = {
    "start": part_start,
    "help": part_help,
    "memory": part_memory,
    "idle": part_idle,
    "many": part_many,
    "sessions": part_sessions,
    "cost": part_cost,
    "pair": part_pair,
    "rates": part_rates,
    "filters": part_filters,
    "sockets": part_sockets,
}


def environment_prepare(work):
    os.environ.setdefault("TCPTOP", os.path.join(ROOT, "build", "tcptop"))
    os.environ.setdefault("CHECK", os.path.join(os.path.dirname(os.environ["TCPTOP"]), "tcptop-check"))
    live.call(live.libc.unshare, CLONE_NEWNET)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def facts_print():
    with open("/proc/loadavg", encoding="ascii") as stream:
        load = stream.read().split()[0]
    kernel = os.uname()
    print(f"{kernel.sysname} {kernel.release} {kernel.machine}, {os.cpu_count()} CPUs, load average {load}.")
    print(
        "Where there are several figures: the median (least to greatest). The peers need kprobes or fentry:"
    )
    print("peers.sh compares with them on an emulated kernel.", flush=True)


def main():
    wanted = sys.argv[1:] or list(PARTS)
    if any(part not in PARTS for part in wanted):
        sys.exit(f"usage: run.py [PART]...    parts: {' '.join(PARTS)}")
    if os.geteuid() != 0:
        sys.exit("run.py: needs root")
    status = 0
    with tempfile.TemporaryDirectory(prefix="tcptop-bench-") as work:
        environment_prepare(work)
        facts_print()
        for part in wanted:
            try:
                PARTS[part](work)
            except live.Skipped as reason:
                say(part, "skipped", str(reason))
            except (live.Failed, OSError, subprocess.SubprocessError) as reason:
                say(part, "could not be measured", str(reason))
                status = 1
            finally:
                live.kill_started()
    return status


if __name__ == "__main__":
    sys.exit(main())
