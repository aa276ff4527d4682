/* SPDX-License-Identifier: Apache-2.0 */
#include "diff-out.h"

#include <string.h>

#include "base/banned.h"

#define NUMBERS 36 /* columns of them, right of the names */
#define MIN_NAME 20
#define MAX_INDENT 24u
#define ATTRS_SHOWN 5

static const char *const sides[] = {"A", "B"};

static void put_plural(struct span_buf *b, uint64_t n, const char *what)
{
	span_text_count(b, n);
	span_buf_printf(b, " %s%s", what, n == 1 ? "" : "s");
}

/* What was put from FROM on, right in WIDTH columns; it is ASCII. */
static void right(struct span_buf *b, size_t from, size_t width)
{
	size_t len = b->len - from;
	char text[64];

	if (b->failed || len >= width || len > sizeof(text))
		return;
	memcpy(text, b->p + from, len);
	b->len = from;
	span_buf_printf(b, "%*.*s", (int)width, (int)len, text);
}

/* Spaces up to WIDTH columns from FROM on. */
static void pad(struct span_buf *b, size_t from, size_t width)
{
	size_t used =
		span_text_width((struct span_str){b->p + from, b->len - from});

	if (used < width)
		span_buf_printf(b, "%*s", (int)(width - used), "");
}

/* ---- Text ---- */

static char mark_of(const struct span_diff_node *n)
{
	if (n->changes & SPAN_DIFF_ADDED)
		return '+';
	if (n->changes & SPAN_DIFF_REMOVED)
		return '-';
	return n->changes ? '~' : ' ';
}

static void put_colour(struct span_buf *b, const struct diff_out_opts *o,
		       char mark)
{
	if (o->look.colour && mark != ' ')
		span_buf_puts(b, mark == '+'   ? "\x1b[32m"
				 : mark == '-' ? "\x1b[31m"
					       : "\x1b[33m");
}

static void put_count(struct span_buf *b, const struct span_diff_view *v,
		      const struct span_diff_node *n, int side, size_t width)
{
	size_t from = b->len;

	if (!n->side[side].spans)
		span_buf_putc(b, '-');
	else if (v->sets)
		span_buf_printf(b, "%.*f",
				n->side[side].per_trace < 1000 ? 1 : 0,
				n->side[side].per_trace);
	else
		span_text_uint(b, n->side[side].spans);
	right(b, from, width);
}

static void put_time(struct span_buf *b, const struct span_diff_node *n,
		     int side)
{
	size_t from = b->len;

	if (n->side[side].spans)
		span_text_duration(b, n->side[side].typical_ns);
	else
		span_buf_putc(b, '-');
	right(b, from, 9);
}

static void put_change(struct span_buf *b, const struct span_diff_node *n)
{
	double old = (double)n->side[0].typical_ns,
	       new = (double)n->side[1].typical_ns;
	size_t from = b->len;

	if (n->changes & SPAN_DIFF_ADDED)
		span_buf_puts(b, "new");
	else if (n->changes & SPAN_DIFF_REMOVED)
		span_buf_puts(b, "gone");
	else if (!(n->changes & SPAN_DIFF_DURATION))
		return;
	else if (old > 0 && new / old < 10)
		span_buf_printf(b, "%+.0f%%", (new / old - 1) * 100);
	else if (old > 0 && new / old < 10000)
		span_buf_printf(b, "x%.0f", new / old);
	else
		span_buf_puts(b, "longer");
	right(b, from, 7);
}

static size_t name_width(const struct diff_out_opts *o)
{
	return o->look.columns > NUMBERS + MIN_NAME + 2
		       ? o->look.columns - NUMBERS - 2
		       : MIN_NAME;
}

static size_t indent_of(const struct span_diff_node *n)
{
	return n->depth < MAX_INDENT / 2 ? (size_t)n->depth * 2 : MAX_INDENT;
}

static void put_name(struct span_buf *b, const struct diff_out_opts *o,
		     const struct span_diff_view *v,
		     const struct span_diff_node *n)
{
	size_t width = name_width(o), indent = indent_of(n), from = b->len;
	size_t left;
	bool same = n->parent != SPAN_TRACE_NONE &&
		    span_str_equal(n->service, v->nodes[n->parent].service);

	if (indent > width / 2)
		indent = width / 2;
	span_buf_printf(b, "%*s", (int)indent, "");
	left = width - indent;
	if (!same) {
		size_t used = span_text_width(n->service);

		if (used > left / 2)
			used = left / 2;
		span_text_fit(b, n->service, used, false);
		span_buf_putc(b, ' ');
		left -= used + 1;
	}
	span_text_fit(b, n->name, left, false);
	pad(b, from, width);
}

