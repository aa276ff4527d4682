/* SPDX-License-Identifier: Apache-2.0 */
#include "base/huge.h"

#include <stdint.h>
#include <sys/mman.h>

#include "base/banned.h"

#define SMALL_PAGE 4096u

static void hint(void *p, size_t len)
{
#ifdef MADV_HUGEPAGE
	(void)madvise(p, len, MADV_HUGEPAGE);
#else
	(void)p;
	(void)len;
#endif
}

/* All small pages are told of: realloc() moves no memory whose parts differ. */
void span__huge_hint(void *p, size_t len)
{
	uintptr_t from = (uintptr_t)p & -(uintptr_t)SMALL_PAGE;
	uintptr_t to = (uintptr_t)p + len + SMALL_PAGE - 1;

	if (p && len >= HUGE_PAGE)
		hint((void *)from,
		     (to & -(uintptr_t)SMALL_PAGE) - (size_t)from);
}

/*
 * Room for two pages is taken, which nothing may touch and no limit counts, and
 * what is not the page in it given back: it must begin at a multiple of its
 * size.
 */
void *span__huge_alloc(void)
{
	char *p = mmap(NULL, 2 * HUGE_PAGE, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t before;
	char *page;

	if (p == MAP_FAILED)
		return NULL;
	before = -(uintptr_t)p & (HUGE_PAGE - 1);
	page = p + before;
	if (before)
		(void)munmap(p, before);
	(void)munmap(page + HUGE_PAGE, HUGE_PAGE - before);
	if (mprotect(page, HUGE_PAGE, PROT_READ | PROT_WRITE) < 0) {
		span__huge_free(page);
		return NULL;
	}
	hint(page, HUGE_PAGE);
	return page;
}

void span__huge_free(void *page)
{
	(void)munmap(page, HUGE_PAGE);
}
