/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking spans. A text of a frame is looked up once, and found again by where
 * it lies in the frame; a process by its serial. What is left for each use of
 * a text is two loads from small tables.
 */
#include "store/seg_build_state.h"

#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "store/seg_pack.h"

#include "base/banned.h"

#define SPANS_MAX (1u << 31)
/* Texts of a frame over more bytes than that are looked up by hash. */
#define TEXTS_MAX (4u << 20)
/*
 * Bytes that writing takes beside what is held: for each span and trace; each
 * span of the longest trace, while spans are put in order; then, in each
 * thread, each span of the type that has most, and each text; each column.
 */
#define FINISH_SPAN 36u
#define FINISH_TRACE 8u
#define FINISH_TREE 132u
#define FINISH_ROW 60u
#define FINISH_TEXT 4u
#define FINISH_COLUMN 160u
#define FINISH_FIXED (3u << 20)
/* What values and texts shrink to, at least so far as is foreseen. */
#define SHRINK_VALUES 8u
#define SHRINK_TEXTS 8u

static int no_memory(struct span__seg_builder *b, struct span_error *err)
{
	b->failed = true;
	return span_error_set(err, SPAN_E_NOMEM,
			      "no memory for a segment of %" PRIu64 " spans",
			      span__seg_builder_spans(b));
}

int span__seg_builder_open(struct span__seg_builder **out,
			   enum span__seg_codec codec, struct span_error *err)
{
	struct span__seg_builder *b = calloc(1, sizeof(*b));
	int rc;

	*out = NULL;
	if (!b)
		return span_error_set(err, SPAN_E_NOMEM,
				      "no memory for a segment");
	rc = span__key_init(&b->strings.key, err);
	if (rc < 0) {
		free(b);
		return rc;
	}
	b->processes.key = b->strings.key;
	b->scopes.key = b->strings.key;
	b->codec = codec;
	b->threads = 1;
	b->last_trace = UINT32_MAX;
	/* string 0 is the empty one */
	if (span__intern_put(&b->strings, (struct span_str){0}) != 0) {
		rc = no_memory(b, err);
		span__seg_builder_close(&b);
		return rc;
	}
	*out = b;
	return 0;
}

void span__seg_builder_close(struct span__seg_builder **b)
{
	if (!*b)
		return;
	span__intern_release(&(*b)->strings);
	span__intern_release(&(*b)->processes);
	span__intern_release(&(*b)->scopes);
	span__pool_release(&(*b)->pool);
	span__pool_release(&(*b)->columns);
	span_buf_release(&(*b)->spans);
	span_buf_release(&(*b)->traces);
	span_buf_release(&(*b)->types);
	span_buf_release(&(*b)->pack);
	span_buf_release(&(*b)->at);
	span_buf_release(&(*b)->numbers);
	free((*b)->by_trace.slots);
	free((*b)->by_signature.slots);
	free((*b)->services);
	free(*b);
	*b = NULL;
}

void span__seg_builder_bound(struct span__seg_builder *b, size_t memory,
			     unsigned threads)
{
	b->limit = memory;
	b->threads = threads;
}

uint64_t span__seg_builder_spans(const struct span__seg_builder *b)
{
	return b->spans.len / sizeof(struct span__build_span);
}

bool span__build_index_grow(struct span__build_index *x)
{
	size_t n = x->slots ? 2 * (x->mask + 1) : 1024, mask = n - 1;
	uint64_t *slots;

	if (x->slots && x->n < x->mask / 4 * 3)
		return true;
	slots = calloc(n, sizeof(*slots));
	if (!slots)
		return false;
	for (size_t i = 0; x->slots && i <= x->mask; i++) {
		size_t at = (x->slots[i] >> 32) & mask;

		if (!x->slots[i])
			continue;
		while (slots[at])
			at = (at + 1) & mask;
		slots[at] = x->slots[i];
	}
	free(x->slots);
	x->slots = slots;
	x->mask = mask;
	return true;
}

