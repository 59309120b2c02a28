# SPDX-License-Identifier: Apache-2.0
"""Lines of `tcptop -o json` as sums of sessions, compared with the truth."""
from cases import check, check_equal

# The last one is left out where it is 0.
KEY = ("pid", "family", "laddr", "lport", "raddr", "rport", "netns", "ifindex")


def sum_sessions(lines):
    """{key: [rx_bytes, tx_bytes]} over all lines; a key is the tuple of KEY."""
    sums = {}
    for line in lines:
        entry = sums.setdefault(tuple(line.get(name, 0) if name == "ifindex" else line[name] for name in KEY), [0, 0])
        entry[0] += line["rx_bytes"]
        entry[1] += line["tx_bytes"]
    return sums


def sessions(lines, pids=None):
    return [x for x in lines if x["type"] == "session" and (pids is None or x["pid"] in pids)]


def intervals(lines):
    return [x for x in lines if x["type"] == "interval"]


def key_text(key):
    pid, family, laddr, lport, raddr, rport, _, ifindex = key
    link = f" on link {ifindex}" if ifindex else ""
    return f"PID {pid} IPv{family} {laddr}:{lport} {raddr}:{rport}{link}"


def merge(*truths):
    merged = {}
    for truth in truths:
        merged.update(truth)
    return merged


def of_pids(truth, pids):
    return {key: value for key, value in truth.items() if key[0] in pids}


def compare(lines, truth, pids=None):
    """To the byte: the sessions of pids (default: the truth's) are those of the truth, and no others."""
    pids = {key[0] for key in truth} if pids is None else set(pids)
    found = {k: v for k, v in sum_sessions(sessions(lines, pids)).items() if v != [0, 0]}
    expected = {k: v for k, v in truth.items() if v != [0, 0]}
    wrong = []
    for key in sorted(set(found) | set(expected)):
        if found.get(key) != expected.get(key):
            wrong.append(f"{key_text(key)}: rx, tx {found.get(key)}, expected {expected.get(key)}")
    more = f" (and {len(wrong) - 3} more)" if len(wrong) > 3 else ""
    check(not wrong, "; ".join(wrong[:3]) + more)


def check_totals(lines):
    """Each interval's totals are the sums of its sessions and of the other ones; returns the intervals."""
    listed = [0, 0, 0]
    for line in lines:
        if line["type"] == "session":
            listed = [listed[0] + 1, listed[1] + line["rx_bytes"], listed[2] + line["tx_bytes"]]
        if line["type"] != "interval":
            continue
        rest = [
            line["sessions"],
            line["rx_bytes"] - line["other_rx_bytes"],
            line["tx_bytes"] - line["other_tx_bytes"],
        ]
        check_equal(rest, listed, "an interval's sessions, rx_bytes and tx_bytes without the others'")
        listed = [0, 0, 0]
    check_equal(listed, [0, 0, 0], "sessions behind the last interval")
    total = intervals(lines)
    check(total, "no interval was printed")
    return total


def check_exact(lines, truth, pids=None):
    check_totals(lines)
    compare(lines, truth, pids)
    check_equal(sum(x["missed_runs"] for x in intervals(lines)), 0, "missed_runs")
    check_equal(sum(x["other_calls"] for x in intervals(lines)), 0, "other_calls")
