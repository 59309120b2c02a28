#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""In the emulated machine: tcptop and Debian's two tools of that name on the same loads, one after the other.

usage: peers_guest.py DIRECTORY [PATH]...    DIRECTORY: where the peers' packages are unpacked

Prints a Markdown table on standard output, what it is doing on standard error. A load that cannot run
here, or does not end in time, stands there with the reason.
TCPTOP, CHECK and TCPTOP_SLOWNESS: as for the live tests.
"""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "live"))

import live  # noqa: E402

INTERVAL_S = 3
START_LIMIT_S, TOOL_LIMIT_S = 400, 420
# In their first call before the tool starts.
BLOCKED = {
    "blocked_recv": "a receive that waited before the start",
    "blocked_send": "a send that waited before the start",
}
ROW = re.compile(rb"^(\d+) +.*? (\S+:\d+) +(\S+:\d+) +(-?\d+) +(-?\d+) *$", re.M)
FLOW_CONNECTIONS, FLOW_BYTES = 6000, 5120
WHOLE_KB = ("flow",)  # one call moves whole KB in each session: nothing that is missing there is rounding
OPEN_MAX = 0.01
SLEEPERS, SLEEPER_BYTES = 40, 500009
THREADS = ("--threads", "4", "--seconds", "10")


def progress(*words):
    print(f"peers: {time.monotonic():.0f} s:", *words, file=sys.stderr, flush=True)


class Counts:
    """What a tool reported: bytes and, because KB are floored, how many more they may be."""

    def __init__(self):
        self.rx, self.tx, self.rows, self.sessions = 0, 0, 0, set()

    def add(self, rx, tx, session):
        self.rx, self.tx, self.rows = self.rx + rx, self.tx + tx, self.rows + 1
        self.sessions.add(session)


class Tool:
    """One of the programs that are compared, started and traced by its output."""

    def __init__(self, name, command, kilobytes=True, **options):
        self.name, self.kilobytes = name, kilobytes
        start = time.monotonic()
        self.process = live.Process(command, **options)
        end = start + START_LIMIT_S
        while not self.ready():
            live.check(
                self.process.popen.poll() is None, f"{name} ended: {self.process.stderr.strip()[-300:]}"
            )
            live.check(time.monotonic() < end, f"{name} did not start in {START_LIMIT_S} s")
            time.sleep(0.05)
        self.start_s = time.monotonic() - start
        # libbpf-tools says nothing when it has attached: its first interval is the sign
        if b"Tracing" not in self.process.stdout and kilobytes:
            live.wait_for(
                lambda: self.process.stdout, START_LIMIT_S / live.SLOWNESS, f"{name}'s first interval"
            )

    def ready(self):
        if self.name.startswith("tcptop") or "libbpf" in self.name:
            return live.holds_programs(self.process.pid)
        return b"Tracing" in self.process.stdout

    def rss_mb(self):
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as stream:
            return int(re.search(r"^VmRSS:\s+(\d+)", stream.read(), re.M)[1]) / 1024

    def stop(self):
        """All that was shown, as {PID: Counts}."""
        time.sleep(2.2 * INTERVAL_S)
        self.process.send(signal.SIGINT)
        self.process.wait(60 / live.SLOWNESS)
        found = {}
        for pid, rx, tx, session in self.rows():
            found.setdefault(pid, Counts()).add(rx, tx, session)
        return found

    def declared(self):
        """What tcptop said that it could not count; the peers say nothing."""
        if self.kilobytes:
            return "nothing"
        intervals = live.intervals(self.process.lines())
        gaps = sorted({name for line in intervals for name in line["not_counted"]})
        return f"{', '.join(gaps) or 'nothing'}; {sum(line['missed_runs'] for line in intervals)} missed runs"

    def rows(self):
        if not self.kilobytes:
            for line in live.sessions(self.process.lines()):
                yield line["pid"], line["rx_bytes"], line["tx_bytes"], (
                    line["laddr"],
                    line["lport"],
                    line["rport"],
                )
            return
        for pid, local, remote, rx, tx in ROW.findall(self.process.stdout):
            yield int(pid), int(rx) * 1024, int(tx) * 1024, (local, remote)


def ours(method):
    def start():
        command = [live.program("TCPTOP"), "-o", "json", "--probe", method, str(INTERVAL_S)]
        return Tool(f"tcptop, {method}", command, False)

    return start


def bcc(directory):
    def start():
        env = {**os.environ, "PYTHONPATH": os.path.join(directory, "usr/lib/python3/dist-packages")}
        command = ["/usr/bin/python3", "-u", os.path.join(directory, "usr/sbin/tcptop-bpfcc")]
        return Tool("bcc", [*command, "-C", str(INTERVAL_S)], env=env)

    return start


def libbpf_tools(directory):
    def start():
        command = [
            "stdbuf",
            "-oL",
            os.path.join(directory, "usr/sbin/tcptop"),
            "-C",
            "-r",
            "10000",
            str(INTERVAL_S),
        ]
        return Tool("libbpf-tools", command)

    return start


# --- loads: each returns its truth, {PID: [rx, tx]}, and how many sessions that is ---


def truth_of(lines):
    truth, sessions = {}, 0
    for line in lines:
        if "event" in line or "side" not in line:
            continue
        entry = truth.setdefault(line["pid"], [0, 0])
        entry[0] += line["rx_bytes"]
        entry[1] += line["tx_bytes"]
        sessions += 1
    return truth, sessions


def mover_finish(mover):
    code = mover.wait(90 / live.SLOWNESS)
    skipped = [line["skipped"] for line in mover.lines() if "skipped" in line]
    if skipped:
        raise live.Skipped(skipped[0])
    live.check(code == 0, mover.stderr.strip())
    return truth_of(mover.lines())


def mover_load(*arguments):
    return lambda: mover_finish(live.Mover(*arguments))


def sleepers_load():
    """Each thread in one blocking send that is longer than what the socket's buffers take, all at once."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    server.bind(("127.0.0.1", 0))
    server.listen(SLEEPERS)
    sent, received, pairs = [], 0, []

    def send(connection):
        sent.append(connection.send(b"s" * SLEEPER_BYTES))

    for _ in range(SLEEPERS):
        near = socket.socket()
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
        near.connect(server.getsockname())
        pairs.append((near, server.accept()[0]))
    threads = [threading.Thread(target=send, args=(near,)) for near, _ in pairs]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    for _, far in pairs:
        left = SLEEPER_BYTES
        while left:
            left -= len(far.recv(left))
        received += SLEEPER_BYTES
    for thread in threads:
        thread.join()
    print(json.dumps({"pid": os.getpid(), "side": "sender", "tx_bytes": sum(sent), "rx_bytes": received}))


