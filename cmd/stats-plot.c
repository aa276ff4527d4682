/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statistics over time as pictures: a chart of blocks for each group in a
 * terminal, or all groups as lines in an SVG.
 */
#include "stats-out.h"

#include "base/banned.h"

#define LEVELS 8u /* of a block */
#define HEIGHT 6u /* lines of a chart */
#define AXIS 9u	  /* columns of its scale */

/* The value that is drawn. */
static double value_of(const struct stats_out *o,
		       const struct span_stats_row *r)
{
	switch (o->value) {
	case STATS_RATIO:
		return stats_ratio(r) * 100;
	case STATS_LATENCY:
		return (double)span_sketch_quantile(&r->durations, o->latency);
	case STATS_RATE:
		return stats_rate(r, (double)o->step_ns / 1e9);
	default:
		return (double)stats_figure_ns(r, o->value);
	}
}

/* In as many columns as the scale has. */
static void put_rate(struct span_buf *b, double v)
{
	if (v > 0 && v < 0.001)
		span_buf_printf(b, "%.1e", v);
	else if (v < 999.5)
		span_buf_printf(b, "%.3g", v);
	else if (v < 999999.5)
		span_text_count(b, (uint64_t)(v + 0.5));
	else
		span_buf_printf(b, "%.3gM", v / 1e6);
	span_buf_puts(b, "/s");
}

static void put_value(struct span_buf *b, const struct stats_out *o, double v)
{
	if (o->value >= STATS_LATENCY)
		span_text_duration(b, v < 1.8e19 ? (uint64_t)v : UINT64_MAX);
	else if (o->value == STATS_RATIO)
		span_buf_printf(b, "%.3g%%", v);
	else
		put_rate(b, v);
}

static void put_what(struct span_buf *b, const struct stats_out *o)
{
	if (o->value == STATS_LATENCY)
		stats_quantile_name(b, o->latency);
	else
		span_buf_puts(b, o->value == STATS_RATE ? "rate"
				 : o->value == STATS_RATIO
					 ? "errors"
					 : stats_figure_name(o->value));
}

static void put_labels(struct span_buf *b, const struct stats_out *o,
		       const struct stats_group *g)
{
	for (size_t i = 0; i < o->fields->n; i++) {
		span_buf_puts(b, i ? " " : "");
		span_buf_str(b, span_stats_label(o->st, g->first, i));
	}
}

/* The greatest value of each of N columns, of STEPS buckets of time. */
static double columns_of(const struct stats_out *o, const struct stats_group *g,
			 uint64_t first_ns, size_t steps, double *v, size_t n)
{
	double top = 0;

	for (size_t i = 0; i < n; i++)
		v[i] = 0;
	for (size_t i = g->first; i < g->first + g->n; i++) {
		const struct span_stats_row *r = span_stats_row(o->st, i);
		size_t at = stats_part(o, r->start_ns, first_ns, steps, n);
		double x = value_of(o, r);

		v[at] = x > v[at] ? x : v[at];
		top = x > top ? x : top;
	}
	return top;
}

/* ---- A terminal ---- */

#define MAX_COLUMNS 512u

static void put_line(struct span_buf *b, const struct stats_out *o,
		     const double *v, size_t n, double top, size_t line)
{
	static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄",
					     "▅", "▆", "▇", "█"};
	struct span_buf scale = {0};
	size_t from = b->len;

	if (line == HEIGHT - 1)
		put_value(&scale, o, top);
	else if (!line)
		span_buf_putc(&scale, '0');
	span_buf_printf(b, "%*.*s %s", (int)AXIS, (int)scale.len,
			scale.len ? scale.p : "", o->look.ascii ? "|" : "│");
	span_buf_release(&scale);
	for (size_t i = 0; i < n; i++) {
		double high = top > 0 ? v[i] / top * HEIGHT * LEVELS : 0;
		double level = high - (double)(line * LEVELS);

		/* What there is shows, however small it is. */
		if (!line && v[i] > 0 && level < 1)
			level = 1;
		level = level < 0 ? 0 : level > LEVELS ? LEVELS : level;
		if (o->look.ascii)
			span_buf_putc(b, level >= LEVELS / 2 ? '#'
					 : level >= 1	     ? '.'
							     : ' ');
		else
			span_buf_puts(b, blocks[(int)level]);
	}
	while (b->len > from && b->p[b->len - 1] == ' ')
		b->len--;
	span_buf_putc(b, '\n');
}

