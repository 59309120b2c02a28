# SPDX-License-Identifier: Apache-2.0
"""
The parts "pair" and "rates" of run.py: what a send and a receive of 64 bytes take more, beside empty programs at the same hooks and at
several rates; and what tcptop says itself.
"""
import json
import os
import random
import signal
import statistics
import subprocess
import time

import live
from figures import c_build, cost_build, say, spread

ROUNDS, RATE_ROUNDS, BATCHES, BATCH_PAIRS = 12, 6, 1500, 30
SETTLE_S = 0.1  # what starting leaves to be done by other processes
EMPTY = ("empty_send", "empty_receive", "empty_adjust")


# Processes that move pairs at once, batches of a measurement, pairs of a batch, and microseconds from one to the next.
RATES = {
    "1 k calls a second": (1, 1000, 1, 2000),
    "5 k": (1, 2500, 1, 400),
    "10 k": (1, 2000, 5, 1000),
    "100 k": (1, 2000, 30, 600),
    "what one processor does": (1, BATCHES, BATCH_PAIRS, 0),
    "what all do": (os.cpu_count(), BATCHES, BATCH_PAIRS, 0),
}


class Load:
    def __init__(self, program, processes=1, batches=BATCHES, pairs=BATCH_PAIRS, pause_us=0):
        words = [program, str(batches), str(pairs), str(pause_us)]
        self.pairs = processes * batches * pairs  # of a measurement
        self.all = [subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                    for _ in range(processes)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for popen in self.all:
            popen.stdin.close()
            popen.wait()

    def measure(self):
        """(ns a pair, in units; ns of the unit)"""
        for popen in self.all:
            popen.stdin.write("\n")
            popen.stdin.flush()
        figures = [tuple(map(float, popen.stdout.readline().split())) for popen in self.all]
        return statistics.mean(ns / unit for ns, unit in figures), statistics.mean(unit for _, unit in figures)


class Beside:
    """tcptop, or empty programs, while something is measured."""

    def __init__(self, command, arguments, empty=0):
        self.told_ns = None
        if empty:
            self.process = live.Process([*command, *EMPTY[:empty]], stdin=subprocess.PIPE)
            live.wait_for(lambda: self.process.stdout.count(b"\n") == empty, 5, "empty programs attached")
        else:
            self.process = live.Tcptop("-o", "json", *arguments, 600)

    def stop(self, pairs, empty=0):
        if empty:
            self.process.popen.stdin.close()
            self.process.expect(0)
            return
        self.process.send(signal.SIGINT)
        self.process.expect(0)
        last = json.loads(self.process.stdout.splitlines()[-1])
        self.told_ns = last["cost_programs_ns"] / pairs


def measure_beside(load, command, arguments, empty=0):
    """ns a pair: without, how many more with it, and what it says that they are."""
    before, unit = load.measure()
    beside = Beside(command, arguments, empty)
    time.sleep(SETTLE_S)
    during, _ = load.measure()
    beside.stop(load.pairs, empty)
    after, _ = load.measure()
    return before * unit, (during - (before + after) / 2) * unit, beside.told_ns


def part_pair(work):
    command, load_program = cost_build(work), c_build(work, "pair")
    choices = ((), ("-p", "1"), ("--no-splice",), ("-p", "1", "--no-splice"))  # the load is not in process 1
    variants = [(" ".join(["tcptop", *words]), words, 0) for words in choices]
    variants += [(f"{count} empty", (), count) for count in (1, 2, 3)]
    more, told, without = {name: [] for name, *_ in variants}, {}, []
    # Where the load's connection and the programs lie in memory makes tens of ns: both are new each time, and the order is another.
    for _ in range(ROUNDS):
        for name, arguments, empty in random.sample(variants, len(variants)):
            with Load(load_program) as load:
                ns, more_ns, told_ns = measure_beside(load, command, arguments, empty)
            without.append(ns)
            more[name].append(more_ns)
            if told_ns is not None:
                told.setdefault(name, []).append(told_ns)
    say("pair", "without, ns a send and a receive of 64 bytes", spread(without, 1, 0))
    two = statistics.median(more["2 empty"])
    for name, values in more.items():
        say("pair", f"{name}: more, ns", spread(values, 1, 0))
        say("pair", f"{name}: by two empty ones", f"{statistics.median(values) / two:.2f}")
    for name, values in told.items():
        ratio = statistics.median(values) / statistics.median(more[name])
        say("pair", f"{name}: says of itself, ns; of what was measured", f"{statistics.median(values):.0f}; {ratio:.2f}")


def part_rates(work):
    program = c_build(work, "pair")
    probe = os.environ.get("PROBE", "auto")
    for name, load_words in RATES.items():
        with Load(program, *load_words) as load:
            rounds = [measure_beside(load, None, ("--probe", probe)) for _ in range(RATE_ROUNDS)]
        without, more, told = zip(*rounds)
        say("rates", f"{name}: without, ns a pair", spread(without, 1, 0))
        say("rates", f"{name}: more, ns; it says", f"{spread(more, 1, 0)}; {spread(told, 1, 0)}")
        say("rates", f"{name}: of what was measured", f"{statistics.median(told) / statistics.median(more):.2f}")
