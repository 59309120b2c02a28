#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Root is held for the first moments only; and who may start it, who may not, and what those are told."""
import contextlib
import os
import re
import subprocess
import sys
import time

from live import (
    ARGUMENTS,
    Process,
    Skipped,
    Tcptop,
    as_user,
    case,
    check,
    check_equal,
    check_error,
    check_exact,
    children,
    descriptors,
    directory,
    hide_tmp,
    main,
    move,
    need_user_namespaces,
    own_ids,
    reachable,
    wait_for,
)

RESIDENT_KB = 5 * 1024  # with up to 1,000 sessions
NO_CAPABILITIES = "0" * 16
# what may stay open: BPF objects, the threads' and signals' descriptors, and what it was started with
ALLOWED = re.compile(r"/dev/null|anon_inode:|pipe:|/.* \(deleted\)$")
# where names are looked up, with the rights of who looks: O_PATH descriptors
LOOKED_UP = re.compile(r"/proc$|/sys/fs/cgroup(/unified)?$")
O_PATH = 0o10000000
SOCKET = re.compile(r"socket:\[(\d+)\]$")


def status(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as stream:
        return {name: value.strip() for name, _, value in (line.partition(":") for line in stream)}


def asking_sockets():
    """Inodes of the sockets of NETLINK_ROUTE, by which the kernel is asked for links."""
    with open("/proc/net/netlink", encoding="ascii") as stream:
        return {fields[-1] for fields in map(str.split, stream) if fields[1] == "0"}


@contextlib.contextmanager
def running(*arguments, **options):
    tcptop = Tcptop("-o", "json", *arguments, "0.2", **options)
    wait_settled(tcptop)
    yield tcptop
    tcptop.stop()


def opened_flags(pid, number):
    with open(f"/proc/{pid}/fdinfo/{number}", encoding="ascii") as stream:
        return next(int(line.split()[1], 8) for line in stream if line.startswith("flags:"))


def wait_settled(tcptop):
    """After the first interval all of the start is over."""
    wait_for(lambda: tcptop.stdout, 20, "the first interval")


def check_dropped(pid, uid, gid):
    facts = status(pid)
    check_equal(facts["Uid"].split(), [str(uid)] * 4, "Uid")
    check_equal(facts["Gid"].split(), [str(gid)] * 4, "Gid")
    check_equal(facts["Groups"], "", "Groups")
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        check_equal(facts[name], NO_CAPABILITIES, name)
    check_equal(facts["NoNewPrivs"], "1", "NoNewPrivs")


@case
def another_user_without_capabilities():
    uid, gid = own_ids()
    check(uid not in (0, 65534), f"user {uid}")

    def groups():
        os.setgroups([0, 4, 27])

    with running(prepare=groups) as tcptop:
        check_dropped(tcptop.pid, uid, gid)
        for thread in os.listdir(f"/proc/{tcptop.pid}/task"):
            check_dropped(thread, uid, gid)


@case
def closed_to_others():
    """Even a process of the same user can neither trace it nor see its descriptors; one of nobody cannot stop it, either."""
    with running() as tcptop:
        for uid, code in (
            (own_ids()[0], f"import os; os.listdir('/proc/{tcptop.pid}/fd')"),
            (65534, f"import os; os.kill({tcptop.pid}, 19)"),
            (65534, f"import resource; resource.prlimit({tcptop.pid}, resource.RLIMIT_CPU, (1, 1))"),
        ):
            command = [x.replace("65534", str(uid)) for x in as_user(sys.executable, "-c", code)]
            found = subprocess.run(command, capture_output=True, check=False)
            refused = b"Permission denied" in found.stderr or b"Operation not permitted" in found.stderr
            check(found.returncode and refused, f"{uid}, {code}: {found.stderr[-100:]!r}")
        asking = asking_sockets()
        for number, target in descriptors(tcptop.pid).items():
            inode = SOCKET.match(target)
            allowed = ALLOWED.match(target) or inode and inode[1] in asking
            if LOOKED_UP.match(target):
                allowed = opened_flags(tcptop.pid, number) & O_PATH
            check(allowed, f"descriptor {number} is {target}")


@case
def small_and_alone():
    """No LLVM in its memory, no child left, at most 5 MB resident."""
    with running() as tcptop:
        time.sleep(1)
        with open(f"/proc/{tcptop.pid}/maps", encoding="utf-8", errors="replace") as stream:
            maps = stream.read()
        facts = status(tcptop.pid)
        check(not re.search(r"llvm|libbcc|libclang", maps, re.I), "LLVM is mapped")
        check_equal(children(tcptop.pid), [], "children")
        if re.search(r"lib[at]san", maps):
            raise Skipped("a sanitizer's build: its memory is no measure; no LLVM and no child are there")
        resident = sum(int(facts[name].split()[0]) for name in ("RssAnon", "RssFile"))
        check(resident <= RESIDENT_KB, f"{resident} KB resident, at most {RESIDENT_KB}")


@case
def ordinary_user():
    """It ends with 3 and names what is missing, whatever the output is."""
    with reachable() as copy:
        for capabilities, missing, present in (
            ("", "CAP_BPF and CAP_PERFMON missing", "sudo"),
            ("bpf", "CAP_PERFMON missing", "sudo"),
            ("perfmon", "CAP_BPF missing", "sudo"),
        ):
            for output in ("text", "json"):
                command = as_user(copy, "-o", output, "1", "1", capabilities=capabilities)
                check_error(Process(command), 3, missing, present)
        check_equal(Process(as_user(copy, "--help")).expect(0).stderr, "", "stderr of --help")
        check_error(Process(as_user(copy, "--wrong")), 2)


PARANOID = "/proc/sys/kernel/perf_event_paranoid"


@contextlib.contextmanager
def perf_allowed():
    """Debian forbids perf events, of which kprobes are made, to all but CAP_SYS_ADMIN: 3, against the kernel's 2."""
    with open(PARANOID, encoding="ascii") as stream:
        before = stream.read()
    if "kprobe" not in ARGUMENTS or int(before) <= 2:
        yield
        return
    with reachable():
        prefix = as_user(capabilities="bpf perfmon")
        check_error(Tcptop("-C", "1", "1", prefix=prefix, wait=False), 3, "perf_event_paranoid=2")
    with open(PARANOID, "w", encoding="ascii") as stream:
        stream.write("2")
    try:
        yield
    finally:
        with open(PARANOID, "w", encoding="ascii") as stream:
            stream.write(before)


@case
def capabilities_suffice():
    """CAP_BPF and CAP_PERFMON: it counts everybody's bytes, and gives up both."""
    with perf_allowed(), reachable():
        prefix = as_user(capabilities="bpf perfmon")
        tcptop = Tcptop("-o", "json", "0.2", prefix=prefix)
        wait_settled(tcptop)
        facts = status(tcptop.pid)
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            check_equal(facts[name], NO_CAPABILITIES, name)
        check_equal(facts["NoNewPrivs"], "1", "NoNewPrivs")
        truth = move("flow", "--bytes", 30011)
        check_exact(tcptop.stop(), truth)
    check_equal(os.listdir("/tmp"), [], "/tmp")


def check_self_test(process):
    """Each path is exact, declared or skipped, with a reason; returns the results by path."""
    lines = [x for x in process.expect(0, 60).lines() if x["type"] == "check"]
    check(any(x["result"] == "exact" for x in lines), "no path was exact")
    for line in lines:
        check(line["result"] in ("exact", "not_counted", "skipped"), f"{line}")
        check(line["result"] == "exact" or line["reason"], f"no reason: {line}")
        check_equal("declared" in line, line["result"] == "not_counted", f"declared in {line['path']}")
    return {x["path"]: x["result"] for x in lines}


@case
def self_test_without_root():
    """None of --check's paths fails for what root alone may do."""
    with perf_allowed(), reachable() as copy:
        command = as_user(copy, *ARGUMENTS, "--check", "-o", "json", capabilities="bpf perfmon")
        check_self_test(Process(command))
        check_self_test(Process(["prlimit", "--memlock=65536", "--", *command]))


@case
def self_test_where_namespaces_are_refused():
    """In a chroot no user may make the user namespace, and then the network namespace, that Fast Open needs."""
    with open("/proc/sys/net/ipv4/tcp_fastopen", encoding="ascii") as stream:
        needs_namespace = int(stream.read()) & 3 != 3
    with directory() as path:
        jail = ("unshare", "-m", "sh", "-c", 'mount --rbind / "$0" && exec chroot "$0" "$@"', path)
        results = check_self_test(Tcptop("--check", "-o", "json", prefix=jail, wait=False))
    if needs_namespace:
        check_equal(results["fastopen"], "skipped", "fastopen")


@case
def user_namespace():
    """Root of a user namespace is not root: said clearly, with 3."""
    need_user_namespaces()
    with reachable() as copy:
        for output in ("text", "json"):
            command = ["unshare", "--user", "--map-root-user", copy, "-o", output, "1", "1"]
            check_error(Process(command), 3, "namespace|host")


if __name__ == "__main__":
    hide_tmp()
    sys.exit(main())
