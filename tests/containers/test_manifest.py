#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The pod of examples/kubernetes, made of its manifest by the CRI: what it asks for, and what it counts of other pods."""
import copy
import json
import os
import sys

import stage
from contained import Load, judge_loads, open_gate, tracing_process
from cri import SHARED, Containerd, Pod, load_container
from live import Failed, Skipped, case, check, check_equal, main, wait_for

try:
    import yaml
except ImportError:
    yaml = None

MANIFEST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples/kubernetes/daemonset.yaml")
# What the image has besides, of the host here.
IMAGE = {"name": "usr", "hostPath": {"path": "/usr"}}
containerd = Containerd()


def daemonset():
    if not yaml:
        raise Skipped("not installed: python3-yaml")
    with open(MANIFEST, encoding="utf-8") as stream:
        return next(x for x in yaml.safe_load_all(stream) if x["kind"] == "DaemonSet")


@case
def privileges():
    """Two capabilities, two directories of the host that it cannot write into, and no more of the host than its PIDs."""
    spec = daemonset()["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    context = container["securityContext"]
    check_equal(context["capabilities"], {"drop": ["ALL"], "add": ["BPF", "PERFMON"]}, "capabilities")
    check_equal(context["readOnlyRootFilesystem"], True, "readOnlyRootFilesystem")
    check_equal([x for x in spec if x.startswith("host")], ["hostPID"], "namespaces of the host")
    check("privileged" not in context, "it is privileged")
    of_host = {x["name"] for x in spec["volumes"] if "hostPath" in x}
    mounted = {x["name"] for x in container["volumeMounts"] if x.get("readOnly")}
    check_equal(len(of_host), 2, "directories of the host")
    check_equal(mounted, of_host, "read-only mounts")
    labels = daemonset()["spec"]["template"]["metadata"]["labels"]
    check_equal(daemonset()["spec"]["selector"]["matchLabels"], labels, "the selector's labels")


@case
def counts_other_pods():
    containerd.start()
    pods = [Pod("shop", "web-7c5d", SHARED), Pod("kube-system", "agent-x2x9z", {"hostNetwork": True, **SHARED})]
    loads = [Load("web"), Load("agent")]
    for pod, load in zip(pods, loads):
        pod.run(load_container(load, "main"))
        load.wait_connected()
    spec = copy.deepcopy(daemonset()["spec"]["template"]["spec"])
    (container,) = spec["containers"]
    spec["volumes"].append(IMAGE)
    container["volumeMounts"].append({"name": "usr", "mountPath": "/usr", "readOnly": True})
    own = Pod("tcptop", "tcptop-4mzqk", spec)
    identity = own.run(container)

    try:
        wait_for(lambda: tracing_process("tcptop", "json", identity), 60, "tracing")
    except Failed as reason:
        raise Failed(f"{reason}; it printed {own.log(container['name'])}") from None
    open_gate()
    truths = {load.name: load.truth() for load in loads}
    own.stop(identity)
    lines = [json.loads(line) for line in own.log(container["name"])[0].splitlines()]
    yield from judge_loads(lines, loads, truths)


if __name__ == "__main__":
    sys.exit(main(240, stage.enter))
