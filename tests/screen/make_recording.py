#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Recordings (JSON Lines as -o json writes them) for the screen's tests, benchmark and picture.

    make_recording.py demo [INTERVALS]        a host with typical traffic
    make_recording.py many SESSIONS [INTERVALS [INTERVAL_S]]
    make_recording.py odd                     names and addresses that are hard to show
    make_recording.py extremes [INTERVAL_S]   names of no letter, and the largest amounts
    make_recording.py pauses [INTERVAL_S]     a connection that moves 1,000,000 bytes six times, idle for 60 intervals between
    make_recording.py short [INTERVAL_S]      800 connections of one process, one after the other, 1,000 bytes each way
    make_recording.py turns [INTERVALS [INTERVAL_S]]
                                              one process: ten connections of 1,000,000 bytes, one after the other, and
                                              one of a byte an interval
    make_recording.py churn [INTERVAL_S]      20,000 connections of 300 processes, hosts, containers: 1,000 bytes in each
    make_recording.py ends [INTERVAL_S]       of five connections of two processes that go idle, two are closed, after
                                              0.25 s of the third interval; one of them begins anew in the fifth
    make_recording.py bursts [INTERVALS [INTERVAL_S]]
                                              200 connections, few of them fast, that come in bursts: six seconds on, two
                                              off, with rates that vary by half
    make_recording.py minute [INTERVALS]      a server with 20 new connections a second, a script that starts a process each
                                              second, a connection that stops after 5 s, and one that is ten times
                                              as fast in the last 10 s

