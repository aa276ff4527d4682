/* SPDX-License-Identifier: Apache-2.0 */
/* arena.h - small arenas, for who has very many */
#ifndef SPAN_ARENA_H
#define SPAN_ARENA_H

#include <span/base.h>

/*
 * Begin an empty arena with a block of LEN bytes instead of 4 KiB; the next
 * ones double. When memory is out nothing happens: the first allocation tells.
 */
void span__arena_begin(struct span_arena *a, size_t len);

/*
 * Begin it with the caller's memory: LEN bytes at P, aligned for any type, of
 * which SPAN__ARENA_HEAD are the arena's own. They have to last as long as it,
 * and are not freed with it.
 */
#define SPAN__ARENA_HEAD 32u
void span__arena_lend(struct span_arena *a, void *p, size_t len);

#endif
