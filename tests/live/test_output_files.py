#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--output-file and --textfile: whole lines, in files of the directory's owner, whatever becomes of the disk and the process."""
import contextlib
import csv
import json
import os
import resource
import signal
import subprocess
import sys
import time

from live import (
    Tcptop, as_user, case, cgroup, check, check_equal, check_exact, children, directory, enter_cgroup, main, move, own_ids, reachable, seconds, sum_sessions,
    sessions, wait_for,
)

OTHER_USER = 12345
NOBODY = 65534  # as_user's
QUIET = ("-p", os.getpid())  # this process has no TCP traffic


def read(path):
    with open(path, "rb") as stream:
        return stream.read()


def json_lines(data):
    check(not data or data.endswith(b"\n"), f"a line is cut off: {data[-80:]!r}")
    return [json.loads(line) for line in data.splitlines()]


def samples(text):
    """{name and labels: value} of an exposition."""
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            check(name not in found, f"{name} comes twice")
            found[name] = float(value)
    return found


def total(metrics, direction):
    return sum(int(value) for name, value in metrics.items() if name.startswith(("tcptop_" + direction, "tcptop_other_" + direction)))


def moved(truth, index):
    return sum(value[index] for value in truth.values())


@case
def rotated_files_have_every_line():
    """Moved away again and again under load: no line is lost or cut, and each file tells by itself what it is."""
    with directory() as path:
        log = os.path.join(path, "log.jsonl")
        tcptop = Tcptop("-o", "json", "--output-file", log, "0.05")
        truth, parts = {}, []
        for number in range(8):
            truth |= move("flow", "--bytes", 100003)
            parts.append(f"{log}.{number}")
            os.rename(log, parts[-1])
            tcptop.send(signal.SIGUSR1)
            wait_for(lambda: os.path.exists(log), 10, "a new file")
        truth |= move("flow", "--bytes", 100003)
        tcptop.send(signal.SIGTERM)
        tcptop.expect(0)
        check_equal(tcptop.stdout, b"", "stdout")
        files = [json_lines(read(part)) for part in [*parts, log]]
        for lines in files:
            check_equal([line["type"] for line in lines].count("start"), 1, "start lines of a file")
            check_equal(lines[0], files[0][0], "the start line")
            told = set()
            for line in lines:
                if line["type"] == "cgroup":
                    told.add(line["cgroup_id"])
                check(line["type"] != "session" or line["cgroup_id"] in told, f"a cgroup without its line: {line}")
        check_exact([line for lines in files for line in lines], truth)
        check(os.stat(log).st_uid == 0 and os.stat(log).st_mode & 0o777 == 0o644, "owner and mode of the log")


@case
def csv_has_one_header_a_file():
    with directory() as path:
        log = os.path.join(path, "log.csv")
        truths = []
        for _ in range(2):
            tcptop = Tcptop("-o", "csv", "--output-file", log, "600")
            truths.append(move("flow", "--bytes", 30011))
            tcptop.send(signal.SIGINT)
            tcptop.expect(0)
        with open(log, newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        check_equal(read(log).count(b"type,time"), 1, "headers")
        check_equal(read(log).count(b"\n"), read(log).count(b"\r\n"), "lines that end in CR LF")
        for truth in truths:
            pids = {key[0] for key in truth}
            found = [row for row in rows if row["type"] == "session" and int(row["pid"]) in pids]
            check_equal(sum(int(row["rx_bytes"]) for row in found), moved(truth, 0), "rx_bytes")
            check_equal(sum(int(row["tx_bytes"]) for row in found), moved(truth, 1), "tx_bytes")


@case
def a_cut_line_is_ended():
    """What a full disk or a crash left of a line does not become part of the next one."""
    with directory() as path:
        log = os.path.join(path, "log")
        with open(log, "w", encoding="ascii") as stream:
            stream.write('{"type":"sess')
        Tcptop("-o", "json", "--output-file", log, *QUIET, "0.1", "1", wait=False).expect(0)
        lines = read(log).split(b"\n")
        check_equal(lines[0], b'{"type":"sess', "the line that was cut off")
        check_equal(json.loads(lines[1])["type"], "start", "the next line")


@case
def what_cannot_be_written():
    """Exit codes: 5 for a disk that is full, a limit, a directory that is not there or not its own; 0 for a reader that goes."""
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))  # noqa: E731
    with directory() as path:
        for arguments, options in (
            (("-o", "json", "--output-file", "/dev/full"), {}),
            (("-o", "csv", "--output-file", "/dev/full"), {}),
            (("-o", "text", "--output-file", f"{path}/none/log"), {}),
            (("-o", "text", "--output-file", path), {}),
            (("-o", "json", "--output-file", f"{path}/limited"), {"prepare": limit}),
            (("--textfile", f"{path}/none/m.prom"), {}),
        ):
            tcptop = Tcptop(*arguments, *QUIET, "0.01", wait=False, **options).expect(5)
            check(1 <= len([x for x in tcptop.stderr.splitlines() if "rare path" not in x]) <= 2, f"stderr: {tcptop.stderr!r}")
        check(os.path.getsize(f"{path}/limited") <= 65536, "the limit")
        with open(f"{path}/out", "wb") as stream:
            Tcptop("-o", "json", *QUIET, "0.01", wait=False, stdout=stream, prepare=limit).expect(5)
        os.mkfifo(f"{path}/pipe")
        refused = Tcptop("-o", "json", "--output-file", f"{path}/pipe", *QUIET, wait=False).expect(5)
        check("start its reader first" in refused.stderr, f"of a pipe that nobody reads it says {refused.stderr!r}")
        reader = os.open(f"{path}/pipe", os.O_RDONLY | os.O_NONBLOCK)
        tcptop = Tcptop("-o", "json", "--output-file", f"{path}/pipe", *QUIET, "0.05")
        os.close(reader)
        tcptop.expect(0)


