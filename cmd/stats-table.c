/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statistics for people: a line a group, texts to the left, numbers to the
 * right, and with buckets of time a small picture of the calls.
 */
#include "stats-out.h"

#include "base/banned.h"

#define GAP 2u
#define WIDE 100u      /* columns from which everything is shown */
#define VERY_WIDE 140u /* and a second picture */
#define SPARK 24u      /* columns of a picture, at most */
#define NARROW 10u     /* columns of a text, which the rate would take */

/* What a cell has: of group G, and of the quantile Q where it is about one. */
typedef void put_fn(struct span_buf *b, const struct stats_out *o,
		    const struct stats_group *g, double q);

static void put_calls(struct span_buf *b, const struct stats_out *o,
		      const struct stats_group *g, double q)
{
	(void)o;
	(void)q;
	stats_count_rounded(b, g->total.calls);
}

static void put_rate(struct span_buf *b, const struct stats_out *o,
		     const struct stats_group *g, double q)
{
	double rate = stats_rate(&g->total, stats_seconds(o));

	(void)q;
	if (rate < 99.5)
		span_buf_printf(b, rate < 0.0095 ? "%.1e" : "%.2f", rate);
	else
		span_text_count(b, rate < 1e18 ? (uint64_t)(rate + 0.5)
					       : UINT64_MAX);
	span_buf_puts(b, "/s");
}

static void put_errors(struct span_buf *b, const struct stats_out *o,
		       const struct stats_group *g, double q)
{
	(void)o;
	(void)q;
	stats_count_rounded(b, g->total.errors);
}

/* What failed is never shown as 0. */
static void put_ratio(struct span_buf *b, const struct stats_out *o,
		      const struct stats_group *g, double q)
{
	double percent = stats_ratio(&g->total) * 100;

	(void)o;
	(void)q;
	if (!g->total.errors)
		span_buf_puts(b, "0");
	else if (percent < 0.01)
		span_buf_puts(b, "<0.01%");
	else
		span_buf_printf(b, percent < 10 ? "%.2f%%" : "%.1f%%", percent);
}

static void put_quantile(struct span_buf *b, const struct stats_out *o,
			 const struct stats_group *g, double q)
{
	(void)o;
	span_text_duration(b, span_sketch_quantile(&g->total.durations, q));
}

static void put_mean(struct span_buf *b, const struct stats_out *o,
		     const struct stats_group *g, double q)
{
	(void)o;
	(void)q;
	span_text_duration(b, span_stats_mean_ns(&g->total));
}

static void put_figure(struct span_buf *b, const struct stats_out *o,
		       const struct stats_group *g, double q)
{
	(void)q;
	span_text_duration(b, stats_figure_ns(&g->total, o->figure));
}

struct column {
	const char *title; /* NULL: a quantile */
	double q;	   /* that one */
	put_fn *put;
	size_t width; /* of the longest cell, and the title */
};

struct layout {
	const struct stats_out *o;
	size_t width[SPAN_STATS_LABELS];
	struct column columns[6 + STATS_QUANTILES];
	size_t n_columns;
	size_t spark;	 /* columns of a picture */
	size_t n_sparks; /* of them */
	uint64_t first_ns;
	size_t steps;
};

static void put_title(struct span_buf *b, const struct column *c)
{
	if (c->title)
		span_buf_puts(b, c->title);
	else
		stats_quantile_name(b, c->q);
}

static void add_column(struct layout *l, const char *title, double q,
		       put_fn *put)
{
	struct column *c = &l->columns[l->n_columns++];
	const struct stats_out *o = l->o;
	struct span_buf text = {0};

	*c = (struct column){title, q, put, 0};
	put_title(&text, c);
	c->width = text.len;
	for (size_t i = 0; i < o->n_groups; i++) {
		text.len = 0;
		put(&text, o, &o->groups[i], q);
		c->width = text.len > c->width ? text.len : c->width;
	}
	span_buf_release(&text);
}

static void set_columns(struct layout *l, bool rate)
{
	const struct stats_out *o = l->o;
	bool wide = o->look.columns >= WIDE;

	l->n_columns = 0;
	add_column(l, "calls", 0, put_calls);
	if (rate)
		add_column(l, "rate", 0, put_rate);
	if (wide)
		add_column(l, "errors", 0, put_errors);
	add_column(l, "err %", 0, put_ratio);
	for (size_t i = 0; i < o->n_quantiles; i++)
		add_column(l, NULL, o->quantiles[i], put_quantile);
	if (o->figure)
		add_column(l, stats_figure_name(o->figure), 0, put_figure);
	if (wide && o->figure != STATS_MEAN)
		add_column(l, "mean", 0, put_mean);
}

/* Columns of the terminal that texts have for themselves. */
static size_t left_for_texts(const struct layout *l)
{
	const struct stats_out *o = l->o;
	size_t n = l->n_sparks * (l->spark + GAP);

	for (size_t i = 0; i < l->n_columns; i++)
		n += l->columns[i].width + GAP;
	n += o->fields->n ? GAP * (o->fields->n - 1) : 0;
	return n < o->look.columns ? o->look.columns - n : 0;
}

/* The longest text of label I. */
static size_t longest(const struct stats_out *o, size_t i)
{
	size_t w = cmd_look_width(&o->look, o->fields->v[i].name);

	for (size_t k = 0; k < o->n_groups; k++) {
		size_t n = cmd_look_width(
			&o->look,
			span_stats_label(o->st, o->groups[k].first, i));

		w = n > w ? n : w;
	}
	return w;
}

