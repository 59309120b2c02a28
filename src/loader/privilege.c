/* SPDX-License-Identifier: Apache-2.0 */
#include "loader/privilege.h"

#include <errno.h>
#include <grp.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/error.h"

#define NOBODY_DEFAULT 65534 /* the kernel's overflowuid */

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
	        : "run it with sudo, or give it CAP_BPF and CAP_PERFMON");
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

/* Ids that the user namespace does not map are refused with EINVAL: then the uid stays as it is. */
static int become_nobody(void)
{
	struct passwd *nobody = getpwnam("nobody");
	uid_t uid = nobody ? nobody->pw_uid : NOBODY_DEFAULT;
	gid_t gid = nobody ? nobody->pw_gid : NOBODY_DEFAULT;

	if (!capability_has(CAP_SETUID, CAP_EFFECTIVE) || !capability_has(CAP_SETGID, CAP_EFFECTIVE))
		return 0;
	if (setgroups(0, NULL) != 0 && errno != EPERM) /* EPERM: the namespace denies setgroups for good */
		return -errno;
	if ((setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0) && errno != EINVAL)
		return -errno;
	return 0;
}

int privilege_drop(struct error *error)
{
	int capability = kept_capability(), err = 0;

	privilege_drop_bounds();
	if (prctl(PR_SET_KEEPCAPS, 1) != 0)
		err = -errno;
	if (!err)
		err = become_nobody();
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
