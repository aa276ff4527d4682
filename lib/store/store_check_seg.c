/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages first: where one is damaged it is told once, and what cannot be read
 * for that is only counted. Where all pages are as they were written and
 * something still does not fit, whoever wrote it made a mistake.
 */
#include "store/store_check_seg.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/store_check_calls.h"

#include "base/banned.h"

#define COMPLAINTS 20u /* about what does not fit, in one segment */
#define PIECE 64u      /* spans at a time */

/* What is known of the spans of a type, or a trace. */
struct tally {
	uint64_t n, min_start, max_start, max_end;
};

struct check {
	struct span__seg *seg;
	int (*complain)(void *arg, const char *text);
	void *arg;
	struct span_error *err;
	int rc; /* of COMPLAIN */
	unsigned complaints;
	bool damaged; /* pages are */
	uint64_t lost;
	struct tally all, block, *types;
	uint64_t block_number, next_trace;
	struct span_arena arena;
	/* the calls of the trace at hand, and what there should be of them */
	struct span__call_trace trace;
	struct span__call_names services;
	struct span__calls_check *calls;
	struct span_buf ids;
};

static int complain(struct check *c, const char *fmt, ...) SPAN_PRINTF(2, 3);

static int complain(struct check *c, const char *fmt, ...)
{
	char text[320];
	va_list ap;

	if (c->rc < 0 || c->complaints++ > COMPLAINTS)
		return c->rc;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (c->complaints > COMPLAINTS)
		snprintf(text, sizeof(text), "and more");
	c->rc = c->complain(c->arg, text);
	return c->rc;
}

static int bad_place(void *arg, uint64_t pos, uint64_t len,
		     struct span_error *err)
{
	struct check *c = arg;
	char text[120];

	(void)err;
	c->damaged = true;
	snprintf(text, sizeof(text),
		 "damaged at byte %" PRIu64 ", %" PRIu64 " bytes", pos, len);
	c->rc = c->complain(c->arg, text);
	return c->rc;
}

/* Something could not be read: where pages are sound that is worth a word. */
static void look_at_mark(struct check *c, uint64_t trace)
{
	struct span__seg_file *f = &c->seg->file;

	if (!f->bad)
		return;
	if (!c->damaged)
		complain(c,
			 "trace %" PRIu64 ": what is at byte %" PRIu64
			 " makes no sense",
			 trace, f->bad_pos);
	f->bad = false;
}

static void add(struct tally *t, const struct span *s)
{
	uint64_t end = span_end_ns(s);

	if (!t->n++) {
		t->min_start = t->max_start = s->start_ns;
		t->max_end = end;
	}
	if (s->start_ns < t->min_start)
		t->min_start = s->start_ns;
	if (s->start_ns > t->max_start)
		t->max_start = s->start_ns;
	if (end > t->max_end)
		t->max_end = end;
}

static bool has(const uint64_t *bits, size_t i)
{
	return bits[i / 64] >> i % 64 & 1;
}

/* Span S, which has a number of its own in the trace, as a call. */
static int add_call(struct check *c, const struct span *s, uint32_t type)
{
	const struct span__call_name service = {.service = s->process->service};
	struct span__call_trace *t = &c->trace;
	uint32_t name;
	int rc = span__call_names_put(&c->services, &service, &name, c->err);

	if (rc < 0)
		return rc;
	t->members[t->n] = (struct span__member){
		span__id_get(s->span_id), span__id_get(s->parent_id),
		c->services.v[name].service_number, s->kind};
	t->calls[t->n] = (struct span__call){
		.start_ns = s->start_ns,
		.duration_ns = s->duration_ns,
		.place = (uint32_t)t->n,
		.type = type,
	};
	t->n++;
	return 0;
}

static int add_span(struct check *c, const struct span *s, uint32_t type,
		    struct tally *trace)
{
	add(trace, s);
	add(&c->all, s);
	add(&c->block, s);
	add(&c->types[type], s);
	return add_call(c, s, type);
}

/* Read every span of a trace. */
static int read_trace(struct check *c, const struct span__seg_place *p,
		      struct tally *trace)
{
	struct span spans[PIECE];
	uint64_t read[1];
	int rc = 0;