static uint32_t intern(const struct span__seg_builder *b,
		       struct span__intern *t, struct span_str s)
{
	return b->only_known ? span__intern_find(t, s) : span__intern_put(t, s);
}

uint32_t span__build_other_string(struct span__seg_builder *b,
				  struct span_str s)
{
	uint32_t i, *number;

	if (!s.len)
		return 0;
	i = span__build_frame_string(b, s);
	if (i == SEG_NO_STRING)
		return intern(b, &b->strings, s);
	number = (uint32_t *)(void *)b->numbers.p + i;
	*number = intern(b, &b->strings, s) + 1;
	return *number - 1;
}

uint32_t span__build_scope(struct span__seg_builder *b,
			   const struct span_scope *s)
{
	size_t at = (uintptr_t)s / sizeof(*s) % SEG_CACHED_SCOPES;
	uint32_t number;

	if (!s)
		return 0;
	if (b->in_frame && b->frame_scopes[at].scope == s)
		return b->frame_scopes[at].number;
	b->pack.len = 0;
	span__pack_scope(&b->pack, s);
	if (b->pack.failed)
		return SEG_NO_MEMORY;
	number = intern(b, &b->scopes,
			(struct span_str){b->pack.p, b->pack.len});
	if (number == SEG_NO_MEMORY)
		return number;
	b->frame_scopes[at].scope = s;
	b->frame_scopes[at].number = number + 1;
	return number + 1;
}

/* A process is its service's number, and the rest packed. */
static uint32_t add_process(struct span__seg_builder *b,
			    const struct span_process *p)
{
	uint32_t service = span__build_string(b, p->service), number;

	b->pack.len = 0;
	span_buf_put(&b->pack, &service, sizeof(service));
	span__pack_process(&b->pack, p);
	if (b->pack.failed || service == SEG_NO_MEMORY)
		return SEG_NO_MEMORY;
	number = span__intern_put(&b->processes,
				  (struct span_str){b->pack.p, b->pack.len});
	if (number != SEG_NO_MEMORY && number >= b->services_cap) {
		size_t cap = 64 + 2 * b->services_cap;
		uint32_t *v = realloc(b->services, cap * sizeof(*v));

		if (!v)
			return SEG_NO_MEMORY;
		b->services = v;
		b->services_cap = cap;
	}
	if (number != SEG_NO_MEMORY)
		b->services[number] = service;
	return number;
}

static uint32_t process_number(struct span__seg_builder *b,
			       const struct span_process *p)
{
	size_t at = p->serial % SEG_CACHED;
	uint32_t number;

	if (p->serial && b->cached[at].serial == p->serial)
		return b->cached[at].process;
	number = add_process(b, p);
	if (number != SEG_NO_MEMORY) {
		b->cached[at].serial = p->serial;
		b->cached[at].process = number;
	}
	return number;
}

static uint32_t trace_number(struct span__seg_builder *b, const uint8_t id[16])
{
	struct span__build_trace t = {.min_start = UINT64_MAX};
	struct span__build_index *x = &b->by_trace;
	uint64_t hash;
	size_t at;

	if (b->last_trace != UINT32_MAX &&
	    !memcmp(span__build_traces(b)[b->last_trace].id, id, 16))
		return b->last_trace;
	if (!span__build_index_grow(x))
		return SEG_NO_MEMORY;
	hash = span__hash(&b->strings.key, id, 16) >> 32;
	for (at = hash & x->mask; x->slots[at]; at = (at + 1) & x->mask) {
		uint32_t i = (uint32_t)x->slots[at] - 1;

		if (x->slots[at] >> 32 == hash &&
		    !memcmp(span__build_traces(b)[i].id, id, 16))
			return b->last_trace = i;
	}
	memcpy(t.id, id, 16);
	span_buf_put(&b->traces, &t, sizeof(t));
	if (b->traces.failed)
		return SEG_NO_MEMORY;
	x->slots[at] = hash << 32 | ++x->n;
	return b->last_trace = (uint32_t)x->n - 1;
}

