#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Situations that are made on purpose, anew for each run: is the cause that tcptop names the right one?

usage: test_situations.py [--runs N] [--only SITUATION] [CASE...]

For each situation it is judged whether the cause with the greatest share is the right one, how far the shares are from what the
socket's own TCP_INFO says of the same time, and, where the truth is known, how far from that.
"""
import collections
import contextlib
import datetime
import json
import os
import socket
import sys
import threading
import time

from live import SLOWNESS, Failed, Skipped, Tcptop, case, check, main, needs_root, seconds, wait_for

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import schema  # noqa: E402
from wires import Namespaces, has_netem, tcp_info

EMULATED = SLOWNESS >= 2
RUNS = 1 if EMULATED else 5
INTERVAL_S = 2 if EMULATED else 0.5
SETTLED_S = 4 if EMULATED else 1.3  # the first SYN is sent again after 1 s
PASSES = 1 if EMULATED else 2  # over sockets, of a run; there is not always one in an interval
LATE_MS = 500 if EMULATED else 50  # much longer than it takes to fill a buffer
RIGHT = 0.95
POINTS = 5
JIFFY_S = 0.01  # of the slowest usual clock
LEAKED = 20
SO_RCVBUFFORCE = 33
CAUSES = ("app", "peer", "buffer", "loss", "queue", "reader", "remote", "idle")

# Name, the cause that is right, the least of its share that is true for certain.
Situation = collections.namedtuple("Situation", "name cause least make")
situations = []


def situation(cause, least):
    """Decorator: the function makes it and returns the session to look at: (socket, whether its TCP_INFO tells)."""

    def add(function):
        situations.append(Situation(function.__name__, cause, least, function))
        return function

    return add


class Stage:
    """What all runs share: namespaces and wires; and what a run opens, which its end closes."""

    def __init__(self):
        self.spaces = Namespaces()
        self.netem = has_netem()
        self.wires = {}
        self.sockets = []
        self.over = threading.Event()

    def wire(self, name, make):
        """The address there. A wire that cannot be made is tried once: its reason is kept."""
        if name not in self.wires:
            try:
                self.wires[name] = make(len(self.wires) + 1)
            except Skipped as reason:
                self.wires[name] = reason
        if isinstance(self.wires[name], Skipped):
            raise self.wires[name]
        return self.wires[name]

    def far(self, name, delay_ms, loss_pct=0):
        """A wire with a delay to the other end and back, and a loss."""
        if self.netem:
            loss = f" loss {loss_pct}%" if loss_pct else ""
            return self.wire(name, lambda n: self.spaces.veth(n, f"netem delay {delay_ms}ms{loss} limit 10000"))
        return self.wire(name, lambda n: self.spaces.carried(n, delay_ms / 2000, loss_pct / 100))

    def keep(self, thing):
        self.sockets.append(thing)
        return thing

    def listen(self, address="127.0.0.1", backlog=16, receive_buffer=0):
        with self.spaces.inside_there() if address != "127.0.0.1" else contextlib.nullcontext():
            listener = self.keep(socket.socket())
        if receive_buffer:
            listener.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, receive_buffer)
        listener.bind((address, 0))
        listener.listen(backlog)
        return listener

    def connect(self, listener, send_buffer=0):
        client = self.keep(socket.socket())
        if send_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        # The same on every host, and always there. BBR holds packets back, which is waiting of another kind.
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
        client.connect(listener.getsockname())
        return client, self.keep(listener.accept()[0])

    def start(self, function, *arguments):
        def work():
            with contextlib.suppress(OSError):  # closed at the end of the run
                function(*arguments)

        threading.Thread(target=work, daemon=True).start()

    def send_all_the_time(self, connection):
        connection.settimeout(None)
        chunk = b"x" * 65536
        while not self.over.is_set():
            connection.send(chunk)

    def read_all_the_time(self, connection):
        while not self.over.is_set() and connection.recv(1 << 20):
            pass

    def end_run(self):
        self.over.set()
        for each in self.sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)  # wakes who waits in it
            each.close()
        self.sockets, self.over = [], threading.Event()


def pump(stage, address, **options):
    """All the time, to who reads all the time and has room for all that the wire holds."""
    listener = stage.listen(address, receive_buffer=1 << 24)
    client, server = stage.connect(listener, **options)
    stage.start(stage.send_all_the_time, client)
    stage.start(stage.read_all_the_time, server)
    return client


@situation("peer", 90)
def slow_reader(stage):
    client, _ = stage.connect(stage.listen(receive_buffer=65536))
    stage.start(stage.send_all_the_time, client)
    return client


@situation("reader", 90)
def does_not_read(stage):
    client, server = stage.connect(stage.listen(receive_buffer=65536))
    stage.start(stage.send_all_the_time, client)
    return server


@situation("buffer", 80)
def small_send_buffer(stage):
    if not stage.netem:
        raise Skipped("needs netem: a wire of this test's own loses packets where it is late")
    return pump(stage, stage.far("late", LATE_MS), send_buffer=16384)


@situation("queue", 90)
def slow_link(stage):
    address = stage.wire("slow", lambda n: stage.spaces.veth(n, "tbf rate 10mbit burst 16kb limit 10mb"))
    return pump(stage, address)


@situation("loss", 60)
def loss(stage):
    return pump(stage, stage.far("lossy", 20, 2))


@situation("app", 90)
def application_limited(stage):
    client, server = stage.connect(stage.listen())

    def now_and_then(over):
        while not over.wait(0.1):
            client.send(b"x" * 10000)

    stage.start(now_and_then, stage.over)
    stage.start(stage.read_all_the_time, server)
    return client


@situation("idle", 99)
def idle(stage):
    client, server = stage.connect(stage.listen())
    client.send(b"x")
    server.recv(1)
    return client


@situation("peer", 0)
def reads_now_and_then(stage):
    """Neither all nor nothing: what the socket says itself is the truth."""
    client, server = stage.connect(stage.listen(receive_buffer=65536))

    def read_late(over):
        while not over.wait(0.18):
            end = time.monotonic() + 0.06
            while time.monotonic() < end and server.recv(1 << 20):
                pass

    stage.start(stage.send_all_the_time, client)
    stage.start(read_late, stage.over)
    return client


@situation("idle", 99)
def close_wait_leak(stage):
    listener = stage.listen(backlog=LEAKED)
    pairs = [stage.connect(listener) for _ in range(LEAKED)]
    for _, server in pairs:
        server.close()
    return pairs[0][0]


def begin_to_connect(stage, address):
    client = stage.keep(socket.socket())
    client.setblocking(False)
    client.connect_ex(address)
    return client


@situation("loss", 99)
def dropped_syn(stage):
    return begin_to_connect(stage, (stage.wire("dead", stage.spaces.dead), 80))


@situation("loss", 99)
def full_backlog(stage):
    """Two are in the queue of one; whoever else comes gets no answer."""
    listener = stage.listen(backlog=1)
    for _ in range(2):
        stage.keep(socket.create_connection(listener.getsockname()))
    return begin_to_connect(stage, listener.getsockname())


# ---- runs ----


class Watched:
    """One situation of a run: its session's lines, and what TCP_INFO said meanwhile."""

    def __init__(self, made, connection):
        self.situation = made
        self.connection = connection
        self.lport = connection.getsockname()[1]
        with contextlib.suppress(OSError):
            self.rport = connection.getpeername()[1]
        self.rport = getattr(self, "rport", None)
        self.netns = os.stat("/proc/thread-self/ns/net").st_ino
        self.samples = []

    def sample(self):
        with contextlib.suppress(OSError):
            self.samples.append((time.time(), tcp_info(self.connection)))

    def is_line(self, line):
        return line["lport"] == self.lport and self.rport in (None, line["rport"]) and line["rport"]

    def info_at(self, moment):
        """Between two samples in proportion."""
        for (before, old), (after, new) in zip(self.samples, self.samples[1:]):
            if before <= moment <= after:
                part = (moment - before) / (after - before)
                return [x + (y - x) * part for x, y in zip(old, new)]
        raise Failed(f"{self.situation.name}: TCP_INFO was not read at that time")

    def info_shares(self, begin, end):
        """In percent of that time: peer, and what else is busy."""
        busy, peer, _ = (y - x for x, y in zip(self.info_at(begin), self.info_at(end)))
        return [100 * x / (end - begin) for x in (peer, busy - peer)]


