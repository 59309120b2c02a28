# SPDX-License-Identifier: Apache-2.0
"""containerd as a kubelet uses it: pods from specifications of Kubernetes, by the CRI's runtime service.

Numbers of fields are those of kubernetes/cri-api, pkg/apis/runtime/v1/api.proto; protobuf's wire format is written by hand.
"""
import contextlib
import json
import os
import shutil
import sys
import uuid

import image
from engines import ARCHIVE, ROOT, command_line
from live import Process, Skipped, cgroup2_root, check, seconds, wait_for
from stage import CGROUPS, SHARE, engine, need, run

try:
    import grpc
except ImportError:
    grpc = None

SOCKET = "/run/containerd/containerd.sock"
SETTINGS = f"""\
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{image.NAME}"
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  BinaryName = "{{runc}}"
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "/run/cni"
"""
NETWORK = {
    "cniVersion": "0.4.0",
    "name": "pods",
    "type": "ptp",
    "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.244.7.0/24"}]]},
}
# containerd wants a weight for each pod: where the controllers are all v1's, v2 alone has none to set.
WITHOUT_WEIGHTS = """\
#!PYTHON
import json, os, sys
if "--bundle" in sys.argv:
    path = os.path.join(sys.argv[sys.argv.index("--bundle") + 1], "config.json")
    with open(path) as stream:
        config = json.load(stream)
    if config.get("linux", {}).get("resources", {}).pop("cpu", None):
        with open(path, "w") as stream:
            json.dump(config, stream)
os.execv(RUNC, sys.argv)
"""
POD, CONTAINER, NODE = range(3)  # NamespaceMode
SECCOMP = {"RuntimeDefault": 0, "Unconfined": 1}


# ---- messages ----


def varint(number):
    text = b""
    while True:
        number, low = number >> 7, number & 127
        text += bytes([low | (128 if number else 0)])
        if not number:
            return text


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def message(*fields):
    return b"".join(field(*each) for each in fields)


def pairs(number, values):
    return [(number, message((1, key), (2, value))) for key, value in values.items()]


def call(name, request):
    """Each answer that is used is one string, its first field."""
    with grpc.insecure_channel("unix://" + SOCKET) as channel:
        method = channel.unary_unary(
            "/runtime.v1.RuntimeService/" + name, request_serializer=bytes, response_deserializer=bytes
        )
        try:
            answer = method(request, timeout=seconds(30))
        except grpc.RpcError as error:
            raise OSError(f"{name}: {error.details()}") from None
    return answer[2 : 2 + answer[1]].decode() if answer[:1] == b"\n" else None


# ---- the engine ----


class Containerd:
    def start(self):
        if not grpc:
            raise Skipped("not installed: python3-grpcio")
        need(
            ("containerd", "containerd"), ("ctr", "containerd"), ("runc", "runc"),
            ("/usr/lib/cni/ptp", "containernetworking-plugins"),
        )
        image.write_root(ROOT)
        image.write_archive(ARCHIVE, ROOT)
        os.makedirs("/run/cni")
        with open("/run/cni/pods.conf", "w", encoding="utf-8") as stream:
            json.dump(NETWORK, stream)
        with open("/run/containerd.toml", "w", encoding="utf-8") as stream:
            stream.write(SETTINGS.format(runc=self.runc()))
        self.daemon = Process(engine("containerd", "-c", "/run/containerd.toml"))
        wait_for(self.is_ready, 20, "containerd's socket")
        run("ctr", "-n", "k8s.io", "images", "import", ARCHIVE)

    def runc(self):
        runc = shutil.which("runc")
        with open(os.path.join(cgroup2_root(), "cgroup.controllers"), encoding="ascii") as stream:
            if CGROUPS == "hybrid" or "cpu" in stream.read().split():
                return runc
        with open("/run/runc", "w", encoding="utf-8") as stream:
            stream.write(WITHOUT_WEIGHTS.replace("PYTHON", sys.executable).replace("RUNC", repr(runc)))
        os.chmod("/run/runc", 0o755)
        return "/run/runc"

    def is_ready(self):
        check(self.daemon.popen.poll() is None, f"containerd ended: {self.daemon.stderr[-400:]}")
        return os.path.exists(SOCKET)


# ---- pods ----

SHARED = {"volumes": [{"name": "share", "hostPath": {"path": SHARE}}]}


def load_container(load, name):
    """A load as the manifest of a pod with the shared volume has it."""
    return {
        "name": name,
        "command": command_line(load.name, load.what),
        "volumeMounts": [{"name": "share", "mountPath": "/share"}],
    }


