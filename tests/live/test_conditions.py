#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Filters by value: each alone, with others, and turned round; what can match nothing is refused at once."""
import contextlib
import os
import re
import subprocess
import sys

from container_names import ID, UID, names_known
from live import (
    Skipped,
    Tcptop,
    as_user,
    case,
    cgroup,
    cgroup2_root,
    check,
    check_equal,
    check_totals,
    compare,
    enter_cgroup,
    held_flows,
    judged,
    main,
    merge,
    ports_of,
    program,
    reachable,
    remove_cgroup,
    sessions,
    unshare_mounts,
    wait_for,
)

BYTES = 100003
USER = 65534
FLOWS = ("plain4", "group4", "group6", "mapped")
NAMES = ("flow-sender", "flow-receiver")


def in_group_below(path):
    """What is created later, below the directory that was named, is in it."""
    below = os.path.join(path, "below")
    os.makedirs(below, exist_ok=True)
    enter_cgroup(below)


def in_group_and_namespace(path):
    in_group_below(path)
    unshare_mounts()


def tools(movers, group):
    """Each: (title, arguments, the flows that pass, what has to hold of their sessions' keys, or None)."""
    plain4, group4, group6, mapped = movers
    local, remote = ports_of(plain4.pids("sender")[0])
    own = plain4.pids()[0]
    senders = {pid for mover in movers for pid in mover.pids("sender")}

    yield "--lport", ["--lport", f"1,{local}"], ["plain4"], lambda key: key[0] in senders
    yield "--rport", ["--rport", f"{local}-{local}"], ["plain4"], lambda key: key[0] not in senders
    yield "--port", ["--port", str(remote)], ["plain4"], None
    yield "--port, others of it", ["--port", f"{remote},!{local}"], [], None
    yield "--comm", ["--comm", NAMES[0], "--netns", str(own)], FLOWS, lambda key: key[0] in senders
    yield "--comm !", ["--comm", f"!{NAMES[0]}", "--netns", "/proc/self/ns/net"], FLOWS, (
        lambda key: key[0] not in senders
    )
    yield "--uid", ["--uid", str(USER)], ["plain4"], None
    yield "--uid ! !", ["--uid", f"!{USER}", "--uid", "!0"], [], None
    yield "--host 4", ["--host", "127.0.0.0/8", "--host", "!::1"], ["plain4", "group4", "mapped"], None
    yield "--host mapped", ["--host", "::ffff:127.0.0.1"], ["plain4", "group4", "mapped"], None
    yield "--host 6", ["--host", "::1"], ["group6"], None
    yield "--host of nobody", ["--host", "127.0.0.0/32,fe80::/10"], [], None
    yield "--mntns", ["--mntns", str(group6.pids()[0])], ["group6"], None
    yield "--mntns or", [
        *("--mntns", str(group6.pids()[0])),
        *("--mntns", f"/proc/{mapped.pids()[0]}/ns/mnt"),
    ], ["group6", "mapped"], None
    yield "--mntns and --comm", ["--mntns", str(mapped.pids()[0]), "--comm", NAMES[1]], ["mapped"], (
        lambda key: key[0] not in senders
    )
    if group:
        yield "--cgroup", ["--cgroup", group], ["group4", "group6"], None
        yield "--cgroup as in /proc", ["--cgroup", f"/{os.path.basename(group)}/below"], [
            "group4",
            "group6",
        ], None
        yield "--cgroup ! --uid", ["--cgroup", "/", "--cgroup", f"!{group}", "--uid", str(USER)], ["plain4"], None
        yield "--cgroup --mntns --host -4", [
            *("--cgroup", group, "--host", "127.0.0.1", "-4", "--mntns", f"!{group6.pids()[0]}"),
        ], ["group4"], None
        yield "--unit", ["--unit", os.path.basename(group)], ["group4", "group6"], None


def judge(tcptop, expected, everybody):
    lines = tcptop.stop()
    check_totals(lines)
    compare(lines, expected, everybody)


