# SPDX-License-Identifier: Apache-2.0
"""shop.py NAME CONNECTIONS [--listen ADDRESS] [--ask ADDRESS] [--cgroup PATH]

A process of that name. It answers so many connections at --listen, asking at --ask for each, or, without --listen, asks by itself.
Prints for each end of a connection that it had an object: whom, and what its calls moved.
"""
import argparse
import ctypes
import json
import os
import socket
import time

PR_SET_NAME = 15
QUESTION, ANSWER, PAUSE_S = 300007, 1000003, 0.6


def address(text):
    host, port = text.split(":")
    return host, int(port)


def receive_all(connection):
    count = 0
    while chunk := connection.recv(1 << 16):
        count += len(chunk)
    return count


def ends(connection):
    """Asked for while it is connected."""
    return {"local": connection.getsockname(), "remote": connection.getpeername()}


def tell(found, sent, received):
    print(json.dumps({**found, "sent": sent, "received": received}), flush=True)


def ask(where):
    end = time.monotonic() + 10
    while True:
        try:
            connection = socket.create_connection(where, timeout=10)
            break
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
    with connection:
        found = ends(connection)
        connection.sendall(b"q" * QUESTION)
        connection.shutdown(socket.SHUT_WR)
        tell(found, QUESTION, receive_all(connection))


def answer(connection, upstream):
    with connection:
        found = ends(connection)
        received = receive_all(connection)
        if upstream:
            ask(upstream)
        connection.sendall(b"a" * ANSWER)
        tell(found, ANSWER, received)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("connections", type=int)
    parser.add_argument("--listen", type=address)
    parser.add_argument("--ask", type=address)
    parser.add_argument("--cgroup")
    options = parser.parse_args()
    if options.cgroup:
        with open(f"{options.cgroup}/cgroup.procs", "w", encoding="ascii") as stream:
            stream.write(str(os.getpid()))
    ctypes.CDLL(None).prctl(PR_SET_NAME, options.name.encode(), 0, 0, 0)
    if options.listen:
        with socket.create_server(options.listen) as server:
            for _ in range(options.connections):
                answer(server.accept()[0], options.ask)
    else:
        for _ in range(options.connections):
            ask(options.ask)
            time.sleep(PAUSE_S)


main()
