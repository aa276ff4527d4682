/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matching spans alone. The first ones in an order are looked for where they
 * have to be: in the first or last part of the time, or among the longest, and
 * in more of it as long as there are too few.
 */
#include <stdlib.h>
#include <string.h>

#include "query/search_store.h"

#include "base/banned.h"

#define LONG_NS (UINT64_C(1) << 42) /* spans that take longer are rare */

/* What is looked at: all of it at last. */
struct part {
	struct span__look look;
	uint64_t least_ns;	 /* duration */
	unsigned n_some, n_none; /* parts that had some matches, but too few */
};

/*
 * A cursor over the spans of the traces whose ids were typed: 1, 0 when there
 * are none, or a negative code.
 */
static int open_ids(struct span_search *s, struct span_error *err)
{
	struct span__store_search *ss = s->store;
	int rc = span__search_resolve(s, err);

	if (rc < 0 || !s->ids.n)
		return rc;
	ss->typed = calloc(s->ids.n, sizeof(*ss->typed));
	if (!ss->typed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	span__ids_order(&s->ids, 0);
	for (size_t i = 0; i < s->ids.n; i++)
		memcpy(ss->typed[i], s->ids.v[i].id, 16);
	rc = span_store_find(ss->st, (const uint8_t(*)[16])ss->typed, s->ids.n,
			     &ss->spans, err);
	return rc < 0 ? rc : 1;
}

static int keep_matches(struct span_search *s, struct span_error *err)
{
	struct span sp;
	int rc;

	while ((rc = span__scan_match(s, &sp, err)) > 0) {
		rc = span__keep_put(s, &sp, err);
		if (rc < 0)
			break;
	}
	span_cursor_close(&s->store->spans);
	return rc;
}

static int first_part(struct span_search *s, struct part *p,
		      struct span_error *err)
{
	*p = (struct part){.least_ns = LONG_NS};
	if (s->o.sort == SPAN_SORT_DURATION)
		return 0;
	return span__look_init(&p->look, s->store->st, &s->q->range, err);
}

/* Open a scan of the part: 1 when it is all there is, 0, or a negative code. */
static int open_part(struct span_search *s, const struct part *p,
		     struct span_error *err)
{
	const struct span_range *r = &s->q->range;
	const struct span__look *l = &p->look;
	uint64_t since = span__look_since(l, r);
	bool all = since == r->since_ns;
	int rc;

	s->store->until = s->store->least_ns = 0;
	if (s->o.sort == SPAN_SORT_START) {
		since = r->since_ns;
		s->store->until = all ? 0 : l->low + l->width;
	} else if (s->o.sort == SPAN_SORT_DURATION) {
		all = p->least_ns <= r->min_duration_ns;
		since = r->since_ns;
		s->store->least_ns = all ? 0 : p->least_ns;
	}
	rc = span__scan_open(s, since, false, err);
	return rc < 0 ? rc : all;
}

/*
 * There were N in it. Most spans are about equally short: each step is larger
 * than the one before, so that all are looked at after a few.
 */
static void widen(struct part *p, uint64_t n, uint64_t limit)
{
	span__look_further(&p->look, n, limit);
	p->least_ns >>= n ? 2u << p->n_some++ : 3 + p->n_none++;
}

static int keep_first(struct span_search *s, struct span_error *err)
{
	struct part p;
	int rc = first_part(s, &p, err);

	while (rc >= 0) {
		int all = open_part(s, &p, err);

		rc = all < 0 ? all : keep_matches(s, err);
		if (rc < 0 || all || s->keep.arrivals > s->o.limit)
			break;
		widen(&p, s->keep.arrivals, s->o.limit);
		span__keep_release(&s->keep);
		s->more = false;
	}
	return rc;
}

/* The same over all that may match. */
static int open_all(struct span_search *s, struct span_error *err)
{
	int rc;

	if (s->store->spans)
		return 1;
	if (s->q->n_ids)
		return open_ids(s, err);
	rc = span__scan_open(s, s->q->range.since_ns, false, err);
	return rc < 0 ? rc : 1;
}

int span__store_next_span(struct span_search *s, struct span *out,
			  struct span_error *err)
{
	int rc = 0;

	if (!span__search_holds(s)) {
		rc = open_all(s, err);
		return rc <= 0 ? rc : span__scan_match(s, out, err);
	}
	if (!s->ready && s->o.limit && !s->q->n_ids) {
		rc = keep_first(s, err);
	} else if (!s->ready) {
		rc = open_all(s, err);
		if (rc > 0)
			rc = keep_matches(s, err);
	}
	if (rc < 0)
		return rc;
	s->ready = true;
	return span__keep_next(s, out);
}