def each_alone(group):
    flows = [
        (["--bytes", BYTES], lambda: os.setuid(USER)),
        (["--bytes", BYTES], (lambda: in_group_below(group)) if group else None),
        (["--bytes", BYTES, "-6"], (lambda: in_group_and_namespace(group)) if group else unshare_mounts),
        (["--bytes", BYTES, "--mapped"], unshare_mounts),
    ]
    with held_flows(*flows) as (movers, release):
        wanted = list(tools(movers, group))
        running = [Tcptop("-o", "json", "--max-sessions", 4096, *x[1], "0.5", wait=False) for x in wanted]
        for tcptop in running:
            tcptop.wait_attached(60)
        everybody = {pid for mover in movers for pid in mover.pids()}
        release()
        truths = {name: mover.truth() for name, mover in zip(FLOWS, movers)}
    for (title, _, names, holds), tcptop in zip(wanted, running):
        truth = merge(*(truths[name] for name in names))
        expected = {key: counts for key, counts in truth.items() if not holds or holds(key)}
        yield judged(title, judge, tcptop, expected, everybody)


@case
def values():
    """All tools look on the same flows at the same time."""
    try:
        with cgroup(".service") as group:
            yield from each_alone(group)
            os.rmdir(os.path.join(group, "below"))
    except Skipped as reason:
        yield from each_alone(None)
        yield "skipped", "--cgroup, --unit", str(reason)


@case
def together():
    """One tool with a filter of each kind that needs nothing but the kernel: for each method that hooks into it."""
    with held_flows((["--bytes", BYTES], None), (["--bytes", BYTES, "-6"], unshare_mounts)) as (movers, release):
        wanted = movers[1].pids("sender")[0]
        local, remote = ports_of(wanted)
        arguments = [
            *("--uid", "0", "--comm", NAMES[0], "--lport", str(local), "--rport", f"1-{remote}"),
            *("--port", str(remote), "--host", "::/64", "--netns", str(wanted), "--mntns", str(wanted)),
            *(("--cgroup", "/") if cgroup2_root() else ()),
        ]
        tcptop = Tcptop("-o", "json", *arguments, "0.5", wait=False)
        tcptop.wait_attached(60)
        release()
        truths = [mover.truth() for mover in movers]
    lines = tcptop.stop()
    expected = {key: counts for key, counts in truths[1].items() if key[0] == wanted}
    check_equal(len(expected), 1, "sessions that pass")
    check_totals(lines)
    compare(lines, expected)
    check(not [x for x in sessions(lines) if x["pid"] != wanted], "others pass")


def containers_seen(cgroup_of_flow, leave):
    """Of two flows each tool sees that of the container. leave: called in front of the tools."""
    names = (
        ["--container", "main"],
        ["--container", "shop/web-7c5d/main"],
        ["--container", "webshop"],
        ["--container", "docker:webshop"],
        ["--container", ID[:12]],
        ["--container", ID[:6], "--comm", "!" + NAMES[0], "--comm", "!" + NAMES[1]],
        ["--pod", "web-7c5d"],
        ["--pod", "shop/web-7c5d"],
        ["--pod", UID],
        ["--pod", f"!{UID}", "--netns", str(os.getpid())],
    )
    flows = [(["--bytes", BYTES], lambda: (enter_cgroup(cgroup_of_flow), unshare_mounts())), (["--bytes", BYTES], None)]
    with held_flows(*flows) as (movers, release):
        leave()
        running = [Tcptop("-o", "json", *arguments, "0.5", wait=False) for arguments in names]
        for tcptop in running:
            tcptop.wait_attached(60)
        everybody = {pid for mover in movers for pid in mover.pids()}
        release()
        inside, outside = (mover.truth() for mover in movers)
    for arguments, tcptop in zip(names, running):
        expected = outside if arguments[1][0] == "!" else {} if len(arguments) > 2 else inside
        yield judged(" ".join(arguments).replace(ID, "ID"), judge, tcptop, expected, everybody)


@case
def containers():
    """By names that the kubelet's files and an engine's socket have, and by id; in the v2 hierarchy."""
    with cgroup() as group:
        scope = os.path.join(group, f"kubepods-pod{UID.replace('-', '_')}.slice", f"cri-containerd-{ID}.scope")
        os.makedirs(scope)
        with names_known():
            yield from containers_seen(scope, lambda: None)
        os.rmdir(scope)
        os.rmdir(os.path.dirname(scope))


