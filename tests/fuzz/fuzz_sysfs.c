/* SPDX-License-Identifier: Apache-2.0 */
/* Files of /sys, /proc and /lib/modules that say what the kernel is like, of any bytes, with a NUL between two of them. */
#include "base/error.h"
#include "base/util.h"
#include "kernel/in_use.h"
#include "kernel/kernel.h"
#include "kernel/modules.h"
#include "root.h"

#define RELEASE "6.1.0-50-amd64"

static const char *const files[] = {
	"/sys/kernel/debug/sched/preempt",
	"/sys/bus/event_source/devices/kprobe/type",
	"/sys/bus/event_source/devices/kprobe/format/retprobe",
	"/lib/modules/" RELEASE "/modules.dep",
	"/proc/net/protocols",
	"/proc/modules",
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char *const names[] = { "tls", "mptcp", NULL, "nvme_tcp" };
	static const char *const spots[] = { "mptcp", "tls", "kernel_sockets", "splice" };
	const struct kernel_sources sources = { root, RELEASE };
	static struct kernel kernel;
	struct error error = { 0 };

	for (size_t i = 0; i < COUNT_OF(files); i++) {
		const uint8_t *nul = size ? memchr(bytes, '\0', size) : NULL;
		size_t length = nul ? (size_t)(nul - bytes) : size;

		fuzz_file(files[i], bytes, length);
		length += nul != NULL;
		bytes += length;
		size -= length;
	}
	HOLDS(kernel_inspect(&kernel, &sources, &error) == 0 && !error.text[0]);
	HOLDS(kernel.kprobe_pmu_type >= -1);
	HOLDS(kernel.kretprobe_bit < 64); /* it is shifted by */
	HOLDS(!(modules_possible(root, RELEASE, names, COUNT_OF(names)) & ~(1U << 0 | 1U << 1 | 1U << 3)));
	in_use_say(root, spots, COUNT_OF(spots));
	return 0;
}
