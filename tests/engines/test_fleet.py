#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/fleet as its README has it: three hosts, which are namespaces; DuckDB and Prometheus are asked what the load knows.

Every command of the README is run as written. On a real fleet each host has a kernel; here a `tcptop` that is found first counts its
own network namespace alone.
"""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))
from live import (  # noqa: E402
    CLONE_NEWNET, Failed, Process, Skipped, call, case, cgroup, check, check_equal, directory, holds_programs, libc, main, mount,
    needs_root, program, replay, unshare_mounts, wait_for,
)
from prometheus import answers, api, instant, programs  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLE = os.path.join(HERE, "..", "..", "examples", "fleet")
MS_BIND = 4096
TEXTFILES = "/var/lib/prometheus/node-exporter"
BASE = "http://127.0.0.1:9090"
CONNECTIONS = 8
CONTAINER = "fee1900d" * 8
# Hosts: what their programs are called, and further options of the load.
HOSTS = {
    "web": ("10.99.0.2", "shop-web", ["--ask", "10.99.0.3:8080"]),
    "api": ("10.99.0.3", "shop-api", ["--listen", "10.99.0.3:8080", "--ask", "10.99.0.4:5432"]),
    "db": ("10.99.0.4", "shop-db", ["--listen", "10.99.0.4:5432"]),
}
# Grafana's variables, as the test fills them in.
VARIABLES = {"$__rate_interval": "20s", "$instance": ".+"}
NO_NETWORK = re.compile("EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH")
outside = []  # the network namespace in which the registry is


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    check(result.returncode == 0, f"{' '.join(command)}: {result.stderr.strip() or result.stdout.strip()}")
    return result.stdout


def separate():
    """This process is a host between the others: its network and its mounts are its own."""
    needs_root()
    programs()
    outside.append(os.open("/proc/self/ns/net", os.O_RDONLY))
    unshare_mounts()
    call(libc.unshare, CLONE_NEWNET)
    mount("tmp", "/var/lib/prometheus", "tmpfs", 0, "mode=755")
    os.mkdir(TEXTFILES)
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "switch", "type", "bridge")
    run("ip", "address", "add", "10.99.0.1/24", "dev", "switch")
    run("ip", "link", "set", "switch", "up")


class Host:
    """Network, host name and mounts of its own, as long as a process lives there."""

    def __init__(self, name, work):
        self.name, self.work = name, work
        script = f"hostname {name} && mount -t tmpfs -o mode=755 tmpfs {TEXTFILES} && echo ready && exec sleep 300"
        self.holder = Process(["unshare", "--net", "--uts", "--mount", "sh", "-c", script])
        wait_for(lambda: self.holder.stdout, 5, f"the namespaces of {name}")
        pid = str(self.holder.pid)
        self.textfiles = f"/proc/{pid}/root{TEXTFILES}"
        run("ip", "link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns", pid)
        run("ip", "link", "set", f"to-{name}", "master", "switch", "up")
        for command in ("link set lo up", f"address add {HOSTS[name][0]}/24 dev eth0", "link set eth0 up"):
            run("nsenter", "-t", pid, "-n", "ip", *command.split())

    def start(self, *command):
        return Process(["nsenter", "-t", str(self.holder.pid), "-n", "-u", "-m", f"--wd={self.work}", "--", *command])


def readme_commands():
    """The lines of each block."""
    with open(f"{EXAMPLE}/README.md", encoding="utf-8") as stream:
        return [block.splitlines() for block in re.findall(r"^```sh\n(.*?)^```$", stream.read(), re.M | re.S)]


@contextlib.contextmanager
def workplace():
    """A copy of the example, with what its commands are to find first."""
    with directory() as path:
        work = shutil.copytree(EXAMPLE, f"{path}/fleet", ignore=shutil.ignore_patterns("node_modules", "*.jsonl", "fleet.duckdb*"))
        with open(f"{path}/tcptop", "w", encoding="ascii") as stream:
            stream.write(f'#!/bin/sh\nexec {program("TCPTOP")} --netns=$$ "$@"\n')
        os.chmod(f"{path}/tcptop", 0o755)
        with open(f"{work}/prometheus.yml", "r+", encoding="ascii") as stream:
            text = stream.read()
            check("15s" in text, "prometheus.yml has other intervals")
            stream.seek(0)
            stream.write(text.replace("15s", "500ms"))
            stream.truncate()
        with open(f"{path}/hosts", "w", encoding="ascii") as stream:
            stream.writelines(f"{host[0]} {name}\n" for name, host in HOSTS.items())
        mount(f"{path}/hosts", "/etc/hosts", None, MS_BIND)
        os.environ["PATH"] = f"{path}:{os.environ['PATH']}"
        os.environ["npm_config_fetch_retries"] = "0"  # without a network it gives up after 70 s, else
        yield work


def run_load(hosts, group, connections=CONNECTIONS):
    """Runs the shop to its end. {host: the ends of connections that it had}."""
    movers = {}
    for name, (_, comm, options) in HOSTS.items():
        extra = ["--cgroup", group] if name == "web" else []
        movers[name] = hosts[name].start(sys.executable, f"{HERE}/shop.py", comm, str(connections), *options, *extra)
    return {name: mover.expect(0).lines() for name, mover in movers.items()}


# ---- DuckDB ----


def in_directory(work, line):
    """A command of the README, where the registry is."""
    command = ["nsenter", f"--net=/proc/{os.getpid()}/fd/{outside[0]}", f"--wd={work}", "--", "bash", "-c", line]
    return Process(command)


def wait_installed(npm):
    if not npm:
        raise Skipped("Node.js and npm are not both installed")
    status = npm.wait(60)
    if status and NO_NETWORK.search(npm.stderr):
        raise Skipped(f"npm's registry is out of reach: {npm.stderr.splitlines()[0]}")
    check_equal(status, 0, f"npm: {npm.stderr}")


def ask(work, file, *recordings):
    """The rows of a file of SQL, numbers as numbers."""
    text = in_directory(work, " ".join(["node fleet.mjs --json", file, *recordings])).expect(0).stdout.decode()
    rows = [json.loads(line) for line in text.splitlines()]
    return [{k: int(v) if isinstance(v, str) and re.fullmatch("-?[0-9]+", v) else v for k, v in row.items()} for row in rows]


def clients(truth):
    """Ends of who connected: (host, end), in the load's words."""
    servers = {tuple(address) for address in (["10.99.0.3", 8080], ["10.99.0.4", 5432])}
    return [(host, end) for host, ends in truth.items() for end in ends if tuple(end["remote"]) in servers]


