#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--ebpf prints the program that would be compiled, to anybody, and nothing else."""
import os
import re
import sys

from live import (
    Process,
    Skipped,
    as_user,
    case,
    check,
    check_equal,
    check_error,
    main,
    need_user_namespaces,
    program,
    reachable,
)

METHODS = ("tracepoint", "fentry", "kprobe")


def text_of(*arguments, prefix=()):
    process = Process([*prefix, program("TCPTOP"), "--ebpf", *arguments]).expect(0)
    text = process.stdout.decode()
    check(text.endswith("\n") and "account(" in text, f"stdout is no program: {text[:100]!r}")
    check(not re.search(r"@\w+@", text), f"a slot was not filled: {re.findall(r'@[A-Z_0-9]+@', text)[:3]}")
    check_equal(text.count("{"), text.count("}"), "braces")
    check(len(process.stderr.splitlines()) <= 2, f"stderr: {process.stderr!r}")
    return text


@case
def as_root():
    plain = text_of()
    check_equal(text_of(), plain, "the second time")
    check_equal(text_of("-C", "5", "3"), plain, "with options that are no filters")


@case
def filters_are_in_the_text():
    texts = [
        text_of(*x) for x in ((), ("-p", "1"), ("-p", "1,2"), ("-4",), ("-6",), ("--max-sessions", "4242"))
    ]
    check_equal(len(set(texts)), len(texts), "different texts")
    check(re.search(r"\b4242\b", texts[5]), "--max-sessions is not in the text")
    check(re.search(r"case 1:", texts[1]), "-p 1 is not in the text")
    check(not re.search(r"case 1:", texts[0]), "the text without filters has a filter")
    check(all(re.search(rf"case {pid}:", texts[2]) for pid in (1, 2)), "-p 1,2 is not in the text")
    check_equal(text_of("-p", "2,1,2"), texts[2], "the same PIDs in another order")


@case
def filter_maps_are_in_the_text():
    plain = text_of()
    for option, placeholder in (("--cgroupmap", "filter_cgroups"), ("--mntnsmap", "filter_mntns")):
        text = text_of(option, "/nonexistent/path")
        check(placeholder in text and placeholder not in plain, f"{option} is not in the text")
        check("nonexistent" not in text, "the path is in the text")


@case
def as_nobody():
    """The same text for the same filters."""
    with reachable() as copy:
        for arguments in ((), ("-4", "-p", "1,77"), ("--max-sessions", "7", "-6")):
            process = Process(as_user(copy, "--ebpf", *arguments)).expect(0)
            check_equal(process.stdout.decode(), text_of(*arguments), f"as nobody, {arguments}")
        process = Process(as_user(copy, "--ebpf")).expect(0)
        check(
            re.search(r"probe method \w+", process.stderr),
            f"stderr does not tell the method: {process.stderr!r}",
        )


@case
def each_method():
    """Each that this kernel can have; another one is refused with the reason."""
    printed = set()
    for method in METHODS:
        process = Process([program("TCPTOP"), "--ebpf", "--probe", method])
        if process.wait() == 0:
            check(f"{method}_" in process.stdout.decode(), f"no probe of {method}")
            printed.add(process.stdout)
        else:
            check_error(process, 4)
    check(printed, "no method at all")


@case
def nothing_is_traced():
    """It works where bpf(2) is refused."""
    need_user_namespaces()
    with reachable() as copy:
        process = Process(["unshare", "--user", "--map-root-user", copy, "--ebpf"]).expect(0)
        check_equal(process.stdout.decode(), text_of(), "in a user namespace")


@case
def as_the_run_chooses():
    """Where BTF-typed programs are refused, the text is that of the plain raw tracepoints, which then run."""
    if "REFUSE_TYPED" not in os.environ:
        raise Skipped("REFUSE_TYPED is not set: the library that refuses BTF-typed programs")
    refused = os.environ | {"LD_PRELOAD": os.environ["REFUSE_TYPED"]}
    typed = Process([program("TCPTOP"), "--ebpf", "--probe", "tracepoint"])
    if typed.wait() != 0:
        raise Skipped("this kernel has no tracepoint sock_send_length")
    process = Process([program("TCPTOP"), "--ebpf", "--probe", "tracepoint"], env=refused).expect(0)
    text = process.stdout.decode()
    check("tracepoint_send" in text, "the text is not the tracepoint method's")
    check("tracepoint_space_adjust" not in text, "what only BTF-typed programs can follow is in the text")
    check("#define LOAD(type, base, offset) LOAD_COLD" in text, "fields are read directly")
    check(text != typed.stdout.decode(), "the text is that of BTF-typed programs")
    run = Process([program("TCPTOP"), "-v", "-C", "--probe", "tracepoint", "0.1", "1"], env=refused).expect(0)
    check("BTF-typed tracepoint sock_send_length: the kernel refuses it" in run.stderr, f"stderr: {run.stderr!r}")
    check("probe tracepoint: works" in run.stderr, f"stderr: {run.stderr!r}")


if __name__ == "__main__":
    sys.exit(main())
