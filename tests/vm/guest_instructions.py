# SPDX-License-Identifier: Apache-2.0
"""What a send and a receive of 64 bytes take more beside tcptop, in instructions: at most so many. For a machine that counts them."""
import os
import platform
import shlex
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "live"), os.path.join(HERE, "..", "bench")]

from instructions_guest import Load, beside  # noqa: E402
from live import ARGUMENTS, Skipped, case, check, main, program  # noqa: E402

# By kernel and method: of what is counted, and of what -p turns away. What a change may add by chance is some three.
LIMITS = {
    ("6.1", "fentry"): (800, 550),
    ("6.1", "kprobe"): (3350, 2700),
    ("6.12", "tracepoint"): (600, 390),
    ("6.12", "fentry"): (850, 580),
    ("6.12", "kprobe"): (2900, 2600),
    ("7.3", "tracepoint"): (1050, 780),
    ("7.3", "kprobe"): (3850, 3580),
}

# On 6.1 the kernel calls programs on functions by a longer way in some runs, from the start on: 141 instructions more a call.
STARTS = 4


def measure(options, limit_of):
    method = ARGUMENTS[ARGUMENTS.index("--probe") + 1]
    limits = LIMITS.get((".".join(platform.release().split(".")[:2]), method))
    if not limits:
        raise Skipped("there are no limits for this kernel and method")
    if not os.path.exists(program("PAIR")):
        raise Skipped("the program of the pairs could not be compiled")
    load = Load(program("PAIR"))
    without = load.measure()
    limit, arguments = limits[limit_of], " ".join([*map(shlex.quote, ARGUMENTS), *options])
    for _ in range(STARTS):
        instructions, reason = beside(load, program("TCPTOP"), arguments)
        check(instructions is not None, reason)
        more = instructions - without
        print(f"# {method} {' '.join(options)}: {more:.0f} instructions a pair more, of at most {limit}; {without:.0f} without")
        if more <= limit:
            break
    check(more <= limit, f"{more:.0f} instructions a pair, more than {limit}")
    check(more > 0, "nothing was traced")


@case
def a_pair_that_is_counted():
    measure([], 0)


@case
def a_pair_of_another_process():
    measure(["-p", "1"], 1)


if __name__ == "__main__":
    sys.exit(main(limit=60))
