/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first traces by an order of whole traces, of which few are put together.
 *
 * Columns bound what orders a trace from above: spans that are stored twice
 * count twice, and several places may have some of it each. Traces are judged
 * from the highest bound down until there are enough that no other one can be
 * before. Where most traces match it takes no more than a few of the best of
 * all; else it is those of the candidates, which a scan finds. When hardly any
 * of these match either, a walk through all of them is shorter.
 */
#include <string.h>

#include "base/id.h"
#include "query/search_store.h"
#include "store/store_traces.h"

#include "base/banned.h"

#define MAX_LIMIT 4096u
#define FEW 256u    /* candidates that are all judged */
#define AT_ONCE 64u /* at first, then twice as many */
#define TRIES 2u    /* with candidates, MORE times as many */
#define MORE 8u

/* What several places have of a trace. */
struct bound {
	uint64_t start_ns, end_ns, n_spans, n_errors;
};

struct best {
	struct span_search *s;
	const struct span__ids *of; /* candidates; NULL: all traces */
	struct span__ids ids;	    /* the best, by their bounds */
	uint64_t keep;		    /* how many */
	uint64_t floor;		    /* what is below is not among them */
	bool dropped;		    /* there are others */
	struct span__ids parts;	    /* traces in several places */
	struct span_buf bounds;	    /* struct bound, of each */
	struct span__ids results;
};

static uint64_t key_of(const struct span_search *s, const struct bound *b)
{
	switch (s->o.sort) {
	case SPAN_SORT_START:
		return UINT64_MAX - b->start_ns;
	case SPAN_SORT_DURATION:
		return b->end_ns - b->start_ns;
	case SPAN_SORT_SPANS:
		return b->n_spans;
	default:
		return b->n_errors;
	}
}

static unsigned want_of(const struct span_search *s)
{
	bool times =
		s->o.sort == SPAN_SORT_START || s->o.sort == SPAN_SORT_DURATION;

	return TRACES_PARTS | (times ? TRACES_TIMES : TRACES_SIZES);
}

static int put(struct best *b, const uint8_t id[16], uint64_t key,
	       struct span_error *err)
{
	int rc;

	if (key < b->floor || (b->of && !span__ids_has(b->of, id)))
		return 0;
	rc = span__ids_put(&b->ids, id, key, err);
	if (rc < 0 || b->ids.n < 4 * b->keep)
		return rc < 0 ? rc : 0;
	b->dropped |= span__ids_order(&b->ids, b->keep);
	b->floor = b->ids.v[b->ids.n - 1].key;
	return 0;
}

