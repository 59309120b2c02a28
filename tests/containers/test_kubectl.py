#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The lines of kubectl in examples/kubernetes, as they stand: what they send, and what the pod of kubectl debug counts."""
import json
import os
import re
import shutil
import sys

import stage
from api_server import ApiServer
from contained import Load, open_gate
from cri import SHARED, Containerd, Pod, load_container
from live import Failed, Process, Skipped, case, check, check_equal, main, wait_for
from manifest import objects, run_tracing, with_libraries

import documents  # of tests/live

README = "examples/kubernetes/README.md"
KUBECTL_MINOR_MIN = 30  # kubectl debug has the profile since 1.30
LOG = '{"type":"start"}\n'
OWN = {
    "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "POD", "namespace": "tcptop"},
    "spec": {"nodeName": "NODE", "containers": [{"name": "tcptop", "image": "localhost/tcptop"}]},
    "status": {"phase": "Running", "containerStatuses": [{"name": "tcptop", "state": {"running": {}}}]},
}
DEBUG_POD = dict(OWN, metadata={"name": "node-debugger-NODE-x2x9z", "namespace": "default"})


def kubectl_of(server, directory):
    """A program of that name which asks this server; its version has been looked at."""
    path = shutil.which("kubectl")
    if not path:
        raise Skipped("not installed: kubectl (Debian 13: kubernetes-client)")
    version = json.loads(stage.run(path, "version", "--client", "-o", "json"))["clientVersion"]
    if int(re.match(r"\d+", version["minor"])[0]) < KUBECTL_MINOR_MIN:
        raise Skipped(f"kubectl {version['gitVersion']}: kubectl debug needs 1.{KUBECTL_MINOR_MIN}")
    with open(f"{directory}/kubectl", "w", encoding="utf-8") as stream:
        stream.write(f'#!/bin/sh\nexec {path} --server {server.url()} --cache-dir {directory}/cache "$@"\n')
    os.chmod(f"{directory}/kubectl", 0o755)


def lines(pattern):
    """Commands of the document that match, each whole."""
    found = [command for place, command in documents.commands() if place.startswith(README) and re.match(pattern, command)]
    check(found, f"{README} has no command like {pattern}")
    return found


def shell(command):
    process = Process(["sh", "-c", command])
    process.wait(20)
    check_equal(process.popen.returncode, 0, f"exit code of {command!r}, which says {process.stderr!r}")
    return process.stdout.decode()


def check_known(model, value, path):
    """Has Kubernetes' own model of an object each of these fields, of this kind?"""
    from kubernetes.client import models  # python3-kubernetes

    if model.startswith("list["):
        for i, each in enumerate(value):
            check_known(model[5:-1], each, f"{path}[{i}]")
    elif model.startswith("dict("):
        for name, each in value.items():
            check_known(model[5:-1].split(", ")[1], each, f"{path}.{name}")
    elif hasattr(models, model):
        known = getattr(models, model)
        types = {name: known.openapi_types[attribute] for attribute, name in known.attribute_map.items()}
        for name, each in value.items():
            check(name in types, f"{path} has no {name}")
            check_known(types[name], each, f"{path}.{name}")
    else:
        kinds = {"str": str, "bool": bool, "int": int}
        check(type(value) is kinds.get(model, type(value)), f"{path} is {value!r}, expected {model}")


@case
def fields_of_the_manifest():
    """A misspelled one is no error for who makes a pod of it: it would be left out."""
    try:
        import kubernetes  # noqa: F401
    except ImportError:
        raise Skipped("not installed: python3-kubernetes") from None
    for each in objects():
        check_known("V1" + each["kind"], each, each["kind"])
        wrong = dict(each, metadata=dict(each["metadata"], label={}))
        try:
            check_known("V1" + each["kind"], wrong, each["kind"])
        except Failed:
            continue
        raise Failed("a field that there is not was taken")


