/* SPDX-License-Identifier: Apache-2.0 */
#include "names/interfaces.h"

#include <linux/netlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENTRIES 256 /* each of one interface at a time: an index goes to the entry of its lowest bits */

struct entry {
	uint32_t ifindex; /* 0: free, as no interface has it */
	bool fresh;       /* asked for since the last refresh */
	char name[IFNAMSIZ];
};

struct interfaces {
	uint32_t netns; /* inode number of its network namespace; 0: not known, no row's */
	int fd; /* any socket, of which interfaces are asked: later none may be opened any more (loader/confine.h) */
	struct entry entries[ENTRIES];
};

/* Bound, as only then /proc/net/netlink tells what it is. */
static int open_socket(void)
{
	const struct sockaddr_nl own = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (const struct sockaddr *)&own, sizeof own) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

struct interfaces *interfaces_open(void)
{
	struct interfaces *interfaces = calloc(1, sizeof *interfaces);
	struct stat status;

	if (!interfaces)
		return NULL;
	interfaces->fd = open_socket();
	if (stat("/proc/self/ns/net", &status) == 0)
		interfaces->netns = (uint32_t)status.st_ino;
	return interfaces;
}

void interfaces_close(struct interfaces *interfaces)
{
	if (interfaces && interfaces->fd >= 0)
		close(interfaces->fd);
	free(interfaces);
}

void interfaces_refresh(struct interfaces *interfaces)
{
	for (size_t i = 0; i < ENTRIES; i++)
		interfaces->entries[i].fresh = false;
}

/* One that has gone leaves the name as it was. */
static void ask(int fd, struct entry *entry)
{
	struct ifreq request = { .ifr_ifindex = (int)entry->ifindex };

	if (ioctl(fd, SIOCGIFNAME, &request) == 0)
		memcpy(entry->name, request.ifr_name, sizeof entry->name);
	entry->fresh = true;
}

const char *interfaces_name(struct interfaces *interfaces, uint32_t netns, uint32_t ifindex)
{
	struct entry *entry = &interfaces->entries[ifindex % ENTRIES];

	if (!ifindex || netns != interfaces->netns)
		return NULL;
	if (entry->ifindex != ifindex)
		*entry = (struct entry){ .ifindex = ifindex };
	if (!entry->fresh)
		ask(interfaces->fd, entry);
	return *entry->name ? entry->name : NULL;
}
