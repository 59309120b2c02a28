/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/in_use.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "kernel/modules.h"

/* What shows that a path may be in use: a module that is loaded, or a protocol that has sockets. */
static const struct {
	const char *id;
	const char *module;   /* as /sys/module spells it; NULL: none */
	const char *protocol; /* as /proc/net/protocols spells it; NULL: none */
	const char *sentence;
} signs[] = {
	{ "splice_tls", "tls", NULL, "kernel TLS is loaded: splice() out of it is not counted" },
	{ "splice_mptcp", NULL, "MPTCP", "MPTCP is in use: splice() out of it is not counted" },
	{ "mptcp_links", NULL, "MPTCP", "MPTCP is in use: equal link-local addresses are not told apart" },
	{ "kernel_readers", "nvme_tcp", NULL, "NVMe/TCP is loaded: what it receives is not counted" },
	{ "kernel_readers", "iscsi_tcp", NULL, "iSCSI is loaded: what it receives is not counted" },
	{ "kernel_readers", "rds_tcp", NULL, "RDS over TCP is loaded: what it receives is not counted" },
	{ "kernel_readers", "kcm", NULL, "KCM is loaded: what it receives is not counted" },
	{ "kernel_readers", "siw", NULL, "soft iWARP is loaded: its traffic is not counted" },
	{ "kernel_readers", "ovpn", NULL, "OpenVPN's module is loaded: its traffic is not counted" },
};

/* "MPTCP     2104      2  ...": name, size, sockets. */
static bool has_sockets(const char *root, const char *protocol)
{
	char path[512], line[512], name[64];
	bool has = false;

	snprintf(path, sizeof path, "%s/proc/net/protocols", root);
	FILE *stream = fopen(path, "re");

	while (stream && !has && fgets(line, sizeof line, stream)) {
		int sockets;

		has = sscanf(line, "%63s %*u %d", name, &sockets) == 2 && sockets > 0 &&
		      strcmp(name, protocol) == 0;
	}
	if (stream)
		fclose(stream);
	return has;
}

static bool is_declared(const char *id, const char *const *ids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(id, ids[i]) == 0)
			return true;
	return false;
}

const char *in_use_say(const char *root, const char *const *ids, size_t count)
{
	for (size_t i = 0; i < COUNT_OF(signs); i++) {
		if (!is_declared(signs[i].id, ids, count))
			continue;
		if (signs[i].module ? modules_is_loaded(root, signs[i].module)
		                    : has_sockets(root, signs[i].protocol))
			return signs[i].sentence;
	}
	return NULL;
}