static void put_row(struct span_buf *b, const struct diff_out_opts *o,
		    const struct span_diff_view *v,
		    const struct span_diff_node *n)
{
	char mark = mark_of(n);

	put_colour(b, o, mark);
	span_buf_putc(b, mark);
	span_buf_putc(b, ' ');
	put_name(b, o, v, n);
	put_count(b, v, n, SPAN_DIFF_A, 5);
	put_count(b, v, n, SPAN_DIFF_B, 6);
	put_time(b, n, SPAN_DIFF_A);
	put_time(b, n, SPAN_DIFF_B);
	put_change(b, n);
	if (o->look.colour && mark != ' ')
		span_buf_puts(b, "\x1b[0m");
	span_buf_putc(b, '\n');
}

static void start_note(struct span_buf *b, const struct span_diff_node *n)
{
	span_buf_printf(b, "%*s", (int)indent_of(n) + 6, "");
}

static void put_errors(struct span_buf *b, const struct span_diff_view *v,
		       const struct span_diff_node *n)
{
	if (!(n->changes & SPAN_DIFF_ERRORS))
		return;
	start_note(b, n);
	for (int i = 0; i < 2; i++) {
		span_buf_puts(b, i ? " -> " : "errors: ");
		span_text_count(b, n->side[i].errors);
		span_buf_puts(b, " of ");
		span_text_count(b, n->side[i].spans);
	}
	if (v->sets)
		span_buf_printf(b, " (q %.2g)", n->q_errors);
	span_buf_putc(b, '\n');
}

static void put_significance(struct span_buf *b, const struct span_diff_view *v,
			     const struct span_diff_node *n)
{
	bool count = n->q_count < 1 &&
		     n->changes & (SPAN_DIFF_ADDED | SPAN_DIFF_REMOVED |
				   SPAN_DIFF_COUNT);
	bool duration = n->changes & SPAN_DIFF_DURATION;

	if (!v->sets || (!count && !duration))
		return;
	start_note(b, n);
	span_buf_puts(b, "q");
	if (count)
		span_buf_printf(b, " of spans %.2g%s", n->q_count,
				duration ? "," : "");
	if (duration)
		span_buf_printf(b, " of time %.2g", n->q_duration);
	span_buf_putc(b, '\n');
}

/* "key: old -> new", when both sides have one value in their one span. */
static bool put_pair(struct span_buf *b, const struct diff_out_opts *o,
		     const struct span_diff_node *n, size_t i)
{
	const struct span_diff_attr *a = &n->attrs[i];

	if (n->side[0].spans != 1 || n->side[1].spans != 1 ||
	    i + 1 == n->n_attrs || !span_str_equal(a[0].key, a[1].key) ||
	    !a[0].n[0] || !a[1].n[1])
		return false;
	span_text_fit(b, a->key, o->look.columns / 3, false);
	span_buf_puts(b, ": ");
	span_text_fit(b, a[0].value, o->look.columns / 4, false);
	span_buf_puts(b, " -> ");
	span_text_fit(b, a[1].value, o->look.columns / 4, false);
	return true;
}

static void put_value(struct span_buf *b, const struct diff_out_opts *o,
		      const struct span_diff_node *n, size_t i)
{
	const struct span_diff_attr *a = &n->attrs[i];

	span_text_fit(b, a->key, o->look.columns / 3, false);
	span_buf_putc(b, '=');
	span_text_fit(b, a->value, o->look.columns / 4, false);
	if (n->side[0].spans == 1 && n->side[1].spans == 1) {
		span_buf_printf(b, " only in %s", sides[!a->n[0]]);
		return;
	}
	for (int k = 0; k < 2; k++)
		span_buf_printf(b, "%s%.0f%%", k ? " -> " : ": ",
				100 * (double)a->n[k] /
					(double)n->side[k].spans);
}

static void put_attrs(struct span_buf *b, const struct diff_out_opts *o,
		      const struct span_diff_node *n)
{
	size_t lines = 0;

	for (size_t i = 0; i < n->n_attrs; i++) {
		if (lines++ == ATTRS_SHOWN && !o->all) {
			start_note(b, n);
			span_buf_printf(b, "and %zu more\n", n->n_attrs - i);
			return;
		}
		start_note(b, n);
		if (put_pair(b, o, n, i))
			i++;
		else
			put_value(b, o, n, i);
		span_buf_putc(b, '\n');
	}
}

