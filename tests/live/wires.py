# SPDX-License-Identifier: Apache-2.0
"""Two network namespaces of this process, and wires between them: slow, late, lossy, or dead at their other end."""
import collections
import contextlib
import fcntl
import os
import random
import select
import shutil
import signal
import socket
import struct
import subprocess
import time

from live import CLONE_NEWNET, PR_SET_PDEATHSIG, Skipped, call, libc

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


def command(text):
    done = subprocess.run(text.split(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Skipped(f"{text}: {done.stderr.strip() or done.returncode}")


def has_netem():
    """Loads its module, where it is one."""
    if shutil.which("modprobe"):
        subprocess.run(["modprobe", "-q", "sch_netem"], check=False)
    done = subprocess.run("tc qdisc add dev lo root netem delay 1ms".split(), capture_output=True, check=False)
    if done.returncode == 0:
        command("tc qdisc del dev lo root")
    return done.returncode == 0


class Namespaces:
    """`here`, which this thread and all that it starts are in from now on, and `there`."""

    def __init__(self):
        self.here, self.there = self.make(), self.make()
        self.enter(self.here)

    @staticmethod
    def make():
        call(libc.unshare, CLONE_NEWNET)
        command("ip link set lo up")
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    @staticmethod
    def enter(descriptor):
        call(libc.setns, descriptor, CLONE_NEWNET)

    @contextlib.contextmanager
    def inside_there(self):
        self.enter(self.there)
        try:
            yield
        finally:
            self.enter(self.here)

    def veth(self, number, qdisc):
        """A pair whose ends are 10.77.number.1, behind the queueing discipline, and .2, there; returns the address there."""
        name = f"w{number}"
        command(f"ip link add {name} type veth peer name {name}p")
        command(f"ip link set {name}p netns /proc/{os.getpid()}/fd/{self.there}")
        command(f"ip addr add 10.77.{number}.1/24 dev {name}")
        command(f"ip link set {name} up")
        with self.inside_there():
            command(f"ip addr add 10.77.{number}.2/24 dev {name}p")
            command(f"ip link set {name}p up")
        command(f"tc qdisc add dev {name} root {qdisc}")
        return f"10.77.{number}.2"

    def dead(self, number):
        """The address of a host that answers nothing: what is sent to it arrives nowhere."""
        name = f"w{number}"
        command(f"ip link add {name} type veth peer name {name}p")
        command(f"ip addr add 10.77.{number}.1/24 dev {name}")
        command(f"ip link set {name} up")
        command(f"ip link set {name}p up")
        command(f"ip neigh add 10.77.{number}.2 lladdr 02:00:00:00:00:77 dev {name}")
        return f"10.77.{number}.2"

    def carried(self, number, delay_s, loss=0.0):
        """The same as netem does, where the kernel has none: a process carries packets between two devices."""
        descriptors = [tun(f"t{number}", f"10.77.{number}.1", f"10.77.{number}.2")]
        with self.inside_there():
            descriptors.append(tun(f"t{number}", f"10.77.{number}.2", f"10.77.{number}.1"))
        if os.fork() == 0:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            for inherited in map(int, os.listdir("/proc/self/fd")):  # sockets that it would keep open
                if inherited > 2 and inherited not in descriptors:
                    with contextlib.suppress(OSError):
                        os.close(inherited)
            carry(*descriptors, delay_s, loss)
        for descriptor in descriptors:
            os.close(descriptor)
        return f"10.77.{number}.2"


def tun(name, address, peer):
    if not os.path.exists("/dev/net/tun"):
        raise Skipped("neither netem nor /dev/net/tun is there")
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    command(f"ip addr add {address} peer {peer} dev {name}")
    command(f"ip link set {name} up")
    return descriptor


def carry(here, there, delay_s, loss):
    """Each packet is delay_s on its way; of those from here some are lost."""
    random.seed(1)
    under_way = collections.deque()
    while True:
        left = max(0, under_way[0][0] - time.monotonic()) if under_way else None
        ready, _, _ = select.select([here, there], [], [], left)
        for descriptor in ready:
            with contextlib.suppress(BlockingIOError):
                for _ in range(64):
                    packet = os.read(descriptor, 65536)
                    if descriptor == there or random.random() >= loss:
                        under_way.append((time.monotonic() + delay_s, there if descriptor == here else here, packet))
        while under_way and under_way[0][0] <= time.monotonic():
            _, to, packet = under_way.popleft()
            with contextlib.suppress(BlockingIOError):
                os.write(to, packet)


def tcp_info(connection):
    """(busy, peer's window full, send buffer full), seconds since its birth."""
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return tuple(number / 1e6 for number in struct.unpack_from("=3Q", info, 168))
