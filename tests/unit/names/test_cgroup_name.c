/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "names/cgroup_name.h"

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof *(array))

/* Paths as the runtimes' documentation and sources spell them, with systemd's and the file system's driver. */
#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEX63 "123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define POD "8a1c4fd2-7d6a-4a5e-9f2b-0c1d2e3f4a5b"
#define POD_ "8a1c4fd2_7d6a_4a5e_9f2b_0c1d2e3f4a5b"
#define USER "/user.slice/user-1000.slice/user@1000.service"
static const struct {
	const char *path;
	const char *name;
	bool is_container;
} cases[] = {
	{ "/", "host", false },
	{ "/system.slice/nginx.service", "nginx.service", false },
	{ "/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", false },
	{ "/init.scope", "init.scope", false },
	{ "/user.slice/user-1000.slice/session-3.scope", "session-3.scope", false },
	{ USER "/app.slice/foot.scope", "foot.scope", false },
	{ USER "/app.slice/app-org.gnome.Terminal\\x2d1.scope", "app-org.gnome.Terminal-1.scope", false },
	{ "/system.slice/odd\\x1b\\x2.service", "odd\\x1b\\x2.service", false },
	{ "/somewhere/else", "else", false },
	/* Docker: systemd's driver, the file system's, its own init inside; v1 paths are the same. */
	{ "/system.slice/docker-" HEX64 ".scope", "docker:0123456789ab", true },
	{ "/docker/" HEX64, "docker:0123456789ab", true },
	{ "/docker/" HEX64 "/init.scope", "docker:0123456789ab", true },
	{ "/docker/" HEX64 "/system.slice/cron.service", "docker:0123456789ab", true },
	{ "/moby/" HEX64, "docker:0123456789ab", true },
	{ "/ecs/task/" HEX64, "container:0123456789ab", true },
	{ "/ecstasks.slice/ecstasks-1.slice/docker-" HEX64 ".scope", "docker:0123456789ab", true },
	/* Kubernetes, guaranteed and burstable, containerd and CRI-O. */
	{ "/kubepods.slice/kubepods-pod" POD_ ".slice/cri-containerd-" HEX64 ".scope", "cri:0123456789ab",
	    true },
	{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" POD_
	  ".slice/cri-containerd-" HEX64 ".scope",
	    "cri:0123456789ab", true },
	{ "/kubepods/burstable/pod" POD "/" HEX64, "cri:0123456789ab", true },
	{ "/kubepods/pod" POD "/" HEX64, "cri:0123456789ab", true },
	{ "/k8s.io/" HEX64, "cri:0123456789ab", true },
	{ "/system.slice/containerd.service/kubepods-burstable-pod" POD_ ".slice:cri-containerd:" HEX64,
	    "cri:0123456789ab", true },
	{ "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" POD_ ".slice/crio-" HEX64
	  ".scope/container",
	    "crio:0123456789ab", true },
	{ "/kubepods/burstable/pod" POD "/crio-" HEX64, "crio:0123456789ab", true },
	{ "/kubepods.slice/kubepods-pod" POD_ ".slice/crio-conmon-" HEX64 ".scope",
	    "crio-conmon-" HEX64 ".scope", false },
	/* Kubernetes within a container. */
	{ "/docker/" HEX64 "/kubelet.slice/kubelet-kubepods.slice/cri-containerd-abcdef012345" HEX64 ".scope",
	    "cri:abcdef012345", true },
	/* Podman: root's, a user's, without systemd, in a service's own cgroup. */
	{ "/machine.slice/libpod-" HEX64 ".scope/container", "podman:0123456789ab", true },
	{ USER "/user.slice/libpod-" HEX64 ".scope/container", "podman:0123456789ab", true },
	{ "/machine.slice/machine-libpod_pod_" HEX64 ".slice/libpod-" HEX64 ".scope", "podman:0123456789ab",
	    true },
	{ "/libpod_parent/libpod-" HEX64, "podman:0123456789ab", true },
	{ "/system.slice/web.service/libpod-payload-" HEX64, "podman:0123456789ab", true },
	{ "/system.slice/nerdctl-" HEX64 ".scope", "nerdctl:0123456789ab", true },
	/* LXC and its units, systemd's containers, libvirt's machines. */
	{ "/lxc.payload.web1", "lxc:web1", true },
	{ "/lxc.payload.web1/system.slice/nginx.service", "lxc:web1", true },
	{ "/lxc.payload/web1", "lxc:web1", true },
	{ "/lxc/101/ns/system.slice/ssh.service", "lxc:101", true },
	{ "/lxc.monitor.web1", "lxc.monitor.web1", false },
	{ "/lxc.payload.web1/docker/" HEX64, "docker:0123456789ab", true },
	{ "/machine.slice/systemd-nspawn@box.service/payload/system.slice/cron.service", "nspawn:box", true },
	{ "/machine.slice/machine-box.scope", "machine:box", true },
	{ "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator", "machine:qemu-1-vm", true },
	/* What only looks like one. */
	{ "/docker-compose", "docker-compose", false },
	{ "/system.slice/docker.service", "docker.service", false },
	{ "/system.slice/docker-0123.scope", "docker-0123.scope", false },
	{ "/machine-.scope", "machine-.scope", false },
	{ "/a:cri-containerd:0123", "a:cri-containerd:0123", false },
	{ "/cri-containerd:" HEX64, "cri-containerd:" HEX64, false },
};

