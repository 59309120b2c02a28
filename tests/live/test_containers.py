#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who has lived for a moment in a cgroup is known by its name, and containers are called as their makers call them.

The words of --filter look at the names, so what passes them has the name.
"""
import contextlib
import glob
import json
import os
import shutil
import socket
import subprocess
import sys
import time

from container_names import ENGINE_ID, ID, UID, add_kubelet_files, engine, mounted, names_known, pure_v2
from live import (
    Skipped,
    Tcptop,
    case,
    cgroup,
    check,
    check_equal,
    directory,
    enter_cgroup,
    held_flows,
    judged,
    main,
    move,
    receive_from_child,
    remove_cgroup,
    seconds,
    sessions,
    unshare_mounts,
    wait_for,
)

BYTES = 100003
POD = f"kubepods-pod{UID.replace('-', '_')}.slice/cri-containerd-{ID}.scope"
DOCKER = f"docker-{ENGINE_ID}.scope"


def pids(process):
    return {line["pid"] for line in sessions(process.stop())}


@contextlib.contextmanager
def below(path, name):
    """A cgroup of that name, a path itself, below another one, removed with all on the way."""
    whole = os.path.join(path, name)
    os.makedirs(whole)
    try:
        yield whole
    finally:
        while whole != path:
            wait_for(lambda at=whole: remove_cgroup(at), 5, f"removing {whole}")
            whole = os.path.dirname(whole)


def exchange(path, server, before_removal=lambda: None):
    """A process that enters a new cgroup, sends, and is gone with its cgroup at once; returns its PID."""
    os.mkdir(path)
    pid = receive_from_child(server, 1000, lambda: enter_cgroup(path))
    before_removal()
    wait_for(lambda: remove_cgroup(path), 5, f"removing {path}")
    return pid


def short_lives(group):
    """A container that lived some 100 ms, and a server that has a process and a cgroup for each connection."""
    mark = os.path.basename(group)
    words = (f"cgroup:{mark}", "container:once.service", "container:escape", "container:many-", f"cgroup:{mark}-not")
    tools = [Tcptop("-o", "json", "--filter", word, "600", wait=False) for word in words]
    tools.append(Tcptop("-o", "json", "--filter", "container:cgroup", "600", wait=False))
    for tool in tools:
        tool.wait_attached(60)
    with socket.create_server(("127.0.0.1", 0)) as server:
        begin = time.monotonic()
        once = exchange(os.path.join(group, "once.service"), server)
        took = time.monotonic() - begin
        odd = exchange(os.path.join(group, "escape\x1b[31m 0::\xff"), server)
        many = [exchange(os.path.join(group, f"many-{i}"), server) for i in range(40)]
    found = [pids(tool) for tool in tools]
    everybody = {once, odd, *many}
    check_equal(found[0], everybody, f"in {words[0]}")
    check_equal(found[1], {once}, f"what lived for {took:.3f} s")
    check_equal(found[2], {odd}, "in a cgroup whose name has control characters")
    check_equal(found[3], set(many), "a cgroup for each connection")
    check_equal(found[4], set(), "of a name that nothing has")
    check(not found[5] & everybody, "some are known by a number alone")


@case
def one_short_life():
    """One tool and one process: for each method and kernel."""
    with cgroup() as group:
        tool = Tcptop("-o", "json", "--filter", "container:once.service", "600")
        with socket.create_server(("127.0.0.1", 0)) as server:
            others = exchange(os.path.join(group, "twice.service"), server)
            once = exchange(os.path.join(group, "once.service"), server)
        found = pids(tool)
    check_equal(found, {once}, f"processes, not {others}")


@case
def short_lived():
    with cgroup() as group:
        short_lives(group)


@case
def short_lived_pure_v2():
    with pure_v2(), cgroup() as group:
        short_lives(group)


def made_cgroups():
    """The paths in all tables of cgroups that were made."""
    if not shutil.which("bpftool"):
        raise Skipped("bpftool is not installed (Debian's package bpftool)")
    shown = json.loads(subprocess.run(["bpftool", "-j", "map", "show"], check=True, capture_output=True).stdout)
    paths = set()
    for table in shown:
        if table.get("name") != "made_cgroups":
            continue
        dumped = subprocess.run(["bpftool", "-j", "map", "dump", "id", str(table["id"])], capture_output=True, check=False)
        for entry in json.loads(dumped.stdout or "[]") if dumped.returncode == 0 else []:
            value = bytes(int(byte, 16) for byte in entry["value"])
            paths.add(value.split(b"\0")[0].decode())
    return paths


@case
def v1_is_told_apart():
    """Ids of v1 hierarchies are numbers of their own: none of theirs is in the table."""
    v1 = "/sys/fs/cgroup/pids"
    if not os.path.exists(f"{v1}/cgroup.procs"):
        raise Skipped(f"no v1 hierarchy is mounted at {v1}")
    with cgroup() as group:
        tool = Tcptop("-o", "json", "600")
        with below(group, "new"), below(v1, f"tcptop-test-v1-{os.getpid()}"):
            paths = made_cgroups()
        tool.stop()
    check(any(path.endswith(f"{os.path.basename(group)}/new") for path in paths), f"not in {paths}")
    check(not any("tcptop-test-v1" in path for path in paths), f"of v1: {paths}")


def passing(words, flows, leave=lambda: None, arguments=()):
    """Of flows in cgroups, which are seen by each filter: a set of their indices for each."""
    prepared = [(["--bytes", BYTES], lambda path=path: enter_cgroup(path)) for path in flows]
    with held_flows(*prepared) as (movers, release):
        leave()
        tools = [Tcptop("-o", "json", *arguments, "--filter", word, "0.5", wait=False) for word in words]
        for tool in tools:
            tool.wait_attached(60)
        of_flow = {pid: i for i, mover in enumerate(movers) for pid in mover.pids()}
        release()
        for mover in movers:
            mover.truth()
    return [{of_flow[pid] for pid in pids(tool) if pid in of_flow} for tool in tools]


EXPECTED = {
    "container:shop/web-7c5d/main": {0},
    "container:web-7c5d": {0},
    f"container:{ID[:13]}": {0},
    f"cgroup:{ID}": {0},
    UID: {0},
    "container:docker:webshop": {1},
    "webshop": {1},
    f"container:docker:{ENGINE_ID[:12]}": {1},
    "container:nginx.service": {2},
    "container:cri:": {0},
    "container:other": set(),
}


def known(group):
    with names_known(ENGINE_ID), below(group, POD) as pod, below(group, DOCKER) as docker:
        with below(group, "nginx.service") as unit:
            found = passing(EXPECTED, (pod, docker, unit))
    for (word, expected), seen in zip(EXPECTED.items(), found):
        yield judged(word.replace(ID, "ID"), check_equal, seen, expected, "flows")


@case
def known_names():
    with cgroup() as group:
        yield from known(group)


@case
def known_names_pure_v2():
    with pure_v2(), cgroup() as group:
        yield from known(group)


@case
def names_come_later():
    """The kubelet's link is there some time after the container: as in life, and also if all was read before."""
    with cgroup() as group, below(group, POD) as pod:
        mounted("/var/log")
        try:
            os.makedirs("/var/log/containers")
            tool = Tcptop("-o", "json", "--filter", "container:late/pod/box", "0.2")
            move("flow", "--bytes", BYTES, prepare=lambda: enter_cgroup(pod))
            time.sleep(seconds(0.5))
            os.symlink("/nowhere", f"/var/log/containers/pod_late_box-{ID}.log")
            truth = move("flow", "--bytes", BYTES, prepare=lambda: enter_cgroup(pod))
            time.sleep(seconds(0.5))
            found = pids(tool)
        finally:
            subprocess.run(["umount", "-l", "/var/log"], check=True)
    check_equal(found, {key[0] for key in truth}, "processes whose container has the name")


