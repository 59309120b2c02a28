# SPDX-License-Identifier: Apache-2.0
"""One process, equal addresses and ports in two network namespaces: prints [netns, bytes] of each, as JSON."""
import ctypes
import json
import os
import socket
import subprocess

CLONE_NEWNET = 0x40000000
SERVER, CLIENT = ("127.0.0.1", 5001), ("127.0.0.1", 6001)


def move(size):
    with socket.create_server(SERVER) as listener, socket.socket() as client:
        client.bind(CLIENT)
        client.connect(SERVER)
        with listener.accept()[0] as server:
            client.sendall(b"x" * size)
            left = size
            while left:
                left -= len(server.recv(left))


def main():
    libc = ctypes.CDLL(None, use_errno=True)
    moved = []
    for size in (10007, 20011):
        if libc.unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        move(size)
        moved.append([os.stat("/proc/self/ns/net").st_ino, size])
    print(json.dumps({"pid": os.getpid(), "moved": moved}))


main()
