# SPDX-License-Identifier: Apache-2.0
"""The part "pair" of run.py: what a send and a receive of 64 bytes take more, beside empty programs at the same hooks; and what tcptop says itself."""
import json
import signal
import statistics
import subprocess

import live
from figures import c_build, cost_build, say, spread

ROUNDS, BATCHES, BATCH_PAIRS = 8, 1500, 30
EMPTY = ("empty_send", "empty_receive", "empty_adjust")


class Load:
    def __init__(self, program):
        self.popen = subprocess.Popen([program, str(BATCHES)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.popen.stdin.close()
        self.popen.wait()

    def measure(self):
        """(ns a pair, in units; ns of the unit)"""
        self.popen.stdin.write("\n")
        self.popen.stdin.flush()
        ns, unit = map(float, self.popen.stdout.readline().split())
        return ns / unit, unit


class Beside:
    """tcptop, or empty programs, while something is measured."""

    def __init__(self, command, arguments, empty):
        self.told_ns = None
        if empty:
            self.process = live.Process([*command, *EMPTY[:empty]], stdin=subprocess.PIPE)
            live.wait_for(lambda: self.process.stdout.count(b"\n") == empty, 5, "empty programs attached")
        else:
            self.process = live.Tcptop("-o", "json", *arguments, 600)

    def stop(self, empty):
        if empty:
            self.process.popen.stdin.close()
            self.process.expect(0)
            return
        self.process.send(signal.SIGINT)
        self.process.expect(0)
        last = json.loads(self.process.stdout.splitlines()[-1])
        self.told_ns = last["cost_programs_ns"] / (BATCHES * BATCH_PAIRS)


def part_pair(work):
    command, load_program = cost_build(work), c_build(work, "pair")
    choices = ((), ("-p", "1"), ("--no-splice",), ("-p", "1", "--no-splice"))  # the load is not in process 1
    variants = [(" ".join(["tcptop", *words]), words, 0) for words in choices]
    variants += [(f"{count} empty", (), count) for count in (1, 2, 3)]
    more, told, without = {name: [] for name, *_ in variants}, {}, []
    with Load(load_program) as load:
        for number in range(ROUNDS):
            for name, arguments, empty in variants[number % len(variants):] + variants[: number % len(variants)]:
                before, unit = load.measure()
                beside = Beside(command, arguments, empty)
                during, _ = load.measure()
                beside.stop(empty)
                after, _ = load.measure()
                without.append(before * unit)
                more[name].append((during - (before + after) / 2) * unit)
                if beside.told_ns is not None:
                    told.setdefault(name, []).append(beside.told_ns)
    say("pair", "without, ns a send and a receive of 64 bytes", spread(without, 1, 0))
    two = statistics.median(more["2 empty"])
    for name, values in more.items():
        say("pair", f"{name}: more, ns", spread(values, 1, 0))
        say("pair", f"{name}: by two empty ones", f"{statistics.median(values) / two:.2f}")
    for name, values in told.items():
        ratio = statistics.median(values) / statistics.median(more[name])
        say("pair", f"{name}: says of itself, ns; of what was measured", f"{statistics.median(values):.0f}; {ratio:.2f}")
