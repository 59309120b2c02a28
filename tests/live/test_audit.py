#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The books balance: what is counted is what sockets' sequence numbers tell, on every path, and one wrong byte is found out."""
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import live
from live import Mover, Skipped, Tcptop, case, check, check_equal, main, wait_for

CLONE_NEWNET = 0x40000000
INTERVAL_S = 0.3
WRONG_COUNT = 6
WRONG_SIZE = 1009  # messages of so many bytes are miscounted


def connect():
    """Both ends of a connection: (who connected, who was accepted)."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
    return near, far


def read_all(far, count):
    while count:
        count -= len(far.recv(count))


def plain(near, far):
    for size in (1, 64, WRONG_SIZE, 100003):
        near.sendall(b"x" * size)
        read_all(far, size)


def peek(near, far):
    near.sendall(b"x" * 500)
    far.recv(500, socket.MSG_PEEK)
    read_all(far, 500)


def truncated(near, far):
    """MSG_TRUNC takes bytes without copying them."""
    near.sendall(b"x" * 700)
    far.recv_into(bytearray(700), 700, socket.MSG_TRUNC)


def sendfile(near, far):
    with tempfile.TemporaryFile() as stream:
        stream.write(b"x" * 30011)
        stream.flush()
        os.sendfile(near.fileno(), stream.fileno(), 0, 30011)
    read_all(far, 30011)


def splice(near, far):
    out, into = os.pipe()
    near.sendall(b"x" * 4000)
    time.sleep(0.05)
    moved = os.splice(far.fileno(), into, 4000)
    os.splice(out, far.fileno(), moved)
    os.close(out)
    os.close(into)
    read_all(far, 4000 - moved)
    read_all(near, moved)


def unread(near, far):
    near.sendall(b"x" * 300)
    read_all(far, 100)


def shut_down(near, far):
    near.sendall(b"x" * 300)
    near.shutdown(socket.SHUT_WR)
    while far.recv(1000):
        pass
    far.sendall(b"y" * 17)
    read_all(near, 17)


def shut_down_unread(near, far):
    near.sendall(b"x" * 300)
    near.shutdown(socket.SHUT_WR)
    read_all(far, 300)


PATHS = [plain, peek, truncated, sendfile, splice, unread, shut_down, shut_down_unread]


def start(*arguments, interval_s=INTERVAL_S, **options):
    """Attached, with a pass behind it; of this namespace's sockets alone."""
    anew = ["--no-cache"] if "env" in options else []  # what miscounts is never kept, and nothing kept is taken for it
    tool = Tcptop("-o", "json", "--strict", *anew, "--netns", os.getpid(), *arguments, interval_s, **options)
    wait_passes(tool, 1)
    return tool


def audits(tool):
    return [line for line in live.intervals(tool.lines()) if "sockets" in line]


def wait_passes(tool, count):
    """So many more that begin from now on: the next may have begun before."""
    before = len(audits(tool))
    wait_for(lambda: len(audits(tool)) > before + count, 20, "passes")


def end(tool, code):
    """What the last pass told, once nothing has moved for long enough to be judged."""
    wait_passes(tool, 4)
    tool.send(signal.SIGINT)
    found = tool.wait()
    last = audits(tool)[-1]
    check(found == code, f"it ended with {found}, not {code}: {tool.stderr.strip()} {last}")
    return last


@contextlib.contextmanager
def pairs(count):
    made = [connect() for _ in range(count)]
    try:
        yield made
    finally:
        for near, far in made:
            near.close()
            far.close()


@case
def every_path_balances():
    with pairs(len(PATHS)) as old:
        tool = start()
        wait_passes(tool, 2)  # they stand still
        with pairs(len(PATHS)) as born:
            for path, pair in [*zip(PATHS, old), *zip(PATHS, born)]:
                path(*pair)
            found = end(tool, 0)
        check_equal(found["unexplained_bytes"], 0, "unexplained bytes")
        check_equal(found["audited"], 4 * len(PATHS), f"audited sockets: {found}")
        check(found["audited_bytes"] > 500000, f"audited are {found['audited_bytes']} bytes")


def wrong(text, becomes):
    if "MISCOUNT" not in os.environ:
        raise Skipped("MISCOUNT is not set: the library that makes tcptop miscount")
    return os.environ | {"LD_PRELOAD": os.environ["MISCOUNT"], "MISCOUNT_FROM": text, "MISCOUNT_TO": becomes}


