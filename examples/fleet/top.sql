-- SPDX-License-Identifier: Apache-2.0
-- What moves most over all hosts: pods, containers, units, and programs outside of them.
SELECT owner, count(DISTINCT host) AS hosts, sum(rx_bytes) AS rx_bytes, sum(tx_bytes) AS tx_bytes
FROM traffic GROUP BY ALL ORDER BY sum(rx_bytes + tx_bytes) DESC LIMIT 20;
