#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Long runs while connections, processes and names come and go: memory, descriptors and threads stay as many as they were after a third of it.

Environment: SOAK, how many intervals of 10 ms (300 by default; 10000 takes some ten minutes in all).
"""
import json
import os
import pty
import socket
import statistics
import subprocess
import sys
import threading
import time

from faults import ENVIRONMENT, case, check, die_with_parent, main, prepare, program, stage

INTERVALS = int(os.environ.get("SOAK", "300"))
INTERVAL_S = 0.01
SESSIONS, GROUPS = 40, 50
SCREEN_FLAT_AFTER = 2000  # intervals: it has so many rows and minutes by then that the oldest ones go
SCREEN_MOST_KB = 40000
GROWTH_KB = 300  # of the allocator's, by chance; 10,000 intervals that lost 1 KB each would be 6,000 from a third on


def churn(intervals):
    """Lines of a recording: every connection and process is new in each interval; a recording's cgroups are remembered to the end."""
    for interval in range(intervals):
        stamp = {"time": f"2026-11-22T{interval // 3600 % 24:02}:{interval // 60 % 60:02}:{interval % 60:02}.000Z", "interval_s": INTERVAL_S}
        for index in range(SESSIONS):
            number = interval * SESSIONS + index
            yield {"type": "session", **stamp, "pid": 1 + number % 4_000_000, "comm": f"w{number}", "family": 4, "laddr": f"10.{index}.0.1",
                   "lport": 1 + number % 65535, "raddr": f"192.0.{number // 256 % 256}.{number % 256}", "rport": 443, "netns": 1,
                   "rx_bytes": 1000, "tx_bytes": 2000, "uid": 0, "cgroup_id": 1 + number % GROUPS, "mntns": 1}
        yield {"type": "cgroup", **stamp, "cgroup_id": 1 + interval % GROUPS, "path": f"/made-{interval % GROUPS}.service"}
        yield {"type": "interval", **stamp, "rx_bytes": 0, "tx_bytes": 0, "probe": "tracepoint", "not_counted": [], "missed_runs": 0}


class Sample:
    """What a process holds from a third of its run on, read ten times a second."""

    def __init__(self, pid):
        self.pid, self.resident_kb, self.others = pid, [], []

    def take(self):
        try:
            with open(f"/proc/{self.pid}/status", encoding="utf-8", errors="replace") as stream:
                facts = dict(line.split(":", 1) for line in stream)
            self.resident_kb.append(int(facts["VmRSS"].split()[0]))
            self.others.append((facts["Threads"].strip(), len(os.listdir(f"/proc/{self.pid}/fd"))))
        except (FileNotFoundError, ProcessLookupError, KeyError):
            return False  # it has ended
        return True

    def check(self, what, most_kb=None):
        """Returns what was found. most_kb: so much at the end, where it is not yet to be flat."""
        check(len(self.resident_kb) >= 6, f"{what}: only {len(self.resident_kb)} samples")
        part = len(self.resident_kb) // 3
        early, late = (statistics.median(x) for x in (self.resident_kb[part : 2 * part], self.resident_kb[-part:]))
        check(late <= (most_kb or early + GROWTH_KB), f"{what}: {early} kB resident became {late}: {self.resident_kb}")
        common = statistics.mode(self.others)
        check(self.others.count(common) * 2 > len(self.others), f"{what}: threads and descriptors change: {self.others}")
        return f"{early:.0f} kB resident, then {late:.0f}; {common[0]} threads, {common[1]} descriptors"


def start(arguments, terminal=False):
    """The process, and the descriptor that what it prints comes from."""
    ours, theirs = pty.openpty() if terminal else os.pipe()
    process = subprocess.Popen(
        [program("TCPTOP"), *arguments], env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=theirs, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent
    )
    os.close(theirs)

    def drain():
        try:
            while os.read(ours, 1 << 16):
                pass
        except OSError:
            pass  # a terminal that nobody has any more
        os.close(ours)

    threading.Thread(target=drain, daemon=True).start()
    return process


def watch(process, seconds):
    """From a third of the time on, and until then."""
    sample, begin = Sample(process.pid), time.monotonic()
    while process.poll() is None and time.monotonic() < begin + seconds:
        time.sleep(0.05)
        if time.monotonic() > begin + seconds / 3 and not sample.take():
            break
    return sample


@case
def recordings():
    """As fast as they are taken, and on the screen at their pace; fed so that the run takes the time that it recorded."""
    for arguments, terminal in (
        (("-o", "json", "--replay", "-"), False), (("-o", "openmetrics", "--replay", "-"), False), (("-o", "csv", "--replay", "-"), False),
        (("--replay", "-", "--no-final"), True),
    ):
        process = start(arguments, terminal)

        def feed(stream):
            end = time.monotonic()
            try:
                for line in churn(INTERVALS):
                    stream.write(json.dumps(line).encode() + b"\n")
                    if line["type"] == "interval":
                        stream.flush()
                        end += INTERVAL_S
                        time.sleep(max(0, end - time.monotonic()))
                stream.close()
            except BrokenPipeError:
                pass

        threading.Thread(target=feed, args=(process.stdin,), daemon=True).start()
        sample = watch(process, INTERVALS * INTERVAL_S)
        process.terminate()
        check(process.wait(20) == 0, f"{arguments}: ended with {process.returncode}")
        most_kb = SCREEN_MOST_KB if terminal and INTERVALS < SCREEN_FLAT_AFTER else None
        yield "passed", " ".join(arguments), f"{INTERVALS} intervals: {sample.check(arguments, most_kb)}"


@case
def this_host():
    """Connections that live for some milliseconds, while it looks ten times faster than it is meant to."""
    stop = threading.Event()

    def connect():
        with socket.create_server(("127.0.0.1", 0)) as server:
            while not stop.is_set():
                with socket.create_connection(server.getsockname()) as client:
                    peer, _ = server.accept()
                    with peer:
                        client.sendall(b"x" * 1000)
                        peer.recv(2000)
                time.sleep(0.002)

    load = threading.Thread(target=connect, daemon=True)
    load.start()
    for arguments in (("-C", "0.01"), ("-o", "json", "-a", "--connections", "0.01")):
        process = start(arguments)
        time.sleep(2)  # it compiles
        sample = watch(process, INTERVALS * INTERVAL_S)
        process.terminate()
        check(process.wait(20) == 0, f"{arguments}: ended with {process.returncode}")
        yield "passed", " ".join(arguments), f"{INTERVALS} intervals: {sample.check(arguments)}"
    stop.set()
    load.join()


if __name__ == "__main__":
    stage()
    sys.exit(main(7200, prepare))