def moment_of(line):
    return datetime.datetime.fromisoformat(line["time"].replace("Z", "+00:00")).timestamp()


class Score:
    def __init__(self):
        self.runs, self.right, self.wrong = 0, 0, collections.Counter()
        self.off_info, self.below = [], 0

    def text(self):
        wrong = "".join(f", {count} {cause}" for cause, count in self.wrong.items())
        off = sorted(self.off_info)
        compared = f"; TCP_INFO: {off[len(off) // 2]:.1f} points off (median), {off[-1]:.1f} at most" if off else ""
        return f"{self.right} of {self.runs} right{wrong}, {self.below} with too small a share{compared}"


def judge(watched, passes, score):
    """passes: (begin, end, the lines of the sessions) of each."""
    name = watched.situation.name
    found = [x for _, _, lines in passes for x in lines if watched.is_line(x)]
    score.runs += 1
    if len(found) != len(passes) or any(x.get("why") is None for x in found):
        score.wrong[f"told {len(found)} times"] += 1
        return
    shares = {x: sum(line.get(f"{x}_pct", 0) for line in found) / len(found) for x in CAUSES}
    cause = max(shares, key=shares.get)
    if cause == watched.situation.cause:
        score.right += 1
    else:
        score.wrong[cause] += 1
        print(f"# {name}: {shares}", flush=True)
    score.below += shares[watched.situation.cause] < watched.situation.least - POINTS
    if found[0]["state"] != "SYN_SENT":
        # What the kernel's clock of a full buffer misses, tcptop finds: together they are the same.
        told = (shares["peer"], shares["buffer"] + shares["loss"] + shares["queue"])
        truth = watched.info_shares(passes[0][0], passes[-1][1])
        score.off_info.append(max(abs(x - y) for x, y in zip(told, truth)))


