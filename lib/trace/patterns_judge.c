/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of the things that were counted are told. All that are frequent
 * enough are tested, failing or not, as the correction for many tests has to
 * know of those that show nothing.
 */
#include <stdlib.h>

#include "base/significance.h"
#include "trace/patterns_state.h"

#include "base/banned.h"

/* With what decides whether two are in the very same traces. */
struct judged {
	struct span_pattern is;
	uint64_t traces;
};

static bool is_tested(const struct span_patterns *s,
		      const struct pattern_item *p)
{
	return p && p->key->n_values <= SPAN_PATTERN_VALUES &&
	       p->failing + p->rest >= s->o.min_support;
}

static struct judged judge(const struct span_patterns *s,
			   const struct pattern_item *p)
{
	struct span__odds odds =
		span__odds_ratio(p->failing, s->failing, p->rest, s->rest);
	double have = (double)(p->failing + p->rest);
	double all = (double)(s->failing + s->rest);
	struct judged j = {
		.traces = p->traces,
		.is = {.service = p->key->service,
		       .key = p->key->key,
		       .value = p->value,
		       .failing = p->failing,
		       .rest = p->rest,
		       .odds = odds.ratio,
		       .odds_low = odds.low,
		       .odds_high = odds.high},
	};

	j.is.p = span__fisher_greater(p->failing, s->failing, p->rest, s->rest);
	if (s->failing)
		j.is.lift = ((double)p->failing / have) /
			    ((double)s->failing / all);
	return j;
}

static int compare_text(const struct span_pattern *a,
			const struct span_pattern *b)
{
	int rc;

	/* Of those that are alike a tag says more than an operation. */
	if (!a->key.len != !b->key.len)
		return a->key.len ? -1 : 1;
	if ((rc = span_str_compare(a->service, b->service)) ||
	    (rc = span_str_compare(a->key, b->key)))
		return rc;
	return span_str_compare(a->value, b->value);
}

static int compare(const void *pa, const void *pb)
{
	const struct judged *a = pa, *b = pb;

	if (a->is.p < b->is.p || a->is.p > b->is.p)
		return a->is.p < b->is.p ? -1 : 1;
	if (a->is.odds_low < b->is.odds_low || a->is.odds_low > b->is.odds_low)
		return a->is.odds_low > b->is.odds_low ? -1 : 1;
	if (a->traces != b->traces)
		return a->traces < b->traces ? -1 : 1;
	return compare_text(&a->is, &b->is);
}

static bool correct(struct judged *v, size_t n)
{
	double *p = calloc(n + 1, sizeof(*p));

	if (!p)
		return false;
	for (size_t i = 0; i < n; i++)
		p[i] = v[i].is.p;
	span__false_discovery(p, n, n);
	for (size_t i = 0; i < n; i++)
		v[i].is.q = p[i];
	free(p);
	return true;
}

static void mark_alike(struct judged *v, size_t n)
{
	for (size_t first = 0, i = 1; i < n; i++) {
		if (v[i].traces == v[first].traces &&
		    v[i].is.failing == v[first].is.failing &&
		    v[i].is.rest == v[first].is.rest) {
			v[first].is.alike++;
			v[i].is.is_alike = true;
		} else {
			first = i;
		}
	}
}

static size_t choose(const struct span_patterns *s, struct judged *v, size_t n,
		     struct span_pattern *out)
{
	size_t told = 0, kept = 0;

	for (size_t i = 0; i < n; i++)
		if (v[i].is.q <= s->o.max_q &&
		    v[i].is.failing >= s->o.min_support && v[i].is.lift > 1)
			v[told++] = v[i];
	mark_alike(v, told);
	for (; kept < told; kept++)
		out[kept] = v[kept].is;
	return kept;
}

static void count_identifiers(const struct span_patterns *s,
			      struct span_patterns_view *v)
{
	for (size_t i = 0; i < 2 * PATTERN_KEYS; i++)
		v->identifiers += s->keys[i] &&
				  s->keys[i]->n_values > SPAN_PATTERN_VALUES;
}

static bool judge_all(struct span_patterns *s, struct span_patterns_view *v)
{
	struct judged *all = calloc(s->n_items + 1, sizeof(*all));
	size_t n = 0;
	bool good = false;

	free(s->patterns);
	s->patterns = calloc(s->n_items + 1, sizeof(*s->patterns));
	if (!all || !s->patterns)
		goto done;
	for (size_t i = 0; i < 2 * SPAN_PATTERN_ITEMS; i++)
		if (is_tested(s, s->items[i]))
			all[n++] = judge(s, s->items[i]);
	qsort(all, n, sizeof(*all), compare);
	good = correct(all, n);
	v->judged = n;
	if (good && s->failing)
		v->n_patterns = choose(s, all, n, s->patterns);
	v->patterns = s->patterns;
done:
	free(all);
	return good;
}

int span_patterns_view(struct span_patterns *s, struct span_patterns_view *v,
		       struct span_error *err)
{
	*v = (struct span_patterns_view){.failing = s->failing,
					 .rest = s->rest,
					 .left_out = s->left_out};
	count_identifiers(s, v);
	if (!judge_all(s, v) || !span__timeouts_view(s, v))
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	return 0;
}
