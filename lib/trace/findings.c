/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "trace/finder.h"

#include "base/banned.h"

#define NONE SPAN_TRACE_NONE

static const char *const names[] = {"guilty", "error",	"n+1", "repeated",
				    "retry",  "serial", "gap", "skew"};

const char *span_finding_name(int kind)
{
	return kind >= 0 && kind < SPAN_FINDING_KINDS ? names[kind] : "";
}

struct span_finding *span__found(struct span__finder *w,
				 enum span_finding_kind kind, uint32_t i)
{
	struct span_finding *f =
		(struct span_finding *)(void *)span_buf_reserve(&w->f->items,
								sizeof(*f));

	if (!f)
		return NULL;
	w->f->items.len += sizeof(*f);
	*f = (struct span_finding){.kind = kind,
				   .span = i,
				   .parent = w->t->nodes[i].parent,
				   .start_ns = w->t->spans[i].start_ns};
	return f;
}

void span__found_span(struct span_finding *f, uint32_t i)
{
	if (f->n_spans < SPAN_FINDING_SPANS)
		f->spans[f->n_spans++] = i;
	f->count++;
}

bool span__found_text(struct span__finder *w, struct span_finding *f,
		      const struct span_str *text)
{
	const struct span_str made = {w->text.p, w->text.len};

	return !w->text.failed &&
	       span_arena_str(&w->f->texts, text ? *text : made, &f->text);
}

double span__found_share(uint64_t ns, uint64_t all)
{
	return all && ns <= all ? (double)ns / (double)all : NAN;
}

bool span__is_much(const struct span__finder *w, uint64_t ns)
{
	return ns && ns >= w->o.min_ns &&
	       (double)ns >= w->o.min_share * (double)w->path_ns;
}

static bool find_guilty(struct span__finder *w,
			const struct span_trace_section *v, size_t n)
{
	struct span_finding *f;
	uint32_t most;
	double share;

	if (w->t->n < 2 || !n)
		return true;
	memset(w->numbers, 0, w->t->n * sizeof(*w->numbers));
	most = v[0].span;
	for (size_t k = 0; k < n; k++)
		w->numbers[v[k].span] += v[k].end_ns - v[k].start_ns;
	for (uint32_t i = 0; i < w->t->n; i++)
		if (w->numbers[i] > w->numbers[most])
			most = i;
	share = (double)w->numbers[most] / (double)w->path_ns;
	if (share < w->o.guilty)
		return true;
	f = span__found(w, SPAN_FINDING_GUILTY, most);
	if (!f)
		return false;
	span__found_span(f, most);
	f->ns = w->numbers[most];
	f->share = share;
	return true;
}

/* Which spans wait for children at other times: not 0 in DEPTHS. */
static void mark_parents(struct span__finder *w)
{
	const struct span_trace *t = w->t;

	memset(w->depths, 0, t->n * sizeof(*w->depths));
	for (uint32_t i = 0; i < t->n; i++)
		if (t->nodes[i].parent != NONE && span_trace_blocks(t, i))
			w->depths[t->nodes[i].parent] = 1;
}

bool span__find_on_path(struct span__finder *w,
			const struct span_trace_section *v, size_t n)
{
	w->path_ns = 0;
	for (size_t k = 0; k < n; k++)
		w->path_ns += v[k].end_ns - v[k].start_ns;
	if (!find_guilty(w, v, n))
		return false;
	mark_parents(w);
	for (size_t k = 0; k < n; k++) {
		uint64_t ns = v[k].end_ns - v[k].start_ns;
		struct span_finding *f;

		if (!span__is_much(w, ns) || !w->depths[v[k].span])
			continue;
		f = span__found(w, SPAN_FINDING_GAP, v[k].span);
		if (!f)
			return false;
		span__found_span(f, v[k].span);
		f->ns = ns;
		f->start_ns = v[k].start_ns;
		f->share = span__found_share(ns, w->path_ns);
	}
	return true;
}

static int more_time_first(const void *arg, uint32_t a, uint32_t b)
{
	const struct span_finding *v = arg;

	if (v[a].ns != v[b].ns)
		return v[a].ns < v[b].ns ? 1 : -1;
	return v[a].span < v[b].span ? -1 : v[a].span > v[b].span;
}

/* Into their order, in other memory. */
static bool put_in_order(struct span_findings *f)
{
	size_t n = f->items.len / sizeof(*f->v);
	const struct span_finding *v = (const void *)f->items.p;
	size_t each = sizeof(*v) + 2 * sizeof(struct span__item);
	struct span_finding *to;
	struct span__item *items;

	f->scratch.len = 0;
	to = (struct span_finding *)(void *)span_buf_reserve(&f->scratch,
							     n * each);
	if (!to)
		return false;
	items = (struct span__item *)(to + n);
	for (size_t i = 0; i < n; i++)
		items[i] = (struct span__item){v[i].kind, (uint32_t)i};
	span__sort(items, items + n, n, more_time_first, v);
	for (size_t i = 0; i < n; i++)
		to[i] = v[items[i].i];
	f->v = to;
	f->n = n;
	return true;
}

static bool make_room(struct span__finder *w)
{
	size_t n = w->t->n;
	size_t each = sizeof(*w->numbers) + sizeof(*w->depths) +
		      2 * sizeof(*w->items);
	char *p;

	w->f->scratch.len = 0;
	p = n < SIZE_MAX / 2 / each ? span_buf_reserve(&w->f->scratch, n * each)
				    : NULL;
	if (!p)
		return false;
	w->items = (struct span__item *)(void *)p;
	w->tmp = w->items + n;
	w->numbers = (uint64_t *)(void *)(w->tmp + n);
	w->depths = (uint32_t *)(w->numbers + n);
	return true;
}

int span_findings_find(struct span_findings *f, const struct span_trace *t,
		       const struct span_findings_opts *o,
		       struct span_error *err)
{
	static const struct span_findings_opts defaults =
		SPAN_FINDINGS_DEFAULTS;
	struct span__finder w = {.t = t, .f = f, .o = o ? *o : defaults};
	struct span_buf path = {0};
	int rc = span__key_init(&w.key, err);

	f->n = 0;
	f->items.len = 0;
	span_arena_reset(&f->texts);
	if (rc >= 0)
		rc = span_trace_critical_path(t, &path, err);
	if (rc < 0)
		goto done;
	if (!make_room(&w) ||
	    !span__find_on_path(&w, (const void *)path.p,
				path.len / sizeof(struct span_trace_section)) ||
	    !span__find_calls(&w) || !span__find_errors(&w) ||
	    !span__find_skew(&w) || !put_in_order(f))
		rc = span_error_set(err, SPAN_E_NOMEM, "out of memory");
done:
	span_buf_release(&w.text);
	span_buf_release(&path);
	return rc;
}

void span_findings_release(struct span_findings *f)
{
	span_buf_release(&f->items);
	span_buf_release(&f->scratch);
	span_arena_release(&f->texts);
	f->v = NULL;
	f->n = 0;
}
