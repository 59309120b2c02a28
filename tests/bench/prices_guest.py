#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""In the emulated machine that counts instructions: what tcptop says that it costs, by method, beside what a pair takes more.

usage: prices_guest.py PAIR VARIANT...

PAIR is the program of the pairs, TCPTOP in the environment tcptop's. A VARIANT is the words of a tcptop's command line, as one argument;
the first one is what all others are held against.
"""
import os
import shlex
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "live"), HERE]

from live import Failed  # noqa: E402
from pair_cost import Load, measure_beside  # noqa: E402

# As RATES of pair_cost, but of one processor and as long as is needed where nothing disturbs.
RATES = {
    "1 k": (1, 400, 1, 2000),
    "100 k": (1, 200, 30, 600),
    "all": (1, 200, 30, 0),
}


def main():
    pair, variants = sys.argv[1], sys.argv[2:]
    print(f"# Linux {os.uname().release}: calls a second, more, said, said of more, and that by the first variant's", flush=True)
    for rate, words in RATES.items():
        with Load(pair, *words) as load:
            load.measure()
            first = None
            for variant in variants:
                try:
                    _, more, told = measure_beside(load, None, tuple(shlex.split(variant)))
                except Failed as reason:
                    print(f"{rate}\t-\t-\t-\t-\t{variant}: {str(reason).splitlines()[-1]}", flush=True)
                    continue
                first = first or told / more
                print(f"{rate}\t{more:.0f}\t{told:.0f}\t{told / more:.2f}\t{told / more / first:.2f}\t{variant}", flush=True)


if __name__ == "__main__":
    main()