@case
def one_wrong_byte_is_found_out():
    """Too little and too much, of sockets that are older and younger."""
    for change, arguments in (("-", []), ("+", []), ("+", ["-p", os.getpid()])):
        with pairs(3) as old:
            tool = start(*arguments, env=wrong("if (bytes <= 0)", f"bytes {change}= bytes == {WRONG_SIZE};\n\tif (bytes <= 0)"))
            wait_passes(tool, 2)
            with pairs(3) as born:
                for near, far in old + born:
                    near.sendall(b"x" * 2 * WRONG_SIZE)
                    read_all(far, 2 * WRONG_SIZE)
                old[1][0].sendall(b"x" * WRONG_SIZE)
                born[1][0].sendall(b"x" * WRONG_SIZE)
                found = end(tool, WRONG_COUNT)
        check_equal((found["deviating"], found["unexplained_bytes"]), (2, 2), f"deviating sockets and bytes: {found}")
        check("unexplained: 2 of " in tool.stderr, tool.stderr)


@case
def one_wrong_byte_of_a_connection_that_has_ended():
    """No pass has seen it, and it was closed in the middle of an interval."""
    tool = start(interval_s=1, env=wrong("if (bytes <= 0)", f"bytes -= bytes == {WRONG_SIZE};\n\tif (bytes <= 0)"))
    for size in (WRONG_SIZE, 500, WRONG_SIZE):
        with pairs(1) as ((near, far),):
            near.sendall(b"x" * size)
            read_all(far, size)
    found = end(tool, WRONG_COUNT)
    check_equal((found["deviating"], found["unexplained_bytes"]), (4, 4), f"deviating sockets and bytes: {found}")


@case
def peeks_that_are_counted_are_found_out():
    if live.intervals(Tcptop("-o", "json", 0.1, 1, wait=False).expect(0).lines())[0]["probe"] != "tracepoint":
        raise Skipped("another method than tracepoint")
    tool = start(env=wrong("(FLAG_PEEK | FLAG_ERRQUEUE)", "FLAG_ERRQUEUE"))
    with pairs(2) as born:
        for pair in born:
            peek(*pair)
        found = end(tool, WRONG_COUNT)
    check_equal((found["deviating"], found["unexplained_bytes"]), (2, 1000), f"deviating sockets and bytes: {found}")


@case
def calls_that_wait_are_pending():
    """A send that waits for room, and a receive that waits for all of what it asked for."""
    tool = start()
    with pairs(2) as ((near, far), (other, waiting)):
        size = 30000000
        sender = threading.Thread(target=near.sendall, args=(b"x" * size,))
        receiver = threading.Thread(target=waiting.recv, args=(1000, socket.MSG_WAITALL))
        sender.start()
        receiver.start()
        other.sendall(b"x" * 400)
        wait_passes(tool, 4)
        found = audits(tool)[-1]
        check_equal((found["audit_pending"], found["unexplained_bytes"]), (2, 0), f"pending, unexplained: {found}")
        read_all(far, size)
        other.sendall(b"x" * 600)
        sender.join()
        receiver.join()
        found = end(tool, 0)
        check_equal((found["audit_pending"], found["unexplained_bytes"]), (0, 0), f"pending, unexplained: {found}")


@case
def what_is_left_out():
    """Urgent data, and what a filter by tasks lets pass in part."""
    with pairs(1) as ((near, far),):
        tool = start()
        near.send(b"abc", socket.MSG_OOB)
        far.recv(1, socket.MSG_OOB)
        far.recv(2)
        found = end(tool, 0)
        check_equal((found.get("not_audited_urgent"), found["unexplained_bytes"]), (1, 0), f"urgent data: {found}")
    with pairs(1) as ((near, far),):
        tool = start("-p", os.getpid())
        code = "import socket, sys; socket.socket(fileno=int(sys.argv[1])).sendall(b'x' * 500)"
        subprocess.run([sys.executable, "-c", code, str(near.fileno())], pass_fds=[near.fileno()], check=True)
        read_all(far, 500)
        found = end(tool, 0)
        check_equal((found["audit_pending"], found["audited"], found["unexplained_bytes"]), (1, 2, 0), f"another process's: {found}")


@case
def every_path_of_the_self_test():
    """Closed as soon as all is moved, among many short intervals. But those that are declared as not counted."""
    tool = start(interval_s=0.02)
    declared = set(audits(tool)[-1]["not_counted"])
    listed = subprocess.run([live.program("CHECK"), "list"], capture_output=True, check=True, text=True).stdout
    rows = [line.split("\t") for line in listed.splitlines()]
    ids = [row[0] for row in rows if declared.isdisjoint(row[4].split(","))]
    for path in ids:
        subprocess.run([live.program("CHECK"), "move", path], capture_output=True, check=False)
    found = end(tool, 0)
    check(len(ids) > 20 and found["audited_bytes"] > 1000000, f"{len(ids)} paths: {found}")


if __name__ == "__main__":
    live.call(live.libc.unshare, CLONE_NEWNET)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    sys.exit(main())