static void put_head(struct span_buf *b, const struct diff_out_opts *o,
		     const struct span_diff_view *v)
{
	size_t from;

	for (int i = 0; i < 2; i++) {
		span_buf_printf(b, "%s ", sides[i]);
		span_text_fit(b, span_str(o->names[i]),
			      o->look.columns > 60 ? o->look.columns - 40 : 20,
			      false);
		span_buf_puts(b, "  ");
		put_plural(b, v->traces[i], "trace");
		span_buf_puts(b, ", ");
		put_plural(b, v->spans[i], "span");
		span_buf_putc(b, '\n');
	}
	from = b->len;
	span_buf_puts(b,
		      v->sets ? "\n  median of a span" : "\n  mean of a span");
	pad(b, from + 1, name_width(o) + 2);
	span_buf_puts(b, v->sets ? " A/tr  B/tr        A        B change\n"
				 : "    A     B        A        B change\n");
}

void diff_out_text(struct span_buf *b, const struct diff_out_opts *o,
		   const struct span_diff_view *v)
{
	put_head(b, o, v);
	for (size_t i = 0; i < v->n_nodes; i++) {
		const struct span_diff_node *n = &v->nodes[i];

		if (!o->all && !n->changes && !n->n_attrs && !n->below)
			continue;
		put_row(b, o, v, n);
		put_errors(b, v, n);
		put_significance(b, v, n);
		put_attrs(b, o, n);
	}
	span_buf_putc(b, '\n');
	span_text_count(b, v->n_changed);
	span_buf_puts(b, " of ");
	put_plural(b, v->n_nodes, "path");
	span_buf_puts(b, v->n_changed == 1 ? " differs\n" : " differ\n");
}

/* ---- JSON ---- */

static void json_attrs(struct span_buf *b, const struct span_diff_node *n)
{
	span_buf_puts(b, ",\"attributes\":[");
	for (size_t i = 0; i < n->n_attrs; i++) {
		const struct span_diff_attr *a = &n->attrs[i];

		span_buf_puts(b, i ? ",{\"key\":" : "{\"key\":");
		span_text_json(b, a->key);
		span_buf_puts(b, ",\"value\":");
		span_text_json(b, a->value);
		span_buf_printf(b, ",\"a\":%llu,\"b\":%llu,\"q\":",
				(unsigned long long)a->n[0],
				(unsigned long long)a->n[1]);
		span_text_double(b, a->q);
		span_buf_putc(b, '}');
	}
	span_buf_puts(b, "]}");
}

static void json_changes(struct span_buf *b, unsigned changes)
{
	static const char *const names[] = {"added", "removed", "count",
					    "duration", "errors"};
	bool first = true;

	span_buf_puts(b, ",\"changes\":[");
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!(changes & 1u << i))
			continue;
		span_buf_printf(b, "%s\"%s\"", first ? "" : ",", names[i]);
		first = false;
	}
	span_buf_putc(b, ']');
}

static void json_node(struct span_buf *b, const struct span_diff_node *n,
		      size_t number)
{
	span_buf_printf(b, "{\"path\":%zu,\"parent\":", number);
	if (n->parent == SPAN_TRACE_NONE)
		span_buf_puts(b, "null");
	else
		span_text_uint(b, n->parent);
	span_buf_puts(b, ",\"service\":");
	span_text_json(b, n->service);
	span_buf_puts(b, ",\"operation\":");
	span_text_json(b, n->name);
	json_changes(b, n->changes);
	for (int i = 0; i < 2; i++)
		span_buf_printf(b,
				",\"%c\":{\"traces\":%llu,\"spans\":%llu,"
				"\"errors\":%llu,\"time_ns\":%llu}",
				"ab"[i],
				(unsigned long long)n -> side[i].traces,
				(unsigned long long)n->side[i].spans,
				(unsigned long long)n->side[i].errors,
				(unsigned long long)n->side[i].typical_ns);
	span_buf_puts(b, ",\"q_count\":");
	span_text_double(b, n->q_count);
	span_buf_puts(b, ",\"q_duration\":");
	span_text_double(b, n->q_duration);
	span_buf_puts(b, ",\"q_errors\":");
	span_text_double(b, n->q_errors);
	json_attrs(b, n);
}

void diff_out_json(struct span_buf *b, const struct diff_out_opts *o,
		   const struct span_diff_view *v)
{
	for (int i = 0; i < 2; i++) {
		span_buf_printf(b, "%c\"%c\":{\"name\":", i ? ',' : '{',
				"ab"[i]);
		span_text_json(b, span_str(o->names[i]));
		span_buf_printf(b, ",\"traces\":%llu,\"spans\":%llu}",
				(unsigned long long)v->traces[i],
				(unsigned long long)v->spans[i]);
	}
	span_buf_printf(b, ",\"sets\":%s,\"changed\":%zu,\"paths\":[",
			v->sets ? "true" : "false", v->n_changed);
	for (size_t i = 0; i < v->n_nodes; i++) {
		span_buf_puts(b, i ? ",\n" : "\n");
		json_node(b, &v->nodes[i], i);
	}
	span_buf_puts(b, "]}\n");
}