@case
def manifest_is_sent():
    for command in lines("kubectl apply"):
        server.created.clear()
        server.asked.clear()
        shell(command)
        for sent in server.created:
            sent["metadata"].pop("annotations")
        check_equal(server.created, objects(), "what is created")
        posted = [path for path in server.asked if "fieldManager" in path]
        check(all("fieldValidation=Strict" in path for path in posted), f"not strict: {posted}")
    for command in lines("kubectl delete"):
        shell(command)
        check_equal([path.rsplit("/", 1)[1] for path in server.deleted], ["tcptop", "tcptop"], f"deleted: {server.deleted}")


@case
def logs_are_read():
    check(OWN["metadata"]["name"] in shell(lines("kubectl .* get pods -o wide")[0]), "pods that are listed")
    for command in lines("kubectl .* logs "):
        target = command.partition(" > ")[2]
        printed = shell(command)
        if target:
            with open(target, encoding="utf-8") as stream:
                printed = stream.read()
        check_equal(printed, LOG, f"output of {command!r}")
    check(any("labelSelector=app.kubernetes.io%2Fname%3Dtcptop" in path for path in server.asked), f"asked {server.asked}")
    server.pods.append(DEBUG_POD)
    listed = shell(lines("kubectl get pods .*node-debugger")[0])
    server.pods.remove(DEBUG_POD)
    check_equal(listed.split()[0], DEBUG_POD["metadata"]["name"], "pods to be deleted")


def debug_pod():
    """What the line for one look creates; kubectl would wait for the pod to run."""
    server.created.clear()
    process = Process(["sh", "-c", "exec " + lines("kubectl debug")[0]])
    wait_for(lambda: server.created or process.popen.poll() is not None, 20, "a pod")
    process.popen.kill()
    process.popen.wait()
    check(server.created, f"kubectl debug says {process.stderr!r}")
    return server.created[0]


@case
def debug_pod_counts_other_pods():
    """The pod as kubectl makes it, with the host's libraries: it counts others, and knows their names."""
    pod = debug_pod()
    spec, container = with_libraries(pod["spec"])
    check_equal((container["stdin"], container["tty"], container["imagePullPolicy"]), (True, True, "IfNotPresent"), "the container")
    check_equal(container["command"][0], "tcptop", "the command")
    containerd.start()
    load = Load("web")
    web = Pod("shop", "web-7c5d", SHARED)
    web.run(load_container(load, "main"))
    load.wait_connected()
    container["command"] += ["-o", "json", "0.5"]
    own = Pod("default", pod["metadata"]["name"].lower(), spec)
    identity = run_tracing(own, container)
    open_gate()
    load.truth()
    own.stop(identity)
    told = [json.loads(line) for line in own.log(container["name"])[0].splitlines()]
    named = {line["cgroup_id"]: line for line in told if line["type"] == "cgroup"}
    counted = [line for line in told if line["type"] == "session" and line.get("cgroup_id") == load.cgroup_id]
    moved = sum(line["rx_bytes"] + line["tx_bytes"] for line in counted)
    check_equal(moved, 2 * load.bytes, f"bytes counted in {load.cgroup}")
    names = [named[load.cgroup_id].get(name) for name in ("namespace", "pod", "container")]
    check_equal(names, ["shop", "web-7c5d", "main"], f"names in {named[load.cgroup_id]}")


def enter():
    """Needs no image and no cluster: the server answers as one that has a node with these pods."""
    global server
    stage.enter()
    objects()
    server = ApiServer([OWN], LOG)
    os.mkdir("/run/kubectl")
    kubectl_of(server, "/run/kubectl")
    os.environ["PATH"] = "/run/kubectl:" + os.environ["PATH"]
    os.symlink(os.path.join(os.path.abspath(documents.SOURCE), "examples"), "/run/kubectl/examples")
    os.chdir("/run/kubectl")


server = None
containerd = Containerd()

if __name__ == "__main__":
    sys.exit(main(240, enter))
