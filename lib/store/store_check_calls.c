/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries of the aggregates in a hash table. Of a sketch is kept a sum of
 * secret numbers, one for each call in each of its buckets: what is zero after
 * other calls were taken out than those that it counts is chance.
 */
#include "store/store_check_calls.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/seg_agg.h"
#include "store/seg_agg_sum.h"

#include "base/banned.h"

#define WHOLE UINT64_MAX /* as a bucket: the whole segment */
#define TOLD 20u	 /* entries that are told of */

struct key {
	uint32_t type, parent; /* SEG_PARENT_* */
	uint64_t bucket;
};

/* What was not taken out yet; below 0: too much was. */
struct entry {
	struct key key;
	uint64_t counted; /* before */
	uint64_t calls, sketch;
	span__sum sum;
};

/* Calls that have no entry. */
struct lost {
	uint64_t calls, trace;
	struct key key; /* of the first of them */
};

struct span__calls_check {
	struct span__key secret;
	uint64_t weights[SPAN_SKETCH_BUCKETS];
	struct span_buf entries;
	uint32_t *table; /* number + 1; 0: free */
	size_t mask;
	bool compares;
	uint64_t width_ns; /* 0: there are no buckets */
	struct lost lost[2];
};

static struct entry *entry(const struct span__calls_check *c, size_t i)
{
	return (struct entry *)(void *)c->entries.p + i;
}

static size_t n_entries(const struct span__calls_check *c)
{
	return c->entries.len / sizeof(struct entry);
}

static uint32_t *slot(const struct span__calls_check *c, const struct key *key)
{
	size_t at = span__hash(&c->secret, key, sizeof(*key)) & c->mask;

	for (; c->table[at]; at = (at + 1) & c->mask) {
		const struct key *k = &entry(c, c->table[at] - 1)->key;

		if (k->type == key->type && k->parent == key->parent &&
		    k->bucket == key->bucket)
			break;
	}
	return &c->table[at];
}

static void put_entry(struct span__calls_check *c,
		      const struct span__agg_entry *e)
{
	struct entry new = {
		.key = {e->type, (uint32_t)e->parent, WHOLE},
		.counted = e->calls,
		.calls = e->calls,
		.sum = (span__sum)e->sum_high << 64 | e->sum_ns,
	};

	for (size_t i = 0; i < e->sketch->n; i++)
		new.sketch += c->weights[e->sketch->v[i].bucket] *
			      e->sketch->v[i].count;
	span_buf_put(&c->entries, &new, sizeof(new));
}

/* All entries of AREA: 1; 0 when they make no sense; SPAN_E_NOMEM. */
static int read_area(struct span__calls_check *c, const struct span__area *area,
		     uint64_t width_ns, uint64_t n_types,
		     struct span_error *err)
{
	struct span__agg_reader r;
	struct span__agg_entry e;
	int rc;

	span__agg_reader_init(&r, area, width_ns, n_types);
	while ((rc = span__agg_reader_next(&r, &e, err)) > 0) {
		put_entry(c, &e);
		if (c->entries.failed)
			break;
		if (width_ns)
			entry(c, n_entries(c) - 1)->key.bucket =
				e.start_ns / width_ns;
	}
	span__agg_reader_release(&r);
	if (c->entries.failed)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	if (rc < 0)
		return rc == SPAN_E_NOMEM ? rc : 0;
	return 1;
}

/* Parts of one edge and bucket are one entry. */
static int index_entries(struct span__calls_check *c, struct span_error *err)
{
	size_t size = 16, n = 0;

	while (size < 2 * n_entries(c))
		size *= 2;
	c->table = calloc(size, sizeof(*c->table));
	if (!c->table)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	c->mask = size - 1;
	for (size_t i = 0; i < n_entries(c); i++) {
		struct entry e = *entry(c, i), *to;
		uint32_t *at = slot(c, &e.key);

		if (!*at) {
			*entry(c, n) = e;
			*at = (uint32_t)++n;
			continue;
		}
		to = entry(c, *at - 1);
		to->counted += e.counted;
		to->calls += e.calls;
		to->sketch += e.sketch;
		to->sum += e.sum;
	}
	c->entries.len = n * sizeof(struct entry);
	return 0;
}

static int read_section(struct span__calls_check *c, struct span__seg *seg,
			struct span_error *err)
{
	struct span__area section = span__seg_area(&seg->file, SEG_AGGREGATES);
	struct span__agg_info info;
	int rc;

	if (!span__agg_info(&section, &info))
		return 0;
	rc = read_area(c, &info.whole, 0, seg->types.n, err);
	if (rc > 0 && info.width_ns)
		rc = read_area(c, &info.buckets, info.width_ns, seg->types.n,
			       err);
	if (rc <= 0)
		return rc;
	c->compares = true;
	c->width_ns = info.width_ns;
	return index_entries(c, err);
}

