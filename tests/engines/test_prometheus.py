#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""node_exporter reads --textfile, Prometheus scrapes it and -o openmetrics: its query API says what was moved."""
import contextlib
import http.server
import json
import os
import shutil
import signal
import socket
import sys
import threading
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))
from live import (  # noqa: E402
    Process, Skipped, Tcptop, case, cgroup, check, check_equal, directory, enter_cgroup, libc, main, move,
    receive_from_child, wait_for,
)

PR_SET_NAME = 15
BYTES = 20011
NAMES = (b"\xff", b"new\nline", b'q"uote\\', b"caf\xc3\xa9", b"{x=\"y\"} 1", b"# EOF")
LABELS = ("\\xff", "new\\x0aline", 'q"uote\\', "caf\u00e9", '{x="y"} 1', "# EOF")
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
CONFIGURATION = """
global: {scrape_interval: 500ms, scrape_timeout: 400ms}
scrape_configs:
- {job_name: node, static_configs: [{targets: ["127.0.0.1:%d"]}]}
- {job_name: direct, static_configs: [{targets: ["127.0.0.1:%d"]}]}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def fetch(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read().decode()


def answers(url):
    with contextlib.suppress(OSError):
        return fetch(url) is not None
    return False


def programs():
    found = [shutil.which(name) for name in ("prometheus", "prometheus-node-exporter")]
    if None in found:
        raise Skipped("packages prometheus and prometheus-node-exporter are not both installed")
    return found


@contextlib.contextmanager
def serving(text):
    """A port where the text is, as an endpoint has it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", OPENMETRICS)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


@contextlib.contextmanager
def engines(path, direct):
    """Prometheus, which scrapes node_exporter with the textfiles in path, and the port `direct`. Yields a function that queries it."""
    prometheus, exporter = programs()
    ports = [free_port(), free_port()]
    with directory() as data:
        with open(f"{data}/prometheus.yml", "w", encoding="ascii") as stream:
            stream.write(CONFIGURATION % (ports[0], direct))
        started = [
            Process([exporter, "--collector.disable-defaults", "--collector.textfile", f"--collector.textfile.directory={path}",
                     f"--web.listen-address=127.0.0.1:{ports[0]}"]),
            Process([prometheus, f"--config.file={data}/prometheus.yml", f"--storage.tsdb.path={data}/tsdb",
                     f"--web.listen-address=127.0.0.1:{ports[1]}"]),
        ]
        base = f"http://127.0.0.1:{ports[1]}"

        def query(expression):
            """{labels: value} of an instant query."""
            text = fetch(f"{base}/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
            result = json.loads(text)["data"]["result"]
            return {tuple(sorted(one["metric"].items())): float(one["value"][1]) for one in result}

        try:
            wait_for(lambda: answers(f"{base}/-/ready"), 15, "Prometheus")
            query.base = base
            yield query
        finally:
            for process in started:
                process.send(signal.SIGTERM)
            for process in started:
                process.wait()


def send_as(name, group):
    """A process of that name in the cgroup sends; the other end is here."""

    def prepare():
        enter_cgroup(group)
        libc.prctl(PR_SET_NAME, name, 0, 0, 0)

    with socket.create_server(("127.0.0.1", 0)) as server:
        receive_from_child(server, BYTES, prepare)


def load(group):
    """What was moved in the cgroup: received, sent."""
    truth = move("flow", "--bytes", 300007, prepare=lambda: enter_cgroup(group))
    for name in NAMES:
        send_as(name, group)
    return sum(x[0] for x in truth.values()), sum(x[1] for x in truth.values()) + BYTES * len(NAMES)


def check_both_sums(query, job, truth):
    for direction, moved in zip(("receive", "transmit"), truth):
        expression = 'sum({__name__=~"tcptop_(other_)?%s_bytes_total",job="%s"})' % (direction, job)
        wait_for(lambda: list(query(expression).values()) == [moved], 10, f"{job}: {moved} bytes to {direction}, as Prometheus sums")


@case
def prometheus_says_what_was_moved():
    programs()
    with cgroup() as group, directory() as path:
        direct = Tcptop("-o", "openmetrics", "--cgroup", group, "--series-threshold", "0", "600")
        first = load(group)
        direct.send(signal.SIGINT)
        text = direct.expect(0).stdout
        check(text.endswith(b"# EOF\n") and text.count(b"# EOF\n") == 1, f"OpenMetrics ends {text[-40:]!r}")
        with serving(text) as port, engines(path, port) as query:
            tcptop = Tcptop("--textfile", f"{path}/tcptop.prom", "--cgroup", group, "--series-threshold", "50000", "0.2")
            truth = load(group)
            check_both_sums(query, "node", truth)
            check_both_sums(query, "direct", first)
            check_equal(list(query("node_textfile_scrape_error").values()), [0.0], "node_textfile_scrape_error")
            check_equal(list(query('up{job="direct"}').values()), [1.0], "up of the OpenMetrics endpoint")
            names = {dict(labels)["comm"] for labels in query('tcptop_transmit_bytes_total{job="direct"}')}
            check(set(LABELS) <= names, f"names that Prometheus has: {names}")
            # below the threshold they are in the sum of others
            check_equal(list(query('tcptop_other_transmit_bytes_total{job="node",reason="no_series"}').values()),
                        [float(BYTES * len(NAMES))], "bytes without a series")
            kinds = json.loads(fetch(f"{query.base}/api/v1/metadata?metric=tcptop_receive_bytes_total"))["data"]
            check_equal([x["type"] for x in kinds["tcptop_receive_bytes_total"]], ["counter"], "the type by node_exporter")
            wait_for(lambda: query('rate(tcptop_receive_bytes_total{job="node"}[10s])'), 10, "a rate")
            again = load(group)
            check_both_sums(query, "node", [sum(both) for both in zip(truth, again)])
            tcptop.send(signal.SIGTERM)
            tcptop.expect(0)
            wait_for(lambda: query('tcptop_receive_bytes_total{job="node"}') == {}, 10, "the end of the series")


@case
def hostile_names_leave_the_host_visible():
    """Each in the file, with a series of its own."""
    programs()
    with cgroup() as group, directory() as path, serving(b"# EOF\n") as port, engines(path, port) as query:
        tcptop = Tcptop("--textfile", f"{path}/tcptop.prom", "--cgroup", group, "--series-threshold", "0", "0.2")
        truth = load(group)
        check_both_sums(query, "node", truth)
        found = {dict(labels)["comm"]: value for labels, value in query("tcptop_transmit_bytes_total").items()}
        for label in LABELS:
            check_equal(found.get(label), float(BYTES), f"bytes of {label!r} in {found}")
        check_equal(list(query("node_textfile_scrape_error").values()), [0.0], "node_textfile_scrape_error")
        tcptop.stop_text()


if __name__ == "__main__":
    sys.exit(main(limit=60))