@case
def containers_of_v1():
    """Where no v2 hierarchy is mounted, by their mount namespaces."""
    parent = "/sys/fs/cgroup/pids"
    if not os.path.exists(os.path.join(parent, "cgroup.procs")):
        raise Skipped(f"no v1 hierarchy is mounted at {parent}")
    path = os.path.join(parent, f"kubepods-test-{os.getpid()}", f"pod{UID}", ID)
    root = cgroup2_root()
    os.makedirs(path)
    try:
        with names_known():
            yield from containers_seen(path, lambda: root and subprocess.run(["umount", "-l", root], check=True))
            if root:
                subprocess.run(["mount", "-t", "cgroup2", "cgroup2", root], check=True)
    finally:
        for _ in range(3):
            wait_for(lambda: remove_cgroup(path), 5, f"removing {path}")
            path = os.path.dirname(path)


@case
def refused():
    """What can match nothing, or is no such value: exit code 2, and the value in the message."""
    for arguments, said in (
        (["--uid", "nobody-of-that-name"], "knows no user"),
        (["--uid", "4294967295"], "knows no user"),
        (["--comm", "!"], "a name is needed"),
        (["--port", "0"], "from 1 to 65535"),
        (["--lport", "80,"], "from 1 to 65535"),
        (["--rport", "9-8"], "from 1 to 65535"),
        (["--port", "+80"], "from 1 to 65535"),
        (["--host", "10.0.0.0/33"], "an address, or a network"),
        (["--host", "localhost"], "an address, or a network"),
        (["--host", "fe80::1%no-such-link"], "no such interface"),
        (["--host", "::1%lo"], "only addresses in fe80::/10"),
        (["--uid", "0x0"], "no number from 0 to"),
        (["--netns", "4294967294"], "no such process"),
        (["--netns", "/etc/passwd"], "not of such a namespace"),
        (["--netns", "/proc/self/ns/mnt"], "not of such a namespace"),
        (["--mntns", "/nowhere"], "No such file"),
        (["--mntns", "name"], "a PID or a path"),
        (["--cgroup", "/no-such-cgroup"], "no such cgroup"),
        (["--cgroup", "../../../../etc"], "no such cgroup"),
        (["--unit", "no-such-unit"], "not running"),
        (["--unit", "no-such.1-unit"], "not running"),
        (["--port", "80", "--port", ""], "needs a value"),
        (["--unit", "a/b"], "a unit's name"),
        (["--container", "no-such-container"], "runs here"),
        (["--container", ""], "needs a value"),
        (["--container", "docker:"], "runs here"),
        (["--pod", "no-such-pod"], "runs here"),
        (["--pod", "00000000-0000-0000-0000-000000000000"], "runs here"),
        (["-6", "--host", "10.0.0.1"], "--ipv6 and --host 10.0.0.1 at once"),
        (["-4", "--host", "fd00::1"], "--ipv4 and --host fd00::1 at once"),
        (["--host", "10.0.0.1", "--host", "!10.0.0.0/8"], "--host 10.0.0.1 and --host '!10.0.0.0/8' at once"),
        (["--rport", "80", "--port", "!80"], "--rport 80 and --port '!80' at once"),
        (["--uid", "root,!0"], "--uid root and --uid '!0' at once"),
        (["--comm", "x", "--comm", "!x"], "--comm x and --comm '!x' at once"),
        (["--netns", str(os.getpid()), "--netns", "!/proc/self/ns/net"], "at once"),
        (["--mntns", str(os.getpid()), "--mntns", f"!/proc/{os.getpid()}/ns/mnt"], "at once"),
        (["--cgroup", "/", "--cgroup", "!/"], "--cgroup / and --cgroup '!/' at once"),
    ):
        done = subprocess.run([program("TCPTOP"), *arguments], capture_output=True, text=True, timeout=20)
        if "needs the cgroup v2 hierarchy" in done.stderr or "needs the host's cgroups" in done.stderr:
            check_equal(done.returncode, 4, f"exit code of {arguments}")
            continue
        check_equal(done.returncode, 2, f"exit code of {arguments}, which says {done.stderr!r}")
        check(said in done.stderr, f"{arguments} says {done.stderr!r}")


@contextlib.contextmanager
def odd_cgroups():
    """Two containers whose ids begin alike, units with odd names, and what a user has named as if it were a container of root's."""
    with cgroup() as group:
        other = "abcdef" + ID[6:]
        theirs = f"{group}/user@1000.service"
        paths = [
            f"{group}/docker/{ID}", f"{group}/docker/{other}", f"{group}/docker/abcdef0{other[7:]}", rf"{group}/foo\x2dbar@1.service",
            f"{group}/run-r0123.scope", f"{theirs}/user.slice/libpod-{'f' * 64}.scope", f"{theirs}/app.slice/mine.service",
        ]
        for path in paths:
            os.makedirs(path)
        for path, _, _ in list(os.walk(theirs)):
            os.chown(path, USER, USER)
        try:
            yield group, other
        finally:
            for path, _, _ in list(os.walk(group, topdown=False))[:-1]:
                wait_for(lambda path=path: remove_cgroup(path), 5, f"removing {path}")


