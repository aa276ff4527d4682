/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two tables with open addressing: texts of labels to numbers, and the numbers
 * of a row's labels with its time to the row. What a row has lies in arrays
 * side by side, so that nobody pays for a histogram that he does not want.
 */
#include "graph/stats.h"

#include "model/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define NONE UINT32_MAX
#define MAX_WEIGHT 4294967296.0 /* a span stands for, at most */

static uint64_t hash_row(const struct span_stats *st, const uint32_t *ids,
			 uint64_t start_ns)
{
	uint64_t key[1 + SPAN_STATS_LABELS / 2];
	size_t len = st->o.n_labels * sizeof(*ids);

	key[0] = start_ns;
	memcpy(key + 1, ids, len);
	return span__hash(&st->key, key, sizeof(*key) + len);
}

static uint64_t hash_entry(const void *stats, const struct span__slots *t,
			   uint32_t i)
{
	const struct span_stats *st = stats;

	if (t == &st->by_text)
		return span__hash_str(&st->key, span__stats_text(st, i));
	return hash_row(st, span__stats_ids(st, i),
			span__stats_row(st, i)->start_ns);
}

int span_stats_open(struct span_stats **out, const struct span_stats_opts *o,
		    struct span_error *err)
{
	struct span_stats *st;
	int rc;

	*out = NULL;
	if (o->n_labels > SPAN_STATS_LABELS || o->n_bounds > SPAN_STATS_BOUNDS)
		return span_error_set(err, SPAN_E_INVALID,
				      "more than %u labels or %u bounds",
				      SPAN_STATS_LABELS, SPAN_STATS_BOUNDS);
	for (size_t i = 1; i < o->n_bounds; i++)
		if (o->bounds[i] <= o->bounds[i - 1])
			return span_error_set(err, SPAN_E_INVALID,
					      "bounds have to ascend");
	st = calloc(1, sizeof(*st));
	if (!st)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	st->o = *o;
	for (size_t i = 0; i < o->n_bounds; i++)
		st->bounds[i] = o->bounds[i];
	st->o.bounds = st->bounds;
	rc = span__key_init(&st->key, err);
	if (rc < 0)
		span_stats_close(&st);
	*out = st;
	return rc;
}

void span_stats_close(struct span_stats **sp)
{
	struct span_stats *st = *sp;

	if (!st)
		return;
	for (uint32_t i = 0; i < st->by_key.n; i++)
		span_sketch_release(&span__stats_row(st, i)->durations);
	free(st->by_text.slots);
	free(st->by_key.slots);
	span_arena_release(&st->text);
	span_buf_release(&st->texts);
	span_buf_release(&st->ids);
	span_buf_release(&st->rows);
	span_buf_release(&st->counts);
	span_buf_release(&st->exemplars);
	span_buf_release(&st->order);
	span_sketch_release(&st->scaled);
	free(st);
	*sp = NULL;
}

/* ---- Finding a row ---- */

/* The number of TEXT, NONE when there is no more room for texts. */
static int find_text(struct span_stats *st, struct span_str text, uint32_t *out)
{
	struct span__slots *t = &st->by_text;
	uint64_t at = span__hash_str(&st->key, text);
	struct span_str *new;
	uint32_t mask, slot;

	if (span__slots_grow(t, hash_entry, st) < 0)
		return SPAN_E_NOMEM;
	mask = (1u << t->bits) - 1;
	for (; (slot = t->slots[at & mask]); at++) {
		*out = slot - 1;
		if (span_str_equal(span__stats_text(st, *out), text))
			return 0;
	}
	*out = NONE;
	if (st->by_key.n == SPAN_STATS_ROWS ||
	    text.len > SPAN_STATS_TEXT - st->text_len)
		return 0;
	new = span__append_zeros(&st->texts, sizeof(*new));
	if (!new || !span_arena_str(&st->text, text, new))
		return SPAN_E_NOMEM;
	st->text_len += text.len;
	*out = t->n++;
	t->slots[at & mask] = *out + 1;
	return 0;
}