static uint64_t id_of(const uint8_t id[8])
{
	uint64_t v;

	memcpy(&v, id, sizeof(v));
	return be64toh(v);
}

static bool put(struct span__seg_builder *b, const struct span *s)
{
	struct span__build_span r = {
		.id = id_of(s->span_id),
		.parent = id_of(s->parent_id),
		.start = s->start_ns,
		.duration = s->duration_ns,
		.trace = trace_number(b, s->trace_id),
		.process = process_number(b, s->process),
	};
	uint64_t end = span_end_ns(s);
	struct span__build_trace *t;

	if (r.trace == SEG_NO_MEMORY || r.process == SEG_NO_MEMORY ||
	    !span__build_typed(b, s, &r.type, &r.row))
		return false;
	span_buf_put(&b->spans, &r, sizeof(r));
	if (b->spans.failed)
		return false;
	t = &span__build_traces(b)[r.trace];
	if (++t->n > b->longest)
		b->longest = t->n;
	if (r.start < t->min_start)
		t->min_start = r.start;
	if (end > t->max_end)
		t->max_end = end;
	return true;
}

static int put_checked(struct span__seg_builder *b, const struct span *s,
		       struct span_error *err)
{
	if (span__seg_builder_spans(b) >= SPANS_MAX)
		return span_error_set(err, SPAN_E_LIMIT,
				      "too many spans in one segment");
	if (b->failed || !put(b, s))
		return no_memory(b, err);
	return 0;
}

int span__seg_builder_put(struct span__seg_builder *b, const struct span *s,
			  struct span_error *err)
{
	return put_checked(b, s, err);
}

/*
 * Make the tables by which texts of the frame are found by place. When there
 * are no more types few texts are used by themselves: each is looked up when
 * it is.
 */
static bool begin_texts(struct span__seg_builder *b,
			const struct span_frame_info *info)
{
	const char *low = NULL, *high = NULL;
	size_t len, n = info->n_strings;
	uint32_t *at;

	for (size_t i = 0; i < n; i++) {
		const struct span_str *s = &info->strings[i];

		if (s->len && (!low || s->p < low))
			low = s->p;
		if (s->len && s->p + s->len > high)
			high = s->p + s->len;
	}
	len = (size_t)(high - low);
	if (!low || len > TEXTS_MAX)
		return true;
	b->at.len = b->numbers.len = 0;
	at = (void *)span_buf_reserve(&b->at, (len / 2 + 1) * sizeof(*at));
	if (!at || !span_buf_reserve(&b->numbers, n * sizeof(uint32_t)))
		return false;
	memset(at, 0, (len / 2 + 1) * sizeof(*at));
	if (span__build_full(b))
		memset(b->numbers.p, 0, n * sizeof(uint32_t));
	else
		span__intern_put_all(&b->strings, info->strings, n,
				     (void *)b->numbers.p);
	/* no two begin within two bytes: each has a head and a byte */
	for (size_t i = 0; i < n; i++)
		if (info->strings[i].len)
			at[(info->strings[i].p - low) / 2] = (uint32_t)i + 1;
	b->texts = low;
	b->texts_len = len;
	b->frame_strings = info->strings;
	b->n_frame_strings = n;
	return true;
}

static void end_texts(struct span__seg_builder *b)
{
	b->in_frame = false;
	b->texts = NULL;
	b->texts_len = 0;
	b->frame_strings = NULL;
	b->n_frame_strings = 0;
}

static bool begin_frame(struct span__seg_builder *b, const struct span_frame *f)
{
	if (!begin_texts(b, span_frame_info(f)))
		return false;
	memset(b->frame_scopes, 0, sizeof(b->frame_scopes));
	b->in_frame = true;
	return true;
}

int span__seg_builder_put_frame(struct span__seg_builder *b,
				struct span_frame *f, struct span_error *err)
{
	struct span s;
	int rc;