@case
def odd_names():
    """Ids that are not told apart, and names that users may give, are refused, and it is said what helps."""
    with odd_cgroups() as (group, other):
        theirs = f"/{os.path.basename(group)}/user@1000.service"
        inside = subprocess.Popen(["sleep", "600"], preexec_fn=lambda: (
            enter_cgroup(f"{group}/user@1000.service/user.slice/libpod-{'f' * 64}.scope"), unshare_mounts()))
        try:
            for arguments, said in (
                (["--container", "abcdef"], "give more digits"),
                (["--container", "!abcdef"], "give more digits"),
                (["--container", "f" * 12], f"--cgroup '{theirs}/user.slice/libpod-"),
                (["--container", "podman:" + "f" * 12], f"--cgroup '{theirs}/user.slice/libpod-"),
                (["--container", "!" + "f" * 12], "belongs to a user"),
                (["--unit", "mine"], f"--cgroup '{theirs}/app.slice/mine.service'"),
            ):
                done = subprocess.run([program("TCPTOP"), *arguments], capture_output=True, text=True, timeout=20)
                check_equal(done.returncode, 2, f"exit code of {arguments}, which says {done.stderr!r}")
                check(said in done.stderr, f"{arguments} says {done.stderr!r}")
        finally:
            inside.kill()
            inside.wait()
        for arguments, path in (
            (["--container", "abcdef0" + other[7:9]], f"docker/abcdef0{other[7:]}"),
            (["--container", ID], f"docker/{ID}"),
            (["--container", other], f"docker/{other}"),
            (["--unit", r"foo\x2dbar@1"], r"foo\x2dbar@1.service"),
            (["--unit", "foo-bar@1.service"], r"foo\x2dbar@1.service"),
            (["--unit", "run-r0123.scope"], "run-r0123.scope"),
        ):
            text = subprocess.run([program("TCPTOP"), "--ebpf", *arguments], check=True, capture_output=True, text=True).stdout
            wanted = re.findall(r"SUBJECT_ANCESTOR\(\d+\) == (\d+)ULL", text)
            check_equal(wanted, [str(os.stat(f"{group}/{path}").st_ino)], f"cgroups of {arguments}")


@case
def namespaces_of_others():
    """Who may not look at a process is told what it takes."""
    with reachable() as tcptop:
        for option in ("--netns", "--mntns"):
            command = as_user(tcptop, option, str(os.getpid()), capabilities="bpf perfmon")
            done = subprocess.run(command, capture_output=True, text=True, timeout=20)
            check_equal(done.returncode, 3, f"exit code, with {done.stderr!r}")
            check(f"namespace that {option} names" in done.stderr and "CAP_SYS_PTRACE" in done.stderr, done.stderr)


@case
def nothing_for_free():
    """What is not asked for stands nowhere in the program text."""

    def text(*arguments):
        return subprocess.run(
            [program("TCPTOP"), "--ebpf", *arguments], check=True, capture_output=True, text=True
        ).stdout

    plain = text()
    # whom a filter by tasks looks at: names that stand for nothing else
    names = re.compile(r"^/\* Whom filters look at: .*?\n(?=\n)\n", re.S | re.M)
    filtered = names.sub("", text("--port", "443", "--uid", "0"))
    block = re.compile(r"\t\{ /\* --\w+ \*/\n.*?\n\t\}\n", re.S)
    check_equal(len(block.findall(filtered)), 2, "tests in the text")
    check_equal(block.sub("", filtered), plain, "the rest of the text")
    for host, family in (("10.0.0.1", "-4"), ("::ffff:10.0.0.0/104", "-4"), ("fd00::/8", "-6"), ("!::/0", "-4")):
        check_equal(block.sub("", text("--host", host)), text(family), f"the rest of the text with --host {host}")
    check_equal(block.sub("", text("--host", "!10.0.0.1")), plain, "the rest of a text for both families")


if __name__ == "__main__":
    unshare_mounts()
    sys.exit(main(120))
