# SPDX-License-Identifier: Apache-2.0
"""The manifest of examples/kubernetes, and what its pod needs here besides."""
import os

from live import Skipped

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
