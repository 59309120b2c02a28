# SPDX-License-Identifier: Apache-2.0
"""An image that needs no registry: the self-test's program, a shell, sleep, ip, and the libraries they load."""
import hashlib
import io
import json
import os
import platform
import re
import subprocess
import tarfile

from live import program

NAME = "localhost/tcptop-test:1"
PAUSE = ["/usr/bin/sleep", "infinity"]
LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}
DIRECTORIES = ("dev", "etc", "host", "opt", "proc", "root", "run", "share", "sys", "tmp", "usr", "usr/bin", "usr/lib",
               "usr/lib64", "usr/sbin", "var", "var/log")
PROGRAMS = {"/usr/bin/sh": "/bin/sh", "/usr/bin/sleep": "/bin/sleep", "/usr/bin/ip": "/bin/ip"}
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def libraries(path):
    """What the dynamic linker loads for a program, itself among it."""
    shown = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
    return set(re.findall(r"(/\S+) \(0x", shown))


def merged(path):
    """As a system with /usr merged has it: so it is there also where the host's /usr is mounted over it."""
    return path if path.startswith("/usr/") else "/usr" + path


def files():
    """Path in the image to path on the host."""
    wanted = {"/opt/tcptop-check": program("CHECK"), "/opt/tcptop": program("TCPTOP"), **PROGRAMS}
    for path in list(wanted.values()):
        wanted.update((merged(library), library) for library in libraries(path))
    return wanted


def write_root(path):
    """As a directory, for runtimes that know no images."""
    for name in DIRECTORIES:
        os.makedirs(os.path.join(path, name), exist_ok=True)
    os.chmod(os.path.join(path, "tmp"), 0o1777)
    for name, target in LINKS.items():
        os.symlink(target, os.path.join(path, name))
    for name, source in files().items():
        os.makedirs(os.path.dirname(path + name), exist_ok=True)
        with open(source, "rb") as stream, open(path + name, "wb") as copy:
            copy.write(stream.read())
        os.chmod(path + name, 0o755)


def write_archive(path, root):
    """What docker load, podman load and ctr images import take. root: of write_root."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        archive.add(root, ".")
    diff = hashlib.sha256(layer.getvalue()).hexdigest()
    config = json.dumps({
        "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {"Cmd": PAUSE, "Env": ["PATH=/usr/bin:/opt"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff}"]},
        "history": [{"created_by": "tcptop's tests"}],
    }).encode()
    name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": name, "RepoTags": [NAME], "Layers": ["layer.tar"]}]).encode()
    with tarfile.open(path, "w") as archive:
        for member, content in ((name, config), ("layer.tar", layer.getvalue()), ("manifest.json", manifest)):
            entry = tarfile.TarInfo(member)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
