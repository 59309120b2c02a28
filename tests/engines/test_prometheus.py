#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""node_exporter reads --textfile, Prometheus scrapes it and -o openmetrics: its query API says what was moved."""
import os
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))
from live import (  # noqa: E402
    Process, Skipped, Tcptop, case, cgroup, check, check_equal, directory, enter_cgroup, libc, main, move,
    receive_from_child, wait_for,
)
from prometheus import api, engines, programs, serving  # noqa: E402

PR_SET_NAME = 15
BYTES = 20011
NAMES = (b"\xff", b"new\nline", b'q"uote\\', b"caf\xc3\xa9", b"{x=\"y\"} 1", b"# EOF")
LABELS = ("\\xff", "new\\x0aline", 'q"uote\\', "caf\u00e9", '{x="y"} 1', "# EOF")


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
            kinds = api(*query.args, "metadata", metric="tcptop_receive_bytes_total")
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
        with open(f"{path}/tcptop.prom", encoding="utf-8") as stream:
            linted = subprocess.run(["promtool", "check", "metrics"], stdin=stream, capture_output=True, text=True, check=False)
        check_equal((linted.returncode, linted.stdout + linted.stderr), (0, ""), "promtool check metrics")
        tcptop.stop_text()


@case
def each_interval_is_valid_openmetrics():
    """By the parser of Prometheus' own library for Python, which is stricter than Prometheus."""
    python = "/usr/bin/python3"
    parser = "prometheus_client.openmetrics.parser"
    if subprocess.run([python, "-c", f"import {parser}"], capture_output=True, check=False).returncode:
        raise Skipped("not installed: python3-prometheus-client")
    script = f"import sys; from {parser} import *; print(sum(len(x.samples) for x in text_fd_to_metric_families(sys.stdin)))"
    with cgroup() as group:
        tcptop = Tcptop("-o", "openmetrics", "--cgroup", group, "--series-threshold", "0", "0.2")
        load(group)
        blocks = tcptop.stop_text().split("# EOF\n")
    check_equal(blocks.pop(), "", "behind the last end")
    counts = []
    for block in blocks:
        done = subprocess.run([python, "-c", script], input=block + "# EOF\n", capture_output=True, text=True, check=False)
        check_equal(done.returncode, 0, f"the parser's verdict: {done.stderr[-400:]} on {block}")
        counts.append(int(done.stdout))
    check(max(counts) > 2 * len(NAMES), f"samples of intervals: {counts}")


@case
def ten_thousand_names_let_no_sum_fall():
    """They come and go, in cgroups that do, too: Prometheus keeps scraping, and what it has of them is whole."""
    programs()
    names, size, series = 10000, 101, 200
    with cgroup() as group, directory() as path, serving(b"# EOF\n") as port, engines(path, port) as query:
        tcptop = Tcptop("--textfile", f"{path}/tcptop.prom", "--cgroup", group, "--series-threshold", "0", "--max-series", series, "0.2")
        begin = time.time()
        Process([sys.executable, os.path.join(os.path.dirname(__file__), "many_names.py"), group, str(names), str(size), "8"]).expect(0)
        check_both_sums(query, "node", (names * size, names * size))
        for direction in ("receive", "transmit"):
            every = 'sum({__name__=~"tcptop_(other_)?%s_bytes_total"})' % direction
            points = api(*query.args, "query_range", query=every, start=begin, end=time.time(), step=0.25)["result"][0]["values"]
            values = [int(value) for _, value in points]
            check(values == sorted(values), f"the sum to {direction} fell: {values}")
            check(len(set(values)) >= 4, f"Prometheus saw few values to {direction}: {values}")
            for metric in (f"tcptop_{direction}_bytes_total", f"tcptop_other_{direction}_bytes_total"):
                check_equal(list(query(f"max(resets({metric}[1m]))").values()), [0.0], f"resets of {metric}")
        check_equal(list(query("count(tcptop_transmit_bytes_total)").values()), [float(series)], "series")
        check(query('count(tcptop_transmit_bytes_total{container_id!=""}) > 1'), "no container has a series")
        check_equal(list(query('min_over_time(up{job="node"}[1m])').values()), [1.0], "up")
        check_equal(list(query("max_over_time(node_textfile_scrape_error[1m])").values()), [0.0], "node_textfile_scrape_error")
        tcptop.stop_text()


if __name__ == "__main__":
    sys.exit(main(limit=60))
