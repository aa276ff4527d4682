/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The critical path in bars: a column in which a span holds up the trace for
 * most of its time has another glyph than the rest of its bar.
 */
#include "render/tree_critical.h"

#include <span/text.h>

#include <stdlib.h>

#include "render/cell.h"
#include "text/utf8.h"

#include "base/banned.h"

#define NONE UINT32_MAX

bool span__critical_init(struct span__critical *c,
			 const struct span_render_opts *o,
			 const struct span_trace *t)
{
	size_t n = o->n_critical;
	uint32_t *p;

	*c = (struct span__critical){.sections = o->critical, .t = t};
	if (!n)
		return true;
	p = (uint32_t *)(void *)span_buf_reserve(&c->memory,
						 (t->n + n) * sizeof(*p));
	if (!p)
		return false;
	c->first = p;
	c->next = p + t->n;
	for (size_t i = 0; i < t->n; i++)
		c->first[i] = NONE;
	/* From the last one on, so that each span's are in order of time. */
	for (uint32_t i = (uint32_t)n; i-- > 0;) {
		uint32_t span = o->critical[i].span;

		c->next[i] = c->first[span];
		c->first[span] = i;
	}
	return true;
}

static double place(const struct span__critical *c, uint64_t ns,
		    uint64_t full_ns, size_t width)
{
	return (double)(ns - c->t->start_ns) / (double)full_ns * (double)width;
}

/* Add to each of WIDTH columns how much of it FROM to TO takes. */
static void spread(double *parts, size_t width, double from, double to)
{
	for (size_t at = (size_t)from; at < width && (double)at < to; at++) {
		double column = (double)at, end = column + 1;

		parts[at] +=
			(to < end ? to : end) - (from > column ? from : column);
	}
}

/* Is any of the spans of LINE on the path? */
static bool on_path(const struct span__critical *c,
		    const struct span__tree_line *line)
{
	uint32_t span = line->span;

	for (uint32_t k = 0; k < line->n; k++) {
		if (c->first[span] != NONE)
			return true;
		span = c->t->nodes[span].next_sibling;
	}
	return false;
}

/* WIDTH columns of LINE, of which some span is on the path. */
static bool fill_columns(const struct span__critical *c,
			 const struct span__tree_line *line, uint64_t full_ns,
			 size_t width, uint8_t *columns)
{
	double all[SPAN__MAX_BAR] = {0}, path[SPAN__MAX_BAR] = {0};
	uint32_t span = line->span;
	bool any = false;

	for (uint32_t k = 0; k < line->n; k++) {
		const struct span *s = &c->t->spans[span];

		spread(all, width, place(c, s->start_ns, full_ns, width),
		       place(c, span_end_ns(s), full_ns, width));
		for (uint32_t i = c->first[span]; i != NONE; i = c->next[i])
			spread(path, width,
			       place(c, c->sections[i].start_ns, full_ns,
				     width),
			       place(c, c->sections[i].end_ns, full_ns, width));
		span = c->t->nodes[span].next_sibling;
	}
	for (size_t at = 0; at < width; at++) {
		columns[at] = path[at] > 0 && path[at] * 2 >= all[at];
		any |= columns[at];
	}
	return any;
}

bool span__critical_columns(const struct span__critical *c,
			    const struct span__tree_line *line,
			    uint64_t full_ns, size_t width, uint8_t *columns)
{
	memset(columns, 0, width);
	return c->first && full_ns && on_path(c, line) &&
	       fill_columns(c, line, full_ns, width, columns);
}

uint64_t span__critical_ns(const struct span__critical *c, uint32_t span)
{
	uint64_t ns = 0;

	if (!c->first)
		return 0;
	for (uint32_t i = c->first[span]; i != NONE; i = c->next[i])
		ns += c->sections[i].end_ns - c->sections[i].start_ns;
	return ns;
}

void span__critical_release(struct span__critical *c)
{
	span_buf_release(&c->memory);
}

/* ---- The summary ---- */

/* What one operation of a service has of the path. */
struct share {
	const struct span *span;
	uint64_t ns;
};

static int by_name(const void *a, const void *b)
{
	const struct share *x = a, *y = b;
	int order = span_str_compare(x->span->process->service,
				     y->span->process->service);

	return order ? order : span_str_compare(x->span->name, y->span->name);
}

static int by_time(const void *a, const void *b)
{
	const struct share *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? 1 : -1;
	return by_name(a, b);
}

/* One for each operation, the largest first; returns how many. */
static size_t sum_up(struct share *v, size_t n)
{
	size_t to = 0;

	qsort(v, n, sizeof(*v), by_name);
	for (size_t i = 1; i < n; i++) {
		if (!by_name(&v[to], &v[i]))
			v[to].ns += v[i].ns;
		else
			v[++to] = v[i];
	}
	qsort(v, to + 1, sizeof(*v), by_time);
	return to + 1;
}

static void put_share(struct span_buf *b, const struct span_render_opts *o,
		      const struct share *s, uint64_t all, bool first)
{
	span_buf_puts(b, first ? " " : ", ");
	span__text_terminal(b, s->span->process->service, o->ascii);
	span_buf_putc(b, ' ');
	span__text_terminal(b, s->span->name, o->ascii);
	span_buf_putc(b, ' ');
	span_text_duration(b, s->ns);
	if ((double)s->ns * 100.0 < (double)all)
		span_buf_puts(b, " (<1 %)");
	else
		span_buf_printf(b, " (%.0f %%)",
				100.0 * (double)s->ns / (double)all);
}

void span__critical_summary(struct span_buf *b,
			    const struct span_render_opts *o,
			    const struct span_trace *t)
{
	struct span_buf memory = {0}, line = {0};
	size_t n = o->n_critical, columns = span__columns(o);
	struct share *v;
	uint64_t all = 0;

	if (!n)
		return;
	v = (struct share *)(void *)span_buf_reserve(&memory, n * sizeof(*v));
	if (!v) {
		b->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const struct span_trace_section *s = &o->critical[i];

		v[i] = (struct share){&t->spans[s->span],
				      s->end_ns - s->start_ns};
		all += v[i].ns;
	}
	n = sum_up(v, n);
	span_buf_puts(&line, "critical path:");
	for (size_t i = 0; i < n; i++) {
		size_t len = line.len;

		put_share(&line, o, &v[i], all, !i);
		if (i && span__text_width((struct span_str){line.p, line.len},
					  columns + 1, o->ascii) > columns) {
			line.len = len;
			break;
		}
	}
	b->failed |= line.failed;
	if (!line.failed)
		span__cell(b, o, SPAN__PLAIN,
			   (struct span_str){line.p, line.len}, columns);
	span__line_end(b);
	span_buf_release(&line);
	span_buf_release(&memory);
}
