/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Golden files: what the text and JSON renderers print for the samples below, byte for byte. The files are
 * written by hand (or by other means than the program under test) and changed only on purpose.
 */
#ifndef TCPTOP_TEST_GOLDEN_H
#define TCPTOP_TEST_GOLDEN_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/snapshot.h"

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof *(array))

/* 2026-11-22 10:42:17.123 UTC, and how long the interval before it was. */
#define SAMPLE_TIME 1795344137
#define SAMPLE_TIME_NS 123456789
#define SAMPLE_INTERVAL_NS 1000300000

struct sample_session {
	uint8_t family;
	const char *laddr;
	uint16_t lport;
	const char *raddr;
	uint16_t rport;
	uint32_t pid;
	const char *comm;
	uint64_t rx_bytes;
	uint64_t tx_bytes;
	uint32_t uid;
	uint32_t mntns;
	uint64_t cgroup_id;
	uint32_t ifindex;
	const char *ifname; /* NULL: not known */
};

struct sample {
	const char *name; /* of the golden files: text_NAME.txt, json_NAME.jsonl */
	size_t count;
	struct sample_session sessions[12];
};

#define FE80 "fe80::8a3:9dff:fed5:6b19"
#define LONG6 "2001:db8:1111:2222:3333:4444:5555:6666"
#define UNKNOWN UINT32_MAX

