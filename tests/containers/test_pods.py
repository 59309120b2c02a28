#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pods of containerd's CRI: of two containers, on the node's network, static with a container that prepares it, with a parent
that is a slice, restarted, and gone before one can look."""
import re
import sys
import uuid

import stage
from contained import Load, judge_tools, open_gate, start_tools
from cri import SHARED, Containerd, Pod, load_container
from live import case, check, judged, main, wait_for

containerd = Containerd()


def check_path(load, pod, identity):
    pattern = f"{pod.cgroup}:cri-containerd:{identity}" if pod.cgroup.endswith(".slice") else f"{pod.cgroup}/{identity}"
    check(re.fullmatch(pattern, load.cgroup), f"cgroup {load.cgroup}, expected {pattern}")


def filters(web, bank, agent, static, sliced, ids, cgroups):
    """(title, arguments, names of the loads that pass). Who is started later is found by its pod's cgroup alone."""
    yield "all", [], []
    both, in_bank = ["web_main", "web_proxy", "web_proxy_again"], ["bank_main", "bank_gone"]
    for pod, passes in ((web, both), (bank, in_bank), (agent, ["agent"])):
        name = f"{pod.namespace}/{pod.name}"
        yield f"--pod {name}", ["--pod", name], passes
        yield f"--pod UID of {name}", ["--pod", pod.uid], passes
    yield "--cgroup of a pod", ["--cgroup", web.cgroup], both
    yield "--cgroup of a container", ["--cgroup", cgroups["web_main"]], ["web_main"]
    yield "--pod UID of a static pod", ["--pod", static.uid], ["etcd"]
    yield "--pod in a slice", ["--pod", "shop/cart-0"], ["sliced"]
    yield "--container in a slice", ["--container", ids["sliced"][:12]], ["sliced"]
    yield "--pod of two", ["--pod", "web-7c5d"], both + in_bank
    yield "--pod ! of two", ["--pod", "web-7c5d", "--pod", "!bank/web-7c5d"], both
    yield "--container of two pods", ["--container", "main"], ["web_main", "bank_main"]
    yield "--container proxy", ["--container", "proxy"], ["web_proxy"]
    yield "--container ID", ["--container", ids["web_proxy"]], ["web_proxy"]
    yield "--container of 12 digits", ["--container", ids["web_proxy"][:12]], ["web_proxy"]
    yield "--pod and --container", ["--pod", "shop/web-7c5d", "--container", "main"], ["web_main"]


@case
def pods():
    containerd.start()
    web, bank = (Pod(namespace, "web-7c5d", SHARED) for namespace in ("shop", "bank"))
    agent = Pod("kube-system", "agent-x2x9z", {"hostNetwork": True, **SHARED})
    static = Pod("kube-system", "etcd-node1", SHARED, uid=uuid.uuid4().hex)
    sliced = Pod("shop", "cart-0", SHARED, sliced=True)
    loads, ids, cgroups = [], {}, {}
    init = Load("init", gate=None)  # a container of the pod that has ended
    static.run(load_container(init, "prepare"))
    init.truth()
    for pod, name, load in (
        (web, "main", Load("web_main")),
        (web, "proxy", Load("web_proxy")),
        (bank, "main", Load("bank_main")),
        (agent, "agent", Load("agent")),
        (static, "etcd", Load("etcd")),
        (sliced, "cart", Load("sliced")),
    ):
        ids[load.name] = pod.run(load_container(load, name))
        cgroups[load.name] = load.wait_connected().cgroup
        loads.append(load)
        yield judged(f"{load.name}'s path", check_path, load, pod, ids[load.name])
    wanted = list(filters(web, bank, agent, static, sliced, ids, cgroups))
    running = start_tools([arguments for _, arguments, _ in wanted])
    open_gate()
    wait_for(lambda: loads[1].text("code"), 20, "web_proxy's end")
    again, gone = Load("web_proxy_again", gate=None), Load("bank_gone", gate=None)
    web.run(load_container(again, "proxy"), attempt=1)
    bank.run(load_container(gone, "gone"))
    yield from judge_tools(wanted, running, [*loads, again, gone])


if __name__ == "__main__":
    sys.exit(main(240, stage.enter))