@case
def silent_engine():
    """One that never answers keeps nobody waiting, and the container its id."""
    with cgroup() as group, below(group, DOCKER) as docker:
        mounted("/run")
        try:
            with engine("/run/docker.sock", None):
                begin = time.monotonic()
                tool = Tcptop("-o", "json", "--filter", f"container:docker:{ENGINE_ID[:12]}", "600")
                truth = move("flow", "--bytes", BYTES, prepare=lambda: enter_cgroup(docker))
                found = pids(tool)
                took = time.monotonic() - begin
        finally:
            subprocess.run(["umount", "-l", "/run"], check=True)
    check_equal(found, {key[0] for key in truth}, "processes")
    check(took < seconds(20), f"it took {took:.1f} s")


@case
def host_root():
    """As in a container that has the host's root mounted somewhere."""
    user = 54321
    with cgroup() as group, directory() as root, below(group, POD) as pod, below(group, DOCKER) as docker:
        os.makedirs(f"{root}/etc")
        os.makedirs(f"{root}/run")
        with open(f"{root}/etc/passwd", "w", encoding="ascii") as stream:
            stream.write(f"broken\nhosty:x:{user}:1::/:/bin/sh\nsecond:x:{user}:1::/:/bin/sh\n")
        with open(f"{root}/etc/services", "w", encoding="ascii") as stream:
            stream.write("".join(f"hostport {port}/tcp\n" for port in range(1, 65536)))
        add_kubelet_files(root)
        words = ("user:hosty", "container:shop/web-7c5d/main", "container:docker:webshop", "port:hostport", "user:second")
        with engine(f"{root}/run/docker.sock", [{"Id": ENGINE_ID, "Names": ["/webshop"]}]):
            found = passing(words, (pod, docker), arguments=("--host-root", f"{root}/"))
            selected = Tcptop("-o", "json", "--host-root", root, "--uid", "hosty", "600")
            truth = move("flow", "--bytes", BYTES, prepare=lambda: (enter_cgroup(pod), os.setuid(user)))
            by_user = pids(selected)
            by_pod = Tcptop("-o", "json", "--host-root", root, "--pod", "shop/web-7c5d", "--container", "main", "600")
            then = move("flow", "--bytes", BYTES, prepare=lambda: enter_cgroup(pod))
            pod_pids = pids(by_pod)
    check_equal(found, [set(), {0}, {1}, {0, 1}, set()], "flows")
    check_equal(by_user, {key[0] for key in truth}, "processes of --uid")
    check_equal(pod_pids, {key[0] for key in then}, "processes of --pod and --container")


