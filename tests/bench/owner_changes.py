#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether the list holds still: its first nine lines, on a recording of bursty traffic and on what is given.

    owner_changes.py PROGRAM [RECORDING ...]

PROGRAM is that of owner_changes.c. Fails when more than a quarter of the lines change owner each interval.
"""

import os
import re
import subprocess
import sys
import tempfile

MAKE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "screen", "make_recording.py")
AT_MOST_PERCENT = 25
# Bursty enough to tell something: so many change in the order of each interval's rates.
AT_LEAST_BY_RATE_PERCENT = 75


def measure(program, recording):
    text = subprocess.run([program, recording], capture_output=True, text=True, check=True).stdout
    print(text, end="")
    shown, by_rate = (float(number) for number in re.findall(r"([0-9.]+)%", text))
    return shown, by_rate


def main(program, *recordings):
    with tempfile.TemporaryDirectory(prefix="tcptop_owners_") as folder:
        bursts = os.path.join(folder, "bursts.json")
        with open(bursts, "wb") as stream:
            subprocess.run([MAKE, "bursts"], stdout=stream, check=True)
        shown, by_rate = measure(program, bursts)
    if by_rate < AT_LEAST_BY_RATE_PERCENT:
        sys.exit("the recording is not bursty enough")
    for shown in [shown] + [measure(program, recording)[0] for recording in recordings]:
        if shown > AT_MOST_PERCENT:
            sys.exit("more than %d%% of the lines change owner" % AT_MOST_PERCENT)


if len(sys.argv) < 2:
    sys.exit(__doc__)
main(*sys.argv[1:])