def host_of(address):
    return next(name for name, host in HOSTS.items() if host[0] == address)


def check_recordings(work, truth):
    """What the SQL says of the hosts' recordings is what the load knows."""
    names = {"web": CONTAINER[:12], "api": "shop-api", "db": "shop-db"}
    recordings = [f"{name}.jsonl" for name in HOSTS]
    loaded = ask(work, "load.sql", *recordings)
    check_equal([row["host"] for row in loaded], sorted(HOSTS), "hosts that were loaded")
    for row in loaded:
        for lacking in ("other_bytes", "missed_runs", "ends_lost", "not_loaded_bytes", "broken_lines"):
            check_equal(row[lacking], 0, f"{lacking} of {row['host']}")

    expected = {
        (host, names[host], end["local"][1], host_of(end["remote"][0]), names[host_of(end["remote"][0])], end["remote"][1],
         end["sent"], end["sent"], 0, end["received"], end["received"], 0)
        for host, end in clients(truth)
    }
    check_equal(len(expected), 2 * CONNECTIONS, "connections of the load")
    found = {tuple(row.values()) for row in ask(work, "ends.sql")}
    check(found == expected, f"both ends of each connection: {sorted(found - expected)}, expected {sorted(expected - found)}")

    talks = {(row["client_host"], row["server_host"], row["server_port"]): row for row in ask(work, "talks.sql")}
    minutes = ask(work, "minutes.sql")
    for client, server, port in (("web", "api", 8080), ("api", "db", 5432)):
        ends = [end for host, end in clients(truth) if (host, end["remote"][1]) == (client, port)]
        sent, received = sum(end["sent"] for end in ends), sum(end["received"] for end in ends)
        row = talks.get((client, server, port))
        check(row, f"talks.sql lacks {client} to {server}: {talks}")
        check_equal((row["client"], row["server"], row["connections"], row["to_server_bytes"], row["to_client_bytes"]),
                    (names[client], names[server], CONNECTIONS, sent, received), f"{client} to {server}")
        mine = [row for row in minutes if (row["host"], row["service"], row["port"]) == (server, names[server], port)]
        check_equal((sum(row["rx_bytes"] for row in mine), sum(row["tx_bytes"] for row in mine)), (sent, received),
                    f"bytes of {server}:{port} by the minute")

    top = {row["owner"]: (row["hosts"], row["rx_bytes"], row["tx_bytes"]) for row in ask(work, "top.sql")}
    for host, ends in truth.items():
        check_equal(top.get(names[host]), (1, sum(end["received"] for end in ends), sum(end["sent"] for end in ends)),
                    f"what {names[host]} moved, in {top}")