static void containers_have_short_names(void **state)
{
	char text[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		assert_int_equal(cgroup_name(text, sizeof text, cases[i].path), cases[i].is_container);
		assert_string_equal(text, cases[i].name);
		char tiny[6];

		cgroup_name(tiny, sizeof tiny, cases[i].path);
		assert_true(strlen(tiny) < sizeof tiny);
	}
}

/* Any bytes, in any buffer: the result is a string that fits. */
static void any_path_is_named_in_any_buffer(void **state)
{
	static const char parts[] =
	    "/:-.\\x2d0123456789abcdefdocker-libpod-lxc.payload.machine-.scope.service";
	char path[200], text[64];

	(void)state;
	srand(7);
	for (int step = 0; step < 50000; step++) {
		size_t length = (size_t)rand() % sizeof path, size = 1 + (size_t)rand() % sizeof text;

		for (size_t i = 0; i < length; i++)
			path[i] = rand() % 8 ? parts[(size_t)rand() % (sizeof parts - 1)]
			                     : (char)(1 + rand() % 255);
		path[length ? length - 1 : 0] = '\0';
		memset(text, 1, sizeof text);
		cgroup_name(text, size, path);
		assert_true(strnlen(text, sizeof text) < size);
	}
}

static void ids_are_found(void **state)
{
	static const struct {
		const char *path, *id, *uid;
	} paths[] = {
		{ "/", "", "" },
		{ "/system.slice/docker-" HEX64 ".scope", HEX64, "" },
		{ "/docker/" HEX64 "/init.scope", HEX64, "" },
		{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" POD_
		  ".slice/cri-containerd-" HEX64 ".scope",
		    HEX64, POD },
		{ "/kubepods/burstable/pod" POD "/" HEX64, HEX64, POD },
		{ "/kubepods/burstable/pod" POD, "", POD },
		{ "/kubepods-burstable-pod" POD_ ".slice:cri-containerd:" HEX64, HEX64, POD },
		{ "/kubepods/pod0123456789abcdef0123456789abcdef/" HEX64, HEX64,
		    "0123456789abcdef0123456789abcdef" },
		/* the innermost */
		{ "/docker/f" HEX63 "/kubelet.slice/kubelet-kubepods-pod" POD_ ".slice/crio-" HEX64 ".scope",
		    HEX64, POD },
		/* what only looks like one */
		{ "/docker/" HEX64 "0", "", "" },
		{ "/docker/0" HEX64, "", "" },
		{ "/docker/" HEX63, "", "" },
		{ "/machine.slice/machine-libpod_pod_" HEX64 ".slice/x", HEX64, "" },
		{ "/pod" POD "0", "", "" },
		{ "/podcast/pod", "", "" },
		{ "/pod", "", "" },
	};
	char id[CONTAINER_ID_SIZE], uid[CONTAINER_ID_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(paths); i++) {
		cgroup_ids(paths[i].path, id, uid);
		assert_string_equal(id, paths[i].id);
		assert_string_equal(uid, paths[i].uid);
	}
}

static void units_have_whole_names(void **state)
{
	static const char *const paths[][2] = {
		{ "/system.slice/nginx.service", "nginx.service" },
		{ "/system.slice/system-foo\\x2dbar.slice/foo\\x2dbar@1.service", "foo\\x2dbar@1.service" },
		{ "/system.slice/foo\\x2dbar@1.service/worker", "foo\\x2dbar@1.service" },
		{ USER "/app.slice/app-org.gnome.Terminal\\x2d1.scope",
		    "app-org.gnome.Terminal\\x2d1.scope" },
		{ "/run-r0123456789abcdef.scope", "run-r0123456789abcdef.scope" },
		{ "/system.slice", "" },
		{ "/", "" },
		{ "/docker/" HEX64 "/system.slice/cron.service", "" },
		{ "/system.slice/docker-" HEX64 ".scope", "" },
	};
	char unit[CGROUP_NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(paths); i++) {
		assert_int_equal(cgroup_unit(unit, sizeof unit, paths[i][0]), *paths[i][1] != '\0');
		assert_string_equal(unit, paths[i][1]);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(containers_have_short_names),
		cmocka_unit_test(ids_are_found),
		cmocka_unit_test(units_have_whole_names),
		cmocka_unit_test(any_path_is_named_in_any_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