static int new_row(struct span_stats *st, const uint32_t *ids,
		   uint64_t start_ns)
{
	size_t n = st->o.n_bounds + 1;
	struct span_stats_row *r = span__append_zeros(&st->rows, sizeof(*r));

	if (!r)
		return SPAN_E_NOMEM;
	r->start_ns = start_ns;
	r->min_ns = UINT64_MAX;
	span_buf_put(&st->ids, ids, st->o.n_labels * sizeof(*ids));
	if (st->ids.failed ||
	    (st->o.n_bounds &&
	     !span__append_zeros(&st->counts, n * sizeof(uint64_t))) ||
	    (st->o.exemplars &&
	     !span__append_zeros(&st->exemplars,
				 n * sizeof(struct span_stats_exemplar))))
		return SPAN_E_NOMEM;
	return 0;
}

static int find_by_ids(struct span_stats *st, const uint32_t *ids,
		       uint64_t start_ns, uint32_t *out)
{
	struct span__slots *t = &st->by_key;
	uint64_t at = hash_row(st, ids, start_ns);
	uint32_t mask, slot;
	int rc;

	if (span__slots_grow(t, hash_entry, st) < 0)
		return SPAN_E_NOMEM;
	mask = (1u << t->bits) - 1;
	for (; (slot = t->slots[at & mask]); at++) {
		*out = slot - 1;
		if (span__stats_row(st, *out)->start_ns == start_ns &&
		    !memcmp(span__stats_ids(st, *out), ids,
			    st->o.n_labels * sizeof(*ids)))
			return 0;
	}
	*out = NONE;
	if (t->n == SPAN_STATS_ROWS || st->n_buckets >= SPAN_STATS_BUCKETS)
		return 0;
	rc = new_row(st, ids, start_ns);
	if (rc < 0)
		return rc;
	*out = t->n++;
	t->slots[at & mask] = *out + 1;
	return 0;
}

int span__stats_find(struct span_stats *st, const struct span_str *labels,
		     uint64_t start_ns, uint32_t *out)
{
	uint32_t ids[SPAN_STATS_LABELS];

	*out = NONE;
	for (size_t i = 0; i < st->o.n_labels; i++) {
		int rc = find_text(st, labels[i], &ids[i]);

		if (rc < 0 || ids[i] == NONE)
			return rc;
	}
	return find_by_ids(st, ids, start_ns, out);
}

/* ---- Counting ---- */

