-- SPDX-License-Identifier: Apache-2.0
-- Both ends of each connection between recorded hosts: what one sent and the other did not receive, each way. It is 0 where both
-- recordings have the whole connection; else it was under way at an end of one, never read, or moved on a path that is not counted.
SELECT client_host, client, client_port, server_host, server, server_port, client_sent, server_received,
	client_sent - server_received AS not_received_by_server, server_sent, client_received,
	server_sent - client_received AS not_received_by_client
FROM connection WHERE client_host IS NOT NULL AND server_host IS NOT NULL
ORDER BY abs(not_received_by_server) + abs(not_received_by_client) DESC, client_sent + server_sent DESC LIMIT 20;
