# SPDX-License-Identifier: Apache-2.0
"""What run.py measures with: figures as lines, and the run times of programs. For who has tests/live on the path."""
import os
import re
import shutil
import statistics
import subprocess

import live

HERE = os.path.dirname(os.path.abspath(__file__))


def say(part, what, figure, target=""):
    print(f"{part:7} {what:46} {figure}{'   (target: ' + target + ')' if target else ''}", flush=True)


def spread(values, unit=1.0, digits=3):
    """Median, least and greatest, as text."""
    low, middle, high = (x / unit for x in (min(values), statistics.median(values), max(values)))
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def programs_of(pid):
    """{program id: (tracepoint, ns, runs)} of the programs that a process holds attached."""
    points, figures = {}, {}
    for number in live.descriptors(pid):
        with open(f"/proc/{pid}/fdinfo/{number}", encoding="ascii", errors="replace") as stream:
            fields = dict(re.findall(r"^(\w+):\s+(\S+)$", stream.read(), re.M))
        if "tp_name" in fields:
            points[fields["prog_id"]] = fields["tp_name"]
        elif "run_cnt" in fields:
            figures[fields["prog_id"]] = (int(fields["run_time_ns"]), int(fields["run_cnt"]))
    return {number: (points[number], *figures[number]) for number in figures if number in points}


def c_build(work, name, *libraries):
    program = os.path.join(work, name)
    subprocess.run(["cc", "-std=gnu11", "-O2", os.path.join(HERE, name + ".c"), "-o", program, *libraries], check=True)
    return program


def cost_build(work):
    multiarch = subprocess.run(
        ["cc", "-print-multiarch"], stdout=subprocess.PIPE, check=True, text=True
    ).stdout.strip()
    clang = shutil.which("clang") or shutil.which("clang-14")
    if not clang:
        raise live.Skipped("clang is not installed: it compiles the programs that tcptop's are compared with")
    source, target = os.path.join(HERE, "cost_bpf.c"), os.path.join(work, "cost_bpf.o")
    include = f"-I/usr/include/{multiarch}"
    subprocess.run([clang, "-target", "bpf", "-O2", "-g", include, "-c", source, "-o", target], check=True)
    return [c_build(work, "cost", "-lbpf"), target]
