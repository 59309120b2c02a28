#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds sockets in each way that one can stand, and says which: a line of JSON of their local ports. Ends with its stdin.

With "new" it makes a network namespace of its own first.
"""
import ctypes
import json
import os
import select
import socket
import subprocess
import sys
import threading
import time

CLONE_NEWNET = 0x40000000
kept = []


def pair(family=socket.AF_INET, address="127.0.0.1"):
    with socket.create_server((address, 0), family=family) as listener:
        client = socket.socket(family, socket.SOCK_STREAM)
        client.connect(listener.getsockname()[:2])
        server, _ = listener.accept()
    kept.extend((client, server))
    return client, server


def fill(sender):
    """Until neither the receiver nor the send buffer takes more."""
    sender.setblocking(False)
    while select.select([], [sender], [], 0.3)[1]:
        try:
            sender.send(b"x" * 65536)
        except BlockingIOError:
            pass
    sender.setblocking(True)
    threading.Thread(target=sender.sendall, args=(b"x" * 65536,), daemon=True).start()


def write_now_and_then(sender, receiver):
    """Two segments each time: what is acknowledged at once."""

    def read():
        while receiver.recv(1 << 20):
            pass

    def write():
        while True:
            sender.sendall(b"x" * 100000)
            time.sleep(0.2)

    for function in (read, write):
        threading.Thread(target=function, daemon=True).start()


def listen_in_vain():
    """More connections than may wait, and one that nobody answers."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1)
    kept.append(listener)
    for _ in range(2):
        kept.append(socket.create_connection(listener.getsockname()))
    late = socket.socket()
    late.setblocking(False)
    late.connect_ex(listener.getsockname())
    kept.append(late)
    return listener, late


def main():
    if sys.argv[1:] == ["new"]:
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
            sys.exit(os.strerror(ctypes.get_errno()))
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    sender, slow = pair()
    fill(sender)
    app, remote = pair()
    write_now_and_then(app, remote)
    idle, idle6 = pair(), pair(socket.AF_INET6, "::1")
    idle[0].sendall(b"x")
    idle[1].recv(1)
    left, gone = pair()
    gone.close()
    half, other = pair()
    half.shutdown(socket.SHUT_WR)
    full, late = listen_in_vain()
    named = {"sender": sender, "slow": slow, "app": app, "remote": remote, "idle": idle[0], "idle6": idle6[1],
             "left": left, "half": half, "other": other, "full": full, "late": late}
    print(json.dumps({name: held.getsockname()[1] for name, held in named.items()}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