/* Out of order on purpose; equal totals are told apart by the key. */
static const struct sample samples[] = {
	{ "empty", 0, { { 0 } } },
	{ "ipv4", 4,
	    {
	        { 4, "100.66.3.172", 22, "100.127.69.165", 25219, 14374, "sshd", 40, 60, UNKNOWN, 0, 0, 0,
	            NULL },
	        { 4, "100.66.3.172", 22, "100.127.69.165", 6684, 16647, "sshd", 1023, 2201599, 0, 4026531841,
	            4711, 0, NULL },
	        { 4, "100.66.3.172", 22, "100.127.69.165", 7165, 14458, "sshd", 0, 99, 1000, 4026531841, 0, 0,
	            NULL },
	        { 4, "100.66.3.172", 22, "100.127.69.165", 6684, 16648, "16648", 1024, 2201023, 0, 0, 0, 0,
	            NULL },
	    } },
	{ "ipv6", 3,
	    {
	        { 6, FE80, 22, FE80, 16606, 16680, "sshd", 3, 2, 0, 0, 0, 0, NULL },
	        { 6, FE80, 22, FE80, 16606, 16681, "sshd", 1500, 1501, 0, 0, 0, 0, NULL },
	        { 6, FE80, 16606, FE80, 22, 16679, "ssh", 1500, 1500, 0, 0, 0, 0, NULL },
	    } },
	{ "both", 7,
	    {
	        { 6, FE80, 22, FE80, 16606, 16680, "sshd", 3, 2, 0, 0, 0, 0, NULL },
	        { 4, "100.66.3.172", 22, "100.127.69.165", 7165, 14458, "sshd", 0, 99, 0, 0, 0, 0, NULL },
	        { 6, FE80, 16606, FE80, 22, 16679, "ssh", 1500, 1500, 0, 0, 0, 0, NULL },
	        { 4, "100.66.3.172", 22, "100.127.69.165", 6684, 16648, "16648", 2200700, 0, 0, 0, 0, 0,
	            NULL },
	        { 4, "100.66.3.172", 22, "100.127.69.165", 25219, 14374, "sshd", 40, 60, 0, 0, 0, 0, NULL },
	        { 4, "100.66.3.172", 22, "100.127.69.165", 6684, 16647, "sshd", 0, 2200600, 0, 0, 0, 0,
	            NULL },
	        { 6, FE80, 22, FE80, 16606, 16681, "sshd", 1500, 1501, 0, 0, 0, 0, NULL },
	    } },
	{ "ties", 4,
	    {
	        { 4, "10.0.0.1", 22, "10.0.0.2", 1001, 9, "b", 5, 5, 0, 0, 0, 0, NULL },
	        { 4, "10.0.0.1", 22, "10.0.0.2", 1000, 9, "c", 10, 0, 0, 0, 0, 0, NULL },
	        { 4, "10.0.0.1", 21, "10.0.0.2", 1000, 9, "a", 0, 10, 0, 0, 0, 0, NULL },
	        { 4, "10.0.0.1", 22, "10.0.0.2", 1000, 8, "d", 4, 6, 0, 0, 0, 0, NULL },
	    } },
	{ "wide", 3,
	    {
	        { 4, "255.255.255.255", 65535, "255.255.255.255", 65535, 4194304, "aaaaaaaaaaaaaaa",
	            UINT64_C(1024) * 1234567 + 1023, UINT64_C(1) << 62, 0, 0, 0, 0, NULL },
	        { 4, "1.2.3.4", 1, "5.6.7.8", 2, 1, "a", 1024 * 999999, 1024 * 1000000, 0, 0, 0, 0, NULL },
	        { 6, LONG6, 65535, LONG6, 65535, 4194303, "bbbbbbbbbbbbbbb", UINT64_C(1) << 62, 7, 0, 0,
	            UINT64_C(9007199254740993), 0, NULL },
	    } },
	/* Addresses and ports that are equal on three links; one of the links has no known name, one an odd one. */
	{ "links", 4,
	    {
	        { 6, "fe80::1", 4000, "fe80::2", 8000, 9, "mover", 1, 10000, 0, 0, 0, 2, "eth0" },
	        { 6, "fe80::1", 4000, "fe80::2", 8000, 9, "mover", 2, 50000, 0, 0, 0, 3, "eth1" },
	        { 6, "fe80::1", 4000, "fe80::2", 8000, 9, "mover", 3, 999, 0, 0, 0, 7, NULL },
	        { 6, "fe80::1", 22, "2001:db8::1", 8000, 8, "sshd", 4, 500, 0, 0, 0, 4, "e\033[m\xFF" },
	    } },
	{ "names", 12,
	    {
	        { 4, "10.0.0.1", 1, "10.0.0.2", 1, 1, "exactly12col", 0, 1200, 0, 0, 0, 0, NULL },
	        { 4, "10.0.0.1", 1, "10.0.0.2", 1, 2, "fifteen_columns", 0, 1100, 0, 0, 0, 0, NULL },
	        { 4, "10.0.0.1", 1, "10.0.0.2", 1, 3, "a\n1      evil", 0, 1000, 0, 0, 0, 0, NULL },
	        { 4, "10.0.0.1", 1, "10.0.0.2", 1, 4, "\033[2Jx\007", 0, 900, 0, 0, 0, 0, NULL },
	        { 4, "10.0.0.1", 1, "10.0.0.2", 1, 5, "\xE7\x8C\xAB\xE7\x8C\xAB cat", 0, 800, 0, 0, 0, 0,
	            NULL },
	        { 4, "10.0.0.1", 1, "10.0.0.2", 1, 6, "caf\xC3\xA9 e\xCC\x81", 0, 700, 0, 0, 0, 0, NULL },
	        { 4, "10.0.0.1", 1, "10.0.0.2", 1, 7, "\xFF\xC3(", 0, 600, 0, 0, 0, 0, NULL },
	        { 4, "10.0.0.1", 1, "10.0.0.2", 1, 8,
	            "a\xE2\x80\xAE"
	            "b",
	            0, 500, 0, 0, 0, 0, NULL },
	        { 4, "10.0.0.1", 1, "10.0.0.2", 1, 9, "q\"\\/\t", 0, 400, 0, 0, 0, 0, NULL },
	        { 4, "10.0.0.1", 1, "10.0.0.2", 1, 10, "", 0, 300, 0, 0, 0, 0, NULL },
	        { 4, "10.0.0.1", 1, "10.0.0.2", 1, 11, "aaaaaaaaaaa\xE7\x8C\xAB", 0, 200, 0, 0, 0, 0, NULL },
	        { 4, "10.0.0.1", 1, "10.0.0.2", 1, 12, "\xF3\xA0\x81\xA1\xC2\x9B", 0, 100, 0, 0, 0, 0, NULL },
	    } },
};

/* By name: a wrong one fails the test. */
static inline const struct sample *sample_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LENGTH(samples); i++) {
		if (strcmp(samples[i].name, name) == 0)
			return &samples[i];
	}
	fail_msg("no sample '%s'", name);
	return NULL;
}