def sleepers_start():
    process = live.Process([sys.executable, os.path.abspath(__file__), "--sleepers"])
    live.check(process.wait(60 / live.SLOWNESS) == 0, process.stderr.strip())
    return truth_of(process.lines())[0], 2 * SLEEPERS


def flow_start():
    return mover_finish(live.Mover("flow", "--connections", FLOW_CONNECTIONS, "--bytes", FLOW_BYTES))


EXTRA = {
    "sleepers": (f"{SLEEPERS} threads asleep in one send each", sleepers_start),
    "threads_load": (
        "4 threads on one socket for 10 s, sum of the intervals",
        mover_load("threads", *THREADS),
    ),
    "flow": (f"{FLOW_CONNECTIONS:,} connections: bytes", flow_start),
}


def paths_list(wanted):
    """{id: title} of those that can run here."""
    listing = subprocess.run(
        [live.program("CHECK"), "list"], stdout=subprocess.PIPE, check=True, text=True
    ).stdout
    found = {}
    for line in listing.splitlines():
        name, _, title, state, _ = line.split("\t")
        if wanted and name not in wanted:
            continue
        if state == "available":
            found[name] = BLOCKED.get(name, title)
        else:
            print(f"Not run: {title}: {state}\n")
    found.update({name: title for name, (title, _) in EXTRA.items() if not wanted or name in wanted})
    return found


# --- one tool on all loads ---


class Measured:
    def __init__(self):
        self.name, self.start_s, self.rss_mb, self.failure = "", 0.0, 0.0, ""
        self.truths, self.reasons, self.counts = {}, {}, {}
        self.kilobytes, self.declared = True, ""


def load_run(measured, name, load, tries=3):
    """Again when the movers ran out of time: they have 5 s, also on an emulated machine beside other work."""
    for _ in range(tries):
        try:
            measured.truths[name] = load()
            return
        except live.Skipped as reason:
            measured.reasons[name] = str(reason)
            return
        except live.Failed as reason:
            measured.reasons[name] = str(reason)
            progress(name, reason)


