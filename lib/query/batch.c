/* SPDX-License-Identifier: Apache-2.0 */
#include "query/fetch.h"

#include <stdlib.h>
#include <string.h>

#include "model/model.h"
#include "store/store_ops.h"

#include "base/banned.h"

#define FIRST_BATCH 2048u
#define MAX_BATCH 65536u

void span__batch_release(struct span__batch *b)
{
	for (size_t i = 0; b->builders && i < b->n; i++)
		span_trace_builder_release(&b->builders[i]);
	free(b->ids);
	free(b->builders);
	free(b->arrivals);
	*b = (struct span__batch){.max = b->max, .heads = b->heads};
}

static int compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

static int init(struct span__batch *b, const struct span__ranked_id *v,
		size_t n, struct span_error *err)
{
	span__batch_release(b);
	b->ids = calloc(n, sizeof(*b->ids));
	b->builders = calloc(n, sizeof(*b->builders));
	b->arrivals = calloc(n, sizeof(*b->arrivals));
	if (!b->ids || !b->builders || !b->arrivals)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	b->n = n;
	for (size_t i = 0; i < n; i++)
		memcpy(b->ids[i], v[i].id, 16);
	qsort(b->ids, n, sizeof(*b->ids), compare_ids);
	return 0;
}

ptrdiff_t span__batch_find(const struct span__batch *b, const uint8_t id[16])
{
	const uint8_t(*ids)[16] = (const uint8_t(*)[16])b->ids;
	const uint8_t(*at)[16] = NULL;

	if (b->n)
		at = bsearch(id, ids, b->n, sizeof(*ids), compare_ids);
	return at ? at - ids : -1;
}

static size_t size(const struct span_trace_builder *b)
{
	return span_arena_size(&b->arena) + b->spans.cap + b->scratch.cap;
}

/* Add the ARRIVAL-th span. 1; 0 when there is no room; or a negative code. */
static int put(struct span__batch *b, const struct span *s, uint64_t arrival,
	       size_t memory, struct span_error *err)
{
	ptrdiff_t i = span__batch_find(b, s->trace_id);
	size_t before;
	int rc;

	if (i < 0)
		return 1;
	if (b->bytes > memory) {
		b->cut = true;
		return 0;
	}
	before = size(&b->builders[i]);
	rc = span_trace_builder_put(&b->builders[i], s, err);
	b->bytes += size(&b->builders[i]) - before;
	b->arrivals[i] = arrival;
	return rc < 0 ? rc : 1;
}

/*
 * The head of S alone. Files leave more in some spans than in others, of which
 * what is stored twice would not be known.
 */
static struct span head_of(const struct span *s)
{
	struct span head = {
		.start_ns = s->start_ns,
		.duration_ns = s->duration_ns,
		.name = s->name,
		.process = s->process,
		.scope = s->scope,
		.kind = s->kind,
		.status = s->status,
		.flags = s->flags,
		.marks = s->marks,
	};

	memcpy(head.trace_id, s->trace_id, sizeof(head.trace_id));
	memcpy(head.span_id, s->span_id, sizeof(head.span_id));
	memcpy(head.parent_id, s->parent_id, sizeof(head.parent_id));
	if (s->status != SPAN_STATUS_ERROR && span_is_error(s)) {
		head.attrs.v = &span__error_attr;
		head.attrs.n = 1;
	}
	return head;
}

static int fill(struct span__batch *b, struct span_store *st, size_t memory,
		struct span_error *err)
{
	struct span_cursor *c = NULL;
	uint64_t arrival = 0;
	struct span s;
	const uint8_t(*ids)[16] = (const uint8_t(*)[16])b->ids;
	int rc = b->heads ? span__store_find_heads(st, ids, b->n, true, &c, err)
			  : span_store_find(st, ids, b->n, &c, err);

	if (rc < 0)
		return rc;
	while ((rc = span_cursor_next(c, &s, err)) > 0) {
		if (b->heads)
			s = head_of(&s);
		rc = put(b, &s, ++arrival, memory, err);
		if (rc <= 0)
			break;
	}
	span_cursor_close(&c);
	return rc;
}

size_t span__batch_room(const struct span__batch *b)
{
	return b->max ? b->max : FIRST_BATCH;
}

/* When they do not fit, fetch half as many. */
int span__batch_load(struct span__batch *b, struct span_store *st,
		     const struct span__ranked_id *v, size_t n, size_t memory,
		     struct span_error *err)
{
	size_t fit;

	if (n > span__batch_room(b))
		n = span__batch_room(b);
	for (;; n = (n + 1) / 2) {
		int rc = init(b, v, n, err);

		if (!rc)
			rc = fill(b, st, memory, err);
		if (rc < 0)
			return rc;
		if (!b->cut || n == 1)
			break;
	}
	fit = memory / (b->bytes / n + 1) / 4 * 3;
	b->max = fit < 1 ? 1 : fit > MAX_BATCH ? MAX_BATCH : fit;
	return 0;
}
