#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two containers of the engine that ENGINE names, one that is soon gone, and a flow on the host: what is counted, where, and
what filters pass."""
import os
import re
import sys

import stage  # noqa: F401  finds the modules of tests/live
from contained import Load, judge_tools, open_gate, start_tools
from engines import ENGINES
from live import Mover, case, check, judged, main

NAMES = ("webshop", "backup")
engine = ENGINES[os.environ["ENGINE"]]()


def check_path(load, identity):
    pattern = engine.cgroup.format(name=load.name, id=identity)
    check(re.fullmatch(pattern, load.cgroup), f"cgroup {load.cgroup}, expected {pattern}")


@case
def containers():
    engine.start()
    loads = [Load(name) for name in NAMES]
    for load in loads:
        load.start(engine.run(load.name, load.what), lambda name=load.name: engine.prepare(name))
    # In no container: no filter may pass it.
    Mover("flow", "--bytes", 99991, "--wait-file", f"{stage.SHARE}/go").wait_event("connected")
    wanted = [("all", [], NAMES)]
    for load in loads:
        load.wait_connected()
        identity = engine.id(load.name) or ""
        yield judged(f"{load.name}'s path", check_path, load, identity)
        if load is not loads[0]:
            continue
        shown = engine.shown.format(name=load.name)
        facts = {"name": load.name, "cgroup": load.cgroup, "id": identity, "id12": identity[:12], "shown": shown}
        for text in engine.filters:
            option, value = text.split()
            wanted.append((text, [option, value.format(**facts)], [load.name]))
    wanted.append(("--container of both", [x for name in NAMES for x in ("--container", name)], NAMES))
    wanted.append(("--container !", ["--container", "!webshop", "--container", "backup"], ["backup"]))
    running = start_tools([arguments for _, arguments, _ in wanted])
    gone = Load("gone", gate=None)
    gone.start(engine.run(gone.name, gone.what), lambda: engine.prepare(gone.name))
    gone.truth()
    open_gate()
    yield from judge_tools(wanted, running, [*loads, gone])


if __name__ == "__main__":
    sys.exit(main(240, stage.enter))
