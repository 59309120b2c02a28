/* SPDX-License-Identifier: Apache-2.0 */
#include "loader/privilege.h"

#include <errno.h>
#include <grp.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/util.h"

/*
 * "tcpt" as a number, of the range that systemd documents as unused (UIDS-GIDS: 1879048192 to 2147483647). Other processes of
 * the same user could stop, kill and limit this one, and nobody is the user of many.
 */
#define UID_UNUSED 1952673908
#define UID_OVERFLOW 65534 /* the kernel's overflowuid: a container may map no more than 65536 */

struct ids {
	uid_t uid;
	gid_t gid;
};

static bool capability_has(cap_value_t capability, cap_flag_t set)
{
	cap_flag_value_t value = CAP_CLEAR;
	cap_t capabilities = cap_get_proc();

	if (capabilities)
		cap_get_flag(capabilities, capability, set, &value);
	cap_free(capabilities);
	return value == CAP_SET;
}

static bool locked_down(void)
{
	char text[128] = "";
	FILE *stream = fopen("/sys/kernel/security/lockdown", "re");

	if (!stream)
		return false;
	bool found = fgets(text, sizeof text, stream) && strstr(text, "[confidentiality]");

	fclose(stream);
	return found;
}

int privilege_check(struct error *error)
{
	if (locked_down())
		return error_set(error, EXIT_CODE_PERMISSION, -EPERM,
		    "kernel lockdown (confidentiality) forbids tracing: boot with lockdown=integrity or "
		    "none");
	if (capability_has(CAP_SYS_ADMIN, CAP_EFFECTIVE))
		return 0;
	bool bpf = capability_has(CAP_BPF, CAP_EFFECTIVE),
	     perfmon = capability_has(CAP_PERFMON, CAP_EFFECTIVE);

	if (bpf && perfmon)
		return 0;
	/* Only a container has a root without capabilities. */
	return error_set(error, EXIT_CODE_PERMISSION, -EPERM, "not permitted to trace: %s%s%s missing\n%s",
	    bpf ? "" : "CAP_BPF", bpf || perfmon ? "" : " and ", perfmon ? "" : "CAP_PERFMON",
	    geteuid() == 0
	        ? "in a container: start it with --cap-add BPF --cap-add PERFMON (Docker before 23: "
	          "--cap-add SYS_ADMIN)"
	        : "run it with sudo, or as a service with CAP_BPF and CAP_PERFMON");
}

int privilege_check_caller(struct error *error)
{
	if (getuid() == geteuid() && getgid() == getegid())
		return 0;
	return error_set(error, EXIT_CODE_PERMISSION, -EPERM,
	    "not permitted as a set-user-ID or set-group-ID program: whoever calls it could write files of "
	    "its "
	    "owner\ntake the bit away from the file, and run it with sudo");
}

bool privilege_is_filtered(void)
{
	return prctl(PR_GET_SECCOMP) == SECCOMP_MODE_FILTER;
}

/* The one that bpf(2) may ask for while running. */
static cap_value_t kept_capability(void)
{
	return capability_has(CAP_BPF, CAP_PERMITTED) ? CAP_BPF : CAP_SYS_ADMIN;
}

const char *privilege_kept_name(void)
{
	return kept_capability() == CAP_BPF ? "CAP_BPF" : "CAP_SYS_ADMIN";
}

/* Permitted: capability or, when negative, none; effective: the same where wanted. */
static int set_capabilities(int capability, bool effective)
{
	cap_t capabilities = cap_init();
	cap_value_t value = capability;
	int err = 0;

	if (!capabilities)
		return -errno;
	if (capability >= 0) {
		cap_set_flag(capabilities, CAP_PERMITTED, 1, &value, CAP_SET);
		cap_set_flag(capabilities, CAP_EFFECTIVE, 1, &value, effective ? CAP_SET : CAP_CLEAR);
	}
	if (cap_set_proc(capabilities) != 0)
		err = -errno;
	cap_free(capabilities);
	return err;
}

void privilege_drop_bounds(void)
{
	for (cap_value_t capability = 0; CAP_IS_SUPPORTED(capability); capability++)
		cap_drop_bound(capability);
}

/* root's, or the value that setresuid(2) takes for "as it is": whatever the user database says, neither is taken. */
static bool is_usable(const struct ids *ids)
{
	return ids->uid != 0 && ids->gid != 0 && ids->uid != (uid_t)-1 && ids->gid != (gid_t)-1;
}

/* The user of the build: a number, or a name in the user database. */
static struct ids own_ids(void)
{
	static const char name[] = TCPTOP_USER;
	char *end;
	unsigned long number = strtoul(name, &end, 10);

	if (!*end)
		return (struct ids){ (uid_t)number, (gid_t)number };
	const struct passwd *user = getpwnam(name);

	return user ? (struct ids){ user->pw_uid, user->pw_gid } : (struct ids){ 0, 0 };
}

static bool is_now(const struct ids *ids)
{
	uid_t uids[3];
	gid_t gids[3];

	if (getresuid(&uids[0], &uids[1], &uids[2]) != 0 || getresgid(&gids[0], &gids[1], &gids[2]) != 0)
		return false;
	for (int i = 0; i < 3; i++)
		if (uids[i] != ids->uid || gids[i] != ids->gid)
			return false;
	return true;
}

/* Ids that the user namespace does not map are refused with EINVAL: then the next ones, or else the user stays. */
static int become_other(void)
{
	const struct ids choices[] = { own_ids(), { UID_UNUSED, UID_UNUSED },
		{ UID_OVERFLOW, UID_OVERFLOW } };

	if (!capability_has(CAP_SETUID, CAP_EFFECTIVE) || !capability_has(CAP_SETGID, CAP_EFFECTIVE))
		return 0;
	if (setgroups(0, NULL) != 0 && errno != EPERM) /* EPERM: the namespace denies setgroups for good */
		return -errno;
	for (size_t i = 0; i < COUNT_OF(choices); i++) {
		const struct ids *ids = &choices[i];

		if (!is_usable(ids))
			continue;
		if (setresgid(ids->gid, ids->gid, ids->gid) == 0 &&
		    setresuid(ids->uid, ids->uid, ids->uid) == 0)
			return is_now(ids) ? 0 : -EPERM;
		if (errno != EINVAL)
			return -errno;
	}
	return 0;
}

int privilege_drop(struct error *error)
{
	int capability = kept_capability(), err = 0;

	privilege_drop_bounds();
	if (prctl(PR_SET_KEEPCAPS, 1) != 0)
		err = -errno;
	if (!err)
		err = become_other();
	if (!err)
		err = set_capabilities(capability_has(capability, CAP_PERMITTED) ? capability : -1, false);
	if (!err && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0))
		err = -errno;
	if (err)
		return error_set(error, EXIT_CODE_RUNTIME, err, "cannot give up root: %s", strerror(-err));
	return 0;
}

int privilege_give_up(void)
{
	privilege_drop_bounds();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
		return -errno;
	return set_capabilities(-1, false);
}

int privilege_settle(bool keep, struct error *error)
{
	int err = set_capabilities(keep ? kept_capability() : -1, keep);

	if (err)
		return error_set(
		    error, EXIT_CODE_RUNTIME, err, "cannot give up the last capability: %s", strerror(-err));
	return 0;
}
