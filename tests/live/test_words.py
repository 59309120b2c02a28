#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--filter: text and JSON have what matches the words to the byte, nothing else, and totals of that alone."""
import contextlib
import json
import os
import pwd
import re
import socket
import sys
import tempfile

from live import (
    Process,
    Skipped,
    Tcptop,
    case,
    cgroup,
    check,
    check_equal,
    enter_cgroup,
    held_flows,
    main,
    program,
    sessions,
)

BYTES = 100003
POD = "0b5c1a2e-4d0f-4a57-9f6c-0123456789ab"
ID = "1a3f5678901235f0e1d2c3b4a5968778695a4b3c2d1e0f00112233445566778a"
UID = 1  # daemon, everywhere


def bytes_by_pid(lines):
    sums = {}
    for line in sessions(lines):
        sums[line["pid"]] = sums.get(line["pid"], 0) + line["rx_bytes"] + line["tx_bytes"]
    return sums


def check_sums(lines, words):
    """Each interval's totals are its sessions', and it says by what words."""
    part = []
    for line in lines:
        if line["type"] == "session":
            part.append(line)
            continue
        if line["type"] != "interval":
            continue
        check_equal(line["filter"], words, "the interval's filter")
        check_equal(line["sessions"], len(part), f"{words}: sessions")
        for key in ("rx_bytes", "tx_bytes"):
            total = sum(x[key] for x in part) + line["other_" + key]
            check_equal(line[key], total, f"{words}: {key}")
        part = []


@contextlib.contextmanager
def container_or_none():
    """A cgroup with the path of a pod's container, as systemd writes it."""
    with contextlib.ExitStack() as stack:
        try:
            top = stack.enter_context(cgroup())
        except Skipped as reason:
            yield None, str(reason)
            return
        os.chmod(top, 0o755)  # tcptop looks as nobody
        pod = os.path.join(top, f"kubepods-besteffort-pod{POD.replace('-', '_')}.slice")
        path = os.path.join(pod, f"cri-containerd-{ID}.scope")
        for made in (pod, path):
            os.mkdir(made)
            stack.callback(os.rmdir, made)
        yield path, None


def in_container(path):
    if path:
        enter_cgroup(path)
    os.setuid(UID)


def tools(four, six, path):
    """Each: (words, the movers that match)."""
    a, b = four.pids("sender")[0], six.pids("sender")[0]
    everybody = four.pids() + six.pids()

    yield f"{a}", [a]
    yield f"pid:{a}", [a]
    yield "[::1] !127.0.0.1", six.pids()
    yield "127.0.0.0/8 !::1", four.pids()
    yield "host:127.0.0.1", four.pids()
    yield "local", everybody
    yield "!local", []
    yield f"user:{pwd.getpwuid(UID).pw_name}", six.pids()
    yield f"user:{UID}", six.pids()
    yield f"!pid:{b} ::1", [pid for pid in six.pids() if pid != b]
    if path:
        yield ID, six.pids()
        yield f"container:{ID[:13]}", six.pids()
        yield f"cri:{ID[:12]}", six.pids()
        yield POD, six.pids()
        yield f"cgroup:{os.path.basename(os.path.dirname(path))[10:40]}", six.pids()
        yield f"!{ID[:13]} 127.0.0.1", four.pids()


@case
def words():
    """All tools look on the same flows at the same time; a port and the whole sum are known at their end."""
    with container_or_none() as (path, reason):
        flows = [(["--bytes", BYTES], None), (["--bytes", BYTES, "-6"], lambda: in_container(path))]
        with held_flows(*flows) as (movers, release):
            mine = [pid for mover in movers for pid in mover.pids()]
            wanted = list(tools(*movers, path))
            started = [Tcptop("-o", "json", "--filter", words, "0.2") for words, _ in wanted]
            release()
            for mover in movers:
                mover.truth()
            for (words, pids), tcptop in zip(wanted, started):
                lines = tcptop.stop()
                sums = bytes_by_pid(lines)

                check_sums(lines, words)
                check_equal(
                    {pid: total for pid, total in sums.items() if pid in mine},
                    {pid: BYTES for pid in pids},
                    f"--filter '{words}'",
                )
        if reason:
            raise Skipped(f"words of containers: {reason}")


@case
def commands():
    """The command line of a process that is there: this one's."""
    command = os.path.basename(__file__)
    tools = [(f"command:{command}", True), (command, True), (f"comm:{command}", False), (f"!{command}", False)]
    started = [Tcptop("-o", "json", "--filter", words, "0.2") for words, _ in tools]
    server = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(server.getsockname())
    peer, _ = server.accept()
    client.sendall(b"x" * BYTES)
    received = 0
    while received < BYTES:
        received += len(peer.recv(BYTES))
    for (words, expected), tcptop in zip(tools, started):
        lines = tcptop.stop()
        check_sums(lines, words)
        check_equal(bytes_by_pid(lines).get(os.getpid(), 0), 2 * BYTES if expected else 0, f"'{words}'")


@case
def text():
    """The classic text has the same rows, and no table when none matches."""
    with held_flows((["--bytes", BYTES], None), (["--bytes", BYTES, "-6"], None)) as (movers, release):
        pid = movers[0].pids("sender")[0]
        with_rows = Tcptop("-C", "--filter", f"127.0.0.1 {pid}", "0.2")
        without = Tcptop("-C", "--filter", f"!local {pid}", "0.2")
        release()
        for mover in movers:
            mover.truth()
        rows = re.findall(r"^(\d+) .* +(\d+) +(\d+)$", with_rows.stop_text(), re.M)
        nothing = without.stop_text()
    check_equal({int(row[0]) for row in rows}, {pid}, "the PIDs of the rows")
    check("PID" not in nothing, f"a table of nothing: {nothing}")


@case
def recordings():
    """A recording is filtered as its run would have been, and one that was filtered is read."""
    with held_flows((["--bytes", BYTES], None), (["--bytes", BYTES, "-6"], None)) as (movers, release):
        tcptop = Tcptop("-o", "json", "--filter", "local", "0.2")
        release()
        for mover in movers:
            mover.truth()
        lines = tcptop.stop()
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
        file.flush()
        replay = Process([program("TCPTOP"), "--replay", file.name, "-o", "json", "--filter", "host:::1"])
        replay.expect(0)
    again = replay.lines()
    check_sums(again, "host:::1")
    pids = movers[1].pids()
    check_equal(bytes_by_pid(again), {pid: n for pid, n in bytes_by_pid(lines).items() if pid in pids}, "sums")


if __name__ == "__main__":
    sys.exit(main())
