#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A mount of 9p over TCP: its client is the kernel, whose workers send and receive. They stand under their own PIDs."""
import os
import socket
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

from live import Skipped, Tcptop, case, cgroup2_root, check, check_equal, main, sessions  # noqa: E402

# Types of 9P2000.L messages; each is size[4] type[1] tag[2] and its body (kernel: include/net/9p/9p.h).
RLERROR, TVERSION, RVERSION = 7, 100, 101
EIO = 5  # of EACCES, mount would make another attempt


class Server:
    """Agrees on the version and refuses all else; counts what it moved."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.received = self.sent = 0

    def receive(self, connection, count):
        data = connection.recv(count, socket.MSG_WAITALL)
        self.received += len(data)
        return data

    def answer(self, connection, kind, tag, body):
        message = struct.pack("<IBH", 7 + len(body), kind, tag) + body
        connection.sendall(message)
        self.sent += len(message)

    def serve(self):
        """One connection, until its client ends it."""
        connection, _ = self.listener.accept()
        with connection:
            while head := self.receive(connection, 7):
                size, kind, tag = struct.unpack("<IBH", head)
                body = self.receive(connection, size - 7)
                if kind == TVERSION:
                    self.answer(connection, RVERSION, tag, body)
                else:
                    self.answer(connection, RLERROR, tag, struct.pack("<I", EIO))


def is_kernel_thread(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stream:
        flags = int(stream.read().rpartition(")")[2].split()[6])
    return bool(flags & 0x00200000)  # PF_KTHREAD


def filtered(port):
    """Each: (arguments, whether the kernel's threads pass): root's, in the root cgroup and the namespaces that the host began with."""
    yield [], True
    yield ["--uid", "0"], True
    yield ["--uid", "!0"], False
    yield ["--rport", str(port)], True
    yield ["--rport", f"!{port}"], False
    yield ["--host", "127.0.0.1"], True
    yield ["--host", "!127.0.0.0/8"], False
    yield ["--netns", "1"], True
    yield ["--netns", "!1"], False
    yield ["--comm", "mount"], False
    if cgroup2_root():
        yield ["--cgroup", "/"], True


@case
def workers_of_a_mount():
    if subprocess.run(["modprobe", "9pnet_fd"], check=False).returncode != 0:
        raise Skipped("this kernel has no module 9pnet_fd")
    server = Server()
    wanted = list(filtered(server.port))
    tools = [Tcptop("-o", "json", "--max-sessions", 1024, *arguments, "600") for arguments, _ in wanted]
    with tempfile.TemporaryDirectory() as directory:
        options = f"trans=tcp,port={server.port},version=9p2000.L"
        # busybox's, which hands the options on as they are
        with subprocess.Popen(
            ["/run/vm/busybox", "mount", "-t", "9p", "-o", options, "127.0.0.1", directory],
            stderr=subprocess.DEVNULL,
        ) as mount:
            server.serve()
            check(mount.wait() != 0, "the mount was to be refused")
    found = [[line for line in sessions(tool.stop()) if line["rport"] == server.port] for tool in tools]
    for (arguments, passes), rows in zip(wanted, found):
        moved = [sum(line[name] for line in rows) for name in ("tx_bytes", "rx_bytes")]
        check_equal(moved, [server.received, server.sent] if passes else [0, 0], f"sent and received with {arguments}")
    rows = found[0]
    pids = {line["pid"] for line in rows}
    check(rows and all(is_kernel_thread(pid) for pid in pids), f"not only kernel threads: {rows}")
    check(all(line["comm"].startswith("kworker/") for line in rows), f"names: {[x['comm'] for x in rows]}")
    check(server.received > 0 and server.sent > 0, "nothing was moved")
    print(f"# {server.received} bytes sent and {server.sent} received by {sorted(pids)}", flush=True)


if __name__ == "__main__":
    sys.exit(main(limit=60))
