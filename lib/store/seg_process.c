/* SPDX-License-Identifier: Apache-2.0 */
/* Processes and scopes, which spans refer to by number. */
#include <string.h>

#include "store/seg_pack.h"
#include "store/seg_read.h"
#include "store/seg_watch.h"

#include "base/banned.h"

/* The bytes of item I, copied into ARENA, as what is unpacked points there. */
static bool get_packed(struct span__chunks *c, const struct span__ints *ends,
		       uint64_t i, struct span_arena *arena,
		       struct span_str *out)
{
	uint64_t begin = i ? span__ints_get(ends, i - 1) : 0;
	uint64_t end = span__ints_get(ends, i);
	struct span_str s;

	if (!c || begin > end || end - begin > SEG_PACKED_MAX)
		return span__area_bad(&ends->area);
	return span__chunks_get(c, begin, (size_t)(end - begin), &s) &&
	       span_arena_str(arena, s, out);
}

/* Where item I, of N, is kept: NULL when it is not. */
static struct span_arena *keep(struct span__seg *s, uint64_t n,
			       struct span_arena *arena)
{
	if (n <= SEG_KEPT_MAX && span_arena_size(&s->arena) < SEG_KEPT_BYTES)
		return &s->arena;
	return arena;
}

static const struct span_process *read_process(struct span__seg *s, uint64_t i,
					       struct span_arena *arena)
{
	struct span_process *p = span_arena_alloc(arena, sizeof(*p));
	struct span_str packed;
	uint64_t service;
	int rc;

	if (!p ||
	    !get_packed(s->processes, &s->process_ends, i, arena, &packed))
		return NULL;
	rc = span__unpack_process(p, packed, arena, NULL);
	service = span__ints_get(&s->process_services, i);
	if (rc < 0 || service >= s->strings.n) {
		if (rc != SPAN_E_NOMEM)
			(void)span__area_bad(&s->process_ends.area);
		return NULL;
	}
	p->service = span__strings_get(&s->strings, (uint32_t)service);
	p->serial = s->serial + i;
	p->serial += !p->serial;
	return p;
}

const struct span_process *span__seg_process(struct span__seg *s, uint64_t i,
					     struct span_arena *arena)
{
	uint64_t n = s->process_ends.n;
	const struct span_process *p;
	struct span_arena *where;
	struct span__watch w;

	if (i >= n) {
		(void)span__area_bad(&s->process_ends.area);
		return NULL;
	}
	if (n <= SEG_KEPT_MAX && s->process_cache[i])
		return s->process_cache[i];
	where = keep(s, n, arena);
	w = span__watch(&s->file);
	p = read_process(s, i, where);
	if (span__watch_end(&w))
		p = NULL;
	if (p && where == &s->arena)
		s->process_cache[i] = p;
	return p;
}

const struct span_scope *span__seg_scope(struct span__seg *s, uint64_t i,
					 struct span_arena *arena)
{
	uint64_t n = s->scope_ends.n;
	struct span_arena *where;
	struct span_scope *scope;
	struct span_str packed;
	int rc = SPAN_E_CORRUPT;

	if (i < n && n <= SEG_KEPT_MAX && s->scope_cache[i])
		return s->scope_cache[i];
	where = keep(s, n, arena);
	scope = span_arena_alloc(where, sizeof(*scope));
	if (!scope)
		return NULL;
	if (i < n && get_packed(s->scopes, &s->scope_ends, i, where, &packed))
		rc = span__unpack_scope(scope, packed, where, NULL);
	if (rc < 0) {
		if (rc != SPAN_E_NOMEM)
			(void)span__area_bad(&s->scope_ends.area);
		return NULL;
	}
	if (where == &s->arena)
		s->scope_cache[i] = scope;
	return scope;
}