/*
 * Texts as wide as they are, as long as that is not above a fair share of what
 * those that are shorter leave.
 */
static void set_widths(struct layout *l)
{
	size_t n = l->o->fields->n, left = left_for_texts(l), share = 0, open;
	bool done[SPAN_STATS_LABELS] = {false}, more = true;

	for (size_t i = 0; i < n; i++)
		l->width[i] = longest(l->o, i);
	for (open = n; open && more;) {
		more = false;
		share = left / open > 8 ? left / open : 8;
		for (size_t i = 0; i < n; i++) {
			if (done[i] || l->width[i] > share)
				continue;
			done[i] = more = true;
			left -= l->width[i] < left ? l->width[i] : left;
			open--;
		}
	}
	for (size_t i = 0; i < n; i++)
		if (!done[i])
			l->width[i] = share;
}

static void set_layout(struct layout *l, const struct stats_out *o)
{
	*l = (struct layout){.o = o};
	l->steps = stats_steps(o, &l->first_ns);
	if (l->steps) {
		l->n_sparks = o->look.columns >= VERY_WIDE ? 2 : 1;
		l->spark = o->look.columns >= WIDE ? SPARK : SPARK / 2;
		if (l->spark > l->steps)
			l->spark = l->steps < 5 ? 5 : l->steps;
	}
	set_columns(l, o->look.columns >= WIDE || !o->step_ns);
	if (o->look.columns < WIDE && left_for_texts(l) < NARROW * o->fields->n)
		set_columns(l, false);
	set_widths(l);
}

static void put_right(struct span_buf *b, const struct span_buf *text,
		      size_t width)
{
	for (size_t n = text->len; n < width + GAP; n++)
		span_buf_putc(b, ' ');
	span_buf_put(b, text->p, text->len);
	b->failed |= text->failed;
}

/* ---- Pictures ---- */

static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄",
				     "▅", "▆", "▇", "█"};
static const char *const plain[] = {" ", ".", ":", "-", "=",
				    "+", "*", "#", "@"};

/*
 * The value of each part of the picture: calls, or the latency. Where several
 * buckets of time share a part it is the greatest.
 */
static void gather(const struct layout *l, const struct stats_group *g,
		   bool latency, double *v)
{
	const struct span_stats *st = l->o->st;

	for (size_t i = 0; i < l->spark; i++)
		v[i] = 0;
	for (size_t i = g->first; i < g->first + g->n; i++) {
		const struct span_stats_row *r = span_stats_row(st, i);
		size_t at = stats_part(l->o, r->start_ns, l->first_ns, l->steps,
				       l->spark);
		double x = (double)r->calls;

		if (latency)
			x = (double)span_sketch_quantile(&r->durations,
							 l->o->latency);
		v[at] = x > v[at] ? x : v[at];
	}
}

static void put_spark(struct span_buf *b, const struct layout *l,
		      const struct stats_group *g, bool latency)
{
	const char *const *level = l->o->look.ascii ? plain : blocks;
	double v[SPARK], top = 0;

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

static void put_head(struct span_buf *b, const struct layout *l)
{
	const struct stats_out *o = l->o;
	struct span_buf title = {0};
	size_t from = b->len;

	for (size_t i = 0; i < o->fields->n; i++) {
		span_buf_puts(b, i ? "  " : "");
		cmd_look_fit(b, &o->look, o->fields->v[i].name, l->width[i],
			     true);
	}
	for (size_t i = 0; i < l->n_columns; i++) {
		title.len = 0;
		put_title(&title, &l->columns[i]);
		put_right(b, &title, l->columns[i].width);
	}
	if (l->n_sparks)
		span_buf_printf(b, "  %-*s", (int)l->spark, "calls");
	if (l->n_sparks > 1) {
		span_buf_puts(b, "  ");
		stats_quantile_name(b, o->latency);
	}
	end_line(b, from);
	span_buf_release(&title);
}

static void put_group(struct span_buf *b, const struct layout *l,
		      const struct stats_group *g)
{
	const struct stats_out *o = l->o;
	struct span_buf text = {0};
	size_t from = b->len;

	for (size_t i = 0; i < o->fields->n; i++) {
		span_buf_puts(b, i ? "  " : "");
		cmd_look_fit(b, &o->look, span_stats_label(o->st, g->first, i),
			     l->width[i], true);
	}
	for (size_t i = 0; i < l->n_columns; i++) {
		const struct column *c = &l->columns[i];

		text.len = 0;
		c->put(&text, o, g, c->q);
		put_right(b, &text, c->width);
	}
	for (size_t i = 0; i < l->n_sparks; i++)
		put_spark(b, l, g, i);
	end_line(b, from);
	span_buf_release(&text);
}

void stats_out_table(struct span_buf *b, const struct stats_out *o)
{
	struct layout l;

	if (!o->n_groups)
		return;
	set_layout(&l, o);
	put_head(b, &l);
	for (size_t i = 0; i < o->n_groups && stats_drain(b, o); i++) {
		put_group(b, &l, &o->groups[i]);
		if (span_stats_opts(o->st)->n_bounds)
			stats_histogram_put(b, o, &o->groups[i]);
	}
}