@case
def a_new_file_that_cannot_be_had():
    """The old one goes on, and it is said."""
    with directory() as path:
        os.mkdir(f"{path}/d")
        tcptop = Tcptop("-o", "json", "--output-file", f"{path}/d/log", "0.05")
        os.rename(f"{path}/d/log", f"{path}/d/old")
        os.mkdir(f"{path}/d/log")
        tcptop.send(signal.SIGUSR1)
        wait_for(lambda: "going on with the old file" in tcptop.stderr, 10, "the message")
        truth = move("flow", "--bytes", 30011)
        tcptop.send(signal.SIGINT)
        tcptop.expect(0)
        check_exact(json_lines(read(f"{path}/d/old")), truth)


@case
def files_belong_to_the_owner_of_the_directory():
    """Whoever that is: root's rights are not used there. The process that draws and counts is nobody all the same."""
    for uid in (0, OTHER_USER):
        with directory() as path:
            os.chown(path, uid, uid)
            tcptop = Tcptop("-o", "json", "--output-file", f"{path}/log", "--textfile", f"{path}/m.prom", *QUIET, "0.1",
                            prepare=lambda: os.umask(0o077))
            wait_for(lambda: os.path.exists(f"{path}/m.prom"), 10, "the metrics")
            for name in ("log", "m.prom"):
                check_equal(os.stat(f"{path}/{name}").st_uid, uid, f"the owner of {name}")
            check_equal(os.stat(f"{path}/m.prom").st_mode & 0o777, 0o644, "the mode of the metrics, which others read")
            for pid in [tcptop.pid, *children(tcptop.pid)]:
                with open(f"/proc/{pid}/status", encoding="utf-8") as stream:
                    status = dict(line.split(":\t", 1) for line in stream.read().splitlines() if ":\t" in line)
                check_equal(status["Uid"].split()[1], str(own_ids()[0] if pid == tcptop.pid else uid), f"the user of {pid}")
                check_equal([int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd")], [0, 0, 0], f"capabilities of {pid}")
                check_equal(status["NoNewPrivs"], "1", "no_new_privs")
            before = children(tcptop.pid)
            tcptop.stop()
            check(not [pid for pid in before if os.path.exists(f"/proc/{pid}")], "children are left")


@case
def a_directory_of_another_user_is_no_way_to_root():
    """A link that its owner put there does not lead to what that user may not write."""
    with directory() as path:
        os.mkdir(f"{path}/theirs")
        os.chown(f"{path}/theirs", OTHER_USER, OTHER_USER)
        with open(f"{path}/secret", "w", encoding="ascii") as stream:
            stream.write("root's\n")
        os.symlink(f"{path}/secret", f"{path}/theirs/log")
        os.symlink(f"{path}/secret", f"{path}/theirs/.m.prom.tmp")
        os.symlink(f"{path}/secret", f"{path}/theirs/m.prom")
        Tcptop("-o", "json", "--output-file", f"{path}/theirs/log", *QUIET, "0.1", "1", wait=False).expect(5)
        Tcptop("--textfile", f"{path}/theirs/m.prom", *QUIET, "0.1", "2", wait=False).expect(0)
        check_equal(read(f"{path}/secret"), b"root's\n", "what the links point to")


@case
def metrics_are_replaced_as_a_whole():
    """A reader at any moment finds a whole file; the sums are the mover's; the end removes it, a crash leaves it."""
    with cgroup() as group, directory() as path:
        prom = f"{path}/m.prom"
        tcptop = Tcptop("--textfile", prom, "--series-threshold", "0", "--cgroup", group, "0.05")
        truth, times = {}, set()
        end = time.monotonic() + seconds(2)
        while time.monotonic() < end:
            truth |= move("flow", "--bytes", 30011, prepare=lambda: enter_cgroup(group))
            with contextlib.suppress(FileNotFoundError):
                with open(prom, encoding="utf-8") as stream:
                    times.add(os.fstat(stream.fileno()).st_mtime_ns)
                    text = stream.read()
                check(text.startswith("# TYPE tcptop_receive_bytes_total counter\n"), f"it begins {text[:60]!r}")
                check("\ntcptop_build_info{" in text and text.endswith("} 1\n"), f"it ends {text[-60:]!r}")
        check(len(times) > 2, "it was not replaced")

        def is_all_there():
            metrics = samples(read(prom).decode())
            return total(metrics, "receive") == moved(truth, 0) and metrics

        metrics = wait_for(is_all_there, 10, "the mover's bytes")
        check_equal(total(metrics, "transmit"), moved(truth, 1), "sent")
        tcptop.send(signal.SIGTERM)
        tcptop.expect(0)
        check_equal(tcptop.stdout, b"", "stdout")
        check_equal(os.listdir(path), [], "what is left after the end")
        tcptop = Tcptop("--textfile", prom, *QUIET, "0.05")
        wait_for(lambda: os.path.exists(prom), 10, "the metrics")
        keepers = children(tcptop.pid)
        tcptop.send(signal.SIGKILL)
        tcptop.wait()
        wait_for(lambda: not [pid for pid in keepers if os.path.exists(f"/proc/{pid}")], 10, "the end of its child")
        check(os.path.exists(prom), "a crash removed the metrics")


@case
def metrics_beside_another_output():
    """The same bytes in both, also those that have no series."""
    with directory() as path:
        tcptop = Tcptop("-o", "json", "--textfile", f"{path}/m.prom", "--max-series", "1", "-v", "0.2")
        truth = move("flow", "--bytes", 30011) | move("flow", "--bytes", 30011)
        time.sleep(seconds(0.6))
        wait_for(lambda: total(samples(read(f"{path}/m.prom").decode()), "receive") >= moved(truth, 0), 10, "the metrics")
        metrics = {}

        def agrees():
            metrics.update(samples(read(f"{path}/m.prom").decode()))
            sums = sum_sessions(sessions(tcptop.lines())).values()
            return [total(metrics, x) for x in ("receive", "transmit")] == [sum(x[i] for x in sums) for i in (0, 1)]

        wait_for(agrees, 10, "the same sums in JSON and metrics")
        check(len([name for name in metrics if name.startswith("tcptop_receive_bytes_total")]) <= 1, "over one series")
        tcptop.send(signal.SIGINT)
        tcptop.expect(0)
        check_exact(tcptop.lines(), truth)


@case
def csv_of_other_columns_is_not_mixed():
    """Refused at the start, the file as it was; when it is opened anew, the old file goes on."""
    with directory() as path:
        log = os.path.join(path, "log.csv")
        for head in ("type,time,interval_s,pid\r\nsession,,,1\r\n", '{"type":"start"}\n', "type"):
            with open(log, "w", encoding="ascii", newline="") as stream:
                stream.write(head)
            tcptop = Tcptop("-o", "csv", "--output-file", log, *QUIET, "0.1", "1", wait=False).expect(2)
            check("other lines or columns" in tcptop.stderr, f"it says {tcptop.stderr!r}")
            check_equal(read(log).decode(), head, "the file that is refused")
        with open(log, "w", encoding="ascii"):
            pass
        tcptop = Tcptop("-o", "csv", "--output-file", log, "0.05")
        os.rename(log, f"{path}/old")
        with open(log, "w", encoding="ascii") as stream:
            stream.write("other\n")
        tcptop.send(signal.SIGUSR1)
        wait_for(lambda: "going on with the old file" in tcptop.stderr, 10, "the message")
        truth = move("flow", "--bytes", 30011)
        tcptop.send(signal.SIGINT)
        tcptop.expect(0)
        check_equal(read(log), b"other\n", "the file that is refused")
        with open(f"{path}/old", newline="", encoding="utf-8") as stream:
            rows = [row for row in csv.DictReader(stream) if row["type"] == "session"]
        pids = {str(key[0]) for key in truth}
        check_equal(sum(int(row["rx_bytes"]) for row in rows if row["pid"] in pids), moved(truth, 0), "rx_bytes")


@case
def usr1_from_the_first_moment_on():
    """While it compiles, it is not lost; while a pipe is awaited, it does not end it; without a file it ends it, as ever."""
    with directory() as path:
        log = os.path.join(path, "log")
        tcptop = Tcptop("-o", "json", "--output-file", log, *QUIET, "0.05", wait=False)
        wait_for(lambda: os.path.exists(log), 10, "the file")
        check(not tcptop.is_attached(), "it traces already: nothing is tested")
        os.rename(log, f"{path}/old")
        tcptop.send(signal.SIGUSR1)
        wait_for(lambda: os.path.exists(log) and json_lines(read(log)), 30, "a new file")
        tcptop.send(signal.SIGINT)
        tcptop.expect(0)
        lines = json_lines(read(log))
        check_equal(lines[0]["type"], "start", "the first line")
        os.mkfifo(f"{path}/pipe")
        tcptop = Tcptop("--replay", f"{path}/pipe", "-o", "json", "--output-file", f"{path}/again", wait=False)
        wait_for(lambda: os.path.exists(f"{path}/again"), 10, "the file")
        os.rename(f"{path}/again", f"{path}/before")
        tcptop.send(signal.SIGUSR1)
        with open(f"{path}/pipe", "wb") as stream:
            stream.write(read(log))
        tcptop.expect(0)
        found = json_lines(read(f"{path}/before")) + json_lines(read(f"{path}/again"))
        check_equal([x for x in found if x["type"] == "interval"], [x for x in lines if x["type"] == "interval"], "replayed")
        tcptop = Tcptop("-o", "json", *QUIET)
        tcptop.send(signal.SIGUSR1)
        tcptop.expect(-signal.SIGUSR1)


@case
def metrics_that_cannot_be_replaced():
    """Told once, tried again at the next interval, and 5 only where the last try failed."""
    with directory() as path:
        for ends_well in (True, False):
            tcptop = Tcptop("--textfile", f"{path}/m.prom", *QUIET, "0.05")
            wait_for(lambda: os.path.exists(f"{path}/m.prom"), 10, "the metrics")
            for _ in range(2):
                os.mkdir(f"{path}/.m.prom.tmp")
                wait_for(lambda: "trying again" in tcptop.stderr, 10, "the complaint")
                time.sleep(seconds(0.3))
                check(tcptop.stderr.count("trying again") <= 2, "it complains again and again")
                os.rmdir(f"{path}/.m.prom.tmp")
                wait_for(lambda: "is written again" in tcptop.stderr, 10, "the good news")
            if not ends_well:
                os.mkdir(f"{path}/.m.prom.tmp")
                wait_for(lambda: tcptop.stderr.count("trying again") > tcptop.stderr.count("written again"), 10, "the complaint")
            tcptop.send(signal.SIGTERM)
            tcptop.expect(0 if ends_well else 5)


@case
def a_file_system_that_hangs():
    """The child that waits for it is not waited for: the rest goes on, and the end comes."""
    with directory() as path:
        tcptop = Tcptop("--textfile", f"{path}/m.prom", "-o", "json", "0.05")
        wait_for(lambda: os.path.exists(f"{path}/m.prom"), 10, "the metrics")
        (keeper,) = children(tcptop.pid)
        os.kill(keeper, signal.SIGSTOP)
        try:
            wait_for(lambda: "trying again" in tcptop.stderr, 10, "the complaint")
            truth = move("flow", "--bytes", 30011)
            tcptop.send(signal.SIGTERM)
            tcptop.expect(5)
        finally:
            os.kill(keeper, signal.SIGKILL)
        check_exact(tcptop.lines(), truth)


@case
def without_root():
    """A user with the two capabilities writes in directories of his own, and not in others."""
    with directory() as path, reachable() as program:
        os.mkdir(f"{path}/own")
        os.chown(f"{path}/own", NOBODY, NOBODY)
        command = as_user(program, "--textfile", f"{path}/own/m.prom", "-o", "json", "--output-file", f"{path}/own/log", *map(str, QUIET),
                          "0.1", "2", capabilities="bpf perfmon")
        done = subprocess.run(command, capture_output=True, check=False, timeout=seconds(60))
        check_equal(done.returncode, 0, f"exit code ({done.stderr})")
        check_equal(json_lines(read(f"{path}/own/log"))[0]["type"], "start", "the first line")
        command[command.index(f"{path}/own/log")] = f"{path}/log"
        done = subprocess.run(command, capture_output=True, check=False, timeout=seconds(60))
        check_equal(done.returncode, 5, f"exit code ({done.stderr})")


if __name__ == "__main__":
    sys.exit(main(limit=90))
