# SPDX-License-Identifier: Apache-2.0
"""What tells the names of containers: the kubelet's files, and an engine's socket. For who has a mount namespace of his own."""
import contextlib
import json
import os
import socket
import subprocess
import threading

from live import CLONE_NEWNS, Skipped, call, cgroup2_root, libc, unshare_mounts

ID, UID = "0a1b2c3d" * 8, "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
ENGINE_ID = "fedcba98" * 8


def mounted(path):
    """An empty directory of this mount namespace's own."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", path], check=True)


def serve_containers(listener, answer):
    """As Docker's engine: an answer for each who connects; None: none, ever."""
    callers = []
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            break
        if answer is None:
            callers.append(connection)
            continue
        with connection:
            if connection.recv(4096).startswith(b"GET /containers/json "):
                connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))
    for connection in callers:
        connection.close()


@contextlib.contextmanager
def engine(path, containers):
    """A socket at the path that answers with this list, or, if it is None, does not."""
    answer = None if containers is None else json.dumps(containers).encode()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        thread = threading.Thread(target=serve_containers, args=(listener, answer), daemon=True)
        thread.start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            os.unlink(path)


def add_kubelet_files(root=""):
    os.makedirs(f"{root}/var/log/containers")
    os.makedirs(f"{root}/var/log/pods/shop_web-7c5d_{UID}")
    os.makedirs(f"{root}/var/log/pods/shop_web_11111111-2222-3333-4444-555555555555")
    os.symlink("/nowhere", f"{root}/var/log/containers/web-7c5d_shop_main-{ID}.log")


@contextlib.contextmanager
def names_known(engine_id=ID):
    """The files and the socket, for who runs in this mount namespace: the engine calls the container "webshop"."""
    mounted("/var/log")
    mounted("/run")
    try:
        add_kubelet_files()
        told = [{"Id": "f" * 64, "Names": ["/other"]}, {"Id": engine_id, "Names": ["/webshop"]}]
        with engine("/run/docker.sock", told):
            yield
    finally:
        for path in ("/run", "/var/log"):
            subprocess.run(["umount", "-l", path], check=True)


@contextlib.contextmanager
def pure_v2():
    """As on a host without v1 hierarchies: the v2 one alone is mounted, where it mostly is."""
    if not cgroup2_root():
        raise Skipped("no cgroup v2 hierarchy is mounted")
    before = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    try:
        unshare_mounts()
        subprocess.run(["umount", "-R", "-l", "/sys/fs/cgroup"], check=True)
        subprocess.run(["mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup"], check=True)
        yield
    finally:
        call(libc.setns, before, CLONE_NEWNS)
        os.close(before)
