/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows come one by one, so that the columns of a table depend on the width of
 * the terminal alone.
 */
#include <span/render.h>
#include <span/text.h>

#include <string.h>

#include "render/cell.h"

#include "base/banned.h"

#define MAX_BAR 40

/* Between columns; those that are flush right keep their distance anyway. */
#define GAP 2

/*
 * Widths without gaps, 0: not shown. "11-22 10:00:00" and its milliseconds,
 * with the year before it when there is room.
 */
enum {
	SHORT_TIME = 14,
	TIME = 18,
	FULL_TIME = 23,
	ID = 16,
	FULL_ID = 32,
	DURATION = 8,
	SERVICES = 4,
	ERRORS = 3,
	SHORT_ID = 10, /* enough to name it */
	SMALL_BAR = 6,
	KIND = 8
};

struct table {
	size_t time, id, span_id, kind, name, duration, services, spans, errors,
		bar;
};

static size_t with_gap(size_t width)
{
	return width ? width + GAP : 0;
}

/* What is left goes to the name, and a third of it to a bar. */
static void share_rest(struct table *t, const struct span_render_opts *o,
		       bool bar)
{
	size_t width = span__columns(o), used;

	used = with_gap(t->time) + with_gap(t->id) + with_gap(t->span_id) +
	       with_gap(t->kind);
	used += t->duration + (t->duration != 0);
	used += t->services + (t->services != 0);
	used += t->spans + (t->spans != 0);
	used += t->errors + (t->errors != 0);
	t->name = width - used;
	if (!bar || !o->full_ns)
		return;
	if (width < 100) {
		t->bar = SMALL_BAR;
		t->name -= t->bar + 1;
		return;
	}
	t->bar = t->name / 3 < MAX_BAR ? t->name / 3 : MAX_BAR;
	t->name -= t->bar + 1;
}

static struct table traces_table(const struct span_render_opts *o)
{
	size_t width = span__columns(o);
	struct table t = {0};

	if (width >= 24)
		t.duration = DURATION;
	if (width >= 44)
		t.id = width >= 140 ? FULL_ID : ID;
	if (width >= 60)
		t.time = width >= 120 ? FULL_TIME : SHORT_TIME;
	if (width >= 80) {
		t.spans = SPAN__COUNT_WIDTH;
		t.services = SERVICES;
		t.errors = ERRORS;
	}
	if (width >= 80 && width < 100 && o->full_ns)
		t.id = SHORT_ID;
	share_rest(&t, o, width >= 80);
	return t;
}

static struct table spans_table(const struct span_render_opts *o)
{
	size_t width = span__columns(o);
	struct table t = {0};

	if (width >= 24)
		t.duration = DURATION;
	if (width >= 44)
		t.id = width >= 140 ? FULL_ID : ID;
	if (width >= 60)
		t.time = width >= 120  ? FULL_TIME
			 : width >= 80 ? TIME
				       : SHORT_TIME;
	if (width >= 100)
		t.span_id = ID;
	if (width >= 120)
		t.kind = KIND;
	t.errors = width >= 24;
	share_rest(&t, o, width >= 120);
	return t;
}

/* "2026-11-22 10:00:00.482", its end or its middle. */
static void put_time(struct span_buf *b, const struct span_render_opts *o,
		     size_t width, uint64_t ns)
{
	size_t from = b->len;
	char *p;

	if (!width)
		return;
	if (o->local_time)
		span_text_local_time(b, ns, 3);
	else
		span_text_time(b, ns, 3);
	if (b->failed)
		return;
	p = b->p + from;
	p[strlen("2026-11-22")] = ' ';
	if (width < FULL_TIME)
		memmove(p, p + strlen("2026-"), width);
	b->len = from + width;
	span__spaces(b, GAP);
}

/*
 * The first digits of a long id, which name it where ids are asked for; of a
 * number with many zeros those that follow, which do so too.
 */
static void put_id(struct span_buf *b, const struct span_render_opts *o,
		   const char *id, size_t width)
{
	size_t zeros = strspn(id, "0");

	if (!width)
		return;
	if (width < ID && strlen(id) == ID && zeros >= ID - width && zeros < ID)
		id += zeros;
	span__cell(b, o, SPAN__PLAIN, (struct span_str){id, strnlen(id, width)},
		   width);
	span__spaces(b, GAP);
}

