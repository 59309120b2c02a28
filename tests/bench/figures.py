# SPDX-License-Identifier: Apache-2.0
"""What run.py measures with: figures as lines, and the run times of programs. For who has tests/live on the path."""
import re
import statistics

import live


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
