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

struct judged {
	struct span_pattern is;
	uint64_t traces; /* the same for what is in the very same traces */
	/* The first of these by text, as that number depends on chance. */
	const struct pattern_item *item, *first;
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
		.item = p,
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

static int compare_numbers(const struct span_pattern *a,
			   const struct span_pattern *b)
{
	if (a->p < b->p || a->p > b->p)
		return a->p < b->p ? -1 : 1;
	if (a->odds_low < b->odds_low || a->odds_low > b->odds_low)
		return a->odds_low > b->odds_low ? -1 : 1;
	return 0;
}

static int compare_text(const struct pattern_item *a,
			const struct pattern_item *b)
{
	struct span_str key_a = a->key->key, key_b = b->key->key;
	int rc;

	/* Of those that are alike a tag says more than an operation. */
	if (!key_a.len != !key_b.len)
		return key_a.len ? -1 : 1;
	if ((rc = span_str_compare(a->key->service, b->key->service)) ||
	    (rc = span_str_compare(key_a, key_b)))
		return rc;
	return span_str_compare(a->value, b->value);
}

/* What is alike side by side. */
static int compare_traces(const void *pa, const void *pb)
{
	const struct judged *a = pa, *b = pb;
	int rc = compare_numbers(&a->is, &b->is);

	if (rc)
		return rc;
	if (a->traces != b->traces)
		return a->traces < b->traces ? -1 : 1;
	return compare_text(a->item, b->item);
}

static int compare(const void *pa, const void *pb)
{
	const struct judged *a = pa, *b = pb;
	int rc = compare_numbers(&a->is, &b->is);

	if (!rc)
		rc = compare_text(a->first, b->first);
	return rc ? rc : compare_text(a->item, b->item);
}

static bool is_alike(const struct judged *a, const struct judged *b)
{
	return a->traces == b->traces && a->is.failing == b->is.failing &&
	       a->is.rest == b->is.rest;
}

static void sort(struct judged *v, size_t n)
{
	qsort(v, n, sizeof(*v), compare_traces);
	for (size_t i = 0; i < n; i++)
		v[i].first = i && is_alike(&v[i - 1], &v[i]) ? v[i - 1].first
							     : v[i].item;
	qsort(v, n, sizeof(*v), compare);
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
		if (is_alike(&v[first], &v[i])) {
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
	sort(all, n);
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
	if (!judge_all(s, v) || !span__clusters_view(s, v))
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	return 0;
}
