/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A search takes some megabytes for a hundredth of a second. In pages of 4096
 * bytes to get them from the system takes a sixth of that time, so the heap
 * begins with room for them in large pages, where the system gives those to who
 * asks. Of the room only what is used takes memory.
 */
#include "cmd.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/banned.h"

#define ROOM (32 << 20)
#define LARGE_PAGE ((uintptr_t)2 << 20)
#define MORE (256 << 10) /* than a heap has at first */

void cmd_large_heap(void)
{
	uintptr_t from, to;
	void *volatile some; /* or it would be optimised away */

	if (!mallopt(M_MMAP_THRESHOLD, ROOM) ||
	    !mallopt(M_TRIM_THRESHOLD, ROOM) || !mallopt(M_TOP_PAD, ROOM))
		return;
	from = (uintptr_t)sbrk(0);
	some = malloc(MORE);
	free(some);
	to = (uintptr_t)sbrk(0) & -LARGE_PAGE;
	from = (from + LARGE_PAGE - 1) & -LARGE_PAGE;
	if (from < to)
		(void)madvise((void *)from, to - from, MADV_HUGEPAGE);
	(void)mallopt(M_TOP_PAD, LARGE_PAGE);
}
