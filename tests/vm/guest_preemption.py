# SPDX-License-Identifier: Apache-2.0
"""How this kernel preempts its tasks."""
import os
import re


def preemption():
    """none, voluntary, full or lazy. Where it cannot be chosen at boot, the version tells: full may be lazy then."""
    try:
        with open("/sys/kernel/debug/sched/preempt", encoding="ascii") as stream:
            return re.search(r"\((\w+)\)", stream.read())[1]
    except FileNotFoundError:
        return "full" if "PREEMPT" in os.uname().version else "voluntary"
