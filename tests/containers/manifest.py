# SPDX-License-Identifier: Apache-2.0
"""The manifest of examples/kubernetes, and what its pod needs here besides."""
import os

from contained import tracing_process
from live import Failed, Skipped, wait_for

try:
    import yaml
except ImportError:
    yaml = None

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples/kubernetes/daemonset.yaml")
# What the image has besides, of the host here.
IMAGE = {"name": "usr", "hostPath": {"path": "/usr"}}


def objects():
    if not yaml:
        raise Skipped("not installed: python3-yaml")
    with open(PATH, encoding="utf-8") as stream:
        return list(yaml.safe_load_all(stream))


def daemonset():
    return next(each for each in objects() if each["kind"] == "DaemonSet")


def with_libraries(spec):
    """The pod, with the host's /usr: (specification, its container)."""
    (container,) = spec["containers"]
    spec["volumes"].append(IMAGE)
    container["volumeMounts"].append({"name": "usr", "mountPath": "/usr", "readOnly": True})
    return spec, container


def run_tracing(pod, container):
    """Runs a container with tcptop -o json in a pod and returns its identity, once it traces."""
    identity = pod.run(container)
    try:
        wait_for(lambda: tracing_process("tcptop", "json", identity), 60, "tracing")
    except Failed as reason:
        raise Failed(f"{reason}; it printed {pod.log(container['name'])}") from None
    return identity
