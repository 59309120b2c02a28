/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/condition_value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/address.h"
#include "base/decimal.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/util.h"
#include "kernel/condition.h"
#include "names/users.h"

enum { SHOWN_COLUMNS = 60, PORT_LENGTH = 8 };

int condition_refuse(
    const struct condition *like, const char *text, struct error *error, const char *format, ...)
{
	char shown[SHOWN_COLUMNS + 1], why[400];
	va_list arguments;

	escape_text(shown, sizeof shown, text, strlen(text), SHOWN_COLUMNS, false);
	va_start(arguments, format);
	vsnprintf(why, sizeof why, format, arguments);
	va_end(arguments);
	return error_set(
	    error, EXIT_CODE_USAGE, -EINVAL, "wrong --%s '%s': %s", like->kind->option, shown, why);
}

/* ---- users, names, ports, networks ---- */

int condition_read_uid(
    struct conditions *to, const struct condition *like, const char *text, struct error *error)
{
	struct condition condition = *like;
	uint64_t number;

	if (!decimal_read(text, strlen(text), UINT32_MAX - 1, &number)) {
		uint32_t uid;

		if (!users_number(to->root ? to->root : "", text, &uid))
			return condition_refuse(like, text, error,
			    "this host knows no user of that name, and it is no number from 0 to 4294967294");
		number = uid;
	}
	condition.number = (uint32_t)number;
	return conditions_append(to, &condition, error);
}

int condition_read_comm(
    struct conditions *to, const struct condition *like, const char *text, struct error *error)
{
	struct condition condition = *like;

	if (!*text)
		return condition_refuse(like, text, error, "a name is needed, as ps -o comm shows it");
	strncpy(condition.comm, text, sizeof condition.comm - 1);
	condition.comm[sizeof condition.comm - 1] = '\0';
	return conditions_append(to, &condition, error);
}

int condition_read_ports(
    struct conditions *to, const struct condition *like, const char *text, struct error *error)
{
	struct condition condition = *like;
	const char *dash = strchr(text, '-');
	size_t length = dash ? (size_t)(dash - text) : strlen(text);
	uint64_t from = 0, up_to = 0;

	bool valid = length < PORT_LENGTH && decimal_read(text, length, UINT16_MAX, &from) &&
	             (!dash || decimal_read(dash + 1, strlen(dash + 1), UINT16_MAX, &up_to));

	if (!dash)
		up_to = from;
	if (!valid || from == 0 || up_to < from)
		return condition_refuse(
		    like, text, error, "ports are numbers from 1 to 65535, or two with - between them");
	condition.ports.first = (uint16_t)from;
	condition.ports.last = (uint16_t)up_to;
	return conditions_append(to, &condition, error);
}

/* The address without what is not in the prefix; the mask has the prefix's bits. */
static void cut_to_prefix(struct condition *condition, unsigned bits)
{
	for (unsigned i = 0; i < sizeof condition->network.mask; i++, bits -= bits < 8 ? bits : 8) {
		condition->network.mask[i] = bits >= 8 ? 0xff : (uint8_t)(0xff00 >> bits);
		condition->network.address[i] &= condition->network.mask[i];
	}
}

/* What follows the % of a link-local address: an interface of this network namespace, or its index. 0: there is none. */
static uint32_t read_link(const char *text)
{
	uint64_t index;

	return decimal_read(text, strlen(text), INT32_MAX, &index) ? (uint32_t)index : if_nametoindex(text);
}

int condition_read_network(
    struct conditions *to, const struct condition *like, const char *text, struct error *error)
{
	struct condition condition = *like;
	char address[INET6_ADDRSTRLEN] = "";
	const char *slash = strchr(text, '/'), *zone = strchr(text, '%');
	size_t length = strcspn(text, "/%");

	if (length < sizeof address)
		snprintf(address, sizeof address, "%.*s", (int)length, text);
	condition.network.family = strchr(address, ':') ? AF_INET6 : AF_INET;
	unsigned most = condition.network.family == AF_INET6 ? 128 : 32;
	uint64_t bits = most;