def check_what_is_lacking(work):
    """Recordings with every kind of fault: the SQL tells of each."""
    start = {"type": "start", "schema": 1, "time": "2026-11-22T10:00:00.000Z", "host": "cut", "boot_id": "b", "probe": "tracepoint",
             "not_counted": ["splice_tls"], "filters": []}
    end = {"type": "interval", "interval_s": 1.0, "sessions": 1, "other_calls": 1, "probe": "tracepoint", "not_counted": []}
    tuples = {"interval_s": 1.0, "family": 4, "laddr": "192.0.2.1", "lport": 80, "raddr": "192.0.2.9", "rport": 999, "netns": 1}
    session = {"type": "session", "comm": "a\ufffd\n", "comm_hex": "61ff0a", "pid": 7, "cgroup_id": 5, "rx_bytes": 2**63, "tx_bytes": 5,
               **tuples}
    times = [{"time": f"2026-11-22T10:00:0{second}.000Z"} for second in range(1, 5)]
    pod = {"type": "cgroup", "interval_s": 1.0, "cgroup_id": 5, "namespace": "shop", "pod": "web-1", "container": "main"}
    own = {"type": "cgroup", "interval_s": 1.0, "cgroup_id": 5, "pid": 7, "container": "inner"}

    def closing(total, **more):
        return {**end, "rx_bytes": 2**63, "tx_bytes": 5, "other_rx_bytes": 0, "other_tx_bytes": 0, "total_rx_bytes": total, "total_tx_bytes": 5,
                "missed_runs": 0, **more}

    # of a run whose first file is missing, and which ends amid a line; without a start line; of one run in two files, whose cgroup is
    # known by its id first
    files = {
        "cut.jsonl": [start, {**session, **times[1]}, {**closing(2**64 - 1), **times[1], "other_rx_bytes": 11, "missed_runs": 3, "ends_lost": 2}],
        "old.jsonl": [{**session, **times[2]}, {**closing(0), **times[2]}],
        "pods.jsonl": [{**start, "host": "pods"}, {**pod, **times[0], "pod": None, "container_id": CONTAINER}, {**pod, **times[0]}, {**session, **times[0]}, {**session, **times[0], "pid": 8},
                       {**own, **times[0]}, {**closing(2**63), **times[0]}],
        "rotated.jsonl": [{**start, "host": "pods"}, {**session, **times[1], "pid": 8, "rx_bytes": 1},
                          {**closing(2**63 + 1), **times[1], "rx_bytes": 1, "total_tx_bytes": 10}],
    }
    for name, lines in files.items():
        with open(f"{work}/{name}", "w", encoding="utf-8") as stream:
            stream.write("".join(json.dumps(line) + "\n" for line in lines) + ('{"type":"sess' if name == "cut.jsonl" else ""))
    loaded = {row["host"]: row for row in ask(work, "load.sql", *files)}
    check_equal(sorted(loaded), ["cut", "old.jsonl", "pods"], "hosts")
    found = {key: loaded["cut"][key] for key in ("other_bytes", "missed_runs", "ends_lost", "not_loaded_bytes", "broken_lines", "not_counted")}
    check_equal(found, {"other_bytes": 11, "missed_runs": 3, "ends_lost": 2, "not_loaded_bytes": 2**63 - 1, "broken_lines": 1,
                        "not_counted": ["splice_tls"]}, "what the recording lacks")
    check_equal((loaded["pods"]["not_loaded_bytes"], loaded["pods"]["seconds"]), (0, 2.0), "a run in two files")
    owners = {row["owner"]: row["rx_bytes"] for row in ask(work, "top.sql")}
    check_equal(owners, {"a\ufffd\n (61ff0a)": 2**64, "shop/web-1": 2**63 + 1, "inner": 2**63}, "owners")
    shown = in_directory(work, "node fleet.mjs top.sql").expect(0).stdout
    check(b"a\xef\xbf\xbd\\u{a} (61ff0a)" in shown and shown.count(b"\n") == 4, f"the table: {shown!r}")
    for wrong, status in (("", 2), ("none.sql", 1), ("load.sql none.jsonl", 1)):
        in_directory(work, f"node fleet.mjs {wrong}").expect(status)


