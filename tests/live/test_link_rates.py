#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a link moved, and TCP's part of it, beside traffic of known size."""
import json
import os
import subprocess
import sys
import time

from live import Skipped, Tcptop, call, case, check, check_equal, directory, libc, main, program

CLONE_NEWNET = 0x40000000
HEADERS = 1.08  # a veth carries segments of up to 64 KB, and acknowledgements


class Traffic:
    """link_traffic.py in a new network namespace, which is to be tcptop's own, too."""

    def __init__(self):
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "link_traffic.py")
        self.process = subprocess.Popen(["unshare", "--net", sys.executable, "-B", script], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.pid = self.ask("make", Skipped)

    def ask(self, command, failure=OSError):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise failure(f"link_traffic.py: {self.process.stderr.read().strip()}")
        return json.loads(answer)

    def inside(self):
        descriptor = os.open(f"/proc/{self.pid}/ns/net", os.O_RDONLY)
        call(libc.setns, descriptor, CLONE_NEWNET)
        os.close(descriptor)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def start(traffic):
    """The links are read for the first time when all is attached, a moment later than connections are counted."""
    tcptop = Tcptop("-o", "json", "0.2", prepare=traffic.inside)
    time.sleep(0.5)
    return tcptop


def trace(traffic, *commands):
    """What tcptop printed, and the answers."""
    tcptop = start(traffic)
    answers = [traffic.ask(command) for command in commands]
    time.sleep(0.5)  # an interval with the last of it
    return tcptop.stop(), answers


def total(lines, kind, key, **chosen):
    return sum(line.get(key, 0) for line in lines
               if line["type"] == kind and all(line.get(name) == value for name, value in chosen.items()))


@case
def tcp():
    """All payload is on the link that has the address; the bytes of the link are that and headers."""
    traffic = Traffic()
    lines, (payload,) = trace(traffic, "tcp")
    check_equal(total(lines, "link", "tcp_tx_bytes", ifname="near"), payload, "payload on the link")
    moved = total(lines, "link", "tx_bytes", ifname="near")
    check(payload < moved < payload * HEADERS, f"{moved} bytes on the link, {payload} of payload")
    check_equal(total(lines, "interval", "unplaced_tx_bytes"), 0, "sent, but on no link")
    # The receiver is in the other namespace.
    check(total(lines, "interval", "unplaced_rx_bytes") >= payload, "received on no link")
    check(not any("speed_mbit" in line for line in lines), "a veth has no speed")
    traffic.close()


@case
def not_tcp():
    """UDP is on the link and no part of TCP's."""
    traffic = Traffic()
    lines, (payload,) = trace(traffic, "udp")
    moved = total(lines, "link", "tx_bytes", ifname="near")
    check(payload < moved < payload * HEADERS, f"{moved} bytes on the link, {payload} of payload")
    check_equal(total(lines, "link", "tcp_tx_bytes", ifname="near"), 0, "TCP's part")
    traffic.close()


@case
def drops():
    """Packets that the link drops."""
    traffic = Traffic()
    lines, (dropped,) = trace(traffic, "drop")
    check(total(lines, "link", "tx_drops", ifname="near") >= dropped, "drops")
    traffic.close()


@case
def made_again():
    """A link with the name of one that has gone starts from zero, and nothing is counted twice or backwards."""
    traffic = Traffic()
    tcptop = start(traffic)
    before = traffic.ask("tcp")
    time.sleep(0.5)
    traffic.ask("again")
    time.sleep(0.5)  # it is new until it has been read twice
    after = traffic.ask("tcp")
    time.sleep(0.5)
    lines = tcptop.stop()
    check_equal(len({line["ifindex"] for line in lines if line.get("ifname") == "near"}), 2, "links of that name")
    payload, moved = before + after, total(lines, "link", "tx_bytes", ifname="near")
    check(payload < moved < payload * HEADERS, f"{moved} bytes on the links, {payload} of payload")
    traffic.close()


@case
def recorded():
    """A recording has the same links."""
    traffic = Traffic()
    lines, _ = trace(traffic, "tcp", "drop")
    traffic.close()
    with directory() as path:
        recording = os.path.join(path, "recording")
        with open(recording, "w", encoding="utf-8") as stream:
            stream.writelines(json.dumps(line) + "\n" for line in lines)
        command = [program("TCPTOP"), "-o", "json", "--replay", recording]
        printed = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    replayed = [json.loads(line) for line in printed.splitlines()]
    links = [[line for line in some if line["type"] == "link"] for some in (lines, replayed)]
    check(links[0], "no link in the recording")
    check_equal(links[1], links[0], "replayed links")


if __name__ == "__main__":
    sys.exit(main(limit=90))
