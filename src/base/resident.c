/* SPDX-License-Identifier: Apache-2.0 */
#include "base/resident.h"

#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEGMENTS_MAX 8

/* Segments that nobody can have written to, or what was written would be lost. */
static int drop_object(struct dl_phdr_info *object, size_t size, void *page_size)
{
	uintptr_t page = *(const uintptr_t *)page_size;
	struct {
		uintptr_t begin, end;
	} segments[SEGMENTS_MAX];
	size_t count = 0;

	(void)size;
	/* their table is within the first of them: to read on in it would bring that back */
	for (size_t i = 0; i < object->dlpi_phnum && count < SEGMENTS_MAX; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		uintptr_t begin = object->dlpi_addr + segment->p_vaddr;

		if (segment->p_type != PT_LOAD || segment->p_flags & PF_W)
			continue;
		segments[count].begin = begin & ~(page - 1);
		segments[count++].end = begin + segment->p_memsz;
	}
	for (size_t i = 0; i < count; i++)
		(void)madvise((void *)segments[i].begin, segments[i].end - segments[i].begin, MADV_DONTNEED);
	return 0;
}

void resident_drop_code(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)dl_iterate_phdr(drop_object, &page);
}
