# SPDX-License-Identifier: Apache-2.0
"""many_names.py CGROUP COUNT BYTES SECONDS

A process that has COUNT names, one after the other, and with each moves BYTES over a connection with itself. Each fiftieth name
begins in another cgroup below CGROUP, as of a container, and the one before is removed.
"""
import ctypes
import os
import socket
import sys
import time

PR_SET_NAME = 15
HOSTILE = (b"\xff", b"\n", b'"', b"\\", b"}\r", b"\xc3")


def enter(path):
    with open(f"{path}/cgroup.procs", "w", encoding="ascii") as stream:
        stream.write(str(os.getpid()))


def main():
    group, count, size, duration = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    libc = ctypes.CDLL(None)
    begin, inside = time.monotonic(), None
    with socket.create_server(("127.0.0.1", 0)) as server:
        for number in range(count):
            if number % 50 == 0:
                before, inside = inside, f"{group}/docker-{number:064x}.scope"
                os.mkdir(inside)
                enter(inside)
                if before:
                    os.rmdir(before)
            libc.prctl(PR_SET_NAME, HOSTILE[number % len(HOSTILE)] + b"%d" % number, 0, 0, 0)
            with socket.create_connection(server.getsockname()) as client, server.accept()[0] as peer:
                client.sendall(b"x" * size)
                peer.recv(size, socket.MSG_WAITALL)
            time.sleep(max(0.0, begin + duration * number / count - time.monotonic()))
    enter(group)
    os.rmdir(inside)


main()
