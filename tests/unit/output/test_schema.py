#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lines of golden files and of the tests' recordings against the schema, and lines that it has to refuse. argv: the source."""
import glob
import json
import os
import subprocess
import sys

EXIT_SKIPPED = 77
RECORDINGS = (["demo", "3"], ["many", "20", "2"], ["odd"], ["turns", "20"], ["ends"], ["bursts", "2"], ["minute", "3"])
GOOD = {
    "type": "session", "time": "2026-11-22T10:42:17.123Z", "interval_s": 1.0, "pid": 1, "comm": "a", "family": 4,
    "laddr": "10.0.0.1", "lport": 1, "raddr": "10.0.0.2", "rport": 2, "netns": 3, "rx_bytes": 4, "tx_bytes": 5,
}
BAD = [
    {"type": "sesion"}, {"type": None}, {"pid": -1}, {"pid": 1.5}, {"pid": "1"}, {"comm": None}, {"family": 5},
    {"laddr": "fe80::1"}, {"family": 6}, {"lport": 65536}, {"rx_bytes": -1}, {"time": "2026-11-22 10:42:17Z"},
    {"comm_hex": "f"}, {"accepted": True}, {"unknown": 1},
]


def lines(source):
    for path in sorted(glob.glob(os.path.join(source, "tests/unit/golden/*.jsonl"))):
        with open(path, encoding="utf-8") as stream:
            yield from ((os.path.basename(path), number, line) for number, line in enumerate(stream, 1))
    for words in RECORDINGS:
        command = [sys.executable, "-B", os.path.join(source, "tests/screen/make_recording.py"), *words]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        yield from ((words[0], number, line) for number, line in enumerate(text.splitlines(), 1))


def main(source):
    sys.path.insert(0, os.path.join(source, "tests/lib"))
    import schema

    try:
        check = schema.checker()
    except ImportError as reason:
        print(f"skipped: {reason} (package python3-jsonschema)")
        return EXIT_SKIPPED
    faults, kinds = [], {}
    for name, number, line in lines(source):
        kind = json.loads(line)["type"]
        kinds[kind] = kinds.get(kind, 0) + 1
        faults += [f"{name}, line {number}: {fault}" for fault in check(line)]
    faults += [f"refused: {fault}" for fault in check(json.dumps(GOOD))]
    for change in BAD:
        if not check(json.dumps(GOOD | change)):
            faults.append(f"not refused: {change}")
    for name in GOOD:
        if not check(json.dumps({key: value for key, value in GOOD.items() if key != name})):
            faults.append(f"not missed: {name}")
    print(*faults, kinds, sep="\n")
    return 1 if faults or not {"start", "session", "interval", "closed", "cgroup"} <= set(kinds) else 0


sys.exit(main(sys.argv[1]))