static uint64_t times(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static void add_sum(struct span_stats_row *r, span__wide more)
{
	span__wide sum = span__stats_sum(r) + more;

	if (sum < more)
		sum = ~(span__wide)0;
	r->sum_high = (uint64_t)(sum >> 64);
	r->sum_low = (uint64_t)sum;
}

/* NS times WEIGHT, or all ones. */
static span__wide weighted(span__wide ns, uint64_t weight)
{
	span__wide low = (span__wide)(uint64_t)ns * weight;
	span__wide high = (ns >> 64) * weight + (low >> 64);

	if (high > UINT64_MAX)
		return ~(span__wide)0;
	return high << 64 | (uint64_t)low;
}

static uint64_t parts_of(const struct span_stats *st, double weight)
{
	if (st->o.unweighted || weight <= 1)
		return SPAN_STATS_ONE;
	if (weight > MAX_WEIGHT)
		weight = MAX_WEIGHT;
	return (uint64_t)(weight * SPAN_STATS_ONE + 0.5);
}

static uint64_t bucket_start(const struct span_stats *st, uint64_t start_ns)
{
	uint64_t since = st->o.since_ns;

	if (!st->o.width_ns)
		return 0;
	if (start_ns < since)
		return since;
	return start_ns - (start_ns - since) % st->o.width_ns;
}

/* Which bucket of the histogram: the first whose bound is not below NS. */
static size_t bucket_of(const struct span_stats *st, uint64_t ns)
{
	size_t from = 0, n = st->o.n_bounds;

	while (n) {
		size_t half = n / 2;

		if (st->bounds[from + half] < ns) {
			from += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return from;
}

static void put_histogram(struct span_stats *st, uint32_t i,
			  const struct span *s, uint64_t weight)
{
	size_t bucket = bucket_of(st, s->duration_ns);
	uint64_t *count = span__stats_counts(st, i);
	struct span_stats_exemplar *e = span__stats_exemplars(st, i);

	if (count)
		count[bucket] = span__plus(count[bucket], weight);
	if (!e)
		return;
	e += bucket;
	memcpy(e->trace_id, s->trace_id, sizeof(e->trace_id));
	memcpy(e->span_id, s->span_id, sizeof(e->span_id));
	e->duration_ns = s->duration_ns;
	e->set = true;
}

int span_stats_put(struct span_stats *st, const struct span_str *labels,
		   const struct span *s, struct span_error *err)
{
	uint64_t weight = parts_of(st, span__weight(s->trace_state));
	uint64_t ns = s->duration_ns;
	struct span_stats_row *r;
	size_t before;
	uint32_t i;

	if (span__stats_find(st, labels, bucket_start(st, s->start_ns), &i) < 0)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (i == NONE) {
		st->left_out++;
		return 0;
	}
	r = span__stats_row(st, i);
	before = r->durations.n;
	if (span_sketch_put(&r->durations, ns, weight, err) < 0)
		return SPAN_E_NOMEM;
	st->n_buckets += r->durations.n - before;
	st->spans++;
	r->spans++;
	r->calls = span__plus(r->calls, weight);
	if (span_is_error(s))
		r->errors = span__plus(r->errors, weight);
	r->min_ns = ns < r->min_ns ? ns : r->min_ns;
	r->max_ns = ns > r->max_ns ? ns : r->max_ns;
	add_sum(r, weighted(ns, weight));
	if (st->o.n_bounds || st->o.exemplars)
		put_histogram(st, i, s, weight);
	return 0;
}

/* FROM with counts of WEIGHT each, as st->scaled. */
static int scale(struct span_stats *st, const struct span_sketch *from,
		 uint64_t weight, struct span_error *err)
{
	int rc;

	span_sketch_reset(&st->scaled);
	rc = span_sketch_merge(&st->scaled, from, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < st->scaled.n; i++)
		st->scaled.v[i].count = times(st->scaled.v[i].count, weight);
	st->scaled.count = times(st->scaled.count, weight);
	return 0;
}

/* The group as a row of its own, whose sketch is st->scaled. */
static int row_of_calls(struct span_stats *st, const struct span_store_calls *c,
			struct span_stats_row *out, struct span_error *err)
{
	uint64_t weight = parts_of(st, c->weight);
	int rc = scale(st, c->sketch, weight, err);

	if (rc < 0)
		return rc;
	*out = (struct span_stats_row){
		.spans = c->calls,
		.calls = times(c->calls, weight),
		.errors = c->error ? times(c->calls, weight) : 0,
		.min_ns = UINT64_MAX,
		.durations = st->scaled,
	};
	add_sum(out,
		weighted((span__wide)c->sum_high << 64 | c->sum_low, weight));
	if (st->scaled.n) {
		out->min_ns = span_sketch_lower(st->scaled.v[0].bucket);
		out->max_ns = span_sketch_lower(
			st->scaled.v[st->scaled.n - 1].bucket);
	}
	return 0;
}

int span_stats_put_calls(struct span_stats *st, const struct span_str *labels,
			 const struct span_store_calls *c,
			 struct span_error *err)
{
	struct span_stats_row group;
	uint32_t i;
	int rc = row_of_calls(st, c, &group, err);

	if (rc < 0)
		return rc;
	if (span__stats_find(st, labels, st->o.width_ns ? c->start_ns : 0, &i) <
	    0)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return span__stats_add_row(st, i, &group, err);
}

int span__stats_add_row(struct span_stats *st, uint32_t i,
			const struct span_stats_row *from,
			struct span_error *err)
{
	struct span_stats_row *r;
	size_t before;
	int rc;

	if (i == NONE) {
		st->left_out = span__plus(st->left_out, from->spans);
		return 0;
	}
	r = span__stats_row(st, i);
	before = r->durations.n;
	rc = span_stats_add(r, from, err);
	st->n_buckets += r->durations.n - before;
	st->spans = span__plus(st->spans, from->spans);
	return rc;
}

int span_stats_add(struct span_stats_row *to, const struct span_stats_row *from,
		   struct span_error *err)
{
	to->spans = span__plus(to->spans, from->spans);
	to->calls = span__plus(to->calls, from->calls);
	to->errors = span__plus(to->errors, from->errors);
	to->min_ns = from->min_ns < to->min_ns ? from->min_ns : to->min_ns;
	to->max_ns = from->max_ns > to->max_ns ? from->max_ns : to->max_ns;
	add_sum(to, span__stats_sum(from));
	return span_sketch_merge(&to->durations, &from->durations, err);
}
