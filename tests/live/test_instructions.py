#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
How much an event can take at most: instructions and calls of helpers on the longest path through each program, as the kernel has rewritten
it. That is a call which makes the entry of a session. It needs no traffic and no quiet machine.
"""
import ctypes
import os
import re
import struct
import sys

import bpf
from live import Skipped, Tcptop, case, check, descriptors, judged, main

INFO_SIZE, XLATED_LENGTH_AT, XLATED_AT = 232, 20, 32
CALL, EXIT, LOAD_64 = 0x85, 0x95, 0x18
CLASS_JUMP, CLASS_JUMP_32, ALWAYS, ALWAYS_32 = 5, 6, 0x05, 0x06
PSEUDO_CALL = 1  # to a part of the program, no helper
COUNTING = ("sock_send_length", "sock_recv_length", "tcp_rcv_space_adjust")

# By variant and tracepoint: instructions and calls of helpers. Of typed tracepoints: where another method is taken there are no limits.
LIMITS = {
    "": {"sock_send_length": (450, 23), "sock_recv_length": (450, 23), "tcp_rcv_space_adjust": (545, 30)},
    "-4": {"sock_send_length": (375, 21), "sock_recv_length": (375, 21), "tcp_rcv_space_adjust": (500, 28)},
    "-p 1": {"sock_send_length": (450, 23), "sock_recv_length": (450, 23), "tcp_rcv_space_adjust": (545, 30)},
    "--no-splice": {"sock_send_length": (450, 23), "sock_recv_length": (450, 23)},
    "--port 443": {"sock_send_length": (465, 24), "sock_recv_length": (465, 24), "tcp_rcv_space_adjust": (565, 31)},
    "--connections": {"sock_send_length": (485, 25), "sock_recv_length": (485, 26), "tcp_rcv_space_adjust": (580, 33)},
}


def information(descriptor, code=None):
    """The length of a program's instructions, which are put into the buffer."""
    answer = ctypes.create_string_buffer(INFO_SIZE)
    if code is not None:
        struct.pack_into("=I", answer, XLATED_LENGTH_AT, len(code))
        struct.pack_into("=Q", answer, XLATED_AT, ctypes.addressof(code))
    bpf.bpf(bpf.OBJ_GET_INFO, struct.pack("=IIQ", descriptor, INFO_SIZE, ctypes.addressof(answer)))
    return struct.unpack_from("=I", answer, XLATED_LENGTH_AT)[0]


def instructions_of(number):
    """[(code, source, offset, immediate)] of a program."""
    descriptor = bpf.bpf(bpf.PROG_GET_FD_BY_ID, struct.pack("=I", number))[0]
    try:
        code = ctypes.create_string_buffer(information(descriptor))
        information(descriptor, code)
    finally:
        os.close(descriptor)
    return [
        (operation, registers >> 4, offset, immediate)
        for operation, registers, offset, immediate in struct.iter_unpack("=BBhi", code.raw)
    ]


def following(instructions, at):
    """Where the program may go on."""
    operation, _, offset, immediate = instructions[at]
    if operation == EXIT:
        return []
    if operation == ALWAYS_32:
        return [at + 1 + immediate]
    if operation == ALWAYS:
        return [at + 1 + offset]
    if operation & 7 in (CLASS_JUMP, CLASS_JUMP_32) and operation != CALL:
        return [at + 1, at + 1 + offset]
    return [at + (2 if operation == LOAD_64 else 1)]


def longest(instructions, weight):
    """The greatest sum of weights on a path from the beginning. What goes back must be no loop, as compilers place what is rare behind."""
    lengths, on_path = {}, set()

    def length(at):
        if at not in lengths:
            check(at not in on_path, f"there is a loop at instruction {at}: count its rounds, too")
            on_path.add(at)
            lengths[at] = weight(instructions[at]) + max(map(length, following(instructions, at)), default=0)
            on_path.remove(at)
        return lengths[at]

    sys.setrecursionlimit(4 * len(instructions) + 1000)
    return length(0)


def is_helper(instruction):
    operation, source, _, _ = instruction
    return int(operation == CALL and source != PSEUDO_CALL)


def programs_at(pid):
    """{tracepoint: program id} of those that count."""
    found = {}
    for number in descriptors(pid):
        try:
            with open(f"/proc/{pid}/fdinfo/{number}", encoding="ascii", errors="replace") as stream:
                fields = dict(re.findall(r"^(\w+):\s+(\S+)$", stream.read(), re.M))
        except FileNotFoundError:
            continue  # closed meanwhile
        if fields.get("tp_name") in COUNTING:
            found[fields["tp_name"]] = int(fields["prog_id"])
    return found


def compare(variant, limits):
    tool = Tcptop("-o", "json", *variant.split(), 60)
    try:
        programs = programs_at(tool.pid)
        check(set(programs) == set(limits), f"programs at {sorted(programs)}")
        for point, number in sorted(programs.items()):
            instructions = instructions_of(number)
            found = longest(instructions, lambda _: 1), longest(instructions, is_helper)
            print(f"{variant or 'plain':14} {point:21} {found[0]:4} instructions, {found[1]:2} helpers; at most {limits[point]}")
            for count, limit, what in zip(found, limits[point], ("instructions", "calls of helpers")):
                check(count > 0, f"no {what} were found")
                check(count <= limit, f"{point}: {count} {what}, more than {limit}")
    finally:
        tool.stop()


@case
def longest_paths():
    tool = Tcptop("-o", "json", 60)
    typed = set(COUNTING) <= set(programs_at(tool.pid))
    tool.stop()
    if not typed:
        raise Skipped("the limits are of typed tracepoints that follow splice(), which are not in use here")
    return [judged(variant or "plain", compare, variant, limits) for variant, limits in LIMITS.items()]


if __name__ == "__main__":
    sys.exit(main(limit=60))
