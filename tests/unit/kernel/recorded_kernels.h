/* SPDX-License-Identifier: Apache-2.0 */
/* The facts of the recorded kernels (data/README.md), and what can be taken away from them. */
#ifndef TCPTOP_RECORDED_KERNELS_H
#define TCPTOP_RECORDED_KERNELS_H

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "kernel/kernel.h"

static inline void record(
    struct kernel *kernel, const char *recorded, const char *release, int kprobe_pmu_type)
{
	char directory[512];
	const struct kernel_sources sources = { directory, release };
	struct error error = { 0 };

	snprintf(directory, sizeof directory, "%s/%s", TCPTOP_DATA_DIR, recorded);
	if (kernel_inspect(kernel, &sources, &error) != 0)
		fail_msg("%s", error.text);
	assert_true(kernel->has_btf);
	if (kernel->offsets[FIELD_REGS_SYSCALL] <
	    0) /* where the tests run on another processor than it did */
		kernel->offsets[FIELD_REGS_SYSCALL] = kernel->offsets[FIELD_REGS_BEFORE] = 0;
	kernel->kprobe_pmu_type = kprobe_pmu_type;
	kernel->cpus = 2;
	kernel->preemptible = kernel->tracepoints_preemptible =
	    false; /* not what the kernel that runs this is */
}

static inline struct kernel kernel_6_18(void)
{
	struct kernel kernel;

	record(&kernel, "btf-6.18", "6.18.44", -1);
	return kernel;
}

static inline struct kernel kernel_6_1(void)
{
	struct kernel kernel;

	record(&kernel, "btf-6.1", "6.1.0-56-amd64", 6);
	return kernel;
}

static inline void forget(struct kernel *kernel, enum kernel_symbol symbol)
{
	kernel->prototypes[symbol] = (struct kernel_prototype){ 0 };
}

static inline void forget_btf(struct kernel *kernel)
{
	kernel->has_btf = false;
	memset(kernel->prototypes, 0, sizeof kernel->prototypes);
	memset(kernel->offsets, -1, sizeof kernel->offsets);
}

#endif
