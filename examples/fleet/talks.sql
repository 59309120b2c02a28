-- SPDX-License-Identifier: Apache-2.0
-- Who talks to whom: clients, services, and what went each way. An end on no recorded host is an address.
SELECT coalesce(client_host, client_address) AS client_host, client, coalesce(server_host, server_address) AS server_host, server,
	server_port, count(*) AS connections, sum(coalesce(client_sent, server_received)) AS to_server_bytes,
	sum(coalesce(client_received, server_sent)) AS to_client_bytes
FROM connection GROUP BY ALL ORDER BY to_server_bytes + to_client_bytes DESC LIMIT 20;