def measure(start_tool, paths):
    measured = Measured()
    held = {name: live.Mover("move", name, "--hold") for name in BLOCKED if name in paths}
    for mover in held.values():
        mover.wait_event("holding", 60 / live.SLOWNESS)
    tool = start_tool()
    end = time.monotonic() + TOOL_LIMIT_S
    measured.name, measured.start_s = tool.name, tool.start_s
    progress(tool.name, f"started in {tool.start_s:.2f} s")
    for name, mover in held.items():
        mover.release()
        load_run(measured, name, lambda: mover_finish(mover), 1)  # pylint: disable=cell-var-from-loop
    for name in paths:
        if name in held:
            continue
        if time.monotonic() > end:
            measured.reasons[name] = f"no time left of {TOOL_LIMIT_S} s"
            continue
        load = EXTRA[name][1] if name in EXTRA else mover_load("move", name)
        load_run(measured, name, load)
    measured.rss_mb = tool.rss_mb()
    measured.counts = tool.stop()
    measured.declared = tool.declared()
    measured.kilobytes = tool.kilobytes
    progress(tool.name, f"done: {sum(x.rows for x in measured.counts.values())} rows")
    return measured


# --- the tables ---


def ratio(measured, name, index):
    """Reported by true bytes, of the processes that moved any: "1" when exact.

    Of floored KB the truth may be up to 1,023 bytes a row more. Where that leaves more than OPEN_MAX of it
    open, it would hide a loss of that size: then it is not called exact, but "~1".
    """
    truth, _ = measured.truths[name]
    true = reported = slack = 0
    for pid, moved in truth.items():
        if not moved[index]:
            continue
        counts = measured.counts.get(pid, Counts())
        true += moved[index]
        reported += (counts.rx, counts.tx)[index]
        slack += 1023 * counts.rows if measured.kilobytes and name not in WHOLE_KB else 0
    if not true:
        return ""
    if reported <= true <= reported + slack:
        return "1" if slack <= OPEN_MAX * true else "~1"
    return f"{reported / true:.3g}"


def cell(measured, name):
    if name not in measured.truths:
        return measured.reasons.get(name, "not run")
    found = [text for text in (ratio(measured, name, 1), ratio(measured, name, 0)) if text]
    return found[0] if len(set(found)) == 1 and found[0] in ("1", "~1") else " / ".join(found)


def sessions_cell(measured, name):
    truth, _ = measured.truths.get(name, ({}, 0))
    return str(sum(len(measured.counts[pid].sessions) for pid in truth if pid in measured.counts))


def truth_cell(runs, name):
    found = set()
    for measured in runs:
        if name in measured.truths:
            truth, _ = measured.truths[name]
            found.add(" / ".join(f"{sum(x[i] for x in truth.values()):,}" for i in (1, 0)))
    if len(found) > 1:
        return "not the same for each"
    return found.pop() if found else "not run"


def row_print(cells):
    print("| " + " | ".join(str(x).replace("|", "\\|").replace("\n", " ") for x in cells) + " |", flush=True)


def tables_print(runs, paths):
    names = [measured.name for measured in runs]
    row_print(["path", "bytes sent / received", *names])
    row_print(["---"] * (2 + len(names)))
    for name, title in paths.items():
        row_print([title, truth_cell(runs, name), *(cell(measured, name) for measured in runs)])
    for name, what in (
        ("sleepers", "the sleeping threads: rows shown of {}"),
        ("flow", "the connections: rows shown of {}"),
    ):
        sessions = [measured.truths[name][1] for measured in runs if name in measured.truths]
        if sessions:
            row_print(
                [what.format(f"{sessions[0]:,}"), "", *(sessions_cell(measured, name) for measured in runs)]
            )
    row_print(["declared as not counted", "", *(measured.declared for measured in runs)])
    row_print(["start, s (emulated)", "", *(f"{measured.start_s:.1f}" for measured in runs)])
    row_print(["resident memory, MB", "", *(f"{measured.rss_mb:.1f}" for measured in runs)])


def main():
    if sys.argv[1:] == ["--sleepers"]:
        sleepers_load()
        return 0
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    directory, wanted = os.path.abspath(sys.argv[1]), sys.argv[2:]
    paths = paths_list(wanted)
    runs, status = [], 0
    for start_tool in (ours("fentry"), ours("kprobe"), libbpf_tools(directory), bcc(directory)):
        try:
            runs.append(measure(start_tool, paths))
        except (live.Failed, OSError) as reason:
            print(f"Not run: {reason}\n", flush=True)
            status = 1
        live.kill_started()
    tables_print(runs, paths)
    return status


if __name__ == "__main__":
    sys.exit(main())
