# SPDX-License-Identifier: Apache-2.0
"""Where container engines run with their usual paths, and leave nothing on the host, however this ends.

Mounts and network belong to namespaces of the test's own, and each engine is the first process of a PID namespace that the
kernel ends when the test ends. Only cgroups outlive all of that: a process that waits for the test's end removes the new ones.
"""
import atexit
import contextlib
import ctypes
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "live"))

from live import (  # noqa: E402
    CLONE_NEWNET, Failed, Skipped, call, cgroup2_root, kill_started, libc, mount, needs_root, program, seconds, unshare_mounts,
)

CGROUPS = os.environ.get("CGROUPS", "hybrid")  # or v2: all of /sys/fs/cgroup
HIDDEN = ("/run", "/var/lib", "/var/log", "/dev/shm")
SHARE = "/run/share"  # the same directory in all containers, which can write into it
REMOVAL_LIMIT_S = 10

# What engines make in each hierarchy, the test's own units among them.
OURS = re.compile(r"(libpod_parent|docker|kubepods|lxc\.[a-z.]+|machine\.slice)(?![a-z])[^/]*(/|$)")


def hierarchies():
    """Mount points of all cgroup hierarchies."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as stream:
        for line in stream:
            mounted, _, kind = line.partition(" - ")
            if kind.startswith(("cgroup ", "cgroup2 ")):
                yield mounted.split()[4]


def our_cgroups():
    """Those that engines make, the deepest first."""
    found = set()
    for root in hierarchies():
        for path, names, _ in os.walk(root):
            if path == root:
                names[:] = filter(OURS.match, names)
            else:
                found.add(path)
    return sorted(found, key=len, reverse=True)


def remove_cgroups(before, limit_s):
    """Of what is new; returns what stays. The processes in it end at the same time as the test."""
    end = time.monotonic() + limit_s
    while True:
        new = [path for path in our_cgroups() if path not in before]
        for path in new:
            with contextlib.suppress(OSError):
                os.rmdir(path)
        new = [path for path in new if os.path.exists(path)]
        if not new or time.monotonic() > end:
            return new
        time.sleep(0.05)


def start_cleaner():
    """A process in the host's namespaces that waits for end of file on a pipe from this one; returns how to wait for it.

    It is nobody's child, for ctest ends a test that takes too long with all of its descendants.
    """
    before = set(our_cgroups())
    alive, ended = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        os.close(alive[1])
        os.close(ended[0])
        os.read(alive[0], 1)
        os.write(ended[1], "\n".join(remove_cgroups(before, seconds(REMOVAL_LIMIT_S))).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(alive[0])
    os.close(ended[1])

    def leave():
        kill_started()
        os.close(alive[1])
        left = os.read(ended[0], 4096).decode()
        if left:
            print(f"failed  cgroups were left behind: {left}", flush=True)
            os._exit(1)

    return leave


def lock():
    """Two tests would take each other's cgroups for their own."""
    path = os.path.join(tempfile.gettempdir(), "tcptop-containers.lock")
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)


def enter_network():
    """hostNetwork is this network: CNI plug-ins change what is the node's."""
    call(libc.unshare, CLONE_NEWNET)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def enter_v2():
    """As on a host where nothing but v2 is mounted."""
    call(libc.umount2, b"/sys/fs/cgroup", 2)
    mount("cgroup2", "/sys/fs/cgroup", "cgroup2")


def hide():
    """The engines' usual directories, empty; the programs stay in reach."""
    mount("tmpfs", "/run", "tmpfs", 0, "mode=755")
    os.makedirs("/run/programs")
    os.makedirs(SHARE, mode=0o777)
    os.chmod(SHARE, 0o777)
    for variable in ("TCPTOP", "CHECK"):
        os.environ[variable] = shutil.copy(program(variable), "/run/programs")
    for path in HIDDEN[1:]:
        mount("tmpfs", path, "tmpfs", 0, "mode=755")
    os.chdir("/")


def has_v1():
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as stream:
        return any(" - cgroup " in line for line in stream)


def need(*programs):
    """Of each program its package. A program that a test cannot do without, but that is not there, is a skip."""
    missing = [package for name, package in programs if not shutil.which(name)]
    if missing:
        raise Skipped(f"not installed: {', '.join(missing)} (sudo apt-get install --no-install-recommends {' '.join(missing)})")


def enter():
    """Once, before the first engine starts."""
    needs_root()
    lock()
    if CGROUPS == "hybrid" and not has_v1():
        raise Skipped("this host mounts no cgroup v1 hierarchy")
    if not cgroup2_root():
        raise Skipped("no cgroup v2 hierarchy is mounted")
    atexit.register(start_cleaner())
    unshare_mounts()
    enter_network()
    if CGROUPS == "v2":
        enter_v2()
    hide()


def shared(name):
    """What a container has written into a file; nothing yet: ""."""
    try:
        with open(os.path.join(SHARE, name), encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError:
        return ""


def engine(*command):
    """The command as the first process of a PID namespace, with /proc and mounts of its own: what it starts ends with it."""
    return ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--", *command]


def run(*command, limit_s=30, **options):
    """An engine's command that ends; returns what it printed."""
    done = subprocess.run(
        engine(*command), capture_output=True, text=True, check=False, timeout=seconds(limit_s),
        stdin=subprocess.DEVNULL, **options,
    )
    if done.returncode:
        raise Failed(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()[-400:]}")
    return done.stdout
