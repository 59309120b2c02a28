# SPDX-License-Identifier: Apache-2.0
"""The engines that run one container at a time: how each is prepared, and runs a named container until its command ends."""
import os

import image
from live import Process, cgroup2_root, check, enter_cgroup, wait_for
from stage import CGROUPS, SHARE, engine, need, run

ROOT, ARCHIVE = "/run/root", "/run/image.tar"


def command_line(name, what):
    """The shell's, in a container: what it prints and how it ended goes into files of SHARE."""
    return ["/bin/sh", "-c", f"{what} >/share/{name}.out 2>/share/{name}.err; echo $? >/share/{name}.code"]


class Engine:
    """packages: (program, package) of what it cannot do without. cgroup: how the path of a container's looks.

    shown: what tcptop calls a container. filters: by which it is found. {name}, {id}, {id12}, {cgroup} and {shown} are put in.
    """

    packages = ()
    cgroup = ""
    shown = ""
    filters = ("--container {name}", "--container {shown}", "--cgroup {cgroup}")

    def start(self):
        need(*self.packages)
        image.write_root(ROOT)

    def id(self, name):
        """64 digits, or None where the engine has no such ids."""

    def prepare(self, name):
        """In the process that then executes the command of run()."""

    def run(self, name, what, *options):
        """The command that runs it, for Process; options: the engine's own."""
        raise NotImplementedError


class Podman(Engine):
    packages = (("podman", "podman"), ("runc", "runc"), ("conmon", "conmon"))
    cgroup = r"/libpod_parent/libpod-{id}"
    shown = "podman:{name}"
    filters = (*Engine.filters, "--container {id12}", "--container {id}")
    base = ("podman", "--cgroup-manager", "cgroupfs", "--runtime", "/usr/sbin/runc")
    # A host without CAP_SYS_RESOURCE, and one whose controllers are all v1.
    limits = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000", "--pids-limit", "-1")

    def knows_bpf(self):
        return True

    def start(self):
        super().start()
        image.write_archive(ARCHIVE, ROOT)
        run(*self.base, "load", "-i", ARCHIVE)

    def id(self, name):
        return run(*self.base, "inspect", "--format", "{{.Id}}", name).strip()

    def run(self, name, what, *options):
        return engine(
            *self.base, "run", "--rm", "--name", name, "--network", "none", "--log-driver", "k8s-file", *self.limits,
            "-v", f"{SHARE}:/share", *options, image.NAME, *command_line(name, what),
        )


class Docker(Engine):
    packages = (("dockerd", "docker.io"), ("docker", "docker.io"))
    cgroup = r"/docker/{id}"
    shown = "docker:{name}"
    filters = (*Engine.filters, "--container {id12}", "--container {id}")

    def start(self):
        super().start()
        image.write_archive(ARCHIVE, ROOT)
        self.daemon = Process(engine("dockerd", "-H", "unix:///run/docker.sock", "--bridge=none", "--iptables=false"))
        wait_for(self.is_ready, 20, "dockerd's socket")
        run("docker", "load", "-i", ARCHIVE)

    def knows_bpf(self):
        """CAP_BPF is a capability from Docker 23 on."""
        return int(run("docker", "version", "--format", "{{.Server.Version}}").split(".")[0]) >= 23

    def is_ready(self):
        check(self.daemon.popen.poll() is None, f"dockerd ended: {self.daemon.stderr[-400:]}")
        return os.path.exists("/run/docker.sock")

    def id(self, name):
        return run("docker", "inspect", "--format", "{{.Id}}", name).strip()

    def run(self, name, what, *options):
        return [
            "docker", "run", "--rm", "--name", name, "--network", "none", "-v", f"{SHARE}:/share", *options,
            image.NAME, *command_line(name, what),
        ]


class Lxc(Engine):
    packages = (("lxc-start", "lxc"),)
    cgroup = r"/lxc\.payload\.{name}"
    shown = "lxc:{name}"
    settings = """\
lxc.uts.name = {name}
lxc.rootfs.path = dir:/run/root-{name}
lxc.net.0.type = empty
lxc.apparmor.profile = unconfined
lxc.mount.auto = proc:mixed
lxc.mount.entry = {share} share none bind 0 0
lxc.init.cmd = {init}
"""

    def run(self, name, what, *options):
        directory = f"/var/lib/lxc/{name}"
        os.makedirs(directory)
        image.write_root(f"/run/root-{name}")
        script = f"/run/root-{name}/opt/run"
        with open(script, "w", encoding="utf-8") as stream:
            stream.write(f"#!/bin/sh\nip link set lo up\n{command_line(name, what)[2]}\n")
        os.chmod(script, 0o755)
        with open(f"{directory}/config", "w", encoding="utf-8") as stream:
            stream.write(self.settings.format(name=name, share=SHARE, init="/opt/run"))
        return engine("lxc-start", "-F", "-n", name, "-o", f"/var/log/{name}.lxc")


class Nspawn(Engine):
    """As systemd starts it, in a unit of its own; there is no systemd here, so the unit's directory is made by hand."""

    packages = (("systemd-nspawn", "systemd-container"),)
    cgroup = r"/machine\.slice/systemd-nspawn@{name}\.service/payload"
    shown = "nspawn:{name}"
    filters = (*Engine.filters, "--unit systemd-nspawn@{name}", "--unit systemd-nspawn@{name}.service")

    def run(self, name, what, *options):
        image.write_root(f"/run/root-{name}")
        for root in self.hierarchies():
            os.makedirs(os.path.join(root, f"machine.slice/systemd-nspawn@{name}.service"))
        return engine(
            "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--as-pid2",
            "-M", name, "-D", f"/run/root-{name}", f"--bind={SHARE}:/share", *options, *command_line(name, what),
        )

    def hierarchies(self):
        return [cgroup2_root()] + (["/sys/fs/cgroup/systemd"] if CGROUPS == "hybrid" else [])

    def prepare(self, name):
        for root in self.hierarchies():
            enter_cgroup(os.path.join(root, f"machine.slice/systemd-nspawn@{name}.service"))


ENGINES = {kind.__name__.lower(): kind for kind in (Podman, Docker, Lxc, Nspawn)}
