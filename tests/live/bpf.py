# SPDX-License-Identifier: Apache-2.0
"""The little of bpf(2) that the live tests need: maps, pins, and which objects exist."""
import contextlib
import ctypes
import errno
import os
import platform
import re
import struct

from live import Skipped, call, descriptors, libc

MAP_CREATE, LOOKUP, UPDATE, DELETE, PROG_LOAD, OBJ_PIN, PROG_ATTACH = 0, 1, 2, 3, 5, 6, 8
PROG_GET_NEXT_ID, MAP_GET_NEXT_ID, LINK_GET_NEXT_ID = 11, 12, 31
PROG_GET_FD_BY_ID, MAP_GET_FD_BY_ID, OBJ_GET_INFO = 13, 14, 15
ENABLE_STATS = 32
TYPE_HASH, TYPE_ARRAY, TYPE_PERCPU_HASH, TYPE_LRU_HASH = 1, 2, 5, 9
TYPE_SOCKMAP = 15
PROG_SOCKET_FILTER, PROG_SK_SKB, SK_SKB_STREAM_VERDICT = 1, 14, 5
SK_REDIRECT_MAP = 52  # bpf_sk_redirect_map()
NUMBERS = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "ppc64le": 361, "s390x": 351}
ATTRIBUTE_SIZE = 128


def bpf(command, attribute):
    buffer = ctypes.create_string_buffer(attribute.ljust(ATTRIBUTE_SIZE, b"\0"), ATTRIBUTE_SIZE)
    number = NUMBERS[platform.machine()]
    return call(libc.syscall, ctypes.c_long(number), command, buffer, ATTRIBUTE_SIZE), buffer.raw


def map_create(kind=TYPE_HASH, key_size=8, value_size=8, entries=64):
    return bpf(MAP_CREATE, struct.pack("=IIII", kind, key_size, value_size, entries))[0]


def pin(descriptor, path):
    name = ctypes.create_string_buffer(os.fsencode(path))
    bpf(OBJ_PIN, struct.pack("=QI", ctypes.addressof(name), descriptor))
    return descriptor


def map_add(descriptor, key, value_size=8):
    key_bytes = ctypes.create_string_buffer(struct.pack("=Q", key), 8)
    value = ctypes.create_string_buffer(b"\1", value_size)
    pointers = (ctypes.addressof(key_bytes), ctypes.addressof(value))
    bpf(UPDATE, struct.pack("=IIQQQ", descriptor, 0, *pointers, 0))


def map_delete(descriptor, key):
    key_bytes = ctypes.create_string_buffer(struct.pack("=Q", key), 8)
    bpf(DELETE, struct.pack("=IIQ", descriptor, 0, ctypes.addressof(key_bytes)))


def program_load():
    """The smallest program: r0 = 0; exit."""
    code = ctypes.create_string_buffer(struct.pack("=BBhiBBhi", 0xB7, 0, 0, 0, 0x95, 0, 0, 0))
    text = ctypes.create_string_buffer(b"GPL")
    return bpf(
        PROG_LOAD, struct.pack("=IIQQ", PROG_SOCKET_FILTER, 2, ctypes.addressof(code), ctypes.addressof(text))
    )[0]


def instruction(code, registers=0, number=0):
    return struct.pack("=BBhi", code, registers, 0, number)


def redirect(source, target):
    """
    What arrives at the socket `source` is sent by the socket `target`: a worker of the kernel does (net/core/skmsg.c, sk_psock_backlog).
    Returns the descriptors that keep it so.
    """
    sockets = map_create(TYPE_SOCKMAP, 4, 4, 2)
    # return bpf_sk_redirect_map(skb, sockets, 0, 0)
    code = (
        instruction(0x18, 2 | 1 << 4, sockets) + instruction(0) + instruction(0xB7, 3) + instruction(0xB7, 4)
        + instruction(0x85, 0, SK_REDIRECT_MAP) + instruction(0x95)
    )
    buffer, text = ctypes.create_string_buffer(code), ctypes.create_string_buffer(b"GPL")
    addresses = ctypes.addressof(buffer), ctypes.addressof(text)
    verdict = bpf(PROG_LOAD, struct.pack("=IIQQ", PROG_SK_SKB, len(code) // 8, *addresses))[0]
    bpf(PROG_ATTACH, struct.pack("=III", sockets, verdict, SK_SKB_STREAM_VERDICT))
    for number, one in enumerate((target, source)):
        key, value = (ctypes.create_string_buffer(struct.pack("=I", x), 4) for x in (number, one.fileno()))
        bpf(UPDATE, struct.pack("=IIQQQ", sockets, 0, ctypes.addressof(key), ctypes.addressof(value), 0))
    return sockets, verdict


@contextlib.contextmanager
def run_times_counted():
    """The kernel counts the run times of programs for as long as anybody wants it: unlike with the sysctl, others are not disturbed."""
    descriptor = bpf(ENABLE_STATS, struct.pack("=I", 0))[0]
    try:
        yield
    finally:
        os.close(descriptor)


def ids(command):
    """All that exist: of programs, maps or links."""
    found, last = set(), 0
    while True:
        try:
            _, answer = bpf(command, struct.pack("=II", last, 0))
        except OSError as error:
            if error.errno == errno.ENOENT:
                return found
            raise
        last = struct.unpack_from("=II", answer)[1]
        found.add(last)


def map_named(name):
    """A descriptor of the newest map of that name."""
    for number in sorted(ids(MAP_GET_NEXT_ID), reverse=True):
        found = bpf(MAP_GET_FD_BY_ID, struct.pack("=I", number))[0]
        info = ctypes.create_string_buffer(128)
        bpf(OBJ_GET_INFO, struct.pack("=IIQ", found, len(info), ctypes.addressof(info)))
        if info.raw[24:40].rstrip(b"\0") == name.encode()[:15]:
            return found
        os.close(found)
    raise Skipped(f"no map {name}: this method has none")


def array_element(name, index, size=256):
    """The element of the newest array of that name, in so many bytes at most."""
    array = map_named(name)
    key = ctypes.create_string_buffer(struct.pack("=I", index), 4)
    value = ctypes.create_string_buffer(size)
    bpf(LOOKUP, struct.pack("=IIQQQ", array, 0, ctypes.addressof(key), ctypes.addressof(value), 0))
    os.close(array)
    return value.raw


def objects():
    """Every program, map and link: a set of (kind, id)."""
    commands = {"prog": PROG_GET_NEXT_ID, "map": MAP_GET_NEXT_ID, "link": LINK_GET_NEXT_ID}
    return {(kind, number) for kind, command in commands.items() for number in ids(command)}


def objects_of(pid):
    """Those that a process holds."""
    found = set()
    for number in descriptors(pid):
        try:
            with open(f"/proc/{pid}/fdinfo/{number}", encoding="utf-8") as stream:
                text = stream.read()
        except OSError:
            continue
        # a link's information names its program, too
        found |= {
            (kind, int(value)) for kind, value in re.findall(r"^(prog|map|link)_id:\s*(\d+)$", text, re.M)
        }
    return found


def objects_held():
    """Those that any process holds."""
    return set().union(*(objects_of(int(name)) for name in os.listdir("/proc") if name.isdigit()))
