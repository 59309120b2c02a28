#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The n-th allocation fails, and then the n-th and all after it, for each n until a run passes untouched.

A sample by default; each one, in some ten minutes: FAULTS=all ctest --test-dir build -R faults_allocations -V --timeout 7200.
"""
import os
import struct

from faults import Run, check_equal, run_all, try_all, wrong

COUNTER = "/mnt/counter"


def play(scene, number, after=False):
    with open(COUNTER, "wb") as stream:
        stream.write(bytes(16))
    environment = {"LD_PRELOAD": os.environ["FAIL_ALLOCATION"], "FAIL_COUNTER": COUNTER, "FAIL_AT": str(number)}
    if after:
        environment["FAIL_AFTER"] = "1"
    run = Run(scene, environment=environment)
    with open(COUNTER, "rb") as stream:
        return run, *struct.unpack("QQ", stream.read())


def loop(scene, most):
    """Counts the allocations of an untouched run, whose output is the measure, and begins."""
    run, count, refused = play(scene, 1 << 62)
    scene.expected = scene.expected or (run.stdout if not scene.is_whole else None)
    check_equal((run.code, refused, wrong(scene, run)), (scene.untouched, 0, None), f"{scene.name}, untouched: {run.stderr!r}")
    for after in (False, True):

        def one(number):
            run, _, refused = play(scene, number, after)  # noqa: B023
            return run, f"{refused} refused"

        outcome, name, text = try_all(scene, count, most, one)
        yield outcome, f"{name}{', and all after' if after else ''}", text


if __name__ == "__main__":
    run_all(loop, "FAIL_ALLOCATION")