PODMAN = ("podman", "--cgroup-manager", "cgroupfs", "--runtime", "/usr/sbin/runc")
LOAD = """while ! [ -e /tmp/go ]; do sleep 0.1; done
dd if=/dev/zero of=/tmp/f bs=100003 count=1 2>/dev/null; httpd -p 127.0.0.1:8080 -h /tmp
i=0; while [ $i -lt 5 ]; do wget -q -O /dev/null http://127.0.0.1:8080/f; i=$((i+1)); done; sleep 1
"""


def podman_image(path):
    for name in ("bin", "tmp", "proc", "sys", "dev", "etc"):
        os.makedirs(f"{path}/{name}")
    shutil.copy("/bin/busybox", f"{path}/bin")
    for name in ("sh", "wget", "httpd", "sleep", "dd"):
        os.symlink("busybox", f"{path}/bin/{name}")
    with open(f"{path}/bin/load", "w", encoding="ascii") as stream:
        stream.write(LOAD)
    archive = subprocess.run(["tar", "-C", path, "-c", "."], check=True, capture_output=True).stdout
    subprocess.run([*PODMAN, "import", "-", "localhost/box:1"], input=archive, check=True, capture_output=True)


def remove_parent(path):
    """Its monitor ends some time after the container, and leaves a cgroup in each hierarchy."""
    if os.path.exists(path):
        for name in (*os.listdir(path), ""):
            remove_cgroup(os.path.join(path, name))
    return not os.path.exists(path)


@contextlib.contextmanager
def podman_storage():
    """An empty one of this mount namespace's own; nothing of it stays, its cgroups neither."""
    for name, package in (("podman", "podman"), ("/usr/sbin/runc", "runc"), ("/bin/busybox", "busybox-static")):
        if not shutil.which(name):
            raise Skipped(f"{name} is not installed (Debian's package {package})")
    before = set(glob.glob("/sys/fs/cgroup/**/libpod_parent", recursive=True))
    os.makedirs("/var/lib/containers", exist_ok=True)
    for path in ("/var/lib/containers", "/run"):
        mounted(path)
    try:
        yield
    finally:
        subprocess.run([*PODMAN, "rm", "-f", "-a", "-t", "0"], capture_output=True, check=False)
        for path in ("/run", "/var/lib/containers"):
            subprocess.run(["umount", "-R", "-l", path], check=True)
        left = set(glob.glob("/sys/fs/cgroup/**/libpod_parent", recursive=True)) - before
        wait_for(lambda: all(remove_parent(path) for path in left), 10, "removing podman's cgroups")


@case
def podman():
    """A real one: called by its name, also when it is gone before it is looked at."""
    with podman_storage(), directory() as path:
        podman_image(path)
        limits = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000", "--network", "none")
        run = [*PODMAN, "run", "-d", "--log-driver", "k8s-file", *limits, "--name"]
        started = subprocess.run(
            [*run, "web", "localhost/box:1", "/bin/sh", "/bin/load"], check=False, capture_output=True, text=True
        )
        if started.returncode:
            raise Skipped(f"podman cannot run a container here: {started.stderr.strip().splitlines()[-1]}")
        box = started.stdout.strip()
        words = ("container:podman:web", f"cgroup:{box}")
        tools = [Tcptop("-o", "json", "--filter", word, "600", wait=False) for word in words]
        for tool in tools:
            tool.wait_attached(60)
        subprocess.run([*PODMAN, "exec", "web", "/bin/busybox", "touch", "/tmp/go"], check=True, capture_output=True)
        subprocess.run([*PODMAN, "wait", "web"], check=True, capture_output=True, timeout=seconds(60))
        subprocess.run([*PODMAN, "rm", "web"], check=False, capture_output=True)
        found = [tool.stop() for tool in tools]
    for word, lines in zip(words, found):
        check_equal({line["comm"] for line in sessions(lines)}, {"httpd", "wget"}, f"programs in {word}")


if __name__ == "__main__":
    unshare_mounts()
    sys.exit(main(120))