static void put_title(struct span_buf *b, const struct span_render_opts *o,
		      const char *title, size_t width)
{
	if (!width)
		return;
	span__cell(b, o, SPAN__PLAIN, span_str(title), width);
	span__spaces(b, GAP);
}

static void put_right_title(struct span_buf *b, const char *title, size_t width)
{
	size_t from = b->len;

	if (!width)
		return;
	span_buf_puts(b, title);
	span__right(b, from, width + 1);
}

static void put_head(struct span_buf *b, const struct span_render_opts *o,
		     const struct table *t, const char *errors)
{
	span__style(b, o, SPAN__DIM);
	put_title(b, o, o->local_time ? "start" : "start (UTC)", t->time);
	put_title(b, o, "trace", t->id);
	put_title(b, o, "span", t->span_id);
	put_title(b, o, "kind", t->kind);
	span__cell(b, o, SPAN__PLAIN, SPAN_STR("service operation"), t->name);
	put_right_title(b, "duration", t->duration);
	put_right_title(b, "spans", t->spans);
	put_right_title(b, "svcs", t->services);
	put_right_title(b, errors, t->errors);
	span__style_end(b, o);
	span__line_end(b);
}

void span_render_traces_head(struct span_buf *b,
			     const struct span_render_opts *o)
{
	struct table t = traces_table(o);

	put_head(b, o, &t, "err");
}

void span_render_spans_head(struct span_buf *b,
			    const struct span_render_opts *o)
{
	struct table t = spans_table(o);

	put_head(b, o, &t, "");
}

static void put_duration(struct span_buf *b, const struct table *t, uint64_t ns)
{
	size_t from = b->len;

	if (!t->duration)
		return;
	span_text_duration(b, ns);
	span__right(b, from, t->duration + 1);
}

static void put_count(struct span_buf *b, size_t width, uint64_t n)
{
	size_t from = b->len;

	if (!width)
		return;
	span__count(b, n, width);
	span__right(b, from, width + 1);
}

static void put_bar(struct span_buf *b, const struct span_render_opts *o,
		    const struct table *t, const struct span *s, uint64_t ns)
{
	if (!t->bar)
		return;
	span_buf_putc(b, ' ');
	span__style_service(b, o, s->process->service);
	span__bar(b, o, t->bar, o->full_ns, 0, ns, NULL);
	span__style_end(b, o);
}

void span_render_traces_row(struct span_buf *b,
			    const struct span_render_opts *o,
			    const struct span_trace *t)
{
	const struct span *root = &t->spans[t->root];
	uint64_t duration_ns = t->end_ns - t->start_ns;
	struct table table = traces_table(o);
	char id[SPAN_TRACE_ID_TEXT];

	put_time(b, o, table.time, t->start_ns);
	put_id(b, o, span_trace_id_text(t->trace_id, id), table.id);
	span__name(b, o, SPAN__PLAIN, root, table.name);
	put_duration(b, &table, duration_ns);
	put_count(b, table.spans, t->n);
	put_count(b, table.services, t->n_services);
	if (table.errors && t->n_errors) {
		span__style(b, o, SPAN__ERROR);
		put_count(b, table.errors, t->n_errors);
		span__style_end(b, o);
	} else if (table.errors) {
		span__spaces(b, table.errors + 1);
	}
	put_bar(b, o, &table, root, duration_ns);
	span__line_end(b);
}

void span_render_spans_row(struct span_buf *b, const struct span_render_opts *o,
			   const struct span *s)
{
	struct table table = spans_table(o);
	char id[SPAN_TRACE_ID_TEXT], span_id[SPAN_ID_TEXT];
	bool error = span_is_error(s);

	put_time(b, o, table.time, s->start_ns);
	put_id(b, o, span_trace_id_text(s->trace_id, id), table.id);
	put_id(b, o, span_id_text(s->span_id, span_id), table.span_id);
	put_id(b, o, span_kind_name(s->kind), table.kind);
	span__name(b, o, error ? SPAN__ERROR : SPAN__PLAIN, s, table.name);
	put_duration(b, &table, s->duration_ns);
	if (table.errors) {
		span_buf_putc(b, ' ');
		span__cell(b, o, error ? SPAN__ERROR : SPAN__PLAIN,
			   error ? span__error_mark(o) : SPAN_STR(" "), 1);
	}
	put_bar(b, o, &table, s, s->duration_ns);
	span__line_end(b);
}
