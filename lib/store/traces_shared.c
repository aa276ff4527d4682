/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids become hashes, which are dealt to parts; a part is small enough for the
 * nearest cache, where its table is. All ids of a large store do not fit into
 * memory at once: they are gone through in several passes then, each for some
 * of the hashes. Of these the highest 32 bits are compared, the lowest choose
 * the part, those between the pass.
 */
#include "store/traces_shared.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define PASS_TRACES (1u << 20) /* 8 MiB of entries */
#define PARTS 512u
#define TRACES_MAX (UINT64_C(1) << 31)

struct entry {
	uint32_t tag;
	uint32_t trace; /* its number + 1 */
};

#define BLOCK 63u /* entries: 512 bytes */

struct block {
	struct block *before;
	struct entry v[BLOCK];
};

struct part {
	struct block *last;
	uint32_t n_last;
	uint32_t n;
};

struct pass {
	struct span__traces_shared *out;
	const struct span__trace_set *logs;
	uint64_t number, of;
	struct part parts[PARTS];
	struct span_arena arena;
	struct entry *table;
	size_t room; /* of it */
};

static void set_bit(struct span__traces_shared *s, uint64_t trace)
{
	s->n += !span__traces_shared_has(s, trace);
	s->bits[trace / 64] |= UINT64_C(1) << trace % 64;
}

static bool deal(struct pass *p, uint64_t hash, uint64_t trace)
{
	struct part *part = &p->parts[hash % PARTS];

	if (!part->last || part->n_last == BLOCK) {
		struct block *b = span_arena_alloc(&p->arena, sizeof(*b));

		if (!b)
			return false;
		b->before = part->last;
		part->last = b;
		part->n_last = 0;
	}
	part->last->v[part->n_last++] = (struct entry){
		.tag = (uint32_t)(hash >> 32),
		.trace = (uint32_t)trace + 1,
	};
	part->n++;
	return true;
}

/* The traces of S, of which the first has number FIRST. */
static bool deal_segment(struct pass *p, struct span__seg *s, uint64_t first)
{
	uint64_t high[SEG_GROUP], low[SEG_GROUP];
	size_t n;

	for (uint64_t at = 0; at < s->n_traces; at += n) {
		uint64_t left = s->n_traces - at;

		n = left < SEG_GROUP ? (size_t)left : SEG_GROUP;
		span__ints_range(&s->trace_high, at, n, high);
		span__ints_range(&s->trace_low, at, n, low);
		for (size_t i = 0; i < n; i++) {
			uint64_t hash =
				span__trace_set_hash(p->logs, high[i], low[i]);

			if ((uint32_t)hash / PARTS * p->of /
				    (UINT32_MAX / PARTS + 1) !=
			    p->number)
				continue;
			if (span__trace_set_has(p->logs, hash))
				set_bit(p->out, first + at + i);
			if (!deal(p, hash, first + at + i))
				return false;
		}
	}
	return true;
}

/* An empty table for N entries, at most half full; its mask, or 0. */
static size_t begin_table(struct pass *p, size_t n)
{
	size_t room = 256;

	while (room < 2 * n)
		room *= 2;
	if (room > p->room) {
		free(p->table);
		p->table = malloc(room * sizeof(*p->table));
		p->room = p->table ? room : 0;
	}
	if (!p->table)
		return 0;
	memset(p->table, 0, room * sizeof(*p->table));
	return room - 1;
}

static void look_up(struct pass *p, struct entry e, size_t mask)
{
	/* the lowest bits are those of the pass */
	size_t at = e.tag & mask;

	while (p->table[at].trace && p->table[at].tag != e.tag)
		at = (at + 1) & mask;
	if (p->table[at].trace) {
		set_bit(p->out, p->table[at].trace - 1);
		set_bit(p->out, e.trace - 1);
	} else {
		p->table[at] = e;
	}
}

static bool look_up_part(struct pass *p, const struct part *part)
{
	size_t mask = begin_table(p, part->n);
	uint32_t n = part->n_last;

	if (!mask)
		return false;
	for (const struct block *b = part->last; b; b = b->before) {
		for (uint32_t i = 0; i < n; i++)
			look_up(p, b->v[i], mask);
		n = BLOCK;
	}
	return true;
}

static bool run(struct pass *p, struct span__seg *const *segs, size_t n)
{
	uint64_t first = 0;
	bool good = true;

	span_arena_reset(&p->arena);
	memset(p->parts, 0, sizeof(p->parts));
	for (size_t i = 0; i < n && good; i++) {
		good = deal_segment(p, segs[i], first);
		first += segs[i]->n_traces;
	}
	for (size_t i = 0; i < PARTS && good; i++)
		good = look_up_part(p, &p->parts[i]);
	return good;
}

int span__traces_shared(struct span__traces_shared *out,
			struct span__seg *const *segs, size_t n,
			const struct span__trace_set *logs)
{
	struct pass *p = NULL;
	uint64_t n_traces = 0;
	bool good;

	*out = (struct span__traces_shared){0};
	for (size_t i = 0; i < n; i++)
		n_traces += segs[i]->n_traces;
	if (n_traces >= TRACES_MAX)
		return SPAN_E_LIMIT;
	out->bits = calloc((size_t)n_traces / 64 + 1, sizeof(*out->bits));
	p = calloc(1, sizeof(*p));
	good = out->bits && p;
	if (good) {
		p->out = out;
		p->logs = logs;
		p->of = n_traces / PASS_TRACES + 1;
	}
	for (; good && p->number < p->of; p->number++)
		good = run(p, segs, n);
	if (p) {
		span_arena_release(&p->arena);
		free(p->table);
	}
	free(p);
	return good ? 0 : SPAN_E_NOMEM;
}

void span__traces_shared_release(struct span__traces_shared *s)
{
	free(s->bits);
	*s = (struct span__traces_shared){0};
}
