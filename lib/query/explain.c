/* SPDX-License-Identifier: Apache-2.0 */
/* How a store looks for what a query wants, in words. */
#include <span/text.h>

#include <math.h>

#include "query/traceql.h"

#include "base/banned.h"

#define NAMES_MAX 8u /* of a list */

/* A condition on a line of its own; the caller writes on. */
static void begin(struct span_buf *b, const char *what)
{
	span_buf_puts(b, "  ");
	span_buf_puts(b, what);
}

static void put_quoted(struct span_buf *b, struct span_str s)
{
	span_buf_putc(b, ' ');
	span_text_quoted(b, s);
}

static void put_names(struct span_buf *b, const char *what,
		      const struct span_str *v, size_t n, bool asked)
{
	if (n) {
		begin(b, what);
		span_buf_puts(b, n > 1 ? " is one of" : " is");
		for (size_t i = 0; i < n && i < NAMES_MAX; i++)
			put_quoted(b, v[i]);
		if (n > NAMES_MAX)
			span_buf_printf(b, " and %zu more", n - NAMES_MAX);
		span_buf_putc(b, '\n');
	}
	if (asked) {
		begin(b, what);
		span_buf_puts(b, " fits, each name being asked once\n");
	}
}

static void put_time(struct span_buf *b, const char *what, uint64_t ns)
{
	if (!ns)
		return;
	begin(b, what);
	span_text_time(b, ns, 9);
	span_buf_putc(b, '\n');
}

static void put_duration(struct span_buf *b, const char *what, uint64_t ns)
{
	if (!ns)
		return;
	begin(b, what);
	span_text_duration(b, ns);
	span_buf_putc(b, '\n');
}

/* ---- Attributes ---- */

static void put_places(struct span_buf *b, unsigned of)
{
	static const struct {
		unsigned bit;
		const char *name;
	} places[] = {
		{SPAN_ATTRS_SPAN, "span"},
		{SPAN_ATTRS_PROCESS, "resource"},
		{SPAN_ATTRS_PROCESS_ELSE, "resource"},
		{SPAN_ATTRS_SCOPE, "scope"},
		{SPAN_ATTRS_EVENTS, "events"},
		{SPAN_ATTRS_REFS, "links"},
	};
	const char *between = " of ";

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (!(of & places[i].bit))
			continue;
		span_buf_puts(b, places[i].bit == SPAN_ATTRS_PROCESS_ELSE
					 ? ", else of "
					 : between);
		span_buf_puts(b, places[i].name);
		between = " or ";
	}
}

/*
 * A bound of a test: WHOLE for integers and D for doubles, which is the same,
 * or just inside of the next integer at NEXT, unless a fraction was written.
 */
static void put_bound(struct span_buf *b, const char *what, int64_t whole,
		      double d, double next)
{
	span_buf_puts(b, what);
	if (d == (double)whole || d == nextafter(next, (double)whole))
		span_text_int(b, whole);
	else
		span_text_double(b, d);
}

static void put_numbers(struct span_buf *b, const struct span_attr_test *t)
{
	double least = t->double_min, most = t->double_max;

	if (least > most) {
		span_buf_puts(b, !t->outside ? " is no number"
				 : t->every  ? " fits, each text being asked"
					     : " has a value");
		return;
	}
	span_buf_puts(b, t->outside ? " is not" : " is");
	if (least == most) {
		span_buf_putc(b, ' ');
		span_text_double(b, least);
		return;
	}
	if (t->min != INT64_MIN)
		put_bound(b, " at least ", t->min, least, (double)t->min - 1);
	if (t->max != INT64_MAX)
		put_bound(b, " at most ", t->max, most, (double)t->max + 1);
}

static void put_test(struct span_buf *b, const struct span_attr_test *t)
{
	begin(b, t->every ? "every " : "");
	span_text_terminal(b, t->key);
	put_places(b, t->of);
	if (t->text) {
		span_buf_puts(b, " is");
		put_quoted(b, *t->text);
	} else if (t->numbers) {
		put_numbers(b, t);
	} else {
		span_buf_puts(b, " fits, each value being asked");
	}
	span_buf_putc(b, '\n');
}

static void put_tag(struct span_buf *b, const struct span_tag_eq *tag)
{
	begin(b, "tag ");
	span_text_terminal(b, tag->key);
	span_buf_puts(b, " is");
	put_quoted(b, tag->value);
	span_buf_putc(b, '\n');
}

/* ---- All of it ---- */

static void put_range(struct span_buf *b, const char *how,
		      const struct span_range *r)
{
	size_t begins = b->len, before;

	span_buf_printf(b, "%s indexes and columns for spans of which\n", how);
	before = b->len;
	put_time(b, "it starts at or after ", r->since_ns);
	put_time(b, "it starts before ", r->until_ns);
	put_duration(b, "it takes at least ", r->min_duration_ns);
	put_duration(b, "it takes at most ", r->max_duration_ns);
	put_names(b, "the service", r->services, r->n_services, r->service_fn);
	put_names(b, "the operation", r->operations, r->n_operations,
		  r->operation_fn);
	if (r->error)
		begin(b, "it is an error\n");
	for (size_t i = 0; i < r->n_tags; i++)
		put_tag(b, &r->tags[i]);
	for (size_t i = 0; i < r->n_tests; i++)
		put_test(b, &r->tests[i]);
	if (b->len != before || b->failed)
		return;
	b->len = begins;
	span_buf_puts(b, "a store looks at all spans\n");
}

static void put_judged(struct span_buf *b, bool whole, bool pushed, bool headed)
{
	if (whole && pushed)
		return;
	span_buf_puts(b, pushed	  ? "and no more: these match\n"
			 : headed ? "and judges their ids, times and names\n"
				  : "and judges them one by one, decoded\n");
}

static void put_parts(const struct span_query *q, struct span_buf *b)
{
	for (size_t i = 0; i < q->n_parts; i++) {
		const struct span__part *p = &q->parts[i];

		put_range(b, i ? "then in" : "a store looks in", &p->range);
		put_judged(b, false, p->pushed, false);
	}
}

void span_query_explain(const struct span_query *q, struct span_buf *out)
{
	const struct span__need *need = &q->need;
	bool needs = q->whole && need->hints;
	const struct span_range *r = needs ? &need->range : &q->range;

	if (q->n_ids) {
		span_buf_printf(
			out,
			"a store looks in its directories of traces for %zu "
			"id%s\n",
			q->n_ids, q->n_ids == 1 ? "" : "s");
		return;
	}
	if (q->n_parts && !q->whole) {
		put_parts(q, out);
		return;
	}
	put_range(out, "a store looks in", r);
	put_judged(out, q->whole, needs ? need->pushed : q->pushed,
		   !needs && q->headed);
	if (q->whole)
		span_buf_puts(out, "and judges their traces as a whole\n");
}
