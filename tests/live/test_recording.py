#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A recording says where it was made, whose cgroups are whose, and how much there was: also to another machine."""
import datetime
import json
import os
import platform
import re
import socket
import sys
import tempfile
import time

from live import (
    Skipped, Tcptop, case, cgroup, cgroup2_root, check, check_equal, check_exact, enter_cgroup, intervals, main, move, replay, seconds,
    sessions, wait_for,
)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import schema  # noqa: E402


def record(*arguments, cgroup_path):
    """Lines of a run during which a flow moved in the cgroup, and its truth."""
    os.chmod(cgroup_path, 0o755)  # as others are
    tcptop = Tcptop("-o", "json", *arguments, "0.2")
    wait_for(lambda: intervals(tcptop.lines()), 10, "an interval")  # from here on lives of connections are noted, too
    truth = move("flow", "--bytes", 30011, prepare=lambda: enter_cgroup(cgroup_path))
    time.sleep(0.5)
    return tcptop.stop(), truth


def of_type(lines, name):
    return [line for line in lines if line["type"] == name]


def wall_s(line):
    return datetime.datetime.fromisoformat(line["time"].replace("Z", "+00:00")).timestamp()


@case
def every_line_is_as_the_schema_says():
    """Of each kind of output, each line, without a member that the schema does not know."""
    try:
        schema.checker()
    except ImportError as reason:
        raise Skipped(f"{reason} (package python3-jsonschema)") from None
    many = ["--comm", "flow-sender", "--uid", "0", "--host", "127.0.0.1,::1", "--port", "1-65535", "--netns", str(os.getpid())]
    for arguments, types in (
        (["--max-sessions", "64", "--filter", "!port:1"], set()),
        (["--max-sessions", "1"], set()),
        (["-a"], set()),
        (["--connections"], {"connection"}),
        (["-a", "--connections", "--strict"], {"connection"}),
        (many, set()),
    ):
        with cgroup() as path:
            lines, _ = record(*arguments, cgroup_path=path)
        check_equal(schema.faults(lines), [], f"faults with {arguments}")
        missing = ({"start", "cgroup", "session", "interval"} | types) - {line["type"] for line in lines}
        check_equal(missing, set(), f"types that are missing with {arguments}")
    tcptop = Tcptop("--diagnose", "-o", "json", *many, wait=False).expect(0, 30)
    check_equal(schema.faults(tcptop.lines()), [], "faults with --diagnose")


@case
def why_it_was_slow_is_told_of_a_recording():
    """A process that does not read, recorded with -a, is what --diagnose names of the file; without -a it says what is missing."""
    server = socket.create_server(("127.0.0.1", 0))
    near = socket.create_connection(server.getsockname())
    far, _ = server.accept()
    with server, near, far, tempfile.NamedTemporaryFile() as file:
        near.setblocking(False)
        near.send(bytes(1 << 20))
        for arguments, code in (["-a"], 0), ([], 4):
            Tcptop("-o", "json", "-p", os.getpid(), *arguments, "--output-file", file.name, "0.3", "5", wait=False).expect(0, 30)
            told = Tcptop("--diagnose", "-o", "json", "--replay", file.name, wait=False).expect(code, 30)
            if code:
                check("record with: tcptop -o json -a" in told.stderr, told.stderr)
                break
            *found, end = told.lines()
            check_equal(schema.faults([*found, end]), [], "faults")
            check_equal([(line["kind"], line["pid"], line["peer_pid"]) for line in found if line["rank"] == 1],
                        [("reader", os.getpid(), os.getpid())], "kinds")
            check(1 < end["looked_s"] < 3, f"{end}")
            parts = Tcptop("--diagnose", "--replay", file.name, "0.3", "2", wait=False).expect(0, 30).stdout.decode()
            check_equal(parts.count("looked at for"), 2, "parts")
            os.truncate(file.name, 0)


