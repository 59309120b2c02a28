# SPDX-License-Identifier: Apache-2.0
"""Traffic of known size between this network namespace and another one, over a veth pair.

Commands on standard input, each answered by a line of JSON: "make" the pair (this process's PID), "tcp" (payload that
was sent, at an even pace), "udp" (payload that was sent and nothing else), "drop" (packets that the other end was too
narrow for), "again" (makes the pair anew, with the same names).
"""
import json
import os
import socket
import subprocess
import sys
import time

NEAR, FAR = "10.77.0.1", "10.77.0.2"
LINK, PEER = "near", "far"
TCP_SIZE, PARTS = 4_000_000, 100
UDP_SIZE, UDP_COUNT = 1000, 400
DROPS = 50


def ip(*arguments, inside=None):
    prefix = ["nsenter", "-t", str(inside), "-n"] if inside else []
    subprocess.run([*prefix, "ip", *arguments], check=True)


class Far:
    """The other namespace, with a process that receives all that it is sent."""

    RECEIVER = """
import socket, sys
print(flush=True)
sys.stdin.readline()
listener = socket.create_server(("0.0.0.0", 5000))
print(flush=True)
while True:
    connection = listener.accept()[0]
    while connection.recv(65536):
        pass
    connection.close()
"""

    def __init__(self):
        self.process = subprocess.Popen(["unshare", "--net", sys.executable, "-c", self.RECEIVER],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def connect_link(self):
        pid = self.process.pid
        ip("link", "add", LINK, "type", "veth", "peer", "name", PEER)
        ip("link", "set", PEER, "netns", str(pid))
        ip("address", "add", f"{NEAR}/24", "dev", LINK)
        ip("link", "set", LINK, "up")
        ip("address", "add", f"{FAR}/24", "dev", PEER, inside=pid)
        ip("link", "set", PEER, "up", inside=pid)

    def listen(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.process.stdout.readline()


def send_tcp():
    with socket.create_connection((FAR, 5000)) as client:
        for _ in range(PARTS):
            client.sendall(b"x" * (TCP_SIZE // PARTS))
            time.sleep(0.01)
        client.shutdown(socket.SHUT_WR)
        client.recv(1)
    return TCP_SIZE


def send_udp(count=UDP_COUNT):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for _ in range(count):
            client.sendto(b"x" * UDP_SIZE, (FAR, 9))
            time.sleep(0.001)
    return UDP_SIZE * count


def main():
    far = Far()
    ip("link", "set", "lo", "up")
    for line in sys.stdin:
        command, answer = line.strip(), None
        if command == "make":
            far.connect_link()
            far.listen()
            answer = os.getpid()
        elif command == "tcp":
            answer = send_tcp()
        elif command == "udp":
            answer = send_udp()
        elif command == "drop":
            ip("link", "set", PEER, "mtu", "600", inside=far.process.pid)
            send_udp(DROPS)
            answer = DROPS
        elif command == "again":
            ip("link", "delete", LINK)
            far.connect_link()
        print(json.dumps(answer), flush=True)
    far.process.kill()
    far.process.wait()


if __name__ == "__main__":
    main()