class Passes:
    """What a running tcptop told of passes over sockets. Each line is read once: loads run in this process, too."""

    def __init__(self, tcptop):
        self.descriptor = tcptop.files[0].fileno()
        self.offset = 0
        self.lines = []
        self.all = []  # (begin, end, lines of sessions)

    def read(self):
        size = os.fstat(self.descriptor).st_size
        text = os.pread(self.descriptor, size - self.offset, self.offset)
        text = text[: text.rfind(b"\n") + 1]
        self.offset += len(text)
        for line in map(json.loads, text.splitlines()):
            if line["type"] == "session":
                self.lines.append(line)
            if line["type"] != "interval":
                continue
            end, passed_s = moment_of(line), line.get("sockets_passed_ns", 0) / 1e9
            if passed_s:
                self.all.append((end - passed_s, end, self.lines))
            self.lines = []

    def complete(self, since):
        """The first PASSES that tell of a time that began after that; None: they are not over."""
        self.read()
        found = [x for x in self.all if x[0] >= since]
        return found[:PASSES] if len(found) >= PASSES else None


def run_once(stage, passes, chosen, scores):
    watched = [Watched(made, made.make(stage)) for made in chosen]
    settled = time.time() + SETTLED_S
    found = None
    while not found:
        for each in watched:
            each.sample()
        time.sleep(0.02)
        if time.time() > settled:
            found = passes.complete(settled)
            check(time.time() < settled + seconds(20), "no passes over sockets")
    for each in watched:
        each.sample()
        judge(each, found, scores[each.situation.name])
    passes.all.clear()
    stage.end_run()


stage_of_all = []


def stage():
    """One for all cases: wires take time."""
    if not stage_of_all:
        stage_of_all.append(Stage())
    return stage_of_all[0]


def possible(on):
    """Those situations that can be made here, and why others cannot."""
    chosen, others = [], []
    for made in situations:
        try:
            made.make(on)
            chosen.append(made)
        except Skipped as reason:
            others.append((made.name, str(reason)))
    on.end_run()
    return chosen, others


@case
def causes():
    on = stage()
    chosen, others = possible(on)
    for name, reason in others:
        yield "skipped", name, reason
    scores = {made.name: Score() for made in chosen}
    tcptop = Tcptop("-a", "-o", "json", INTERVAL_S)
    passes = Passes(tcptop)
    for _ in range(RUNS):
        run_once(on, passes, chosen, scores)
    tcptop.stop()
    for name, score in scores.items():
        bad_info = sum(x > POINTS for x in score.off_info)
        good = score.right >= RIGHT * score.runs and score.below <= (1 - RIGHT) * score.runs + 0.001
        good = good and bad_info <= (1 - RIGHT) * score.runs + 0.001
        yield "passed" if good else "failed", name, score.text()


