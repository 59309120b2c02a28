/* SPDX-License-Identifier: Apache-2.0 */
#include "check/judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/snapshot.h"

static bool same_addresses(const struct truth *moved, const struct session *counted)
{
	return moved->family == counted->family && moved->lport == counted->lport &&
	       moved->rport == counted->rport && moved->ifindex == counted->ifindex &&
	       memcmp(moved->laddr, counted->laddr, sizeof moved->laddr) == 0 &&
	       memcmp(moved->raddr, counted->raddr, sizeof moved->raddr) == 0 &&
	       (moved->netns == 0 || moved->netns == counted->netns);
}

static bool same_name(const struct truth *moved, const struct session *counted)
{
	return strncmp(moved->comm, counted->comm, sizeof moved->comm) == 0 ||
	       strncmp(moved->comm_last, counted->comm, sizeof moved->comm_last) == 0;
}

static void add_session(struct check_result *result, const struct session *counted)
{
	bool known = false, related = false;

	for (size_t i = 0; i < result->truth.session_count; i++) {
		const struct truth *moved = &result->truth.sessions[i];
		bool process = (pid_t)counted->pid == moved->pid;
		bool addresses = same_addresses(moved, counted);

		related |= process || addresses;
		if (!process || !addresses)
			continue;
		known = true;
		result->counted[i].tx_bytes += counted->tx_bytes;
		result->counted[i].rx_bytes += counted->rx_bytes;
		result->counted[i].misnamed |= !same_name(moved, counted);
	}
	if (!related)
		return;
	result->counted_tx_bytes += counted->tx_bytes;
	result->counted_rx_bytes += counted->rx_bytes;
	if (known)
		return;
	result->strayed = true;
	result->stray_bytes += counted->tx_bytes + counted->rx_bytes;
	result->stray_pid = counted->pid;
	result->stray_port = counted->lport;
}

void judge_add(struct check_result *result, const struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->session_count; i++)
		add_session(result, &snapshot->sessions[i]);
	result->missed_runs += snapshot->missed_runs;
}

#define REASON(result, ...) snprintf((result)->reason, sizeof(result)->reason, __VA_ARGS__)

/* One session of the truth. Fills result->reason when something else was counted for it. */
static void compare(struct check_result *result, size_t index)
{
	const struct truth *moved = &result->truth.sessions[index];
	const char *role = side_role_name(moved->role);
	uint64_t tx_bytes = result->counted[index].tx_bytes, rx_bytes = result->counted[index].rx_bytes;

	result->tx_bytes += moved->tx_bytes;
	result->rx_bytes += moved->rx_bytes;
	if (result->counted[index].misnamed)
		REASON(result, "%s has another name than its own", role);
	if (tx_bytes != moved->tx_bytes)
		REASON(result, "%s sent %" PRIu64 ", counted %" PRIu64, role, moved->tx_bytes, tx_bytes);
	if (rx_bytes != moved->rx_bytes)
		REASON(result, "%s received %" PRIu64 ", counted %" PRIu64, role, moved->rx_bytes, rx_bytes);
}

void judge_finish(struct check_result *result, const char *declared, const char *reason)
{
	for (size_t i = 0; i < result->truth.session_count; i++)
		compare(result, i);
	if (result->strayed)
		REASON(result, "%" PRIu64 " bytes stand under PID %u, port %u, where none were moved",
		    result->stray_bytes, result->stray_pid, result->stray_port);
	result->verdict = result->reason[0] ? VERDICT_WRONG : VERDICT_EXACT;
	if (result->verdict == VERDICT_EXACT || !declared || result->counted_tx_bytes > result->tx_bytes ||
	    result->counted_rx_bytes > result->rx_bytes)
		return;
	result->verdict = VERDICT_NOT_COUNTED;
	snprintf(result->declared, sizeof result->declared, "%s", declared);
	REASON(result, "%s", reason);
}
