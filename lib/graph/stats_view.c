/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/stats.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

uint64_t span_stats_spans(const struct span_stats *st)
{
	return st->spans;
}

uint64_t span_stats_left_out(const struct span_stats *st)
{
	return st->left_out;
}

void span_stats_widen(struct span_stats *st, uint64_t from_ns, uint64_t to_ns)
{
	if (!st->timed || from_ns < st->from_ns)
		st->from_ns = from_ns;
	if (!st->timed || to_ns > st->to_ns)
		st->to_ns = to_ns;
	st->timed = true;
}

void span_stats_times(const struct span_stats *st, uint64_t *from_ns,
		      uint64_t *to_ns)
{
	*from_ns = st->from_ns;
	*to_ns = st->to_ns;
}

const struct span_stats_opts *span_stats_opts(const struct span_stats *st)
{
	return &st->o;
}

/* What is sorted: a row with whom to ask for its texts. */
struct place {
	const struct span_stats *st;
	uint32_t row;
};

static int compare(const void *x, const void *y)
{
	const struct place *a = x, *b = y;
	const struct span_stats *st = a->st;
	const uint32_t *i = span__stats_ids(st, a->row);
	const uint32_t *k = span__stats_ids(st, b->row);
	uint64_t at, bt;

	for (size_t n = 0; n < st->o.n_labels; n++)
		if (i[n] != k[n])
			return span_str_compare(span__stats_text(st, i[n]),
						span__stats_text(st, k[n]));
	at = span__stats_row(st, a->row)->start_ns;
	bt = span__stats_row(st, b->row)->start_ns;
	return at < bt ? -1 : at > bt;
}

int span_stats_sort(struct span_stats *st, struct span_error *err)
{
	struct place *v;

	st->order.len = 0;
	v = span__append_zeros(&st->order, st->by_key.n * sizeof(*v));
	if (!v)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	for (uint32_t i = 0; i < st->by_key.n; i++)
		v[i] = (struct place){st, i};
	qsort(v, st->by_key.n, sizeof(*v), compare);
	return 0;
}

static uint32_t number(const struct span_stats *st, size_t i)
{
	return ((const struct place *)st->order.p)[i].row;
}

size_t span_stats_rows(const struct span_stats *st)
{
	return st->by_key.n;
}

const struct span_stats_row *span_stats_row(const struct span_stats *st,
					    size_t i)
{
	return span__stats_row(st, number(st, i));
}

struct span_str span_stats_label(const struct span_stats *st, size_t i,
				 size_t label)
{
	return span__stats_text(st, span__stats_ids(st, number(st, i))[label]);
}

const uint64_t *span_stats_histogram(const struct span_stats *st, size_t i)
{
	return span__stats_counts(st, number(st, i));
}

const struct span_stats_exemplar *
span_stats_exemplars(const struct span_stats *st, size_t i)
{
	return span__stats_exemplars(st, number(st, i));
}

uint64_t span_stats_mean_ns(const struct span_stats_row *r)
{
	span__wide mean = r->calls ? span__stats_sum(r) / r->calls : 0;

	return mean > UINT64_MAX ? UINT64_MAX : (uint64_t)mean;
}

double span_stats_sum_ns(const struct span_stats_row *r)
{
	return (double)span__stats_sum(r) / SPAN_STATS_ONE;
}