# ---- Prometheus ----


def query(expression):
    return instant(BASE, expression)


def by(labels, expression):
    """{the values of the labels: value}."""
    return {tuple(dict(found).get(label) for label in labels): value for found, value in query(expression).items()}


def read_dashboard():
    with open(f"{EXAMPLE}/dashboard.json", encoding="utf-8") as stream:
        return json.load(stream)


def dashboard():
    """[(title, expression)] of every panel and variable, with Grafana's variables filled in."""
    text = read_dashboard()
    found = [(panel["title"], target["expr"]) for panel in text["panels"] for target in panel["targets"]]
    for variable in text["templating"]["list"]:
        if variable["type"] == "query":
            match = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"])
            check(match, f"a variable that this test cannot ask for: {variable['query']}")
            found.append((f"${variable['name']}", f"count by ({match[2]}) ({match[1]})"))
    filled = []
    for title, expression in found:
        for name, value in VARIABLES.items():
            expression = expression.replace(name, value)
        check("$" not in expression, f"{title} has a variable that Grafana does not: {expression}")
        filled.append((title, expression))
    check(len(filled) >= len(text["panels"]) > 0, "panels without an expression")
    return filled


def alerts():
    """{(alert, host)} that are pending or firing."""
    return {(name, instance.split(":")[0]) for name, instance in by(("alertname", "instance"), 'ALERTS{alertname=~"Tcptop.*"}')}


def check_metrics(truth):
    for direction, moved in (("receive", "received"), ("transmit", "sent")):
        expected = {(f"{name}:9100", HOSTS[name][1]): float(sum(end[moved] for end in ends)) for name, ends in truth.items()}
        expression = f'tcptop_{direction}_bytes_total{{comm=~"shop-.*"}}'
        with contextlib.suppress(Failed):  # what differs is told below
            wait_for(lambda: by(("instance", "comm"), expression) == expected, 15, "the load's bytes")
        check_equal(by(("instance", "comm"), expression), expected, f"bytes of {direction} in Prometheus")
    for name, value in (("up", 1.0), ("node_textfile_scrape_error", 0.0)):
        check_equal(by(("instance",), name), {(f"{host}:9100",): value for host in HOSTS}, name)


def check_dashboard(may_be_empty):
    """Runs each expression; those of rates are of what moved. Returns the titles of those without a result."""
    empty = set()
    for title, expression in dashboard():
        found = query(expression)
        if not found:
            empty.add(title)
        elif re.match("(Received|Sent|Programs|Containers) ", title):
            check(max(found.values()) > 0, f"{title}: nothing moved in {expression}: {found}")
    check(empty <= may_be_empty, f"panels without data: {empty - may_be_empty}")
    return empty