The same arguments always give the same bytes.
"""

import datetime
import json
import random
import sys

START = datetime.datetime(2026, 11, 22, 10, 42, 17, 123000)


def stamp(interval, interval_s):
    time = START + datetime.timedelta(seconds=interval * interval_s)
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (time.microsecond // 1000)


def session(pid, comm, local, remote, rx, tx, uid=0, netns=4026531840, cgroup_id=0):
    family = 6 if ":" in local[0] else 4
    return {
        "pid": pid, "comm": comm, "family": family, "laddr": local[0], "lport": local[1],
        "raddr": remote[0], "rport": remote[1], "netns": netns, "rx_bytes": rx, "tx_bytes": tx,
        "uid": uid, "cgroup_id": cgroup_id, "mntns": 4026531841,
    }


def write(interval, sessions, interval_s=1.0, **more):
    common = {"time": stamp(interval, interval_s), "interval_s": interval_s}
    for one in sessions:
        print(json.dumps({"type": "session", **common, **one}))
    print(json.dumps({
        "type": "interval", **common, "sessions": len(sessions),
        "rx_bytes": sum(one["rx_bytes"] for one in sessions),
        "tx_bytes": sum(one["tx_bytes"] for one in sessions),
        "other_calls": 0, "other_rx_bytes": 0, "other_tx_bytes": 0,
        "probe": "tracepoint", "not_counted": [], "missed_runs": 0, **more,
    }))


DEMO = [
    # pid, comm, local, remote, uid, mean RX and TX per interval, burstiness, share of intervals active
    (1874, "nginx", ("10.0.0.5", 443), ("203.0.113.84", 51312), 33, 18_000, 9_400_000, 0.2, 1.0),
    (1874, "nginx", ("10.0.0.5", 443), ("198.51.100.23", 40218), 33, 22_000, 2_100_000, 0.6, 1.0),
    (1875, "nginx", ("2001:db8::5", 443), ("2001:db8:a01:7::19e3", 58122), 33, 9_000, 730_000, 0.7, 0.9),
    (1875, "nginx", ("127.0.0.1", 37912), ("127.0.0.1", 8080), 33, 4_300_000, 120_000, 0.3, 1.0),
    (2210, "node", ("127.0.0.1", 8080), ("127.0.0.1", 37912), 1000, 120_000, 4_300_000, 0.3, 1.0),
    (2210, "node", ("10.0.0.5", 40022), ("10.0.0.12", 5432), 1000, 1_250_000, 42_000, 0.5, 1.0),
    (2210, "node", ("10.0.0.5", 40024), ("10.0.0.12", 5432), 1000, 380_000, 21_000, 0.5, 0.8),
    (3311, "postgres", ("10.0.0.5", 5432), ("10.0.0.31", 42480), 112, 88_000, 640_000, 0.5, 0.9),
    (915, "redis-server", ("10.0.0.5", 6379), ("10.0.0.31", 42910), 113, 210_000, 530_000, 0.4, 1.0),
    (4711, "rsync", ("10.0.0.5", 51820), ("192.0.2.77", 873), 0, 61_000, 11_800_000, 0.1, 1.0),
    (5120, "sshd", ("10.0.0.5", 22), ("192.0.2.15", 50412), 0, 1_200, 4_800, 0.9, 0.8),
    (5188, "sshd", ("10.0.0.5", 22), ("192.0.2.16", 50990), 0, 400, 900, 0.9, 0.3),
    (6001, "prometheus", ("10.0.0.5", 46100), ("10.0.0.41", 9100), 105, 74_000, 1_900, 0.4, 0.5),
    (6001, "prometheus", ("10.0.0.5", 46102), ("10.0.0.42", 9100), 105, 69_000, 1_900, 0.4, 0.5),
    (7100, "curl", ("10.0.0.5", 39990), ("151.101.2.132", 443), 1000, 5_300_000, 14_000, 0.3, 0.6),
    (7344, "kubelet", ("10.0.0.5", 44414), ("10.0.0.2", 6443), 0, 31_000, 17_000, 0.5, 0.7),
    (7399, "containerd", ("::1", 39144), ("::1", 10010), 0, 2_400, 2_900, 0.5, 0.6),
    (8080, "python3", ("10.0.0.5", 33810), ("198.51.100.99", 443), 1001, 9_800, 2_200, 0.8, 0.5),
    (8122, "git-remote-http", ("10.0.0.5", 33920), ("192.0.2.200", 443), 1001, 940_000, 3_100, 0.6, 0.4),
]


def demo(intervals):
    chance = random.Random(7)
    for interval in range(intervals):
        sessions = []
        for i, (pid, comm, local, remote, uid, rx, tx, burst, share) in enumerate(DEMO):
            if chance.random() > share:
                continue
            factor = max(0.02, 1 + burst * chance.gauss(0, 0.8))
            one = session(pid, comm, local, remote, int(rx * factor), int(tx * factor), uid)
            one["accepted"] = int(local[1] < 32768)  # where this host's ephemeral ports begin
            sessions.append(one)
        write(interval, sessions)


def many(count, intervals, interval_s):
    chance = random.Random(11)
    for interval in range(intervals):
        sessions = []
        for i in range(count):
            local = ("10.%d.%d.%d" % (i >> 16 & 255, i >> 8 & 255, i & 255), 443)
            remote = ("172.16.%d.%d" % (i * 7 & 255, i * 13 & 255), 1024 + i * 31 % 60000)
            sessions.append(session(1000 + i % 500, "worker-%d" % (i % 50), local, remote,
                                    chance.randrange(1 << 20), chance.randrange(1 << 18), i % 20))
        write(interval, sessions, interval_s)


def odd():
    here, there = ("10.0.0.5", 1000), "192.0.2.%d"
    names = ["plain", "\u65e5\u672c\u8a9e\u540d", "e\u0301te\u0301", "red\u001b[31mred", "new\nline", "tab\there",
             "rtl\u202etxet", "zero\u200bwidth", "\u0301leading", "back\\slash", "quote\"s", "\U0001f600\U0001f600"]
    sessions = [session(100 + i, name, here, (there % (i + 1), 2000 + i), 90000 - 1000 * i, 0)
                for i, name in enumerate(names)]
    raw = session(200, "bad\ufffd\ufffd", here, (there % 99, 2999), 70000, 0)
    raw["comm_hex"] = b"bad\xff\xfe".hex()
    sessions.append(raw)
    sessions.append(session(201, "mapped", ("2001:db8:1111:2222:3333:4444:5555:6666", 65535),
                            ("2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", 65534), 60000, 0))
    write(0, sessions)


def extremes(interval_s):
    """Names without a letter, and amounts that are the largest ones: rates beyond 64 bits where the interval is short."""
    largest = 2**63 - 1
    here, there = ("127.0.0.1", 1), ("127.0.0.2", 80)
    for interval in range(8):
        sessions = [session(1, "", here, there, 5, 5), session(2, "", ("127.0.0.1", 2), there, largest, largest),
                    session(3, "x", ("127.0.0.1", 3), there, largest, 1), session(4, " ", ("127.0.0.1", 4), there, largest, largest)]
        write(interval, sessions, interval_s, rx_bytes=largest, tx_bytes=largest, other_calls=largest, other_rx_bytes=largest,
              other_tx_bytes=largest, missed_runs=largest)


def pauses(interval_s):
    one = ("10.0.0.5", 40000), ("192.0.2.1", 443)
    for interval in range(361):
        moved = interval % 60 == 0 and interval < 360
        write(interval, [session(321, "backup", *one, 1_000_000, 0)] if moved else [], interval_s)


def short(interval_s):
    for interval in range(800):
        write(interval, [session(4711, "poller", ("10.0.0.5", 30000 + interval), ("192.0.2.1", 80), 1000, 1000)], interval_s)


def turns(intervals, interval_s):
    for interval in range(intervals):
        sessions = [session(99, "worker", ("10.0.0.5", 1000), ("192.0.2.1", 80), 1, 0)]
        if interval % (intervals // 10) == 0:
            sessions.append(session(99, "worker", ("10.0.0.5", 2000 + interval), ("192.0.2.1", 80), 1_000_000, 0))
        write(interval, sessions, interval_s)


def churn(interval_s):
    for interval in range(40):
        numbers = range(500 * interval, 500 * interval + 500)
        write(interval, [session(1000 + i % 300, "client", ("10.0.0.5", i), ("198.51.%d.%d" % divmod(i % 300, 256), 80),
                                 1000, 0, uid=i % 300, cgroup_id=5000 + i % 300) for i in numbers], interval_s)
    write(40, [session(1, "init", ("10.0.0.5", 1), ("198.51.100.1", 80), 1, 0)], interval_s)


ENDS = [(100 + i // 3, "fetch-%d" % (i // 3), ("10.0.0.5", 40000 + i), ("198.51.100.%d" % i, 443)) for i in range(5)]


def closed(interval, local, remote, interval_s, ago_s):
    print(json.dumps({"type": "closed", "time": stamp(interval, interval_s), "interval_s": interval_s, "family": 4,
                      "laddr": local[0], "lport": local[1], "raddr": remote[0], "rport": remote[1],
                      "netns": 4026531840, "ago_us": int(ago_s * 1e6)}))


def ends(interval_s):
    steady = session(7, "steady", ("10.0.0.5", 22), ("192.0.2.7", 50000), 1000, 0)
    for interval in range(20):
        moving = ENDS if interval < 2 else ENDS[3:4] if interval == 4 else []
        if interval == 2:
            for one in ENDS[0], ENDS[3]:
                closed(interval, *one[2:], interval_s, interval_s * 0.75)
        write(interval, [session(*one, 5000, 300) for one in moving] + [steady], interval_s)


def bursts(intervals, interval_s):
    chance = random.Random(5)
    on = [chance.random() < 0.75 for _ in range(200)]
    for interval in range(intervals):
        sessions = []
        for i in range(200):
            on[i] = chance.random() >= 1 / 6 if on[i] else chance.random() < 1 / 2
            if on[i]:
                rate = 3e6 / (i + 1) ** 1.2 * chance.lognormvariate(0, 0.5)
                sessions.append(session(1000 + i % 40, "worker-%d" % (i % 40), ("10.0.0.5", 443),
                                        ("198.51.100.%d" % (i % 250), 20000 + i), int(rate * interval_s),
                                        int(rate * interval_s / 20), i % 5))
        write(interval, sessions, interval_s)


def visitor(number):
    return ("10.0.0.5", 80), ("203.0.113.%d" % (number % 250), 20000 + number)


def fetch(number):
    return ("10.0.0.5", 40000 + number), ("198.51.100.7", 443)


def minute(intervals):
    login = ("10.0.0.5", 22), ("192.0.2.15", 50412)
    for interval in range(intervals):
        sessions = [session(3311, "postgres", ("10.0.0.5", 5432), ("10.0.0.31", 42480), 0,
                            2000 if interval < intervals - 10 else 20000)]
        if interval < 5:
            sessions.append(session(5120, "sshd", *login, 1000, 0))
        for number in range(20 * interval, 20 * interval + 20):
            sessions.append(session(812, "nginx", *visitor(number), 800, 16000))
        sessions.append(session(20000 + interval, "curl", *fetch(interval), 5000, 300))
        ended = [visitor(number) for number in range(20 * (interval - 6), 20 * (interval - 5)) if number >= 0]
        ended += [fetch(interval - 1)] * (interval > 0) + [login] * (interval == 10)
        for connection in ended:
            closed(interval, *connection, 1.0, 0.5)
        write(interval, sessions)


def life(interval, comm, pid, accepted, end, **more):
    local, remote = (("10.0.0.5", 443), ("192.0.2.7", 50000 + interval)), (("10.0.0.5", 50000 + interval), ("192.0.2.9", 5432))
    (laddr, lport), (raddr, rport) = local if accepted else remote
    print(json.dumps({
        "type": "connection", "time": stamp(interval, 1.0), "interval_s": 1.0, "ago_us": 100000, "pid": pid, "comm": comm,
        "family": 4, "laddr": laddr, "lport": lport, "raddr": raddr, "rport": rport, "netns": 4026531840,
        "accepted": accepted, "end": end, "rx_bytes": 2048, "tx_bytes": 512, **more,
    }))


def socket(one, state, **more):
    still = dict.fromkeys(("idle_s", "unread_bytes", "unsent_bytes", "unacked_bytes", "retries", "sent_bytes", "retrans_bytes"), 0)
    return {**one, "state": state, **still, **more}


def listener(pid, comm, port, backlog, drops):
    one = session(pid, comm, ("0.0.0.0", port), ("0.0.0.0", 0), 0, 0)
    return socket(one, "LISTEN", backlog_max=128, backlog=backlog, drops=drops)


def lives(intervals):
    told = {"connections_noted": 1, "sockets_followed": 1, "sockets_cpu_ns": 1000}
    steady = session(7, "steady", ("10.0.0.5", 22), ("192.0.2.7", 50000), 1000, 0)
    for interval in range(intervals):
        life(interval, "nginx", 812, 1, "closed by us", accept_us=45678, lived_us=2500000 + interval)
        life(interval, "psql", 900 + interval, 0, "timed out", error=110, syn_retries=6, lived_us=127000000)
        life(interval, "curl", 1900, 0, "reset by us", reason="tcp_abort_on_close", connect_us=12345, lived_us=999)
        web = [socket(session(812, "nginx", ("10.0.0.5", 443), ("192.0.2.8", 50000 + number), 0, 0), "ESTABLISHED")
               for number in range(3 * interval)]
        sessions = [steady, listener(800, "sshd", 22, 0, 0), listener(812, "nginx", 443, 129 * (interval == 4), interval // 4 * 7), *web]
        passed = {"sockets_passed_ns": 1000000000} if interval else {}
        write(interval, sessions, **told, sockets=len(sessions), **passed)


def main(arguments):
    numbers = [float(argument) for argument in arguments[1:]]
    if arguments[:1] == ["demo"]:
        demo(int(arguments[1]) if len(arguments) > 1 else 60)
    elif arguments[:1] == ["many"] and len(arguments) > 1:
        many(int(arguments[1]), int(arguments[2]) if len(arguments) > 2 else 3,
             float(arguments[3]) if len(arguments) > 3 else 1.0)
    elif arguments == ["odd"]:
        odd()
    elif arguments[:1] == ["extremes"]:
        extremes(*numbers or [0.001])
    elif arguments[:1] == ["pauses"]:
        pauses(*numbers or [0.02])
    elif arguments[:1] == ["short"]:
        short(*numbers or [0.01])
    elif arguments[:1] == ["turns"]:
        turns(int(numbers[0]) if numbers else 30, numbers[1] if len(numbers) > 1 else 1.0)
    elif arguments[:1] == ["bursts"]:
        bursts(int(numbers[0]) if numbers else 120, numbers[1] if len(numbers) > 1 else 1.0)
    elif arguments[:1] == ["minute"]:
        minute(int(numbers[0]) if numbers else 90)
    elif arguments[:1] == ["lives"]:
        lives(int(numbers[0]) if numbers else 3)
    elif arguments[:1] == ["ends"]:
        ends(*numbers or [1.0])
    elif arguments[:1] == ["churn"]:
        churn(*numbers or [0.05])
    else:
        sys.exit(__doc__)


main(sys.argv[1:])
