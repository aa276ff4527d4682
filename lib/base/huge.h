/* SPDX-License-Identifier: Apache-2.0 */
/*
 * huge.h - large memory in large pages
 *
 * Where the system likes to be told which memory will be used as a whole, it
 * may give it in pages of 2 MiB, each for the price of one of 4096 bytes. These
 * are hints: what fails changes nothing but the time it takes.
 */
#ifndef SPAN_HUGE_H
#define SPAN_HUGE_H

#include <stddef.h>

#define HUGE_PAGE (2u << 20)
/* Of what grows: a last page that is hardly used is no great loss then. */
#define HUGE_GROWN (4u << 20)

/* LEN bytes at P, just allocated, will nearly all be used. */
void span__huge_hint(void *p, size_t len);

/* A large page; NULL when memory is out. span__huge_free() gives it back. */
void *span__huge_alloc(void);
void span__huge_free(void *page);

#endif