static void put_times(struct span_buf *b, const struct stats_out *o,
		      uint64_t first_ns, size_t steps)
{
	span_buf_printf(b, "%*s ", (int)AXIS, "");
	if (o->look.local_time)
		span_text_local_time(b, first_ns, 0);
	else
		span_text_time(b, first_ns, 0);
	span_buf_puts(b, ", ");
	span_text_duration(b, stats_steps_end(o, first_ns, steps) - first_ns);
	span_buf_puts(b, " in steps of ");
	span_text_duration(b, o->step_ns);
	span_buf_putc(b, '\n');
}

static void put_chart(struct span_buf *b, const struct stats_out *o,
		      const struct stats_group *g, uint64_t first_ns,
		      size_t steps)
{
	size_t n =
		o->look.columns > AXIS + 12 ? o->look.columns - AXIS - 2 : 10;
	struct span_buf labels = {0};
	double v[MAX_COLUMNS], top;

	n = n > steps ? steps : n;
	n = n > MAX_COLUMNS ? MAX_COLUMNS : n;
	top = columns_of(o, g, first_ns, steps, v, n);
	put_labels(&labels, o, g);
	cmd_look_fit(b, &o->look, (struct span_str){labels.p, labels.len},
		     o->look.columns > 20 ? o->look.columns - 10 : 10, false);
	span_buf_puts(b, labels.len ? ": " : "");
	put_what(b, o);
	span_buf_putc(b, '\n');
	for (size_t i = HEIGHT; i-- > 0;)
		put_line(b, o, v, n, top, i);
	b->failed |= labels.failed;
	span_buf_release(&labels);
}

void stats_out_plot(struct span_buf *b, const struct stats_out *o)
{
	uint64_t first_ns;
	size_t steps = stats_steps(o, &first_ns);

	for (size_t i = 0; i < o->n_groups && stats_drain(b, o); i++)
		put_chart(b, o, &o->groups[i], first_ns, steps);
	if (o->n_groups)
		put_times(b, o, first_ns, steps);
}

/* ---- SVG ---- */

#define LEFT 70.0
#define TOP 40.0
#define WIDTH 700.0
#define TALL 260.0

/* Colours that are told apart on white and on black. */
static const char *const colours[STATS_LINES] = {
	"#4e79a7", "#e15759", "#59a14f", "#f28e2b",
	"#b07aa1", "#76b7b2", "#9c755f", "#bab0ac"};

static void put_head(struct span_buf *b, const struct stats_out *o,
		     size_t n_lines)
{
	double height = TOP + TALL + 50 + 18 * (double)n_lines;
	struct span_buf what = {0};

	put_what(&what, o);
	span_buf_printf(
		b,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"800\" "
		"height=\"%.0f\" viewBox=\"0 0 800 %.0f\" role=\"img\">\n"
		"<title>%.*s over time</title>\n<style>\n"
		"text { font: 12px sans-serif; fill: #222 }\n"
		".back { fill: #fff } .grid { stroke: #ddd }\n"
		"polyline { fill: none; stroke-width: 1.8; "
		"stroke-linejoin: round }\n"
		"@media (prefers-color-scheme: dark) {\n"
		"text { fill: #ddd } .back { fill: #181818 } "
		".grid { stroke: #444 }\n}\n</style>\n"
		"<rect class=\"back\" width=\"800\" height=\"%.0f\"/>\n"
		"<text x=\"%.0f\" y=\"24\">%.*s</text>\n",
		height, height, (int)what.len, what.p, height, LEFT,
		(int)what.len, what.p);
	span_buf_release(&what);
}

