#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pinned maps as filters: followed while the tool runs, checked before it compiles, never created."""
import contextlib
import os
import subprocess
import sys

import bpf
from live import (
    Process,
    Tcptop,
    bpffs,
    case,
    cgroup,
    cgroup2_root,
    check,
    check_equal,
    check_error,
    check_totals,
    compare,
    enter_cgroup,
    main,
    merge,
    move,
    program,
    sessions,
    unshare_mounts,
)

BYTES = 20011


def own_namespace():
    return os.stat("/proc/self/ns/mnt").st_ino


def phases(tcptop, descriptor, path, key, flow):
    """Flows while the key is missing, there, deleted, and there again in a map without a path."""
    expected, unexpected = [], [flow()]
    bpf.map_add(descriptor, key)
    expected.append(flow())
    bpf.map_delete(descriptor, key)
    unexpected.append(flow())
    os.unlink(path)
    bpf.map_add(descriptor, key)
    expected.append(flow())
    bpf.map_delete(descriptor, key)
    other = bpf.pin(bpf.map_create(), path)
    bpf.map_add(other, key)
    unexpected.append(flow())
    lines = tcptop.stop()
    check_totals(lines)
    everybody = {session[0] for truth in expected + unexpected for session in truth}
    compare(lines, merge(*expected), everybody)
    check({x["pid"] for x in sessions(lines)} <= everybody, "sessions of others pass")


@case
def cgroup_keys_while_running():
    with bpffs() as pins, cgroup() as group:
        path = os.path.join(pins, "map")
        descriptor = bpf.pin(bpf.map_create(), path)
        tcptop = Tcptop("-o", "json", "--cgroupmap", path, "0.1")
        phases(
            tcptop,
            descriptor,
            path,
            os.stat(group).st_ino,
            lambda: move("flow", "--bytes", BYTES, prepare=lambda: enter_cgroup(group)),
        )


@case
def mount_namespace_keys_while_running():
    with bpffs() as pins:
        path = os.path.join(pins, "map")
        descriptor = bpf.pin(bpf.map_create(), path)
        tcptop = Tcptop("-o", "json", "--mntnsmap", path, "0.1")
        phases(tcptop, descriptor, path, own_namespace(), lambda: move("flow", "--bytes", BYTES))


@case
def maps_without_a_key():
    """Nothing passes: a line says so, of the map that is empty alone."""
    with bpffs() as pins:
        empty, full = os.path.join(pins, "empty"), os.path.join(pins, "full")
        bpf.pin(bpf.map_create(), empty)
        bpf.map_add(bpf.pin(bpf.map_create(), full), own_namespace())
        options = ["--mntnsmap", "--cgroupmap"] if cgroup2_root() else ["--mntnsmap"]
        for option in options:
            for path, expected in ((empty, 1), (full, 0)):
                tcptop = Tcptop("-C", option, path, "0.1", "1", wait=False).expect(0)
                told = [x for x in tcptop.stderr.splitlines() if f"{option}: the map has no key" in x]
                check_equal(len(told), expected, f"lines of {path} ({tcptop.stderr!r})")


@case
def accepted_maps():
    """Hash and LRU hash with values of any size: each is accepted and filters."""
    kinds = [(bpf.TYPE_HASH, size) for size in (1, 4, 8, 100, 4096)]
    kinds += [(bpf.TYPE_LRU_HASH, size) for size in (1, 100, 4096)]
    running = []
    with bpffs() as pins:
        for number, (kind, size) in enumerate(kinds):
            path = os.path.join(pins, f"map{number}")
            descriptor = bpf.pin(bpf.map_create(kind, value_size=size), path)
            bpf.map_add(descriptor, own_namespace(), size)
            running.append(
                Tcptop("-o", "json", "--max-sessions", 1024, "--mntnsmap", path, "0.5", wait=False)
            )
        for tcptop in running:
            tcptop.wait_attached(40)
        truth = move("flow", "--bytes", BYTES)
        for tcptop, (kind, size) in zip(running, kinds):
            compare(tcptop.stop(), truth)


def refused(path, *patterns):
    for option in ("--cgroupmap", "--mntnsmap"):
        process = Process([program("TCPTOP"), "-C", option, path, "1", "1"])
        check_error(process, 2, f"{option}: ", "expected.*hash.*8-byte keys", *patterns)


def tree(root):
    return sorted(os.path.join(where, name) for where, *names in os.walk(root) for name in sum(names, []))


@contextlib.contextmanager
def nothing_is_created(pins):
    before = tree(pins)
    yield
    check_equal(tree(pins), before, "the BPF file system's files")


def wrong_map(kind, key_size, value_size, *patterns):
    with bpffs() as pins:
        path = os.path.join(pins, "map")
        bpf.pin(bpf.map_create(kind, key_size, value_size), path)
        with nothing_is_created(pins):
            refused(path, *patterns)


@case
def array():
    wrong_map(bpf.TYPE_ARRAY, 4, 8, "type 2")


@case
def percpu_hash():
    wrong_map(bpf.TYPE_PERCPU_HASH, 8, 8, "type 5")


@case
def keys_of_4_bytes():
    wrong_map(bpf.TYPE_HASH, 4, 8, "4 bytes")


@case
def keys_of_16_bytes():
    wrong_map(bpf.TYPE_LRU_HASH, 16, 8, "16 bytes")


@case
def pinned_program():
    with bpffs() as pins:
        path = os.path.join(pins, "program")
        bpf.pin(bpf.program_load(), path)
        with nothing_is_created(pins):
            refused(path, "prog")


@case
def missing_path():
    with bpffs() as pins, nothing_is_created(pins):
        refused(os.path.join(pins, "missing"), "No such file")
        refused(os.path.join(pins, "missing", "below"), "No such file")


@case
def text_in_the_path():
    """A path that would end the string in a program, and one that would move the cursor."""
    with bpffs() as pins, nothing_is_created(pins):
        refused(os.path.join(pins, '"); int injected(void *ctx) { return 0; } //'), "No such file")
        refused(os.path.join(pins, "a\x1b[2Jb\nc"), "No such file")
        process = Process([program("TCPTOP"), "--ebpf", "--mntnsmap", os.path.join(pins, 'x"y')])
        process.expect(0)
        check(b'x"y' not in process.stdout, "the path stands in the program")


@case
def directory_as_map():
    with bpffs() as pins:
        os.mkdir(os.path.join(pins, "directory"))
        with nothing_is_created(pins):
            refused(os.path.join(pins, "directory"))
    refused("/")


@case
def file_as_map():
    refused("/proc/version")
    refused("/dev/null")


@case
def no_hierarchy():
    """Without cgroup v2: --cgroupmap cannot work, and the error names the way out."""
    with bpffs() as pins:
        path = os.path.join(pins, "map")
        bpf.pin(bpf.map_create(), path)

        def hide():
            unshare_mounts()
            subprocess.run(["umount", "--all", "--lazy", "--types", "cgroup2"], check=True)

        check_error(
            Process([program("TCPTOP"), "-C", "--cgroupmap", path, "1", "1"], prepare=hide), 4, "--mntnsmap"
        )


if __name__ == "__main__":
    unshare_mounts()
    sys.exit(main())
