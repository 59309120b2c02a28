#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The self-test finds what is wrong: with a tcptop in between that reports other bytes, and without its program."""
import os
import shutil
import subprocess
import sys

from live import ARGUMENTS, Process, as_user, case, check, check_equal, check_error, directory, main, program, reachable

# A tcptop that passes on what the real one says, but for one change of each session ("line").
LIAR = """\
#!{python} -B
import json, os, signal, subprocess, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
tool = subprocess.Popen(["{tcptop}", *sys.argv[1:]], stdout=subprocess.PIPE, text=True)
for text in tool.stdout:
    line = json.loads(text)
    if line["type"] == "session" and line["comm"] == "dp-receiver":
        {change}
    elif line["type"] == "interval":
        {change_interval}
    try:
        print(json.dumps(line), flush=True)
    except BrokenPipeError:
        tool.kill()
        os._exit(0)
sys.exit(tool.wait())
"""


LESS = 'line["rx_bytes"] -= line["rx_bytes"] > 0'


def self_test(change="pass", change_interval="pass"):
    """(exit status, {path: line}, stderr) of the self-test by the first method, with a tcptop that lies."""
    with directory() as path:
        liar = os.path.join(path, "tcptop")
        with open(liar, "w", encoding="utf-8") as stream:
            stream.write(
                LIAR.format(
                    python=sys.executable,
                    tcptop=program("TCPTOP"),
                    change=change,
                    change_interval=change_interval,
                )
            )
        os.chmod(liar, 0o755)
        arguments = ARGUMENTS or ["--probe", "tracepoint"]
        process = Process([program("CHECK"), "--tcptop", liar, "-o", "json", *arguments])
        status = process.wait(60)
        lines = {x["path"]: x for x in process.lines() if x["type"] == "check"}
        return status, lines, process.stderr


@case
def a_byte_too_few():
    status, lines, stderr = self_test(LESS)
    check_equal(status, 6, f"the exit status ({stderr.strip()})")
    check("a number is wrong" in stderr, f"stderr: {stderr!r}")
    for path in ("blocking", "blocked_recv", "threads", "ipv6"):
        check_equal(lines[path]["result"], "wrong", path)
        check(lines[path]["counted_rx_bytes"] < lines[path]["rx_bytes"], f"{lines[path]}")
        check_equal(lines[path]["counted_tx_bytes"], lines[path]["tx_bytes"], f"{path}: bytes sent")
        check("receiver received" in lines[path]["reason"], f"{lines[path]}")


@case
def another_process():
    status, lines, stderr = self_test('line["pid"] += 1')
    check_equal(status, 6, f"the exit status ({stderr.strip()})")
    check_equal(lines["blocking"]["result"], "wrong", "blocking")
    check("stand under PID" in lines["blocking"]["reason"], f"{lines['blocking']}")


@case
def what_is_declared_is_excused_and_too_much_is_not():
    declare = 'line["not_counted"] = ["splice_out"]'
    status, lines, _ = self_test(LESS, declare)
    check_equal(status, 6, "the exit status")
    check_equal(lines["splice_out"]["result"], "not_counted", "splice_out")
    check_equal(lines["splice_out"]["declared"], "splice_out", "splice_out's blind spot")
    check_equal(lines["blocking"]["result"], "wrong", "blocking")
    status, lines, _ = self_test('line["rx_bytes"] += 1', declare)
    check_equal(status, 6, "the exit status")
    check_equal(lines["splice_out"]["result"], "wrong", "splice_out")


@case
def a_tcptop_that_ends_early():
    status, _, stderr = self_test(change_interval='sys.exit("tcptop: out of intervals")')
    check_equal(status, 1, f"the exit status ({stderr.strip()})")
    check("could not be completed" in stderr, f"stderr: {stderr!r}")


@case
def its_program_is_missing():
    with directory() as path:
        copy = shutil.copy(program("TCPTOP"), path)
        check_error(Process([copy, "--check"]), 4, "tcptop-check", "install it")


@case
def in_a_pid_namespace():
    """Its PIDs are not those that are counted: said before anything is traced, whatever /proc shows."""
    for proc in ([], ["--mount-proc"]):
        prefix = ["unshare", "--pid", "--fork", *proc, "--kill-child"]
        for command in ([program("TCPTOP"), "--check"], [program("CHECK"), "-o", "json"]):
            check_error(Process([*prefix, *command]), 4, "PID namespace", "hostPID")


@case
def where_processes_are_hidden():
    """/proc mounted with hidepid, for root and for a user with the two capabilities: no path fails."""
    with reachable() as copy:
        for user, capabilities in ((False, ""), (True, "bpf perfmon")):
            command = [copy, *ARGUMENTS, "--check", "-o", "json"]
            command = as_user(*command, capabilities=capabilities) if user else command
            hidden = 'mount --make-rprivate / && mount -t proc -o hidepid=2 proc /proc && exec "$@"'
            process = Process(["unshare", "-m", "sh", "-c", hidden, "sh", *command])
            status = process.wait(60)
            failed = [x for x in process.lines() if x["type"] == "check" and x["result"] == "failed"]
            check_equal((status, failed), (0, []), f"as {'a user' if user else 'root'}: {process.stderr}")


@case
def no_tcptop():
    process = Process([program("CHECK"), "--probe", "tracepoint", "--tcptop", "/nonexistent/tcptop"])
    process.expect(4)
    check(b"/nonexistent/tcptop" in process.stdout, f"stdout: {process.stdout!r}")


@case
def output_that_cannot_be_written():
    """It ends at the first line that was not delivered, and says so; nobody who reads is no failure."""
    for command in ([program("CHECK"), "--probe", "tracepoint"], [program("CHECK"), "list"], [program("TCPTOP"), "--check"]):
        with open("/dev/full", "wb") as full:
            ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=20)
        check_equal((ran.returncode, ran.stderr), (5, "tcptop: check: cannot write the output: No space left on device\n"), f"{command}: full")
        ran = subprocess.run(command, preexec_fn=lambda: os.close(1), stderr=subprocess.PIPE, text=True, check=False, timeout=20)
        check_equal((ran.returncode, ran.stderr), (5, "tcptop: check: cannot write the output: Bad file descriptor\n"), f"{command}: closed")
    with subprocess.Popen([program("TCPTOP"), "--check"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as checking:
        check("tcptop" in checking.stdout.readline(), "it has begun")
        checking.stdout.close()
        check_equal((checking.wait(20), checking.stderr.read()), (0, ""), "nobody reads")


@case
def wrong_arguments():
    for arguments in (["other"], ["--probe"], ["move"], ["move", "other"], ["flow", "--bytes", "0"], ["exec", "9"]):
        status = Process([program("CHECK"), *arguments]).wait()
        check_equal(status, 1 if arguments[0] == "exec" else 2, f"the status of {arguments}")


if __name__ == "__main__":
    sys.exit(main(limit=200))
