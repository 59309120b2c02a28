#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The n-th system call fails with an error that it can end with, for each n until a run passes untouched: of the program, its threads and children.

A sample by default; each one with each of its errors, in some minutes: FAULTS=all ctest --test-dir build -R faults_calls -V --timeout 7200.
"""
import errno
import os

from faults import Run, check_equal, program, run_all, try_all, wrong
from refusing import X86_64

COUNTER = "/mnt/counter"
VARIANTS = 4  # fail_call.c: errors that a call has at most
NAMES = {number: name for name, number in X86_64.items()}


def play(scene, number, variant):
    with open(COUNTER, "w", encoding="ascii"):
        pass
    run = Run(scene, [program("FAIL_CALL"), str(number), str(variant), COUNTER])
    with open(COUNTER, encoding="ascii") as stream:
        return run, *map(int, stream.read().split())


def loop(scene, most):
    """Counts the calls of an untouched run, whose output is the measure, and begins."""
    run, count, call, _ = play(scene, 0, 0)
    scene.expected = scene.expected or (run.stdout if not scene.is_whole else None)
    check_equal((run.code, call, wrong(scene, run)), (scene.untouched, 0, None), f"{scene.name}, untouched: {run.stderr!r}")

    def one(number):
        run, _, call, error = play(scene, (number - 1) // VARIANTS + 1, number % VARIANTS)
        return run, f"{NAMES.get(call, call)} {errno.errorcode.get(error, error)}"

    yield try_all(scene, count * VARIANTS, most, one)


if __name__ == "__main__":
    run_all(loop, "FAIL_CALL")
