#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line: help, version, wrong usage. Nothing here traces."""
import re
import sys
import time

from live import Process, case, check, check_equal, check_error, main, program, seconds

OPTIONS = (
    "-h",
    "--help",
    "-V",
    "--version",
    "-C",
    "--noclear",
    "-S",
    "--nosummary",
    "-p",
    "--pid",
    "--cgroupmap",
    "--mntnsmap",
    "-4",
    "--ipv4",
    "-6",
    "--ipv6",
    "--probe",
    "-o",
    "--max-sessions",
    "--ebpf",
    "-v",
    "interval",
    "count",
)
WRONG = (
    ["-x"],
    ["--wrong"],
    ["--no"],
    ["-p"],
    ["-p", ""],
    ["-p", "0"],
    ["-p", "1,"],
    ["-p", ",1"],
    ["-p", "1,,2"],
    ["-p", "-1"],
    ["-p", "+1"],
    ["-p", " 1"],
    ["-p", "1x"],
    ["-p", "0x10"],
    ["-p", "99999999999999999999"],
    ["-p", "1);return 0;("],
    ["-4", "-6"],
    ["--ipv6", "--ipv4"],
    ["--probe", "other"],
    ["--probe"],
    ["-o", "xml"],
    ["-o", ""],
    ["-C", "-o", "screen"],
    ["-o", "json", "-C"],
    ["-o", "screen"],
    ["--replay", "/dev/null", "--cgroupmap", "/x"],
    ["--mntnsmap", "/x", "--replay", "/dev/null"],
    ["--replay", "/dev/null", "--probe", "kprobe"],
    ["--replay", "/dev/null", "--check"],
    ["--replay", "/dev/null", "--max-sessions", "5"],
    ["--replay", "/dev/null", "-v"],
    ["--replay", "/dev/null", "1"],
    ["--sort", "rx"],
    ["-C", "--columns", "pid,rx"],
    ["-o", "json", "--sort", "rx"],
    ["-o", "json", "-S"],
    ["-o", "text", "--color", "never"],
    ["--no-final"],
    ["--check", "-p", "1"],
    ["--check", "1"],
    ["--check", "-o", "screen"],
    ["--ebpf", "--sort", "rx"],
    ["--check", "--ebpf"],
    ["--replay", "/dev/null", "--ebpf"],
    ["--max-sessions", "0"],
    ["--max-sessions", "-1"],
    ["--max-sessions", "1e6"],
    ["--max-sessions", "99999999999"],
    ["--cgroupmap"],
    ["--cgroupmap", ""],
    ["--mntnsmap"],
    ["--mntnsmap", ""],
    ["0"],
    ["0.001"],
    ["-1"],
    ["1s"],
    ["1,5"],
    ["nan"],
    ["inf"],
    ["1e1"],
    [""],
    ["."],
    ["99999999999"],
    ["1", "0"],
    ["1", "-1"],
    ["1", "1.5"],
    ["1", "x"],
    ["1", "99999999999999999999"],
    ["1", "1", "1"],
    ["--ebpf=1"],
    ["\x1b[2J"],
    ["a\nb\nc"],
    ["-\x07"],
)


def run(*arguments, **options):
    return Process([program("TCPTOP"), *arguments], **options)


@case
def help_text():
    texts = set()
    for option in ("-h", "--help"):
        start = time.monotonic()
        process = run(option).expect(0)
        check(time.monotonic() - start < seconds(1), "it took over a second")
        check_equal(process.stderr, "", "stderr")
        texts.add(process.stdout.decode())
    check_equal(len(texts), 1, "different texts of -h and --help")
    text = texts.pop()
    for option in OPTIONS:
        check(re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text), f"{option} is missing")
    check("examples" in text, "no examples")
    check(max(map(len, text.splitlines())) <= 100, "a line has more than 100 columns")


@case
def version():
    process = run("--version").expect(0)
    check(re.fullmatch(rb"tcptop \d+\.\d+\.\d+\S*\n", process.stdout), f"stdout: {process.stdout!r}")


@case
def wrong_usage():
    """Exit code 2, nothing on stdout, one or two lines on stderr, and no control byte of what was given."""
    for arguments in WRONG:
        process = run(*arguments)
        try:
            check_error(process, 2)
            check(
                not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", process.stderr),
                f"control bytes: {process.stderr!r}",
            )
        except Exception as reason:
            raise type(reason)(f"{arguments!r}: {reason}") from None


@case
def output_that_cannot_be_written():
    """Help and version, too, are data."""
    for option in ("--help", "--version"):
        with open("/dev/full", "wb") as full:
            process = run(option, stdout=full).expect(5)
        check_equal(len(process.stderr.splitlines()), 1, "lines on stderr")


if __name__ == "__main__":
    sys.exit(main())