/* For snapshot_fini. */
static inline void sample_fill(struct snapshot *snapshot, const struct sample *sample)
{
	snapshot_init(snapshot);
	snapshot->time = (struct timespec){ .tv_sec = SAMPLE_TIME, .tv_nsec = SAMPLE_TIME_NS };
	snapshot->interval_ns = SAMPLE_INTERVAL_NS;
	for (size_t i = 0; i < sample->count; i++) {
		const struct sample_session *from = &sample->sessions[i];
		struct session *to = snapshot_add(snapshot);
		int family = from->family == 4 ? AF_INET : AF_INET6;

		assert_non_null(to);
		assert_int_equal(inet_pton(family, from->laddr, to->laddr), 1);
		assert_int_equal(inet_pton(family, from->raddr, to->raddr), 1);
		to->family = from->family;
		to->lport = from->lport;
		to->rport = from->rport;
		to->pid = from->pid;
		to->netns = 4026531840;
		to->uid = from->uid;
		to->mntns = from->mntns;
		to->cgroup_id = from->cgroup_id;
		to->rx_bytes = from->rx_bytes;
		to->tx_bytes = from->tx_bytes;
		assert_true(strlen(from->comm) < SESSION_COMM_LENGTH);
		strcpy(to->comm, from->comm);
		to->ifindex = from->ifindex;
		if (from->ifname)
			snprintf(to->ifname, sizeof to->ifname, "%s", from->ifname);
	}
	snapshot_total(snapshot);
}

/* What a pass over sockets tells: a sender that waits for its peer, a listener and a forgotten socket. For snapshot_fini. */
static inline void sample_fill_sockets(struct snapshot *snapshot)
{
	static const struct sample sockets = { "sockets", 3,
		{
		    { 4, "10.0.0.1", 40000, "10.0.0.2", 443, 181, "curl", 0, 2100, 1000, 0, 0, 0, NULL },
		    { 4, "0.0.0.0", 8080, "0.0.0.0", 0, 200, "httpd", 0, 0, 33, 0, 0, 0, NULL },
		    { 4, "10.0.0.1", 40001, "10.0.0.2", 443, 181, "curl", 0, 0, 1000, 0, 0, 0, NULL },
		} };

	sample_fill(snapshot, &sockets);
	snapshot->sessions[0].rtt_us = 12345;
	snapshot->sessions[0].retransmits = 7;
	snapshot->sessions[0].socket = (struct socket_summary){
		.state = SOCKET_ESTABLISHED,
		.unsent_bytes = 3600000,
		.unacked_bytes = 65160,
		.sent_bytes = 4000,
		.retrans_bytes = 1448,
		.rtt_min_us = 11000,
		.rx_idle_ms = 310,
		.tx_idle_ms = 4,
		.age_ms = 81234,
		.cause = CAUSE_PEER,
		.shares = { [CAUSE_PEER] = 71, [CAUSE_LOSS] = 29 },
	};
	snapshot->sessions[1].socket = (struct socket_summary){
		.state = SOCKET_LISTEN, .backlog = 129, .backlog_max = 128, .drops = 3, .age_ms = 90000
	};
	snapshot->sessions[2].socket = (struct socket_summary){
		.state = SOCKET_CLOSE_WAIT,
		.idle_s = 3725,
		.unread_bytes = 1,
		.retries = 255,
		.rx_idle_ms = 3725001,
		.cause = CAUSE_READER,
		.shares = { [CAUSE_READER] = 100 },
	};
	snapshot->sockets = (struct socket_census){ .follows = true,
		.count = 3,
		.beyond = 1,
		.unstored = 2,
		.cpu_ns = 4711,
		.passed_ns = 1000300000 };
	snapshot->audit = (struct audit_result){ .sockets = 2,
		.pending = 1,
		.excluded = { [AUDIT_LAYERED] = 3, [AUDIT_UNKNOWN] = 4 },
		.deviating = 1,
		.bytes = 70001,
		.unexplained_bytes = 7 };
}

/* Fails when actual is not what the golden file holds; shows it, to be looked at and pasted. */
static inline void golden_expect(const char *name, const char *actual, size_t length)
{
	char path[512], expected[16384];
	FILE *file;
	size_t expected_length;

	snprintf(path, sizeof path, "%s/%s", TCPTOP_GOLDEN_DIR, name);
	file = fopen(path, "r");
	if (!file)
		fail_msg("cannot open %s", path);
	expected_length = fread(expected, 1, sizeof expected, file);
	fclose(file);
	assert_true(expected_length < sizeof expected);
	if (expected_length != length || memcmp(expected, actual, length) != 0)
		fail_msg("%s differs; printed was:\n%.*s<end>", path, (int)length, actual);
}

#endif