	if (inet_pton(condition.network.family, address, condition.network.address) != 1 ||
	    (slash && !zone && !decimal_read(slash + 1, strlen(slash + 1), most, &bits)))
		return condition_refuse(
		    like, text, error, "an address, or a network as 10.0.0.0/8 and fd00::/8; no names");
	if (slash && zone)
		return condition_refuse(
		    like, text, error, "an interface belongs to an address, not to a network");
	if (zone && !address_is_link_local(most == 128 ? 6 : 4, condition.network.address))
		return condition_refuse(
		    like, text, error, "only addresses in fe80::/10 belong to an interface");
	condition.network.ifindex = zone ? read_link(zone + 1) : 0;
	if (zone && !condition.network.ifindex)
		return condition_refuse(like, text, error, "there is no such interface here");
	uint8_t kept = (uint8_t)bits;

	if (condition.network.family == AF_INET6 && address_unmap(condition.network.address, &kept))
		condition.network.family = AF_INET;
	cut_to_prefix(&condition, kept);
	return conditions_append(to, &condition, error);
}

/* ---- namespaces ---- */

/* The inode of a namespace of this type, from a file of it. 0 or -errno, -EBADF: it is another file. */
static int inspect_namespace(const char *path, int type, uint32_t *inode)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	struct statfs place;

	if (fd < 0)
		return -errno;
	int err = fstatfs(fd, &place) != 0 || place.f_type != NSFS_MAGIC ||
	                  ioctl(fd, NS_GET_NSTYPE) != type || fstat(fd, &status) != 0
	              ? -EBADF
	              : 0;

	close(fd);
	if (!err)
		*inode = (uint32_t)status.st_ino;
	return err;
}

/* named: the directory of files for names, "" for none. */
static int read_namespace(struct conditions *to, const struct condition *like, const char *text, int type,
    const char *named, struct error *error)
{
	struct condition condition = *like;
	char path[4096];
	uint64_t pid;
	bool is_pid = decimal_read(text, strlen(text), UINT32_MAX, &pid), is_path = strchr(text, '/');
	int length = is_pid    ? snprintf(path, sizeof path, "/proc/%llu/ns/%s", (unsigned long long)pid,
                                  type == CLONE_NEWNET ? "net" : "mnt")
	             : is_path ? snprintf(path, sizeof path, "%s", text)
	                       : snprintf(path, sizeof path, "%s%s%s", to->root ? to->root : "", named, text);
	bool is_name = !is_pid && !is_path && *named;
	int err = length >= (int)sizeof path                ? -ENAMETOOLONG
	          : is_pid || is_path || (is_name && *text) ? inspect_namespace(path, type, &condition.number)
	                                                    : -EINVAL;

	if (err == -EINVAL)
		return condition_refuse(
		    like, text, error, "a PID%s or a path is needed", *named ? ", a name of `ip netns`" : "");
	if (is_pid && err == -ENOENT)
		return condition_refuse(like, text, error, "there is no such process");
	if (err == -EBADF)
		return condition_refuse(like, text, error, "the file is not of such a namespace");
	if (err == -EACCES || err == -EPERM)
		return error_set(error, EXIT_CODE_PERMISSION, err,
		    "not permitted to see the namespace that --%s names\n"
		    "it takes root or CAP_SYS_PTRACE, in a container --cap-add SYS_PTRACE",
		    like->kind->option);
	if (err)
		return condition_refuse(like, text, error, "%s", strerror(-err));
	return conditions_append(to, &condition, error);
}

int condition_read_netns(
    struct conditions *to, const struct condition *like, const char *text, struct error *error)
{
	return read_namespace(to, like, text, CLONE_NEWNET, "/run/netns/", error);
}

int condition_read_mntns(
    struct conditions *to, const struct condition *like, const char *text, struct error *error)
{
	return read_namespace(to, like, text, CLONE_NEWNS, "", error);
}
