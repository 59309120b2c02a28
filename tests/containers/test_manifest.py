#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The pod of examples/kubernetes, made of its manifest by the CRI: what it asks for, and what it counts of other pods."""
import json
import sys

import stage
from contained import Load, judge_loads, open_gate
from cri import SHARED, Containerd, Pod, load_container
from live import case, check, check_equal, main
from manifest import daemonset, run_tracing, with_libraries

containerd = Containerd()


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
    spec, container = with_libraries(daemonset()["spec"]["template"]["spec"])
    own = Pod("tcptop", "tcptop-4mzqk", spec)
    identity = run_tracing(own, container)
    open_gate()
    truths = {load.name: load.truth() for load in loads}
    own.stop(identity)
    lines = [json.loads(line) for line in own.log(container["name"])[0].splitlines()]
    yield from judge_loads(lines, loads, truths)


if __name__ == "__main__":
    sys.exit(main(240, stage.enter))
