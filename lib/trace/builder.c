/* SPDX-License-Identifier: Apache-2.0 */
#include <span/trace.h>

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "model/model.h"
#include "trace/assemble.h"

#include "base/banned.h"

/*
 * Slots for processes that are looked at, of a table that has as many at first
 * and grows when all of them are taken. Beyond the largest one, and for those
 * who find processes with one hash, what is equal may be kept more than once.
 */
#define PROBES 8u
#define GROWTH 8u
#define MAX_SLOTS 4096u

/* Texts alone: where processes differ, some text of theirs does. */
static uint64_t hash_process(const struct span_process *p)
{
	uint64_t hash =
		XXH3_64bits(p->service.len ? p->service.p : "", p->service.len);

	for (size_t i = 0; i < p->attrs.n; i++) {
		const struct span_value *v = &p->attrs.v[i].value;

		if (v->type == SPAN_STRING && v->str.len)
			hash = (hash ^ XXH3_64bits(v->str.p, v->str.len)) *
			       UINT64_C(0x9e3779b97f4a7c15);
	}
	return hash ^ hash >> 32;
}

/* The slot of a process like P with HASH, or of none; NULL: all are taken. */
static const struct span_process **find_slot(const struct span_trace_builder *b,
					     const struct span_process *p,
					     uint64_t hash)
{
	for (size_t k = 0; k < PROBES && b->n_slots; k++) {
		const struct span_process **slot =
			&b->processes[(hash + k) % b->n_slots];

		if (!*slot || span__process_equal(*slot, p))
			return slot;
	}
	return NULL;
}

/* A larger table. False when memory is out. */
static bool grow(struct span_trace_builder *b)
{
	const struct span_process **old = b->processes;
	size_t n = b->n_slots;

	b->n_slots = n ? n * GROWTH : PROBES;
	b->processes =
		span_arena_array(&b->arena, b->n_slots, sizeof(*b->processes));
	if (!b->processes) {
		b->n_slots = 0;
		return false;
	}
	memset(b->processes, 0, b->n_slots * sizeof(*b->processes));
	for (size_t i = 0; i < n; i++) {
		const struct span_process **slot =
			old[i] ? find_slot(b, old[i], hash_process(old[i]))
			       : NULL;

		if (slot)
			*slot = old[i];
	}
	return true;
}

/* Where P is or will be; NULL when memory is out. */
static const struct span_process **slot_of(struct span_trace_builder *b,
					   const struct span_process *p)
{
	uint64_t hash = hash_process(p);
	const struct span_process **slot = find_slot(b, p, hash);

	while (!slot && b->n_slots < MAX_SLOTS) {
		if (!grow(b))
			return NULL;
		slot = find_slot(b, p, hash);
	}
	if (slot)
		return slot;
	slot = &b->processes[hash % b->n_slots];
	*slot = NULL;
	return slot;
}

/* Copy without the process, which is there already. */
static int copy_rest(struct span *dst, const struct span *src,
		     const struct span_process *process,
		     struct span_arena *arena)
{
	static const struct span_process none;
	struct span bare = *src;
	int rc;

	bare.process = &none;
	rc = span_copy(dst, &bare, arena);
	dst->process = process;
	return rc;
}

int span_trace_builder_put(struct span_trace_builder *b, const struct span *s,
			   struct span_error *err)
{
	const struct span_process **process;
	size_t n = b->spans.len / sizeof(*s);
	struct span *to;
	int rc;

	if (n && memcmp(((struct span *)b->spans.p)->trace_id, s->trace_id,
			sizeof(s->trace_id)) != 0)
		return span_error_set(err, SPAN_E_INVALID,
				      "a span of another trace");
	if (n >= SPAN_TRACE_NONE - 1)
		return span_error_set(err, SPAN_E_LIMIT,
				      "too many spans in one trace");
	to = (struct span *)span_buf_reserve(&b->spans, sizeof(*s));
	process = to ? slot_of(b, s->process) : NULL;
	if (!process)
		goto nomem;
	rc = *process ? copy_rest(to, s, *process, &b->arena)
		      : span_copy(to, s, &b->arena);
	if (rc < 0)
		goto nomem;
	*process = to->process;
	b->spans.len += sizeof(*s);
	return 0;
nomem:
	b->spans.failed = false;
	return span_error_set(err, SPAN_E_NOMEM,
			      "no memory for a trace of %zu spans", n);
}

int span_trace_builder_build(struct span_trace_builder *b,
			     struct span_trace *out, struct span_error *err)
{
	size_t n = b->spans.len / sizeof(struct span);
	size_t left;
	int rc;

	if (!n)
		return span_error_set(err, SPAN_E_INVALID,
				      "a trace without spans");
	b->scratch.len = 0;
	rc = span__assemble((struct span *)b->spans.p, n, b->keep_duplicates,
			    &b->scratch, out, &left);
	if (rc < 0) {
		b->scratch.failed = false;
		return span_error_set(err, rc,
				      "no memory for a trace of %zu spans", n);
	}
	b->spans.len = left * sizeof(struct span);
	b->n_duplicates += n - left;
	out->n_duplicates = b->n_duplicates;
	return 0;
}

void span_trace_builder_reset(struct span_trace_builder *b)
{
	span_arena_reset(&b->arena);
	b->spans.len = 0;
	b->scratch.len = 0;
	b->processes = NULL;
	b->n_slots = 0;
	b->n_duplicates = 0;
}

void span_trace_builder_release(struct span_trace_builder *b)
{
	span_arena_release(&b->arena);
	span_buf_release(&b->spans);
	span_buf_release(&b->scratch);
	*b = (struct span_trace_builder){0};
}
