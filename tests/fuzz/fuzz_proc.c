/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a process in /proc, of any bytes: its stat, and after a NUL its status. */
#include "names/proc.h"
#include "root.h"

#define KTHREADD "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 20 0 0\n"

enum { PID = 700, SEEN_S = 1795344137 };

/* Only of a process that began before it was seen is anything read. */
static void check_file(const struct proc *proc, uint32_t pid)
{
	const char *why = NULL;
	int64_t start_s;
	FILE *file = proc_file(proc, pid, SEEN_S, "status", &start_s, &why);

	HOLDS(file || why);
	HOLDS(!file || (start_s >= 0 && start_s <= SEEN_S));
	if (file)
		fclose(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const uint8_t *nul = memchr(bytes, '\0', size);
	size_t length = nul ? (size_t)(nul - bytes) : size;
	struct proc proc;

	fuzz_file("/proc/700/stat", bytes, length);
	fuzz_file("/proc/700/status", bytes + length, size - length);
	/* Such an instance as the bytes say, and one that is known to be of this host. */
	fuzz_file("/proc/2/stat", bytes, length);
	proc_open(&proc, root);
	HOLDS(proc_is_known(&proc) || proc.why);
	check_file(&proc, PID);
	HOLDS(proc_is_known(&proc) || !proc_thread_group(&proc, PID));
	proc_close(&proc);
	fuzz_file("/proc/2/stat", KTHREADD, strlen(KTHREADD));
	proc_open(&proc, root);
	HOLDS(proc_is_known(&proc));
	check_file(&proc, PID);
	proc_thread_group(&proc, PID);
	proc_close(&proc);
	return 0;
}