def feed(host, *intervals, began=0, options=()):
    """A host's metrics are those of a recording after each of its intervals, of which each is (tx_bytes, missed_runs)."""
    lines = [{"type": "start", "schema": 1, "time": f"2026-11-22T10:00:0{began}.000Z", "host": host.name, "boot_id": "b",
              "probe": "tracepoint", "not_counted": ["splice_tls"], "filters": []}]
    for number, (tx_bytes, missed_runs) in enumerate(intervals):
        common = {"time": f"2026-11-22T10:01:0{number}.000Z", "interval_s": 1.0}
        lines.append({"type": "session", **common, "pid": 7, "comm": "many", "family": 4, "laddr": "192.0.2.1", "lport": 80,
                      "raddr": "192.0.2.9", "rport": 999, "netns": 1, "rx_bytes": 0, "tx_bytes": tx_bytes})
        lines.append({"type": "interval", **common, "sessions": 1, "rx_bytes": 0, "tx_bytes": tx_bytes, "other_calls": 0, "other_rx_bytes": 0,
                      "other_tx_bytes": 0, "probe": "tracepoint", "not_counted": ["splice_tls"], "missed_runs": missed_runs})
    for text in replay(lines, "-o", "openmetrics", *options).split("# EOF\n")[:-1]:
        samples = [line for line in text.splitlines() if line[0] != "#"]  # their types are OpenMetrics' own
        with open(f"{host.textfiles}/.next", "w", encoding="utf-8") as stream:
            stream.writelines(sample + "\n" for sample in samples)
        os.rename(f"{host.textfiles}/.next", f"{host.textfiles}/tcptop.prom")
        for sample in samples:
            name, value = sample.rsplit(" ", 1)
            labels = name[name.index("{") + 1:-1] if "{" in name else ""
            series = f'{name.split("{")[0]}{{instance="{host.name}:9100",{labels}}}'
            wait_for(lambda: list(query(series).values()) == [float(value)], 10, f"{series} of {value}")  # noqa: B023


def check_alerts(hosts, recorders, group):
    """Each fault, one after the other, and the alert that is for it."""

    raised = set()

    def expect(alert, host):
        wait_for(lambda: (alert, host) in alerts(), 15, f"{alert} of {host}")
        raised.add(alert)

    # killed: what it wrote last stands still
    recorders["api"].send(signal.SIGKILL)
    os.utime(f"{hosts['api'].textfiles}/tcptop.prom", (time.time() - 300,) * 2)
    with open(f"{hosts['api'].textfiles}/other.prom", "w", encoding="ascii") as stream:
        stream.write("no metric\n")
    # more connections than places; those of the load are over
    recorders["db"].send(signal.SIGINT)
    recorders["web"].send(signal.SIGINT)
    small = hosts["db"].start("tcptop", "--textfile", f"{TEXTFILES}/tcptop.prom", "--max-sessions", "1", "2")
    expect("TcptopGone", "web")
    for began in range(3):
        feed(hosts["web"], (1, 0), began=began)
    feed(hosts["web"], (10**9, 0), (10**9, 3), (10**9, 0), began=3, options=("--series-threshold", str(10**12)))
    wait_for(lambda: holds_programs(small.pid), 20, "tcptop attached")
    run_load(hosts, group, 3)
    for alert, host in (("TcptopStale", "api"), ("TcptopFileRefused", "api"), ("TcptopRestarts", "web"), ("TcptopMissedRuns", "web"),
                        ("TcptopPathNotCounted", "web"), ("TcptopFewSeries", "web"), ("TcptopTableFull", "db")):
        expect(alert, host)
    # none of web's programs has a series any more: of the latest scrapes, what hosts move is in the sum of others
    latest = "[4s]"
    wait_for(lambda: not query(f'rate(tcptop_transmit_bytes_total{{instance="web:9100"}}{latest})'), 10, "the end of web's series")
    for title, expression in dashboard():
        if title in ("Received by host", "Sent by host"):
            hosts_shown = by(("instance",), expression.replace(f"[{VARIABLES['$__rate_interval']}]", latest))
            check(("web:9100",) in hosts_shown, f"{title} lacks a host without series: {hosts_shown}")
    with open(f"{EXAMPLE}/alerts.yml", encoding="utf-8") as stream:
        check_equal(raised, set(re.findall(r"- alert: (\w+)", stream.read())), "alerts that were shown")


# ---- the example ----


@case
def the_alerts_are_right_in_simulated_time():
    with directory() as path:
        for name in (f"{EXAMPLE}/alerts.yml", f"{HERE}/alerts_test.yml"):
            shutil.copy(name, path)
        run("promtool", "check", "rules", f"{path}/alerts.yml")
        run("promtool", "test", "rules", f"{path}/alerts_test.yml")