	if (!begin_frame(b, f))
		return no_memory(b, err);
	span_frame_rewind(f);
	while ((rc = span_frame_next(f, &s, err)) > 0) {
		rc = put_checked(b, &s, err);
		if (rc < 0)
			break;
	}
	end_texts(b);
	if (rc == 0)
		span_frame_rewind(f);
	return rc;
}

int span__seg_builder_put_spans(struct span__seg_builder *b,
				const struct span_frame *f,
				const struct span *v, size_t n,
				struct span_error *err)
{
	int rc = 0;

	if (!begin_frame(b, f))
		return no_memory(b, err);
	for (size_t i = 0; i < n && !rc; i++)
		rc = put_checked(b, &v[i], err);
	end_texts(b);
	return rc;
}

/* What is given back before anything is written. */
static size_t tables(const struct span__seg_builder *b)
{
	size_t slots = 0;

	slots += b->strings.slots ? b->strings.mask + 1 : 0;
	slots += b->processes.slots ? b->processes.mask + 1 : 0;
	slots += b->scopes.slots ? b->scopes.mask + 1 : 0;
	slots += b->by_trace.slots ? b->by_trace.mask + 1 : 0;
	slots += b->by_signature.slots ? b->by_signature.mask + 1 : 0;
	return slots * sizeof(uint64_t) + b->at.cap + b->numbers.cap;
}

static size_t growth(const struct span__seg_builder *b)
{
	return span__intern_growth(&b->strings) +
	       span__intern_growth(&b->processes) +
	       span__intern_growth(&b->scopes) +
	       span__table_growth(b->by_trace.slots, b->by_trace.mask,
				  b->by_trace.n);
}

size_t span__build_held(const struct span__seg_builder *b)
{
	size_t index = 0;

	index += b->by_trace.slots ? b->by_trace.mask + 1 : 0;
	index += b->by_signature.slots ? b->by_signature.mask + 1 : 0;
	return sizeof(*b) + span__intern_memory(&b->strings) +
	       span__intern_memory(&b->processes) +
	       span__intern_memory(&b->scopes) + b->pool.size +
	       b->columns.size + b->spans.len + b->traces.len + b->types.cap +
	       b->at.cap + b->numbers.cap + index * sizeof(uint64_t);
}

void span__build_seal(struct span__seg_builder *b)
{
	span__intern_seal(&b->strings);
	span__intern_seal(&b->processes);
	span__intern_seal(&b->scopes);
	free(b->by_trace.slots);
	free(b->by_signature.slots);
	b->by_trace.slots = b->by_signature.slots = NULL;
	span_buf_release(&b->at);
	span_buf_release(&b->numbers);
}

size_t span__build_room(const struct span__seg_builder *b)
{
	return (size_t)b->longest_type * FINISH_ROW +
	       b->strings.n * FINISH_TEXT;
}

/* While spans are put in order, and while columns are planned. */
static size_t finish_memory(const struct span__seg_builder *b, unsigned threads)
{
	size_t n = span__seg_builder_spans(b);
	size_t order = (size_t)b->longest * FINISH_TREE;
	size_t plan = threads * span__build_room(b) +
		      b->columns.size / SHRINK_VALUES +
		      b->strings.pool.size / SHRINK_TEXTS;

	return n * FINISH_SPAN + span__build_n_traces(b) * FINISH_TRACE +
	       b->n_columns * FINISH_COLUMN + (order > plan ? order : plan) +
	       FINISH_FIXED;
}

size_t span__build_memory(const struct span__seg_builder *b, unsigned threads)
{
	size_t put = growth(b), finish = finish_memory(b, threads) - tables(b);

	/* both may be less than nothing: what is given back may be most */
	if ((ptrdiff_t)finish > (ptrdiff_t)put)
		put = finish;
	return span__build_held(b) + put;
}

size_t span__seg_builder_memory(const struct span__seg_builder *b)
{
	return span__build_memory(b, 1);
}
