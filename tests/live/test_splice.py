#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is spliced out of a socket, where positions in its stream mislead: the bytes of one process, this one's child."""
import contextlib
import os
import select
import socket
import struct
import subprocess
import sys
import threading

from bpf import array_element
from live import (CLONE_NEWNET, Skipped, Tcptop, call, case, check, check_equal, intervals, libc, main, unshare_mounts,
                  wait_for)

AF_UNSPEC = struct.pack("H14x", 0)
OPTION_MEMORY = "/proc/sys/net/core/optmem_max"
SO_COOKIE, TCP_CLOSE = 57, 7
PLACE_BITS = 12  # CONSUMED_BITS in bpf_text/splice.c


def receive(sock, size):
    left = size
    while left:
        data = sock.recv(min(left, 65536), socket.MSG_WAITALL)
        check(data, "the peer closed early")
        left -= len(data)


def each_64(sock, size):
    for _ in range(size // 64):
        receive(sock, 64)


def splice(sock, size):
    """Into a pipe, which is emptied."""
    reader, writer = os.pipe()
    left = size
    while left:
        count = os.splice(sock.fileno(), writer, min(left, 65536))
        check(count, "the peer closed early")
        left -= count
        while count:
            count -= len(os.read(reader, count))
    os.close(reader)
    os.close(writer)


def serve(listener, sizes):
    """Sends so many bytes on each connection, one after the other."""
    for size in sizes:
        with listener.accept()[0] as server:
            server.sendall(b"x" * size)
            with contextlib.suppress(ConnectionResetError):
                server.recv(1)  # until the other end is done


def serve_together(listener, sizes):
    """Sends so many bytes on each connection, all of which are there at once."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(listener.accept()[0]) for _ in sizes]
        for server, size in zip(servers, sizes):
            server.sendall(b"x" * size)
        for server in servers:
            with contextlib.suppress(ConnectionResetError):
                server.recv(1)


def in_child(function, sender):
    """Runs it in a process of its own, whose sessions can be told from the sender's thread's. Returns its PID."""
    pid = os.fork()  # before there is another thread
    if pid == 0:
        status = 1
        try:
            function()
            status = 0
        finally:
            os._exit(status)
    sender.start()
    check_equal(os.waitpid(pid, 0)[1], 0, "how the receiving process ended")
    sender.join()
    return pid


def received(lines, pid):
    return sum(x["rx_bytes"] for x in lines if x["type"] == "session" and x["pid"] == pid)


def not_counted(lines):
    return set(intervals(lines)[-1]["not_counted"])


def missed(lines):
    return sum(x["missed_runs"] for x in intervals(lines))


def need_splice(lines):
    if "splice_out" in not_counted(lines):
        raise Skipped("this method does not count splice() here (declared)")


def listen(family):
    address = ("::1" if family == socket.AF_INET6 else "127.0.0.1", 0)
    return socket.create_server(address, family=family)


@case
def connects_again():
    """connect(AF_UNSPEC) and connect(): another stream on the same socket, with other sequence numbers."""
    plans = [  # what is received on each connection, and how
        [(101009, receive), (1009, splice)],
        [(101009, splice), (1009, splice), (20011, splice)],
        [(3001, splice), (101009, receive), (1009, splice), (7001, receive)],
        [(512, each_64), (1009, splice), (2003, receive)],  # so many events that it has a place
    ]
    for family in (socket.AF_INET, socket.AF_INET6):
        for number, plan in enumerate(plans):
            with listen(family) as listener:
                sizes = [size for size, _ in plan]
                sender = threading.Thread(target=serve, args=(listener, sizes))

                def connections(plan=plan, listener=listener, family=family):
                    with socket.socket(family) as client:
                        for size, how in plan:
                            client.connect(listener.getsockname())
                            how(client, size)
                            call(libc.connect, client.fileno(), AF_UNSPEC, len(AF_UNSPEC))

                tcptop = Tcptop("-o", "json", "0.2")
                pid = in_child(connections, sender)
                lines = tcptop.stop()
            need_splice(lines)
            check_equal(received(lines, pid), sum(sizes), f"plan {number}, family {family.name}: received")


def cookie_of(sock):
    return struct.unpack("=Q", sock.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8))[0]


def place_of(cookie):
    """consumed_number() in bpf_text/splice.c"""
    mixed = ((cookie >> 12) + cookie * 0x9E3779B97F4A7C15) * 0xD6E8FEB86659FD93
    return mixed % (1 << 64) >> (64 - PLACE_BITS)


def owner_of(place):
    return struct.unpack_from("=Q", array_element("consumed_places", place))[0]


def same_place(count):
    """So many sockets that would keep their positions in the same place, which nobody else has, and its number."""
    found = []
    for _ in range(count * 50000):
        sock = socket.socket()
        place = place_of(cookie_of(sock))
        if place == found[0][0] if found else not owner_of(place):
            found.append((place, sock))
            if len(found) == count:
                return [x[1] for x in found], place
        else:
            sock.close()
    raise AssertionError(f"no {count} sockets share a place")


@case
def one_place_for_three():
    """Sockets that would keep their positions in one place, one of them after the first one has left it."""
    pieces = [(1009, receive)] * 8 + [(3001, splice), (1009, receive), (7001, splice)] * 3
    size = sum(x[0] for x in pieces)
    with listen(socket.AF_INET) as listener:
        sender = threading.Thread(target=serve_together, args=(listener, [size] * 3))

        def connections():
            clients, place = same_place(3)
            for client in clients:
                client.connect(listener.getsockname())
            for part, how in pieces:
                for client in clients[:2]:
                    how(client, part)
            first = cookie_of(clients[0])
            check_equal(owner_of(place), first, "who owns the place")
            clients[0].close()
            wait_for(lambda: owner_of(place) != first, 5, "the place is given back")
            for part, how in pieces:
                how(clients[2], part)
            for client in clients[1:]:
                client.close()

        tcptop = Tcptop("-o", "json", "0.2")
        owner_of(0)  # skips where there are no places
        pid = in_child(connections, sender)
        lines = tcptop.stop()
    need_splice(lines)
    check_equal(received(lines, pid), 3 * size, "received by three sockets of one place")


def serve_and_close(listener, size):
    with listener.accept()[0] as server:
        server.sendall(b"x" * size)


@case
def read_after_it_closed():
    """What a socket had taken in before it was closed on both sides, and is read later: spliced, received, spliced."""
    pieces, after = [(1009, receive)] * 8 + [(2003, splice)], [(3001, splice), (5003, receive), (7001, splice)]
    size = sum(x[0] for x in pieces + after)
    with listen(socket.AF_INET) as listener:
        sender = threading.Thread(target=serve_and_close, args=(listener, size))

        def connection():
            with socket.create_connection(listener.getsockname()) as client:
                for part, how in pieces:
                    how(client, part)
                client.shutdown(socket.SHUT_WR)
                wait_for(lambda: client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[0] == TCP_CLOSE, 5, "closed")
                for part, how in after:
                    how(client, part)

        tcptop = Tcptop("-o", "json", "0.2")
        pid = in_child(connection, sender)
        lines = tcptop.stop()
    need_splice(lines)
    check_equal(received(lines, pid), size, "received, in part after both sides had closed")


@contextlib.contextmanager
def network_namespace():
    """A new one, until the end of the block."""
    before = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        call(libc.unshare, CLONE_NEWNET)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        yield
    finally:
        call(libc.setns, before, CLONE_NEWNET)
        os.close(before)


def set_option_memory(size):
    with open(OPTION_MEMORY, "w", encoding="ascii") as file:
        file.write(str(size))


@case
def option_memory_full():
    """Where no position can be kept: never more than was received, and what is missing is told."""
    plan = [(100003, receive, 0), (1009, splice, 131072), (10007, splice, 131072), (3001, receive, 0)]
    size = sum(x[0] for x in plan)

    def connection(listener):
        with socket.create_connection(listener.getsockname()) as client:
            for part, how, limit in plan:
                set_option_memory(limit)
                how(client, part)

    with network_namespace(), listen(socket.AF_INET) as listener:
        if not os.path.exists(OPTION_MEMORY):
            raise Skipped("this kernel has one limit on option memory for all namespaces (before 6.8)")
        sender = threading.Thread(target=serve, args=(listener, [size]))
        tcptop = Tcptop("-o", "json", "0.2")
        pid = in_child(lambda: connection(listener), sender)
        lines = tcptop.stop()
    need_splice(lines)
    found = received(lines, pid)
    check(size - 1009 <= found <= size, f"{found} received of {size}")
    if found < size:
        check("splice_unfollowed" in not_counted(lines), f"{found} of {size}, and nothing is declared")
        check(missed(lines) > 0, f"{found} of {size}, and missed_runs is 0")


@case
def threads_on_one_socket():
    """Four threads take from one socket at once, two of them by splice: the sum is what was sent."""
    size = 5000011
    with listen(socket.AF_INET) as listener:
        sender = threading.Thread(target=serve, args=(listener, [size]))

        def connection():
            with socket.create_connection(listener.getsockname()) as client:
                client.setblocking(False)  # os.splice() lets no other thread run while it waits
                taken, lock = [0], threading.Lock()

                def take(by_splice):
                    reader, writer = os.pipe()
                    while taken[0] < size:
                        try:
                            if by_splice:
                                count = os.splice(client.fileno(), writer, 8009)
                                os.read(reader, 65536)
                            else:
                                count = len(client.recv(6007))
                        except BlockingIOError:
                            select.select([client], [], [], 0.02)
                            continue
                        with lock:
                            taken[0] += count

                threads = [threading.Thread(target=take, args=(n % 2 == 0,)) for n in range(4)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()

        tcptop = Tcptop("-o", "json", "0.02")
        pid = in_child(connection, sender)
        lines = tcptop.stop()
    need_splice(lines)
    if missed(lines):
        check("preempted_runs" in not_counted(lines), "missed_runs, and nothing is declared")
        check(received(lines, pid) < size, "received, with runs missed")
    else:
        check_equal(received(lines, pid), size, "received by four threads")


if __name__ == "__main__":
    unshare_mounts()
    sys.exit(main())
