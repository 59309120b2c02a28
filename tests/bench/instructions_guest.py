#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""In the emulated machine that counts instructions: what a send and a receive of 64 bytes take more beside tcptop.

usage: instructions_guest.py [--peers PEERS] DIRECTORY VARIANT...

DIRECTORY has the programs tcptop and pair, PEERS the unpacked packages of tcptop's peers. A VARIANT is the words of a
tcptop's command line, as one argument. A line for each: the instructions that a pair takes more, a tab and the variant or the
peer. The first line is what a pair takes without, and of what kernel.
"""
import argparse
import os
import shlex
import signal
import subprocess

import peers_guest

BATCHES = 15


class Load:
    """The pairs, in a process that stays: its connection is the same for all that is compared."""

    def __init__(self, program):
        self.popen = subprocess.Popen([program, str(BATCHES)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.measure()

    def measure(self):
        """An instruction takes a nanosecond of this machine's clock."""
        self.popen.stdin.write("\n")
        self.popen.stdin.flush()
        return float(self.popen.stdout.readline().split()[0])


def beside(load, program, variant):
    command = [program, "-C", *shlex.split(variant), "600"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as tool:
        if not tool.stdout.readline().startswith("Tracing"):
            return None, tool.stderr.read().strip()
        load.measure()  # the first events of a connection make its entries
        instructions = load.measure()
        tool.send_signal(signal.SIGINT)
        tool.stdout.read()
    return instructions, ""


def beside_peer(load, start):
    try:
        tool = start()
    except peers_guest.live.Failed as failure:
        return None, str(failure)
    load.measure()
    instructions = load.measure()
    tool.process.send(signal.SIGINT)
    tool.process.wait(60)
    return instructions, ""


def tell(without, instructions, what, reason):
    figure = "-" if instructions is None else f"{instructions - without:.0f}"
    print(f"{figure}\t{what}{': ' if reason else ''}{reason.splitlines()[-1] if reason else ''}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--peers")
    parser.add_argument("directory")
    parser.add_argument("variants", nargs="*")
    arguments = parser.parse_args()
    directory, variants = arguments.directory, arguments.variants
    load = Load(os.path.join(directory, "pair"))
    without = load.measure()
    print(f"{without:.0f}\twithout, Linux {os.uname().release}", flush=True)
    for name in ("libbpf_tools", "bcc") if arguments.peers else ():
        instructions, reason = beside_peer(load, getattr(peers_guest, name)(arguments.peers))
        tell(without, instructions, name, reason)
    for variant in variants:
        instructions, reason = beside(load, os.path.join(directory, "tcptop"), variant)
        tell(without, instructions, variant, reason)


if __name__ == "__main__":
    main()
