# SPDX-License-Identifier: Apache-2.0
"""Equal link-local addresses and ports on two links of this network namespace, which is this process's own.

Commands on standard input, each answered by a line of JSON: "make" the links, "move" (what was moved: [[name of
the link, its index, bytes], ...] of the sender's ends), "rename" the first link's end.
"""
import json
import os
import socket
import subprocess
import sys

SENDER, RECEIVER = ("fe80::1", 4000), ("fe80::2", 8000)
LINKS = (("ll-a", "ll-a-peer", 10000), ("ll-b\x1b\x07", "ll-b-peer", 50000))
RENAMED = "ll-renamed"


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)


def make():
    for name, peer, _ in LINKS:
        ip("link", "add", name, "type", "veth", "peer", "name", peer)
        ip("link", "set", name, "up")
        ip("link", "set", peer, "up")
        ip("address", "add", f"{SENDER[0]}/64", "dev", name, "nodad")
        ip("address", "add", f"{RECEIVER[0]}/64", "dev", peer, "nodad")


def connect(listener, name, size):
    index = socket.if_nametoindex(name)
    client = socket.socket(socket.AF_INET6)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    client.bind((*SENDER, 0, index))
    client.connect((*RECEIVER, 0, index))
    return client, listener.accept()[0], [name, index, size]


def move(names):
    moved = []
    with socket.socket(socket.AF_INET6) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("::", RECEIVER[1]))
        listener.listen()
        pairs = [connect(listener, name, link[2]) for name, link in zip(names, LINKS)]
        for client, server, truth in pairs:
            client.sendall(b"x" * truth[2])
            left = truth[2]
            while left:
                left -= len(server.recv(left))
            moved.append(truth)
        for client, server, _ in pairs:
            server.close()  # first: what is left in TIME_WAIT is not the sender's port
            client.close()
    return moved


def main():
    names = [name for name, _, _ in LINKS]
    for line in sys.stdin:
        command, answer = line.strip(), None
        if command == "make":
            make()
            answer = os.getpid()
        elif command == "move":
            answer = move(names)
        elif command == "rename":
            ip("link", "set", names[0], "down")
            ip("link", "set", names[0], "name", RENAMED)
            ip("link", "set", RENAMED, "up")
            ip("address", "replace", f"{SENDER[0]}/64", "dev", RENAMED, "nodad")
            names[0] = RENAMED
        print(json.dumps(answer), flush=True)


main()
