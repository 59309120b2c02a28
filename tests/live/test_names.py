#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Any local user chooses the names of his processes: in JSON they are exact, in text harmless."""
import json
import os
import re
import socket
import sys
import unicodedata

from live import Tcptop, case, check, check_equal, libc, main, sessions

PR_SET_NAME = 15
BYTES = 20011
NAMES = (
    b"plain",
    b"",
    b" spaces  in ",
    b"\x1b[31mred\x1b[0m",
    b"\x1b]0;title\x07",
    b"a\nb\n1 2 3 4",
    b"\r\b\t\v\f",
    b"\x7f",
    b'"quote\\"',
    b"\\u0041",
    b"%s%n%d",
    b"<b>&amp;",
    "日本語名前".encode(),
    "日本語名".encode() + b"abc",
    "naïve".encode(),
    "e\u0301\u0301\u0301".encode(),
    "\u202eevil\u202c".encode(),
    "a\u200b\u200d\ufeffb".encode(),
    "\u2066x\u2069".encode(),
    "\u0085\u009b31m".encode(),
    "\U0001f600\U0001f468".encode(),
    b"\xff\xfe",
    b"cut off......\xe6\x97",
    b"\xc3(",
    b"\xed\xa0\x80",
    b"\xc0\xaf",
    b"\xf4\x90\x80\x80",
    b"\x80\x81\x9b2J",
    b"a" * 15,
    b"\x01" * 15,
    b"\xff" * 15,
)
HARMFUL = re.compile("[\0-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def send_as(name):
    """A process of that name sends; returns its PID."""
    server = socket.create_server(("127.0.0.1", 0))
    pid = os.fork()
    if pid == 0:
        libc.prctl(PR_SET_NAME, name, 0, 0, 0)
        client = socket.create_connection(server.getsockname())
        client.sendall(b"x" * BYTES)
        os._exit(0)
    peer, _ = server.accept()
    while peer.recv(65536):
        pass
    os.waitpid(pid, 0)
    peer.close()
    server.close()
    return pid


def valid(name):
    try:
        name.decode()
        return True
    except UnicodeDecodeError:
        return False


@case
def in_json():
    tcptop = Tcptop("-o", "json", "600")
    pids = {send_as(name): name for name in NAMES}
    lines = tcptop.stop()
    text = tcptop.stdout.decode("utf-8")  # always valid UTF-8
    check(not HARMFUL.search(text), "a character that acts on a terminal stands in the output as it is")
    found = {line["pid"]: line for line in sessions(lines, pids)}
    for pid, name in pids.items():
        line = found.get(pid)
        check(line, f"{name!r} is missing")
        check_equal(line["tx_bytes"], BYTES, f"tx_bytes of {name!r}")
        if valid(name):
            check_equal(line["comm"], name.decode(), "comm")
            check("comm_hex" not in line, f"comm_hex for {name!r}")
        else:
            check_equal(line.get("comm_hex"), name.hex(), f"comm_hex of {name!r}")
            kept = re.sub("\ufffd+", "", line["comm"])
            check("\ufffd" in line["comm"], f"comm of {name!r}: {line['comm']!r}")
            check_equal(kept, name.decode("utf-8", "ignore"), f"the valid part of {name!r}")
    for raw in text.splitlines():
        check_equal(json.dumps(json.loads(raw), ensure_ascii=False).count("\n"), 0, "newlines in an object")


def columns(text):
    """Its width on a terminal."""
    return sum(
        0 if unicodedata.combining(x) else 2 if unicodedata.east_asian_width(x) in "WF" else 1 for x in text
    )


def text_rows(locale):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LC_")} | {"LANG": locale}
    tcptop = Tcptop("-C", "600", env=environment)
    pids = {send_as(name): name for name in NAMES}
    text = tcptop.stop_text()
    check(not HARMFUL.search(text), "a character that acts on a terminal stands in the output")
    return text, pids


def check_rows(text, pids):
    rows = {}
    for line in text.splitlines():
        found = re.match(r"(\d+) ", line)
        if found and int(found[1]) in pids:
            check(int(found[1]) not in rows, f"two rows for {line!r}")
            rows[int(found[1])] = line
    for pid, name in pids.items():
        row = rows.get(pid)
        check(row, f"{name!r} has no row")
        found = re.match(r"(.*) (127\.0\.0\.1:\d+ +127\.0\.0\.1:\d+ +0 +19)$", row)
        check(found, f"the row of {name!r}: {row!r}")
        check_equal(
            columns(found[1]), max(6, len(str(pid))) + 1 + 12, f"columns before the address in {row!r}"
        )


@case
def in_text():
    text, pids = text_rows("C.UTF-8")
    check_rows(text, pids)
    check("日本語名前" in text and "naïve" in text, "printable names are not shown as they are")


@case
def in_text_without_utf8():
    text, pids = text_rows("C")
    check_rows(text, pids)
    check(text.isascii(), "other than ASCII characters in the C locale")


if __name__ == "__main__":
    sys.exit(main())