static int put_part(struct best *b, const uint8_t id[16],
		    const struct bound *part, struct span_error *err)
{
	struct bound *all;
	int rc;

	if (b->of && !span__ids_has(b->of, id))
		return 0;
	rc = span__ids_put(&b->parts, id, 0, err);
	if (rc > 0)
		span_buf_put(&b->bounds, part, sizeof(*part));
	if (b->bounds.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (rc)
		return rc < 0 ? rc : 0;
	all = (struct bound *)(void *)b->bounds.p +
	      (span__ids_get(&b->parts, id) - b->parts.v);
	if (part->start_ns < all->start_ns)
		all->start_ns = part->start_ns;
	if (part->end_ns > all->end_ns)
		all->end_ns = part->end_ns;
	all->n_spans += part->n_spans;
	all->n_errors += part->n_errors;
	return 0;
}

static int see(void *arg, const struct span__traces *t, struct span_error *err)
{
	struct best *b = arg;
	int rc = 0;

	for (size_t i = 0; i < t->n && !rc; i++) {
		const struct bound bound = {t->start_ns[i], t->end_ns[i],
					    t->n_spans[i], t->n_errors[i]};
		uint64_t key = key_of(b->s, &bound);
		uint8_t id[16];

		if (key < b->floor && !t->in_parts[i]) {
			b->dropped = true;
			continue;
		}
		span__trace_id_put(id, t->high[i], t->low[i]);
		rc = t->in_parts[i] ? put_part(b, id, &bound, err)
				    : put(b, id, key, err);
	}
	return rc;
}

/* Fill b->ids: 1, 0 when the store does not tell, or a negative code. */
static int gather(struct best *b, struct span_error *err)
{
	const struct bound *v;
	int rc =
		span__store_traces(b->s->store->st, want_of(b->s), see, b, err);

	v = (const struct bound *)(const void *)b->bounds.p;
	for (size_t i = 0; i < b->parts.n && rc > 0; i++) {
		uint64_t key = key_of(b->s, &v[i]);

		b->dropped |= key < b->floor;
		if (put(b, b->parts.v[i].id, key, err) < 0)
			rc = SPAN_E_NOMEM;
	}
	b->dropped |= span__ids_order(&b->ids, b->keep);
	return rc;
}

static bool is_before(const struct span__ranked_id *a,
		      const struct span__ranked_id *b)
{
	return a->key != b->key ? a->key > b->key
				: memcmp(a->id, b->id, sizeof(a->id)) < 0;
}

/*
 * Judge those at V, which are in order, until the results are certain: 1; 0
 * when they are all that is known, and some may be missing.
 */
static int judge(struct best *b, const struct span__ranked_id *v, size_t n,
		 struct span_error *err)
{
	uint64_t enough = b->s->o.limit + 1; /* one more tells of more */
	size_t at = 0;

	for (size_t some = AT_ONCE;; some *= 2) {
		size_t end = n - at < some ? n : at + some;

		for (; at < end; at++) {
			struct span_trace t;
			int rc = span__search_fetch(b->s, v + at, end - at, &t,
						    err);

			if (rc > 0)
				rc = span__ids_put(
					&b->results, t.trace_id,
					span__search_key(b->s, &t,
							 (const uint8_t *)b->s
								 ->matched.p),
					err);
			if (rc < 0)
				return rc;
		}
		span__ids_order(&b->results, enough);
		if (at < n && b->results.n == enough &&
		    is_before(&b->results.v[enough - 1], &v[at]))
			return 1;
		if (at == n)
			return !b->dropped ||
			       (b->results.n == enough &&
				!is_before(&v[n - 1],
					   &b->results.v[enough - 1]));
	}
}

static int open_best(struct best *b, struct span_error *err)
{
	int rc = span__ids_init(&b->ids, err);

	if (!rc)
		rc = span__ids_init(&b->parts, err);
	return rc < 0 ? rc : span__ids_init(&b->results, err);
}

static void release(struct best *b)
{
	span__ids_release(&b->ids);
	span__ids_release(&b->parts);
	span__ids_release(&b->results);
	span_buf_release(&b->bounds);
}

static void take_results(struct best *b)
{
	struct span_search *s = b->s;

	span__ids_release(&s->ids);
	s->ids = b->results;
	b->results = (struct span__ids){0};
	s->more |= span__ids_order(&s->ids, s->o.limit);
	s->ready = true;
}

enum { MISSING = 2 };

/* The best KEEP of OF: 1, MISSING, 0 when the store does not tell, or a code.
 */
static int try_best(struct span_search *s, const struct span__ids *of,
		    uint64_t keep, struct span_error *err)
{
	struct best b = {.s = s, .of = of, .keep = keep};
	int rc = open_best(&b, err);

	if (!rc)
		rc = gather(&b, err);
	if (rc > 0) {
		rc = judge(&b, b.ids.v, b.ids.n, err);
		if (rc > 0)
			take_results(&b);
		else if (!rc)
			rc = MISSING;
	}
	release(&b);
	return rc;
}

/* All of the few candidates in s->ids. */
static int try_few(struct span_search *s, struct span_error *err)
{
	struct best b = {.s = s};
	int rc = open_best(&b, err);

	for (size_t i = 0; i < s->ids.n; i++)
		s->ids.v[i].key = UINT64_MAX;
	span__ids_order(&s->ids, 0);
	if (!rc)
		rc = judge(&b, s->ids.v, s->ids.n, err);
	if (rc > 0)
		take_results(&b);
	release(&b);
	return rc;
}

bool span__best_can(const struct span_search *s)
{
	return s->o.limit && s->o.limit <= MAX_LIMIT &&
	       s->o.sort >= SPAN_SORT_START && !s->q->n_ids && !s->given;
}

int span__find_best(struct span_search *s, struct span_error *err)
{
	uint64_t keep = FEW + 2 * s->o.limit;
	int rc = span__scan_some(s, s->q->range.since_ns, FEW, err);
	bool told;

	if (rc < 0)
		return rc;
	if (rc > 0)
		return try_few(s, err);
	rc = try_best(s, NULL, keep, err);
	if (rc < 0 || rc == 1)
		return rc;
	told = rc == MISSING;
	span__ids_clear(&s->ids);
	rc = span__scan_since(s, s->q->range.since_ns, err);
	for (unsigned i = 0; i < TRIES && told && !rc; i++) {
		rc = try_best(s, &s->ids, keep, err);
		told = rc == MISSING;
		if (told)
			rc = 0;
		keep *= MORE;
	}
	return rc;
}
