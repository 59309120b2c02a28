#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the start says of memory, held against what a full table takes, by form of output; and when it warns."""
import os
import subprocess
import sys

from live import Skipped, Tcptop, case, check, directory, main, program

SESSIONS = 30000


@case
def full_tables():
    """Not above what is said, and not below half of it."""
    bench = os.path.join(os.path.dirname(program("TCPTOP")), "tests", "bench", "bench_sessions")
    if not os.path.exists(bench):
        raise Skipped("bench_sessions is not built (BUILD_TESTING)")
    for form in ("screen", "text", "json"):
        done = subprocess.run([bench, "-b", "-o", form, str(SESSIONS)], stdout=subprocess.PIPE, text=True, check=False)
        check(done.returncode == 0, f"{form}: {done.stdout}")


@case
def told_before():
    """With -v always; unasked where a size was asked for that the host cannot hold."""
    with directory() as path:
        meminfo = os.path.join(path, "meminfo")
        with open(meminfo, "w", encoding="ascii") as stream:
            stream.write("MemAvailable:  100000 kB\n")
        fake = ("unshare", "-m", "sh", "-c", 'mount --bind "$0" /proc/meminfo && exec "$@"', meminfo)
        options = ("-4", "-C", "--max-sessions")
        warned = Tcptop(*options, "175000", "0.1", "1", prefix=fake, wait=False).expect(0)
        check("--max-sessions 175000 may take up to 106.4 MB, 56.0 of them" in warned.stderr, warned.stderr)
        quiet = Tcptop(*options, "160000", "0.1", "1", prefix=fake, wait=False).expect(0)
        check("may take up to" not in quiet.stderr, quiet.stderr)
        spoken = Tcptop(*options, "100000", "-v", "0.1", "1", prefix=fake, wait=False).expect(0)
        check("up to 37.4 MB of memory beside them" in spoken.stderr, spoken.stderr)


if __name__ == "__main__":
    sys.exit(main(limit=60))