class Pod:
    """A sandbox; spec is that of a pod in a manifest, of which what the kubelet tells a runtime is told.

    uid: of static pods 32 digits. sliced: the kubelet means systemd, and the runtime makes directories itself.
    """

    def __init__(self, namespace, name, spec=None, uid=None, sliced=False):
        self.namespace, self.name, self.spec = namespace, name, spec or {}
        self.uid = uid or str(uuid.uuid4())
        self.cgroup = f"/kubepods/burstable/pod{self.uid}"
        if sliced:
            self.cgroup = f"/kubepods-burstable-pod{self.uid.replace('-', '_')}.slice"
        self.logs = f"/var/log/pods/{namespace}_{name}_{self.uid}"
        self.labels = {
            "io.kubernetes.pod.name": name,
            "io.kubernetes.pod.namespace": namespace,
            "io.kubernetes.pod.uid": self.uid,
        }
        network = NODE if self.spec.get("hostNetwork") else POD
        self.namespaces = message((1, network), (2, NODE if self.spec.get("hostPID") else CONTAINER))
        hostname = [] if network == NODE else [(2, name)]
        privileged = any(x.get("securityContext", {}).get("privileged") for x in self.spec.get("containers", ()))
        linux = message((1, self.cgroup), (2, message((1, self.namespaces), (6, int(privileged)))))
        self.config = message(
            (1, message((1, name), (2, self.uid), (3, namespace))), *hostname, (3, self.logs), *pairs(6, self.labels),
            (8, linux),
        )
        self.id = call("RunPodSandbox", message((1, self.config)))

    def mounts(self, container):
        """The volumes of the specification; an emptyDir is a directory that the kubelet makes."""
        volumes = {volume["name"]: volume for volume in self.spec.get("volumes", ())}
        for wanted in container.get("volumeMounts", ()):
            volume = volumes[wanted["name"]]
            if "emptyDir" in volume:
                path = f"/var/lib/kubelet/pods/{self.uid}/volumes/kubernetes.io~empty-dir/{volume['name']}"
                os.makedirs(path, exist_ok=True)
                os.chmod(path, 0o777)
            else:
                path = volume["hostPath"]["path"]
            yield wanted["mountPath"], path, int(wanted.get("readOnly", False))

    def security(self, container):
        wanted = container.get("securityContext", {})
        capabilities = wanted.get("capabilities", {})
        # Kubernetes' own default is no profile.
        profile = wanted.get("seccompProfile", {}).get("type", "Unconfined")
        return message(
            (1, message(*((1, x) for x in capabilities.get("add", ())), *((2, x) for x in capabilities.get("drop", ())))),
            (2, int(wanted.get("privileged", False))), (3, self.namespaces),
            *([(5, message((1, wanted["runAsUser"])))] if "runAsUser" in wanted else ()),
            (7, int(wanted.get("readOnlyRootFilesystem", False))),
            (11, int(not wanted.get("allowPrivilegeEscalation", True))), (15, message((1, SECCOMP[profile]))),
        )

    def run(self, container, attempt=0):
        """Starts a container of the specification; returns its id. The link beside its log is the kubelet's."""
        name = container["name"]
        log = f"{name}/{attempt}.log"
        mounts = [(7, message((1, path), (2, host), (3, readonly))) for path, host, readonly in self.mounts(container)]
        config = message(
            (1, message((1, name), (2, attempt))), (2, message((1, image.NAME))),
            *((3, word) for word in container.get("command", ())), *((4, word) for word in container.get("args", ())),
            *((6, message((1, x["name"]), (2, x["value"]))) for x in container.get("env", ())), *mounts,
            *pairs(9, {**self.labels, "io.kubernetes.container.name": name}), (11, log),
            (15, message((2, self.security(container)))),
        )
        identity = call("CreateContainer", message((1, self.id), (2, config), (3, self.config)))
        os.makedirs("/var/log/containers", exist_ok=True)
        link = f"/var/log/containers/{self.name}_{self.namespace}_{name}-{identity}.log"
        os.symlink(f"{self.logs}/{log}", link)
        call("StartContainer", message((1, identity)))
        return identity

    def stop(self, identity):
        """Returns when it has ended, within the half of a minute that pods have, and all that it printed is in its log."""
        call("StopContainer", message((1, identity), (2, 20)))

    def log(self, name, attempt=0):
        """What it printed: the CRI's lines have a time, a stream and a mark of their own, P on parts of a line."""
        path = f"{self.logs}/{name}/{attempt}.log"
        printed = {"stdout": "", "stderr": ""}
        with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8") as stream:
            for line in stream:
                _, kind, mark, text = line.rstrip("\n").split(" ", 3)
                printed[kind] += text + ("\n" if mark == "F" else "")
        return printed["stdout"], printed["stderr"]