@case
def the_first_line_says_where_it_was_counted():
    tcptop = Tcptop("-o", "json", "-p", f"1,{os.getpid()}", "--port", "!22", "--filter", "!local", "0.5", "1")
    begin_s = time.time()
    lines = tcptop.expect(0).lines()
    start = lines[0]
    check_equal(start["type"], "start", "the first line")
    check_equal(len(of_type(lines, "start")), 1, "start lines")
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
        check_equal(start["boot_id"], stream.read().strip(), "boot_id")
    check_equal(start["host"], socket.gethostname(), "host")
    check_equal(start["kernel"], platform.release(), "kernel")
    check_equal(start["interval_s"], 0.5, "interval_s")
    check_equal(start["filters"], [f"--pid=1,{os.getpid()}", "--port=!22"], "filters")
    check_equal(start["filter"], "!local", "filter")
    check_equal(start["probe"], intervals(lines)[0]["probe"], "probe")
    check_equal(start["not_counted"], intervals(lines)[0]["not_counted"], "not_counted")
    now_ms = time.clock_gettime(time.CLOCK_MONOTONIC) * 1000
    check(now_ms - 60e3 < start["monotonic_ms"] < now_ms, "monotonic_ms")
    check(abs(wall_s(start) - begin_s) < 60, f"time {start['time']}")
    first = intervals(lines)[0]
    late_s = wall_s(start) - (wall_s(first) - first["interval_s"])
    check(abs(late_s) < seconds(0.015), f"the start line is {late_s:.3f} s behind the beginning of the first interval")


@case
def totals_are_the_sums_of_all_intervals():
    with cgroup() as path:
        lines, truth = record(cgroup_path=path)
    check_exact(lines, truth)
    rx = tx = 0
    for line in intervals(lines):
        rx, tx = rx + line["rx_bytes"], tx + line["tx_bytes"]
        check_equal((line["total_rx_bytes"], line["total_tx_bytes"]), (rx, tx), "totals")
    check(rx >= sum(value[0] for value in truth.values()), "the totals have the mover's bytes")


@case
def a_cgroup_is_named_once_before_its_sessions():
    """Also one whose processes, and which itself, are gone when the recording is replayed; and not by this machine's names."""
    with cgroup(suffix=".service") as path:
        cgroup_id = os.stat(path).st_ino
        lines, truth = record(cgroup_path=path)
    name = os.path.basename(path)
    told = [line for line in of_type(lines, "cgroup") if line["cgroup_id"] == cgroup_id]
    check_equal(len(told), 1, "lines of the cgroup")
    check_equal(told[0]["path"], path[len(cgroup2_root()):], "path")
    check_equal((told[0]["name"], told[0]["unit"]), (name, name), "name and unit")
    moved = sessions(lines, {key[0] for key in truth})
    check_equal({line["cgroup_id"] for line in moved}, {cgroup_id}, "cgroup_id of the sessions")
    check(lines.index(told[0]) < lines.index(moved[0]), "the cgroup's line comes after its session")
    replayed = [json.loads(line) for line in replay(lines, "-o", "json", "--filter", f"container:{name}").splitlines()]
    check_exact(replayed, truth)
    check_equal({k: v for k, v in replayed[0].items() if k not in ("interval_s", "filter")},
                {k: v for k, v in lines[0].items() if k != "interval_s"}, "the start line of a replay")
    check_equal(of_type(replayed, "cgroup"), told, "the cgroup's line of a replay")
    told[0]["name"] = "shop/web/main"
    check(sessions([json.loads(x) for x in replay(lines, "-o", "json", "--filter", "container:shop/web").splitlines()]),
          "a replay does not take the recording's name")


@case
def older_recordings_replay():
    """Without a start, names and totals: what they do not say is not invented."""
    with cgroup() as path:
        lines, truth = record(cgroup_path=path)
    old = [{k: v for k, v in line.items() if not k.startswith("total_")} for line in lines if line["type"] not in ("start", "cgroup")]
    replayed = [json.loads(line) for line in replay(old, "-o", "json").splitlines()]
    check_exact(replayed, truth)
    check_equal(replayed[0], {"type": "start", "schema": 1, "probe": replayed[0]["probe"],
                              "not_counted": replayed[0]["not_counted"], "filters": []}, "the start line")
    check_equal(of_type(replayed, "cgroup"), [], "cgroup lines")
    check_equal([line["total_rx_bytes"] for line in intervals(replayed)],
                [line["total_rx_bytes"] for line in intervals(lines)], "totals")
    pid = min(key[0] for key in truth)
    check(re.search(rf"^{pid} ", replay(old, "-o", "text"), re.M), "the text of an old recording")


if __name__ == "__main__":
    sys.exit(main())
