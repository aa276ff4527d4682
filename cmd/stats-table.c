/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statistics for people: a line a group, texts to the left, numbers to the
 * right, and with buckets of time a small picture of the calls.
 */
#include "stats-out.h"

#include <string.h>

#include "base/banned.h"

#define GAP 2u
#define WIDE 100u      /* columns from which everything is shown */
#define VERY_WIDE 140u /* and a second picture */
#define BAR 24u

struct column {
	const char *title; /* NULL: a quantile */
	size_t width;
	size_t from; /* columns of the terminal that it wants */
	void (*put)(struct span_buf *b, const struct stats_out *o,
		    const struct stats_group *g);
};

static void put_calls(struct span_buf *b, const struct stats_out *o,
		      const struct stats_group *g)
{
	(void)o;
	span_text_count(b,
			(g->total.calls + SPAN_STATS_ONE / 2) / SPAN_STATS_ONE);
}

static void put_rate(struct span_buf *b, const struct stats_out *o,
		     const struct stats_group *g)
{
	double rate = stats_rate(&g->total, stats_seconds(o));

	span_buf_printf(b,
			rate < 0.0095 ? "%.1e/s"
			: rate < 99.5 ? "%.2f/s"
				      : "%.0f/s",
			rate);
}

static void put_errors(struct span_buf *b, const struct stats_out *o,
		       const struct stats_group *g)
{
	(void)o;
	span_text_count(b, (g->total.errors + SPAN_STATS_ONE / 2) /
				   SPAN_STATS_ONE);
}

/* What failed is never shown as 0. */
static void put_ratio(struct span_buf *b, const struct stats_out *o,
		      const struct stats_group *g)
{
	double percent = stats_ratio(&g->total) * 100;

	(void)o;
	if (!g->total.errors)
		span_buf_puts(b, "0");
	else if (percent < 0.01)
		span_buf_puts(b, "<0.01%");
	else
		span_buf_printf(b, percent < 10 ? "%.2f%%" : "%.1f%%", percent);
}

static void put_mean(struct span_buf *b, const struct stats_out *o,
		     const struct stats_group *g)
{
	(void)o;
	span_text_duration(b, span_stats_mean_ns(&g->total));
}

static const struct column columns[] = {
	{"calls", 9, 0, put_calls},
	{"rate", 8, 72, put_rate},
	{"errors", 7, WIDE, put_errors},
	{"err %", 6, 0, put_ratio},
	{NULL, 6, 0, NULL},
	{"mean", 6, WIDE, put_mean},
};
#define COLUMNS (sizeof(columns) / sizeof(*columns))

struct layout {
	const struct stats_out *o;
	size_t width[SPAN_STATS_LABELS];
	size_t spark;	 /* columns of a picture */
	size_t n_sparks; /* of them */
	uint64_t first_ns;
	size_t steps;
};

static bool shown(const struct stats_out *o, const struct column *c)
{
	return o->look.columns >= c->from &&
	       !(o->step_ns && o->look.columns < WIDE && c->put == put_rate);
}

/* Columns that numbers and pictures take. */
static size_t fixed_width(const struct layout *l)
{
	const struct stats_out *o = l->o;
	size_t n = l->n_sparks * (l->spark + GAP);

	for (size_t i = 0; i < COLUMNS; i++)
		if (shown(o, &columns[i]))
			n += (columns[i].width + GAP) *
			     (columns[i].title ? 1 : o->n_quantiles);
	return n;
}

/* As wide as their longest text, but not more than a fair share. */
static void set_widths(struct layout *l)
{
	const struct stats_out *o = l->o;
	size_t fixed = fixed_width(l), left = 0;

	if (o->look.columns > fixed)
		left = o->look.columns - fixed;
	for (size_t i = 0; i < o->fields->n; i++) {
		size_t share = left / (o->fields->n - i);
		size_t w = span_text_width(o->fields->v[i].name);

		for (size_t k = 0; k < o->n_groups; k++) {
			size_t n = span_text_width(
				span_stats_label(o->st, o->groups[k].first, i));

			w = n > w ? n : w;
		}
		share = share > 10 ? share - (i ? GAP : 0) : 8;
		l->width[i] = w < share ? w : share;
		left -= left < l->width[i] + GAP ? left : l->width[i] + GAP;
	}
}

static void set_layout(struct layout *l, const struct stats_out *o)
{
	*l = (struct layout){.o = o};
	l->steps = stats_steps(o, &l->first_ns);
	if (l->steps) {
		l->n_sparks = o->look.columns >= VERY_WIDE ? 2 : 1;
		l->spark = o->look.columns >= WIDE ? 24 : 12;
		if (l->spark > l->steps)
			l->spark = l->steps < 5 ? 5 : l->steps;
	}
	set_widths(l);
}

static void put_right(struct span_buf *b, struct span_str text, size_t width)
{
	for (size_t n = text.len; n < width + GAP; n++)
		span_buf_putc(b, ' ');
	span_buf_str(b, text);
}

/* ---- Pictures ---- */

static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄",
				     "▅", "▆", "▇", "█"};
static const char *const plain[] = {" ", ".", ":", "-", "=",
				    "+", "*", "#", "@"};

/* The value of each part of the picture: calls, or the longest p95. */
static void gather(const struct layout *l, const struct stats_group *g,
		   bool latency, double *v)
{
	const struct span_stats *st = l->o->st;

	for (size_t i = 0; i < l->spark; i++)
		v[i] = 0;
	for (size_t i = g->first; i < g->first + g->n; i++) {
		const struct span_stats_row *r = span_stats_row(st, i);
		size_t step =
			(size_t)((r->start_ns - l->first_ns) / l->o->step_ns);
		size_t at =
			l->steps > l->spark ? step * l->spark / l->steps : step;
		double p95 = (double)span_sketch_quantile(&r->durations, 0.95);

		if (!latency)
			v[at] += (double)r->calls;
		else if (p95 > v[at])
			v[at] = p95;
	}
}

