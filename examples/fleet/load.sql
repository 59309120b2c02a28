-- SPDX-License-Identifier: Apache-2.0
-- Recordings by `tcptop -o json` of any number of hosts, as tables; the variable `recordings` lists the files, docs/recording.schema.json
-- describes their lines. What was loaded before is replaced. The last statement tells what the recordings lack.
CREATE OR REPLACE TEMP TABLE line AS
SELECT row_number() OVER () AS number, *
FROM read_json(getvariable('recordings'), format = 'newline_delimited', filename = 'file', ignore_errors = true, columns = {
	type: 'VARCHAR', time: 'TIMESTAMP', interval_s: 'DOUBLE',
	host: 'VARCHAR', boot_id: 'VARCHAR', kernel: 'VARCHAR', tcptop: 'VARCHAR', probe: 'VARCHAR', not_counted: 'VARCHAR[]',
	filters: 'VARCHAR[]', filter: 'VARCHAR',
	cgroup_id: 'UBIGINT', name: 'VARCHAR', container: 'VARCHAR', container_id: 'VARCHAR', pod: 'VARCHAR', namespace: 'VARCHAR',
	unit: 'VARCHAR',
	pid: 'UINTEGER', comm: 'VARCHAR', comm_hex: 'VARCHAR', family: 'UTINYINT', laddr: 'VARCHAR', lport: 'USMALLINT', raddr: 'VARCHAR',
	rport: 'USMALLINT', netns: 'UINTEGER', rx_bytes: 'UBIGINT', tx_bytes: 'UBIGINT', accepted: 'UTINYINT',
	other_rx_bytes: 'UBIGINT', other_tx_bytes: 'UBIGINT', total_rx_bytes: 'UBIGINT', total_tx_bytes: 'UBIGINT', missed_runs: 'UBIGINT',
	ends_lost: 'UBIGINT'});

-- A run of tcptop on a host. Its lines may stand in several files, after rotation, and a file may have several runs: each part
-- begins with a start line. Recordings of old versions have none: the file's name then stands for the host.
CREATE OR REPLACE TEMP TABLE run_line AS
SELECT * REPLACE (coalesce(start.host, file) AS host, start.boot_id AS boot_id), start.time AS began
FROM (SELECT *, last_value(CASE WHEN type = 'start' THEN struct_pack(host, boot_id, time) END IGNORE NULLS)
	OVER (PARTITION BY file ORDER BY number) AS start FROM line);

-- What is known of a cgroup last; pid is 0 when it holds for all of its processes.
CREATE OR REPLACE TEMP TABLE named AS
SELECT DISTINCT ON (host, boot_id, cgroup_id, coalesce(pid, 0)) host, boot_id, cgroup_id, coalesce(pid, 0) AS pid,
	coalesce(namespace || '/' || pod, container, left(container_id, 12), unit) AS owner
FROM run_line WHERE type = 'cgroup' ORDER BY number DESC;

-- The sessions: what a process moved over a connection in the interval that ended at `time`. Its owner is the pod, container or
-- unit, else the program. A name with invalid bytes has them in hexadecimal digits behind it, so that two stay two.
CREATE OR REPLACE TABLE traffic AS
SELECT l.host, l.began, l.time, l.interval_s, l.pid, l.program, coalesce(p.owner, c.owner, l.program) AS owner,
	l.family, l.netns, l.laddr, l.lport, l.raddr, l.rport, l.accepted, l.rx_bytes, l.tx_bytes
FROM (SELECT *, comm || coalesce(' (' || comm_hex || ')', '') AS program FROM run_line WHERE type = 'session') l
LEFT JOIN named p ON p.host = l.host AND p.boot_id IS NOT DISTINCT FROM l.boot_id AND p.cgroup_id = l.cgroup_id AND p.pid = l.pid
LEFT JOIN named c ON c.host = l.host AND c.boot_id IS NOT DISTINCT FROM l.boot_id AND c.cgroup_id = l.cgroup_id AND c.pid = 0;

-- A connection as one of its ends has it, whatever processes shared it.
CREATE OR REPLACE TABLE side AS
SELECT host, family, netns, laddr, lport, raddr, rport, string_agg(DISTINCT owner, ', ' ORDER BY owner) AS owner,
	-- who connected is not known of a connection older than the recording: then the lower port is taken for the service
	coalesce(max(accepted) = 1, lport < rport) AS is_server,
	laddr = '::1' OR laddr LIKE '127.%' AS is_loopback, sum(rx_bytes) AS rx_bytes, sum(tx_bytes) AS tx_bytes
FROM traffic GROUP BY host, family, netns, laddr, lport, raddr, rport;

-- Connections with both ends, where both were recorded; else the columns of the other end are null. An address must mean the
-- same host in all recordings, but loopback's: behind translated addresses, both ends stand alone.
CREATE OR REPLACE TABLE connection AS
SELECT c.host AS client_host, c.owner AS client, s.host AS server_host, s.owner AS server,
	coalesce(c.laddr, s.raddr) AS client_address, coalesce(c.lport, s.rport) AS client_port,
	coalesce(c.raddr, s.laddr) AS server_address, coalesce(c.rport, s.lport) AS server_port,
	c.tx_bytes AS client_sent, s.rx_bytes AS server_received, s.tx_bytes AS server_sent, c.rx_bytes AS client_received
FROM (FROM side WHERE NOT is_server) c FULL JOIN (FROM side WHERE is_server) s
	ON c.laddr = s.raddr AND c.lport = s.rport AND c.raddr = s.laddr AND c.rport = s.lport
	AND (NOT c.is_loopback OR (c.host = s.host AND c.netns = s.netns));

-- Per run what it could not list (other_bytes), lost (missed_runs, ends_lost) or does not see (not_counted); bytes of intervals
-- that are in no file here (not_loaded_bytes), and lines that are no JSON, such as the last one of a host that crashed.
CREATE OR REPLACE TABLE recording AS
SELECT host, began, max(time) AS ended, round(sum(interval_s) FILTER (type = 'interval'), 3) AS seconds,
	sum(rx_bytes + tx_bytes) FILTER (type = 'interval') AS bytes,
	sum(other_rx_bytes + other_tx_bytes) AS other_bytes, sum(missed_runs) AS missed_runs, coalesce(sum(ends_lost), 0) AS ends_lost,
	max(total_rx_bytes::HUGEINT + total_tx_bytes) - sum(rx_bytes + tx_bytes) FILTER (type = 'interval') AS not_loaded_bytes,
	count(*) FILTER (type IS NULL) AS broken_lines, any_value(filters) AS filters, any_value(not_counted) AS not_counted
FROM run_line GROUP BY host, boot_id, began;

FROM recording ORDER BY host, began;