static void put_grid(struct span_buf *b, const struct stats_out *o, double top)
{
	for (unsigned i = 0; i <= 4; i++) {
		double y = TOP + TALL - TALL * i / 4;

		span_buf_printf(b,
				"<line class=\"grid\" x1=\"%.0f\" x2=\"%.0f\" "
				"y1=\"%.1f\" y2=\"%.1f\"/>\n"
				"<text x=\"%.0f\" y=\"%.1f\" "
				"text-anchor=\"end\">",
				LEFT, LEFT + WIDTH, y, y, LEFT - 8, y + 4);
		put_value(b, o, top * i / 4);
		span_buf_puts(b, "</text>\n");
	}
}

static void put_time(struct span_buf *b, uint64_t ns, double x,
		     const char *anchor)
{
	span_buf_printf(b, "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"%s\">", x,
			TOP + TALL + 20, anchor);
	span_text_time(b, ns, 0);
	span_buf_puts(b, "</text>\n");
}

/* A point in the middle of each bucket of time; where there is none it is 0. */
static void put_polyline(struct span_buf *b, const struct stats_out *o,
			 size_t i, uint64_t first_ns, size_t steps, double top)
{
	const struct stats_group *g = &o->groups[i];
	size_t n = steps > MAX_COLUMNS ? MAX_COLUMNS : steps;
	double v[MAX_COLUMNS], wide = WIDTH / (double)n;

	columns_of(o, g, first_ns, steps, v, n);
	span_buf_printf(b, "<polyline stroke=\"%s\" points=\"", colours[i]);
	for (size_t k = 0; k < n; k++)
		span_buf_printf(b, "%s%.1f,%.1f", k ? " " : "",
				LEFT + wide * ((double)k + 0.5),
				TOP + TALL - (top > 0 ? TALL * v[k] / top : 0));
	span_buf_puts(b, "\"/>\n");
}

static void put_legend(struct span_buf *b, const struct stats_out *o, size_t i)
{
	double y = TOP + TALL + 44 + 18 * (double)i;
	struct span_buf labels = {0};
	struct span_str text;

	put_labels(&labels, o, &o->groups[i]);
	text = (struct span_str){labels.p, labels.len};
	text.len = span_text_cut(text, 100);
	span_buf_printf(b,
			"<rect x=\"%.0f\" y=\"%.0f\" width=\"12\" "
			"height=\"4\" fill=\"%s\"/>\n"
			"<text x=\"%.0f\" y=\"%.0f\">",
			LEFT, y - 6, colours[i], LEFT + 20, y);
	span_text_html(b, text);
	span_buf_puts(b, "</text>\n");
	b->failed |= labels.failed;
	span_buf_release(&labels);
}

static double top_of(const struct stats_out *o, size_t n_lines)
{
	double top = 0;

	for (size_t i = 0; i < n_lines; i++)
		for (size_t k = 0; k < o->groups[i].n; k++) {
			double v = value_of(
				o,
				span_stats_row(o->st, o->groups[i].first + k));

			top = v > top ? v : top;
		}
	return top;
}

void stats_out_svg(struct span_buf *b, const struct stats_out *o)
{
	size_t n_lines = o->n_groups < STATS_LINES ? o->n_groups : STATS_LINES;
	double top = top_of(o, n_lines);
	uint64_t first_ns;
	size_t steps = stats_steps(o, &first_ns);

	put_head(b, o, n_lines);
	put_grid(b, o, top);
	if (n_lines) {
		put_time(b, first_ns, LEFT, "start");
		put_time(b, stats_steps_end(o, first_ns, steps), LEFT + WIDTH,
			 "end");
	}
	for (size_t i = 0; i < n_lines; i++)
		put_polyline(b, o, i, first_ns, steps, top);
	for (size_t i = 0; i < n_lines; i++)
		put_legend(b, o, i);
	span_buf_puts(b, "</svg>\n");
}
