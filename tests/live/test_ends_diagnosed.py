#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Connections that fail, or are too many, are made on purpose: does --diagnose name them, and nothing else by how they end?"""
import contextlib
import os
import socket
import struct
import sys
import threading

from live import Tcptop, case, main, needs_root

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import schema  # noqa: E402


def serve(listener, end, over):
    while not over.is_set():
        end(listener.accept()[0])


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def connect_again_and_again(address, pause_s, over):
    while not over.wait(pause_s):
        with socket.socket() as client:
            client.connect_ex(address)
            if client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                with contextlib.suppress(OSError):
                    client.recv(1)


def start(function, *arguments):
    threading.Thread(target=function, args=arguments, daemon=True).start()


@case
def diagnosed_by_how_connections_end():
    """Refused, reset, and many short ones: each is a finding of the process and the remote, and no other end is one."""
    over = threading.Event()
    nobody, resetting, short, steady = (socket.create_server(("127.0.0.1", 0)) for _ in range(4))
    addresses = {kind: each.getsockname() for kind, each in (("refused", nobody), ("resets", resetting), ("churn", short), (None, steady))}
    nobody.close()
    start(serve, resetting, reset, over)
    start(serve, short, socket.socket.close, over)
    start(serve, steady, socket.socket.close, over)
    for kind, address in addresses.items():
        start(connect_again_and_again, address, {"churn": 0.002, None: 0.5}.get(kind, 0.05), over)
    tcptop = Tcptop("--diagnose", "-o", "json", "-p", os.getpid(), wait=False)
    try:
        tcptop.expect(0, 30)
    finally:
        over.set()
    faults = schema.faults(tcptop.lines())
    yield "failed" if faults else "passed", "schema", f"{faults}"
    findings = [x for x in tcptop.lines() if x["type"] == "finding" and "failed" in x]
    ports = {address[1]: kind for kind, address in addresses.items()}
    good = {
        "refused": lambda x: x["failed"] == x["ended"] >= 5,
        "resets": lambda x: x["failed"] >= 5 and x["closed_first"] == (x["failed"] if x["serves"] else 0),
        "churn": lambda x: x["short"] >= 40 and x["closed_first"] < x["short"] and not x["failed"] and not x["serves"],
    }
    for kind, is_good in good.items():
        own = [x for x in findings if x["kind"] == kind]
        right = all(ports.get(x["lport"] if x["serves"] else x["rport"]) == kind and is_good(x) for x in own)
        sides = {"resets": {0, 1}}.get(kind, {0})
        passed = right and {x["serves"] for x in own} == sides and len(own) == len(sides)
        yield "passed" if passed else "failed", kind, own[0]["text"] if own else f"none of {[x['kind'] for x in findings]}"


if __name__ == "__main__":
    sys.exit(main(60, needs_root))