@case
def the_dashboard_is_well_formed():
    """What Grafana asks of the JSON of a dashboard, as far as this one uses it: it is not packaged, so nothing else reads it."""
    text = read_dashboard()
    variables = {each["name"]: each for each in text["templating"]["list"]}
    check_equal(variables["datasource"]["type"], "datasource", "the variable of the data source")
    source = {"type": "prometheus", "uid": "${datasource}"}
    check_equal([x["datasource"] for x in variables.values() if x["type"] == "query"], [source], "where variables are asked for")
    places, ids = set(), [panel["id"] for panel in text["panels"]]
    check_equal(len(set(ids)), len(ids), "panels by their ids")
    for panel in text["panels"]:
        title, place = panel["title"], panel["gridPos"]
        check(panel["type"] in ("timeseries", "stat", "table"), f"{title} is a {panel['type']}")
        check_equal(panel["datasource"], source, f"the data source of {title}")
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        check(cells and max(x for x, _ in cells) < 24 and min(x for x, _ in cells) >= 0, f"{title} is not within 24 columns: {place}")
        check(not cells & places, f"{title} covers another panel")
        places |= cells
        check(panel["fieldConfig"]["defaults"]["unit"] in ("Bps", "none", "s"), f"the unit of {title}")
        references = [target["refId"] for target in panel["targets"]]
        check(references and len(set(references)) == len(references), f"{title} asks {references}")
        for target in panel["targets"]:
            check(panel["type"] != "table" or (target["instant"] and target["format"] == "table"), f"{title} is no table of one moment")
            unknown = set(re.findall(r"{{(\w+)}}", target["legendFormat"])) - set(re.findall(r"\w+", target["expr"]))
            check(unknown <= {"alertname"}, f"the legend of {title} has labels that its sum has not: {unknown}")


@case
def the_readme_does_what_it_says():
    on_hosts, on_one, at_prometheus = readme_commands()
    with workplace() as work, cgroup() as group:
        container = f"{group}/docker-{CONTAINER}.scope"
        os.mkdir(container)
        hosts = {name: Host(name, work) for name in HOSTS}
        exporter = [shutil.which("prometheus-node-exporter"), "--collector.disable-defaults", "--collector.textfile"]
        for host in hosts.values():
            host.start(*exporter, f"--collector.textfile.directory={TEXTFILES}")
        check_equal(len(on_hosts), 1, "commands for the hosts")
        recorders = {name: host.start("bash", "-c", on_hosts[0]) for name, host in hosts.items()}
        npm = in_directory(work, on_one[0]) if shutil.which("npm") and shutil.which("node") else None
        for line in at_prometheus[:-1]:
            run("bash", "-c", f"cd {work} && {line}")
        prometheus = Process(["bash", "-c", f"cd {work} && exec {at_prometheus[-1]}"])
        for name, recorder in recorders.items():
            wait_for(lambda one=recorder: holds_programs(one.pid), 30, f"tcptop attached on {name}")
        wait_for(lambda: answers(f"{BASE}/-/ready"), 15, "Prometheus")

        truth = run_load(hosts, container)
        check_metrics(truth)
        check(api(BASE, "rules")["groups"], "Prometheus has no rules")
        empty = check_dashboard({"Not counted", "Alerts"})
        check({name for name, _ in alerts()} <= {"TcptopPathNotCounted"}, f"alerts without a fault: {alerts()}")
        yield "passed", "metrics", ""

        check_alerts(hosts, recorders, container)
        titles = {title for title, expression in dashboard() if query(expression)}
        check(empty <= titles, f"panels that never had data: {empty - titles}")
        yield "passed", "alerts", ""

        try:
            wait_installed(npm)
        except Skipped as reason:
            yield "skipped", "recordings", str(reason)
        else:
            for line in on_one[1:]:
                shown = in_directory(work, line).expect(0).stdout.decode()
                check("web" in shown or "shop-" in shown, f"{line} shows {shown!r}")
            check_recordings(work, truth)
            check_what_is_lacking(work)
            yield "passed", "recordings", ""
        prometheus.send(signal.SIGTERM)
        prometheus.expect(0)


if __name__ == "__main__":
    sys.exit(main(limit=220, prepare=separate))