	if (!span__call_trace_room(&c->trace, p->n))
		return span_error_set(c->err, SPAN_E_NOMEM, "out of memory");
	for (size_t from = 0; from < p->n; from += PIECE) {
		size_t to = p->n - from < PIECE ? p->n : from + PIECE;

		span_arena_reset(&c->arena);
		rc = span__seg_spans(c->seg, p, from, to, NULL, SEG_WANT_ALL,
				     &c->arena, spans, read, c->err);
		for (size_t i = 0; i < to - from && rc >= 0; i++) {
			if (has(read, i))
				rc = add_span(c, &spans[i],
					      p->nodes[from + i].type, trace);
			else
				c->lost++;
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

static void check_trace(struct check *c, const struct span__seg_place *p,
			const struct tally *t)
{
	struct span__seg *s = c->seg;
	uint64_t start = span__ints_get(&s->trace_start, p->trace);
	uint64_t end = start + span__ints_get(&s->trace_end, p->trace);
	uint64_t found = UINT64_MAX;
	uint8_t id[16];

	span__seg_trace_id(s, p->trace, id);
	if (span__seg_find(s, id, &found, NULL) != 1 || found != p->trace)
		complain(c, "trace %" PRIu64 " is not found by its id",
			 p->trace);
	if (t->n == p->n && (start != t->min_start || end != t->max_end))
		complain(c, "trace %" PRIu64 " has other times than its spans",
			 p->trace);
}

static int compare_ids(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* That no two spans of the trace have one id, where the segment says so. */
static void check_ids(struct check *c, uint64_t trace)
{
	const struct span__call_trace *t = &c->trace;
	uint64_t *ids;

	if (!(c->seg->file.header.flags & SEG_FLAG_DISTINCT_IDS))
		return;
	c->ids.len = 0;
	ids = (uint64_t *)(void *)span_buf_reserve(&c->ids,
						   t->n * sizeof(*ids));
	if (!ids)
		return;
	for (size_t i = 0; i < t->n; i++)
		ids[i] = t->members[i].id;
	qsort(ids, t->n, sizeof(*ids), compare_ids);
	for (size_t i = 1; i < t->n; i++) {
		if (ids[i] != ids[i - 1])
			continue;
		complain(c, "trace %" PRIu64 " has two spans with one id",
			 trace);
		return;
	}
}

static void check_block(struct check *c)
{
	struct span__seg *s = c->seg;
	uint64_t b = c->block_number;

	if (!c->block.n || c->damaged)
		return;
	if (span__ints_get(&s->block_min_start, b) != c->block.min_start ||
	    span__ints_get(&s->block_max_start, b) != c->block.max_start)
		complain(c, "block %" PRIu64 " has other times than its spans",
			 b);
	c->block = (struct tally){0};
}

static int check_next(struct check *c, const struct span__seg_place *p)
{
	uint64_t block = span__seg_block_of(c->seg, p->trace);
	struct tally t = {0};
	int rc;

	if (p->trace != c->next_trace && !c->damaged)
		complain(c, "traces %" PRIu64 " to %" PRIu64 " cannot be read",
			 c->next_trace, p->trace - 1);
	c->next_trace = p->trace + 1;
	if (block != c->block_number)
		check_block(c);
	c->block_number = block;
	rc = read_trace(c, p, &t);
	if (!rc && !c->damaged)
		check_trace(c, p, &t);
	if (!rc && !c->damaged && !c->lost)
		check_ids(c, p->trace);
	if (!rc && !c->damaged && !c->lost)
		rc = span__call_trace_link(&c->trace, c->err);
	if (!rc && !c->damaged && !c->lost)
		span__calls_check_trace(c->calls, p->trace, &c->trace);
	look_at_mark(c, p->trace);
	return rc < 0 ? rc : c->rc;
}

/* What it says of its types and calls, which is loaded. */
static int begin(struct check *c)
{
	int rc = span__call_names_init(&c->services, c->err);

	if (rc < 0)
		return rc;
	c->types = calloc(c->seg->types.n + 1, sizeof(*c->types));
	if (!c->types)
		return span_error_set(c->err, SPAN_E_NOMEM, "out of memory");
	rc = span__calls_check_open(&c->calls, c->seg, c->err);
	if (!rc && c->seg->file.bad && !c->damaged)
		complain(c, "what it knows of its calls makes no sense");
	c->seg->file.bad = false;
	return rc;
}

static int check_traces(struct check *c)
{
	struct span__seg_walk w = {0};
	struct span__seg_place place;
	int rc = span__seg_walk_seek(&w, c->seg, 0, c->seg->n_traces, c->err);

	if (!rc)
		rc = begin(c);
	while (!rc && (rc = span__seg_walk_next(&w, &place, c->err)) > 0)
		rc = check_next(c, &place);
	span__seg_walk_release(&w);
	if (!rc)
		check_block(c);
	return rc;
}

static void check_types(struct check *c)
{
	for (uint64_t i = 0; i < c->seg->types.n; i++) {
		struct span__seg_type_reader *t = span__seg_type(c->seg, i);

		if (!t || t->type.n_spans != c->types[i].n)
			complain(c,
				 "type %" PRIu64 " has other spans than it "
				 "counts",
				 i);
	}
}

static int complain_of_calls(void *arg, const char *text)
{
	return complain(arg, "%s", text);
}

static int check_totals(struct check *c)
{
	const struct span__seg_header *h = &c->seg->file.header;
	int rc;

	if (c->lost || c->damaged) {
		complain(c, "%" PRIu64 " of %" PRIu64 " spans can be read",
			 c->all.n, h->sum.n_spans);
		return 0;
	}
	if (c->all.n != h->sum.n_spans || c->next_trace != h->n_traces)
		complain(c, "it has other spans than it counts");
	else if (c->all.n && (c->all.min_start != h->sum.min_start_ns ||
			      c->all.max_end != h->sum.max_end_ns))
		complain(c, "it has other times than its spans");
	if (!span__strings_agree(&c->seg->strings))
		complain(c, "its short strings are not those of its strings");
	check_types(c);
	rc = span__calls_check_finish(c->calls, complain_of_calls, c);
	look_at_mark(c, c->next_trace);
	return rc;
}

int span__segment_verify(struct span__seg *s,
			 int (*fn)(void *arg, const char *text), void *arg,
			 struct span_error *err)
{
	struct check c = {.seg = s, .complain = fn, .arg = arg, .err = err};
	int rc = span__seg_verify(&s->file, bad_place, &c, err);

	s->file.bad = false;
	if (!rc) {
		rc = check_traces(&c);
		if (rc == SPAN_E_CORRUPT) {
			complain(&c, "nothing of it can be read");
			rc = 0;
		} else if (!rc) {
			rc = check_totals(&c);
		}
	}
	span__calls_check_close(&c.calls);
	span__call_trace_release(&c.trace);
	span__call_names_release(&c.services);
	span_arena_release(&c.arena);
	span_buf_release(&c.ids);
	free(c.types);
	return rc < 0 ? rc : c.rc;
}
