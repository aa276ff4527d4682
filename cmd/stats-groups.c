/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of all times as groups, in the order in which they are shown. */
#include "stats-out.h"

#include <stdlib.h>

#include "base/banned.h"

static bool same_labels(const struct stats_out *o, size_t a, size_t b)
{
	for (size_t i = 0; i < o->fields->n; i++)
		if (!span_str_equal(span_stats_label(o->st, a, i),
				    span_stats_label(o->st, b, i)))
			return false;
	return true;
}

/* Of compare(), which qsort(3) calls. */
static enum stats_order sort_order;
static double sort_latency;

static double key_of(const struct span_stats_row *r)
{
	switch (sort_order) {
	case STATS_BY_CALLS:
		return (double)r->calls;
	case STATS_BY_ERRORS:
		return (double)r->errors;
	case STATS_BY_RATIO:
		return stats_ratio(r);
	case STATS_BY_LATENCY:
		return (double)span_sketch_quantile(&r->durations,
						    sort_latency);
	default:
		return 0;
	}
}

/* Large ones first; equal ones as they were, which is by name. */
static int compare(const void *a, const void *b)
{
	const struct stats_group *x = a, *y = b;
	double p = key_of(&x->total), q = key_of(&y->total);

	if (p != q)
		return p > q ? -1 : 1;
	return x->first < y->first ? -1 : 1;
}

static int gather(struct stats_out *o, struct span_error *err)
{
	size_t rows = span_stats_rows(o->st);

	for (size_t i = 0; i < rows; i++) {
		const struct span_stats_row *r = span_stats_row(o->st, i);
		struct stats_group *g = o->groups + o->n_groups;

		if (!i || !same_labels(o, i, i - 1)) {
			*g = (struct stats_group){.first = i};
			g->total.min_ns = UINT64_MAX;
			o->n_groups++;
		} else {
			g--;
		}
		g->n++;
		if (span_stats_add(&g->total, r, err) < 0)
			return SPAN_E_NOMEM;
		o->full |= g->total.calls == UINT64_MAX;
	}
	return 0;
}

int stats_groups(struct stats_out *o, enum stats_order order, uint64_t top,
		 struct span_error *err)
{
	int rc = span_stats_sort(o->st, err);

	o->groups = calloc(span_stats_rows(o->st) + 1, sizeof(*o->groups));
	if (!o->groups)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (!rc)
		rc = gather(o, err);
	if (rc < 0)
		return rc;
	sort_order = order;
	sort_latency = o->latency;
	qsort(o->groups, o->n_groups, sizeof(*o->groups), compare);
	while (top && o->n_groups > top) {
		span_sketch_release(&o->groups[--o->n_groups].total.durations);
		o->n_hidden++;
	}
	return 0;
}

void stats_groups_release(struct stats_out *o)
{
	for (size_t i = 0; i < o->n_groups; i++)
		span_sketch_release(&o->groups[i].total.durations);
	free(o->groups);
	o->groups = NULL;
	o->n_groups = 0;
}

double stats_seconds(const struct stats_out *o)
{
	uint64_t ns = o->to_ns > o->from_ns ? o->to_ns - o->from_ns : 1;

	return (double)ns / 1e9;
}

double stats_rate(const struct span_stats_row *r, double seconds)
{
	return (double)r->calls / SPAN_STATS_ONE / seconds;
}

double stats_ratio(const struct span_stats_row *r)
{
	return r->calls ? (double)r->errors / (double)r->calls : 0;
}

const char *stats_figure_name(enum stats_value figure)
{
	static const char *const names[] = {"mean", "min", "max", "sum"};

	return names[figure - STATS_MEAN];
}

/* 2^64 ns are 2^16 of the higher half of the sum. */
static uint64_t sum_ns(const struct span_stats_row *r)
{
	if (r->sum_high >= SPAN_STATS_ONE)
		return UINT64_MAX;
	return r->sum_high << 48 | r->sum_low >> 16;
}

uint64_t stats_figure_ns(const struct span_stats_row *r,
			 enum stats_value figure)
{
	switch (figure) {
	case STATS_MIN:
		return r->min_ns;
	case STATS_MAX:
		return r->max_ns;
	case STATS_SUM:
		return sum_ns(r);
	default:
		return span_stats_mean_ns(r);
	}
}

void stats_quantile_name(struct span_buf *b, double q)
{
	span_buf_printf(b, "p%.10g", q * 100);
}

void stats_count(struct span_buf *b, uint64_t count)
{
	if (count % SPAN_STATS_ONE)
		span_text_double(b, (double)count / SPAN_STATS_ONE);
	else
		span_text_uint(b, count / SPAN_STATS_ONE);
}

void stats_count_rounded(struct span_buf *b, uint64_t count)
{
	span_text_count(b, count / SPAN_STATS_ONE + (count % SPAN_STATS_ONE >=
						     SPAN_STATS_ONE / 2));
}

size_t stats_steps(const struct stats_out *o, uint64_t *first_ns)
{
	uint64_t first = UINT64_MAX, last = 0;

	for (size_t i = 0; i < o->n_groups; i++) {
		const struct stats_group *g = &o->groups[i];
		uint64_t a = span_stats_row(o->st, g->first)->start_ns;
		uint64_t z =
			span_stats_row(o->st, g->first + g->n - 1)->start_ns;

		first = a < first ? a : first;
		last = z > last ? z : last;
	}
	*first_ns = first;
	if (!o->n_groups || !o->step_ns)
		return 0;
	last = (last - first) / o->step_ns;
	return (size_t)(last < SIZE_MAX ? last + 1 : last);
}

uint64_t stats_steps_end(const struct stats_out *o, uint64_t first_ns,
			 size_t steps)
{
	uint64_t end;

	if (__builtin_mul_overflow(steps, o->step_ns, &end) ||
	    __builtin_add_overflow(first_ns, end, &end))
		return UINT64_MAX;
	return end;
}

size_t stats_part(const struct stats_out *o, uint64_t start_ns,
		  uint64_t first_ns, size_t steps, size_t n)
{
	size_t step = (size_t)((start_ns - first_ns) / o->step_ns);
	size_t part = step;

	if (steps > n)
		part = (size_t)((double)step / (double)steps * (double)n);
	return part < n ? part : n - 1;
}

#define PIECE 65536u

bool stats_drain_all(struct span_buf *b, const struct stats_out *o)
{
	struct stats_sink *to = o->sink;

	if (!to->rc && b->failed)
		to->rc = span_error_set(to->err, SPAN_E_NOMEM, "memory is out");
	if (!to->rc)
		to->rc = span_write_all(to->fd, b->p, b->len, to->err);
	b->len = 0;
	return !to->rc;
}

bool stats_drain(struct span_buf *b, const struct stats_out *o)
{
	return b->len < PIECE ? !o->sink->rc : stats_drain_all(b, o);
}