int span__calls_check_open(struct span__calls_check **out,
			   struct span__seg *seg, struct span_error *err)
{
	struct span__calls_check *c = calloc(1, sizeof(*c));
	int rc;

	*out = NULL;
	if (!c)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	rc = span__key_init(&c->secret, err);
	for (uint32_t i = 0; i < SPAN_SKETCH_BUCKETS && !rc; i++)
		c->weights[i] = span__hash(&c->secret, &i, sizeof(i));
	if (!rc)
		rc = read_section(c, seg, err);
	if (rc < 0)
		span__calls_check_close(&c);
	*out = c;
	return rc;
}

static void take(struct span__calls_check *c, uint64_t trace,
		 const struct key *key, const struct span__call *call)
{
	uint32_t at = *slot(c, key);
	struct lost *lost = &c->lost[key->bucket != WHOLE];
	struct entry *e;

	if (!at) {
		if (!lost->calls++) {
			lost->trace = trace;
			lost->key = *key;
		}
		return;
	}
	e = entry(c, at - 1);
	e->calls--;
	e->sum -= call->duration_ns;
	e->sketch -= c->weights[span_sketch_bucket(call->duration_ns)];
}

void span__calls_check_trace(struct span__calls_check *c, uint64_t trace,
			     const struct span__call_trace *t)
{
	for (size_t i = 0; i < t->n && c->compares; i++) {
		const struct span__call *call = &t->calls[i];
		struct key key = {call->type, SEG_PARENT_NONE, WHOLE};

		if (t->parent[i] != SPAN_TRACE_NONE)
			key.parent =
				SEG_PARENT_TYPE + t->calls[t->parent[i]].type;
		else if (t->flags[i] & SPAN_TRACE_ORPHAN)
			key.parent = SEG_PARENT_ABSENT;
		take(c, trace, &key, call);
		if (!c->width_ns)
			continue;
		key.bucket = call->start_ns / c->width_ns;
		take(c, trace, &key, call);
	}
}

/* "calls of type 5 by type 2 from @1795341600 on". */
static void describe(const struct span__calls_check *c, const struct key *key,
		     char *out, size_t size)
{
	char parent[40] = "none", from[40] = "";

	if (key->parent == SEG_PARENT_ABSENT)
		snprintf(parent, sizeof(parent), "an absent one");
	else if (key->parent >= SEG_PARENT_TYPE)
		snprintf(parent, sizeof(parent), "type %" PRIu32,
			 key->parent - SEG_PARENT_TYPE);
	if (key->bucket != WHOLE)
		snprintf(from, sizeof(from), " from @%" PRIu64 " on",
			 key->bucket * c->width_ns / 1000000000);
	snprintf(out, size, "calls of type %" PRIu32 " by %s%s", key->type,
		 parent, from);
}

static int tell_entry(const struct span__calls_check *c, const struct entry *e,
		      span__complain_fn *fn, void *arg)
{
	char what[120], text[240];

	describe(c, &e->key, what, sizeof(what));
	if (e->calls)
		snprintf(text, sizeof(text),
			 "%s: %" PRIu64 " are counted, %" PRIu64 " are there",
			 what, e->counted, e->counted - e->calls);
	else
		snprintf(text, sizeof(text),
			 "%s: the %s of their durations is wrong", what,
			 e->sum ? "sum" : "sketch");
	return fn(arg, text);
}

static int tell_lost(const struct span__calls_check *c, const struct lost *l,
		     span__complain_fn *fn, void *arg)
{
	char what[120], text[240];

	if (!l->calls)
		return 0;
	describe(c, &l->key, what, sizeof(what));
	snprintf(text, sizeof(text),
		 "%s: they are not counted; %" PRIu64
		 " such calls, the first in trace %" PRIu64,
		 what, l->calls, l->trace);
	return fn(arg, text);
}

int span__calls_check_finish(struct span__calls_check *c, span__complain_fn *fn,
			     void *arg)
{
	unsigned told = 0;
	int rc = 0;

	for (size_t i = 0; i < n_entries(c) && c->compares && !rc; i++) {
		const struct entry *e = entry(c, i);

		if ((e->calls || e->sum || e->sketch) && told++ < TOLD)
			rc = tell_entry(c, e, fn, arg);
	}
	for (int i = 0; i < 2 && !rc; i++)
		rc = tell_lost(c, &c->lost[i], fn, arg);
	return rc;
}

void span__calls_check_close(struct span__calls_check **c)
{
	struct span__calls_check *old = *c;

	if (!old)
		return;
	span_buf_release(&old->entries);
	free(old->table);
	free(old);
	*c = NULL;
}