static void put_spark(struct span_buf *b, const struct layout *l,
		      const struct stats_group *g, bool latency)
{
	const char *const *level = l->o->look.ascii ? plain : blocks;
	double v[24], top = 0;

	gather(l, g, latency, v);
	for (size_t i = 0; i < l->spark; i++)
		top = v[i] > top ? v[i] : top;
	span_buf_puts(b, "  ");
	for (size_t i = 0; i < l->spark; i++)
		span_buf_puts(b,
			      level[v[i] > 0 ? 1 + (int)(v[i] / top * 7) : 0]);
}

/* ---- Lines ---- */

static void end_line(struct span_buf *b, size_t from)
{
	while (b->len > from && b->p[b->len - 1] == ' ')
		b->len--;
	span_buf_putc(b, '\n');
}

static void put_number(struct span_buf *b, const struct span_buf *text,
		       size_t width)
{
	put_right(b, (struct span_str){text->p, text->len}, width);
}

static void put_head(struct span_buf *b, const struct layout *l)
{
	const struct stats_out *o = l->o;
	size_t from = b->len;

	for (size_t i = 0; i < o->fields->n; i++) {
		span_buf_puts(b, i ? "  " : "");
		span_text_fit(b, o->fields->v[i].name, l->width[i], true);
	}
	for (size_t i = 0; i < COLUMNS; i++) {
		struct span_buf name = {0};

		if (!shown(o, &columns[i]))
			continue;
		for (size_t k = 0; !columns[i].title && k < o->n_quantiles;
		     k++) {
			name.len = 0;
			stats_quantile_name(&name, o->quantiles[k]);
			put_number(b, &name, columns[i].width);
		}
		if (columns[i].title)
			put_right(b, span_str(columns[i].title),
				  columns[i].width);
		span_buf_release(&name);
	}
	if (l->n_sparks)
		span_buf_printf(b, "  %-*s", (int)l->spark, "calls");
	if (l->n_sparks > 1)
		span_buf_puts(b, "  p95");
	end_line(b, from);
}

static void put_numbers(struct span_buf *b, const struct layout *l,
			const struct stats_group *g)
{
	const struct stats_out *o = l->o;
	struct span_buf text = {0};

	for (size_t i = 0; i < COLUMNS; i++) {
		const struct column *c = &columns[i];

		if (!shown(o, c))
			continue;
		for (size_t k = 0; !c->title && k < o->n_quantiles; k++) {
			text.len = 0;
			span_text_duration(
				&text, span_sketch_quantile(&g->total.durations,
							    o->quantiles[k]));
			put_number(b, &text, c->width);
		}
		if (!c->title)
			continue;
		text.len = 0;
		c->put(&text, o, g);
		put_number(b, &text, c->width);
	}
	b->failed |= text.failed;
	span_buf_release(&text);
}

static void put_group(struct span_buf *b, const struct layout *l,
		      const struct stats_group *g)
{
	const struct stats_out *o = l->o;
	size_t from = b->len;

	for (size_t i = 0; i < o->fields->n; i++) {
		span_buf_puts(b, i ? "  " : "");
		span_text_fit(b, span_stats_label(o->st, g->first, i),
			      l->width[i], true);
	}
	put_numbers(b, l, g);
	for (size_t i = 0; i < l->n_sparks; i++)
		put_spark(b, l, g, i);
	end_line(b, from);
}

/* ---- Histograms ---- */

static void put_bar(struct span_buf *b, const struct stats_out *o, uint64_t n,
		    uint64_t top)
{
	size_t len = top ? (size_t)((double)n / (double)top * BAR + 0.5) : 0;

	if (n && !len)
		len = 1;
	for (size_t i = 0; i < len; i++)
		span_buf_puts(b, o->look.ascii ? "#" : "█");
}

static void put_histogram(struct span_buf *b, const struct stats_out *o,
			  const struct stats_group *g)
{
	const struct span_stats_opts *opts = span_stats_opts(o->st);
	uint64_t counts[SPAN_STATS_BOUNDS + 1] = {0}, top = 0;

	for (size_t i = g->first; i < g->first + g->n; i++)
		for (size_t k = 0; k <= opts->n_bounds; k++)
			counts[k] += span_stats_histogram(o->st, i)[k];
	for (size_t k = 0; k <= opts->n_bounds; k++)
		top = counts[k] > top ? counts[k] : top;
	for (size_t k = 0; k <= opts->n_bounds; k++) {
		struct span_buf text = {0};
		size_t from = b->len;

		span_buf_puts(&text, k < opts->n_bounds ? "<= " : "> ");
		span_text_duration(
			&text, opts->bounds[k < opts->n_bounds ? k : k - 1]);
		span_buf_printf(b, "  %10.*s  ", (int)text.len, text.p);
		text.len = 0;
		span_text_count(&text, counts[k] / SPAN_STATS_ONE);
		span_buf_printf(b, "%9.*s  ", (int)text.len, text.p);
		put_bar(b, o, counts[k], top);
		end_line(b, from);
		span_buf_release(&text);
	}
}

void stats_out_table(struct span_buf *b, const struct stats_out *o)
{
	struct layout l;

	if (!o->n_groups)
		return;
	set_layout(&l, o);
	put_head(b, &l);
	for (size_t i = 0; i < o->n_groups; i++) {
		put_group(b, &l, &o->groups[i]);
		if (span_stats_opts(o->st)->n_bounds)
			put_histogram(b, o, &o->groups[i]);
	}
}
