/* SPDX-License-Identifier: Apache-2.0 */
#include "view-logs.h"

#include <span/log.h>

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define MAX_TEXT (UINT64_C(256) << 20)

/* A line, once for each trace that it names. */
struct line {
	uint8_t trace_id[16];
	size_t number, at, len;
};

/* A line on its way to a span. */
struct placed {
	uint32_t span;
	size_t number; /* of all events that the span gets */
	struct span_event event;
};

static struct {
	struct span_buf text, lines;
	struct span_str current; /* the line that is looked at */
	uint64_t n_shown;
	struct span_buf placed, by_id;
	struct span_arena arena;
} logs;

/* ---- Reading ---- */

static struct line *all_lines(void)
{
	return (struct line *)(void *)logs.lines.p;
}

static size_t n_lines(void)
{
	return logs.lines.len / sizeof(struct line);
}

static void put_id(void *arg, const uint8_t id[16], struct span_str value)
{
	struct line l = {.number = n_lines(),
			 .at = logs.text.len,
			 .len = logs.current.len};

	(void)arg;
	(void)value;
	memcpy(l.trace_id, id, 16);
	span_buf_put(&logs.lines, &l, sizeof(l));
}

static int put_line(void *arg, struct span_str line, struct span_error *err)
{
	size_t before = n_lines();

	(void)arg;
	logs.current = line;
	span_log_ids(line, put_id, NULL);
	if (n_lines() > before)
		span_buf_str(&logs.text, line);
	if (logs.text.failed || logs.lines.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (logs.text.len + logs.lines.len > MAX_TEXT)
		return span_error_set(err, SPAN_E_LIMIT,
				      "--logs: more than 256 MiB of lines name "
				      "traces");
	return 0;
}

static int compare_lines(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int order = memcmp(x->trace_id, y->trace_id, 16);

	if (order)
		return order;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* A line that names a trace several times is there once. */
static void drop_repeats(void)
{
	struct line *v = all_lines();
	size_t n = 0;

	for (size_t i = 0; i < n_lines(); i++)
		if (!n || v[i].at != v[n - 1].at ||
		    memcmp(v[i].trace_id, v[n - 1].trace_id, 16) != 0)
			v[n++] = v[i];
	logs.lines.len = n * sizeof(*v);
}

int view_logs_read(const char *name, struct span_error *err)
{
	int rc = cmd_input_lines(name, put_line, NULL, NULL, err);

	if (rc < 0 || !n_lines())
		return rc;
	qsort(all_lines(), n_lines(), sizeof(struct line), compare_lines);
	drop_repeats();
	return 0;
}

/* ---- Spans by their id ---- */

struct by_id {
	uint8_t id[8];
	uint32_t span;
};

static int compare_ids(const void *a, const void *b)
{
	const struct by_id *x = a, *y = b;
	int order = memcmp(x->id, y->id, 8);

	if (order)
		return order;
	return x->span < y->span ? -1 : x->span > y->span;
}

static int index_spans(const struct span_trace *t, struct span_error *err)
{
	logs.by_id.len = 0;
	for (uint32_t i = 0; i < t->n; i++) {
		struct by_id e = {.span = i};

		memcpy(e.id, t->spans[i].span_id, 8);
		span_buf_put(&logs.by_id, &e, sizeof(e));
	}
	if (logs.by_id.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	qsort(logs.by_id.p, t->n, sizeof(struct by_id), compare_ids);
	return 0;
}

/* The first span with the id, else the root. */
static uint32_t find_span(const struct span_trace *t, const uint8_t id[8])
{
	const struct by_id *v = (const void *)logs.by_id.p;
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(v[middle].id, id, 8) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < t->n && !memcmp(v[low].id, id, 8) ? v[low].span : t->root;
}

/* ---- Events ---- */

static size_t first_line(const uint8_t trace_id[16])
{
	size_t low = 0, high = n_lines();

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(all_lines()[middle].trace_id, trace_id, 16) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int place_line(const struct span_trace *t, const struct line *l,
		      struct span_error *err)
{
	struct span_str text = {logs.text.p + l->at, l->len};
	struct placed p = {.span = t->root, .number = l->number};
	struct span_log log;

	if (span_log_read(&log, text, t->trace_id, &logs.arena, err) < 0)
		return SPAN_E_NOMEM;
	if (log.has_span)
		p.span = find_span(t, log.span_id);
	p.event = log.event;
	if (!p.event.time_ns)
		p.event.time_ns = t->spans[p.span].start_ns;
	span_buf_put(&logs.placed, &p, sizeof(p));
	return logs.placed.failed
		       ? span_error_set(err, SPAN_E_NOMEM, "memory is out")
		       : 0;
}

static int compare_placed(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (x->span != y->span)
		return x->span < y->span ? -1 : 1;
	if (x->event.time_ns != y->event.time_ns)
		return x->event.time_ns < y->event.time_ns ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* The events of a span, and the N lines from P on, each in order of time. */
static int merge(struct span *s, const struct placed *p, size_t n,
		 struct span_error *err)
{
	struct span_event *all =
		span_arena_array(&logs.arena, s->n_events + n, sizeof(*all));
	size_t k = 0, i = 0;

	if (!all)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	for (size_t j = 0; j < s->n_events; j++) {
		while (i < n && p[i].event.time_ns < s->events[j].time_ns)
			all[k++] = p[i++].event;
		all[k++] = s->events[j];
	}
	while (i < n)
		all[k++] = p[i++].event;
	s->events = all;
	s->n_events = k;
	return 0;
}

static int give_lines(struct span_trace *t, struct span_error *err)
{
	const struct placed *p = (const void *)logs.placed.p;
	size_t n = logs.placed.len / sizeof(*p);
	struct span *spans =
		span_arena_array(&logs.arena, t->n, sizeof(*spans));

	if (!spans)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	memcpy(spans, t->spans, t->n * sizeof(*spans));
	qsort(logs.placed.p, n, sizeof(*p), compare_placed);
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && p[end].span == p[i].span;)
			end++;
		if (merge(&spans[p[i].span], p + i, end - i, err) < 0)
			return SPAN_E_NOMEM;
	}
	t->spans = spans;
	return 0;
}

int view_logs_add(struct span_trace *t, struct span_error *err)
{
	size_t i = first_line(t->trace_id), first = i;
	int rc = 0;

	logs.placed.len = 0;
	span_arena_reset(&logs.arena);
	for (; !rc && i < n_lines(); i++) {
		if (memcmp(all_lines()[i].trace_id, t->trace_id, 16) != 0)
			break;
		if (i == first)
			rc = index_spans(t, err);
		if (!rc)
			rc = place_line(t, &all_lines()[i], err);
	}
	logs.n_shown += i - first;
	return rc || i == first ? rc : give_lines(t, err);
}

uint64_t view_logs_left(void)
{
	return n_lines() > logs.n_shown ? n_lines() - logs.n_shown : 0;
}

void view_logs_release(void)
{
	span_buf_release(&logs.text);
	span_buf_release(&logs.lines);
	span_buf_release(&logs.placed);
	span_buf_release(&logs.by_id);
	span_arena_release(&logs.arena);
}
