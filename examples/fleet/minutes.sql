-- SPDX-License-Identifier: Apache-2.0
-- Each service's bytes by the minute, as its own host counted them; an interval belongs to the minute in which it ends.
SELECT time_bucket(INTERVAL 1 MINUTE, time) AS minute, host, owner AS service, lport AS port, sum(rx_bytes) AS rx_bytes,
	sum(tx_bytes) AS tx_bytes
FROM traffic WHERE accepted = 1 GROUP BY ALL ORDER BY ALL;
