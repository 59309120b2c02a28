# SPDX-License-Identifier: Apache-2.0
"""The commands that the documents show: where they stand, and how each of them is tried."""
import os
import pathlib
import re

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
WALK = "docs/special_filtering.md"  # shows one session, from this line to that one
WALK_BEGIN, WALK_END = "PATH=$PWD/build:$PWD/examples:$PATH", "rm -r /tmp/www"

# How a command is tried, by the first pattern that it matches. RUN: as it stands, and ended as by Ctrl-C when it traces. ABSENT:
# as it stands, and refused (2), since what it asks for is not on this host. Anything else: not at all, and this is why.
RUN, ABSENT = "run", "absent"
RULES = (
    (r"sudo tests/run\.sh", "it runs this test, too"),
    (r"tests/coverage", "it builds: tests/run.sh does that, too"),
    (r"tests/(lint|fuzz/run)\.sh", "tests/run.sh runs it"),
    (r"git config ", "it changes the checkout"),
    (r"(cmake|sudo apt-get|sudo cmake) ", "it builds: packaging_debian and tests/run.sh do"),
    (r".*tcptop.* --check\b|sudo examples/quickstart\.sh --check", "takes a while: live_check runs it"),
    (r"tcptop --(container|pod|cgroupmap|mntnsmap) ", ABSENT),
    (r"tcptop --replay node\.jsonl", "shows what kubectl has printed"),
    (r"tcptop\b|sudo (build/tcptop|examples/quickstart\.sh)\b|setpriv .* tcptop ", RUN),
    (r"(podman|docker) ", "needs an image: containers_inside has these options"),
    (r"kubectl ", "containers_kubectl runs them"),
    (r"(npm|node|promtool|prometheus) ", "engines_fleet and engines_prometheus run what is in examples/fleet"),
    (r"pid=|uid=|bpftool |find ", "needs a container that runs"),
    (r"ls -l /tmp/www|jq |python3 -c ", "reads what the recorded session left"),
)


def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as stream:
        return stream.read()


def joined(lines):
    """[(line number, command)]: lines that end in a backslash or open a loop are one with what follows."""
    command, first = "", 0
    for number, line in lines:
        first = first if command else number
        command += line + "\n"
        if line.endswith("\\") or len(re.findall(r"\bdo$", command, re.M)) > len(re.findall(r"^done", command, re.M)):
            continue
        yield first, command.rstrip("\n")
        command = ""


def blocks(path, kind):
    """[(line number, [line])] of the fenced blocks of Markdown."""
    found = []
    for number, line in enumerate(read(path).splitlines(), 1):
        if line.startswith("```"):
            inside = bool(line[3:])
            if line[3:] == kind:
                found.append((number + 1, []))
            wanted = line[3:] == kind
        elif found and wanted and inside:
            found[-1][1].append(line)
    return found


def of_markdown(path):
    session = False
    for first, lines in blocks(path, "sh"):
        session = session or path == WALK and lines[0] == WALK_BEGIN
        if not session:
            yield from joined(enumerate(lines, first))
        session = session and lines[-1] != WALK_END


def of_example(path):
    """After the prompt of a root shell."""
    for number, line in enumerate(read(path).splitlines(), 1):
        if re.match(r"# |  tcptop ", line):
            yield number, line[2:]


def of_man(path):
    inside = False
    for number, line in enumerate(read(path).splitlines(), 1):
        inside = line == ".SH EXAMPLES" if line.startswith(".SH") else inside
        if inside and line.startswith(".B "):
            yield number, line[3:].replace("\\-", "-")


def documents():
    """[(path, its reader)]: every text in Markdown but those of the tests, the recorded sessions, the manual."""
    for pattern in ("*.md", "docs/*.md", "examples/**/*.md"):
        for path in sorted(pathlib.Path(SOURCE).glob(pattern)):
            yield os.path.relpath(path, SOURCE), of_markdown
    yield "examples/tcptop_example.txt", of_example
    yield "man/tcptop.8", of_man


def commands():
    """[(document:line, command without comment)]"""
    for path, reader in documents():
        for number, command in reader(path):
            command = re.sub(r"\s+# .*$", "", command, flags=re.M)
            if command.strip():
                yield f"{path}:{number}", command.replace("[arguments]", "").strip()


def rule(command):
    """The index of the first one that matches, or None."""
    return next((i for i, (pattern, _) in enumerate(RULES) if re.match(pattern, command)), None)


def session():
    """[(script, what it printed)]: the blocks of the walk in docs/special_filtering.md, in order."""
    found, inside = [], False
    shown = dict(blocks(WALK, "text"))
    for first, lines in blocks(WALK, "sh"):
        inside = inside or lines[0] == WALK_BEGIN
        if inside:
            found.append(("\n".join(lines), "\n".join(shown.get(first + len(lines) + 3, []))))
        inside = inside and lines[-1] != WALK_END
    return found