@case
def equal_to_tcp_info():
    """A phase of a known length between two that are still: no edge of an interval cuts it."""
    on = stage()
    client, server = on.connect(on.listen(receive_buffer=65536))
    client.setblocking(False)
    tcptop = Tcptop("-a", "-o", "json", INTERVAL_S / 2)
    watched = Watched(Situation("phase", "peer", 0, None), client)

    def told():
        return [x for x in tcptop.lines() if x["type"] == "session" and watched.is_line(x) and "why" in x]

    wait_for(lambda: len(told()) >= 2, 10, "told of")
    first = tcp_info(client)
    began = len(told())
    with contextlib.suppress(BlockingIOError):
        while True:
            client.send(b"x" * 65536)
    time.sleep(1.0)
    on.start(on.read_all_the_time, server)
    time.sleep(seconds(0.3))
    count = len(told())
    wait_for(lambda: len(told()) >= count + 3, 10, "told of the end")
    last = tcp_info(client)
    lines = tcptop.stop()
    pauses = {x["time"]: x["sockets_passed_ns"] / 1e9 for x in lines if x.get("sockets_passed_ns")}
    rows = [x for x in lines if x["type"] == "session" and watched.is_line(x) and "why" in x][began:]
    on.end_run()
    peer = sum(x.get("peer_pct", 0) / 100 * pauses[x["time"]] for x in rows)
    truth = last[1] - first[1]
    # Each row is rounded to a percent.
    allowed = 2 * JIFFY_S + 0.005 * sum(pauses[x["time"]] for x in rows if x.get("peer_pct", 0) not in (0, 100))
    yield (
        "passed" if abs(peer - truth) <= allowed else "failed",
        "peer",
        f"{peer * 1000:.1f} ms, TCP_INFO {truth * 1000:.1f} ms, allowed {allowed * 1000:.1f} ms apart",
    )


@case
def diagnosed():
    """All at once: each is among the findings, with its numbers. Of two ends of this host the one that is the cause is."""
    on = stage()
    chosen, _ = possible(on)
    kinds = {"slow_reader": "reader", "small_send_buffer": "buffer", "slow_link": "queue",
             "loss": "loss", "close_wait_leak": "close_wait", "dropped_syn": "unanswered", "full_backlog": "backlog"}
    for made in chosen:
        if made.name in kinds:
            made.make(on)
    time.sleep(SETTLED_S)
    tcptop = Tcptop("--diagnose", "-o", "json", "-p", os.getpid(), wait=False)
    tcptop.expect(0, 30)
    lines = tcptop.lines()
    check(not schema.faults(lines), f"against the schema: {schema.faults(lines)}")
    findings = [x for x in lines if x["type"] == "finding"]
    check(lines[-1]["type"] == "diagnosis" and lines[-1]["findings"] == len(findings) <= 10, f"{lines[-1]}")
    weights = [x["rank"] for x in findings]
    check(weights == list(range(1, len(findings) + 1)), f"ranks {weights}")
    on.end_run()
    for name, kind in kinds.items():
        if name not in {made.name for made in chosen}:
            continue
        own = [x for x in findings if x["kind"] == kind and x["pid"] == os.getpid()]
        good = bool(own) and {
            "close_wait": lambda x: x["connections"] == LEAKED,
            "unanswered": lambda x: x["retries"] >= 1,
            "backlog": lambda x: x["backlog"] > x["backlog_max"],
        }.get(kind, lambda x: x["share_pct"] >= 50)(own[0])
        yield "passed" if good else "failed", name, own[0]["text"] if own else f"no {kind} of {[x['kind'] for x in findings]}"


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] == "--runs":
        RUNS = int(sys.argv[2])
        del sys.argv[1:3]
    if len(sys.argv) > 2 and sys.argv[1] == "--only":
        situations = [made for made in situations if made.name == sys.argv[2]]
        del sys.argv[1:3]
    sys.exit(main(60 + 4 * RUNS * INTERVAL_S * 2, needs_root))
