# SPDX-License-Identifier: Apache-2.0
"""Prometheus and node_exporter, started for a test and asked."""
import contextlib
import functools
import http.server
import json
import shutil
import signal
import socket
import threading
import urllib.parse
import urllib.request

from live import Process, Skipped, directory, wait_for

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


def api(base, path, **parameters):
    """What Prometheus' HTTP API answers, without its envelope."""
    return json.loads(fetch(f"{base}/api/v1/{path}?{urllib.parse.urlencode(parameters, doseq=True)}"))["data"]


def instant(base, expression):
    """{labels: value} of an instant query."""
    result = api(base, "query", query=expression)["result"]
    return {tuple(sorted(one["metric"].items())): float(one["value"][1]) for one in result}


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
    """Prometheus, which scrapes node_exporter with the textfiles in path, and the port `direct`. Yields instant() of it."""
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

        try:
            wait_for(lambda: answers(f"{base}/-/ready"), 15, "Prometheus")
            yield functools.partial(instant, base)
        finally:
            for process in started:
                process.send(signal.SIGTERM)
            for process in started:
                process.wait()
