# SPDX-License-Identifier: Apache-2.0
"""A script of this folder in a new network namespace, which takes commands: a line each, answered by a line of JSON."""
import json
import os
import subprocess
import sys

from live import CLONE_NEWNET, Skipped, call, libc


class Scripted:
    """What makes its links ("make", which answers with its PID) is a skip where that cannot be."""

    def __init__(self, name):
        self.name = name
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
        self.process = subprocess.Popen(
            ["unshare", "--net", sys.executable, "-B", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.pid = self.ask("make", Skipped)

    def ask(self, command, failure=OSError):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise failure(f"{self.name}: {self.process.stderr.read().strip()}")
        return json.loads(answer)

    def inside(self):
        """For what is to be started in the same namespace: before the exec."""
        descriptor = os.open(f"/proc/{self.pid}/ns/net", os.O_RDONLY)
        call(libc.setns, descriptor, CLONE_NEWNET)
        os.close(descriptor)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
