#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a link moved, and TCP's part of it, beside traffic of known size."""
import json
import sys
import time

from live import Tcptop, case, check, check_equal, main, replay, wait_for
from scripted import Scripted

HEADERS = 1.08  # a veth carries segments of up to 64 KB, and acknowledgements


def start(traffic):
    """The links are read for the first time when all is attached, a moment later than connections are counted."""
    tcptop = Tcptop("-o", "json", "0.2", prepare=traffic.inside)
    wait_for(lambda: sum(line["type"] == "interval" for line in tcptop.lines()) >= 2, 20, "two intervals")
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
    traffic = Scripted("link_traffic.py")
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
    traffic = Scripted("link_traffic.py")
    lines, (payload,) = trace(traffic, "udp")
    moved = total(lines, "link", "tx_bytes", ifname="near")
    check(payload < moved < payload * HEADERS, f"{moved} bytes on the link, {payload} of payload")
    check_equal(total(lines, "link", "tcp_tx_bytes", ifname="near"), 0, "TCP's part")
    traffic.close()


@case
def drops():
    """Packets that the link drops."""
    traffic = Scripted("link_traffic.py")
    lines, (dropped,) = trace(traffic, "drop")
    check(total(lines, "link", "tx_drops", ifname="near") >= dropped, "drops")
    traffic.close()


@case
def made_again():
    """A link with the name of one that has gone starts from zero, and nothing is counted twice or backwards."""
    traffic = Scripted("link_traffic.py")
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
    traffic = Scripted("link_traffic.py")
    lines, _ = trace(traffic, "tcp", "drop")
    traffic.close()
    replayed = [json.loads(line) for line in replay(lines, "-o", "json").splitlines()]
    links = [[line for line in some if line["type"] == "link"] for some in (lines, replayed)]
    check(links[0], "no link in the recording")
    check_equal(links[1], links[0], "replayed links")


if __name__ == "__main__":
    sys.exit(main(limit=90))
