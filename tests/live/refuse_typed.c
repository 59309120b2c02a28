/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded, a kernel that refuses to load BTF-typed programs, as libbpf sees it. For test_ebpf.py. */
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <sys/syscall.h>

long syscall(long number, ...)
{
	long a[6];
	va_list arguments;
	long (*next)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");

	va_start(arguments, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(arguments, long);
	va_end(arguments);
	if (number == SYS_bpf && a[0] == BPF_PROG_LOAD &&
	    ((const union bpf_attr *)a[1])->prog_type == BPF_PROG_TYPE_TRACING) {
		errno = EPERM;
		return -1;
	}
	return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
