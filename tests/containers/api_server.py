# SPDX-License-Identifier: Apache-2.0
"""What kubectl needs of an API server to create objects and to read the logs of a pod: it says what was created."""
import http.server
import json
import threading

PROTOBUF = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\0"
GROUPS = {
    "api/v1": (("namespaces", "Namespace"), ("pods", "Pod"), ("nodes", "Node")),
    "apis/apps/v1": (("daemonsets", "DaemonSet"),),
}
NODE = {"kind": "Node", "apiVersion": "v1", "metadata": {"name": "NODE"}}


def group_version(path):
    return path.removeprefix("apis/").removeprefix("api/")


def resources(path):
    return {"kind": "APIResourceList", "groupVersion": group_version(path), "resources": [
        {"name": name, "kind": kind, "namespaced": name in ("pods", "daemonsets"), "verbs": ["create", "get", "list", "patch", "watch"]}
        for name, kind in GROUPS[path]
    ]}


def document(path):
    """Says that this server refuses fields that it does not know: kubectl asks for that, and leaves it to the server."""
    group, _, version = group_version(path).rpartition("/")
    strict = {"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}
    return {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.32.0"}, "paths": {
        f"/{path}/{name}/{{name}}": {"patch": {
            "parameters": [strict], "responses": {},
            "x-kubernetes-group-version-kind": {"group": group, "version": version, "kind": kind},
        }} for name, kind in GROUPS[path]
    }}


def varint(data, at):
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return number, at


def fields(data):
    """{number: values} of one message in protobuf's wire format, of numbers and of what has a length."""
    found, at = {}, 0
    while at < len(data):
        tag, at = varint(data, at)
        value, at = varint(data, at)
        if tag & 7 == 2:
            value, at = data[at : at + value], at + value
        elif tag & 7:
            raise ValueError(f"wire type {tag & 7}")
        found.setdefault(tag >> 3, []).append(value)
    return found


def text(message, *path):
    """The text in these fields, one within the other; none: "" """
    for number in path:
        message = fields(message).get(number, [b""])[0]
    return message.decode()


def pod_of(body):
    """A pod as a manifest has it, of what kubectl debug sends: numbers of k8s.io/api/core/v1/generated.proto."""
    pod = fields(fields(body[len(MAGIC) :])[2][0])
    spec = fields(pod[2][0])
    (container,) = map(fields, spec[2])
    security = fields(container.get(15, [b""])[0])
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": text(pod[1][0], 1), "namespace": "default"}, "spec": {
        "nodeName": spec[10][0].decode(), "hostNetwork": bool(spec.get(11, [0])[0]), "hostPID": bool(spec.get(12, [0])[0]),
        "volumes": [{"name": text(x, 1), "hostPath": {"path": text(x, 2, 1, 1)}} for x in spec.get(1, ())],
        "containers": [{
            "name": container[1][0].decode(), "image": container[2][0].decode(),
            "command": [x.decode() for x in container.get(3, ())], "args": [x.decode() for x in container.get(4, ())],
            "imagePullPolicy": container.get(14, [b""])[0].decode(), "stdin": bool(container.get(16, [0])[0]),
            "tty": bool(container.get(18, [0])[0]),
            "volumeMounts": [{"name": text(x, 1), "mountPath": text(x, 3)} for x in container.get(9, ())],
            "securityContext": {"privileged": bool(security.get(2, [0])[0])},
        }],
    }}


class ApiServer(http.server.ThreadingHTTPServer):
    """created: objects, as manifests have them; deleted: paths. pods: JSON of pods that there are; log: what each of them has printed."""

    daemon_threads = True

    def __init__(self, pods, log):
        super().__init__(("127.0.0.1", 0), Handler)
        self.pods, self.log, self.created, self.deleted, self.asked = pods, log, [], [], []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def found(self, path):
        """What is at this path, or None."""
        if path.endswith("/log"):
            return self.log
        if path == "/api/v1/pods" or path.endswith("/pods"):
            return {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": self.pods}
        for pod in self.pods:
            if path == "/api/v1/namespaces/{namespace}/pods/{name}".format(**pod["metadata"]):
                return pod
        versions = [{"groupVersion": "apps/v1", "version": "v1"}]
        group = {"name": "apps", "versions": versions, "preferredVersion": versions[0]}
        return {
            "/version": {"major": "1", "minor": "32", "gitVersion": "v1.32.0"},
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group]},
            "/openapi/v3": {"paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}"} for path in GROUPS}},
            "/api/v1/nodes/NODE": NODE,
            **{f"/{path}": resources(path) for path in GROUPS},
            **{f"/openapi/v3/{path}": document(path) for path in GROUPS},
        }.get(path)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, code, body, kind="application/json"):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path = self.path.partition("?")[0]
        self.server.asked.append(self.path)
        found = self.server.found(path)
        if found is None:
            self.answer(404, {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404, "message": f"no {path}"})
        elif isinstance(found, str):
            self.answer(200, found.encode(), "text/plain")
        else:
            self.answer(200, found)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_POST(self):
        body = self.body()
        self.server.asked.append(self.path)
        binary = body.startswith(MAGIC)
        self.server.created.append(pod_of(body) if binary else json.loads(body))
        self.answer(201, body, PROTOBUF if binary else "application/json")

    def do_DELETE(self):
        self.body()
        self.server.deleted.append(self.path)
        self.answer(200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"})

    def log_message(self, *_):
        pass
