/* SPDX-License-Identifier: Apache-2.0 */
#include "diff-notes.h"

#include "base/banned.h"

#define MAX_INDENT 24u
#define ATTRS_SHOWN 5
#define MIN_VALUE 8u /* columns */

void diff_put_plural(struct span_buf *b, uint64_t n, const char *what)
{
	span_text_count(b, n);
	span_buf_printf(b, " %s%s", what, n == 1 ? "" : "s");
}

size_t diff_indent(const struct span_diff_node *n)
{
	return n->depth < MAX_INDENT / 2 ? (size_t)n->depth * 2 : MAX_INDENT;
}

/* Deep down there is not much room. */
static void start_note(struct span_buf *b, const struct diff_out_opts *o,
		       const struct span_diff_node *n)
{
	size_t indent = diff_indent(n) + 6, most = o->look.columns / 4;

	span_buf_printf(b, "%*s", (int)(indent < most ? indent : most), "");
}

/* "errors: 3 of 40 -> 4 of 41 traces, q 0.12", of traces with the path. */
static void put_errors(struct span_buf *b, const struct diff_out_opts *o,
		       const struct span_diff_view *v,
		       const struct span_diff_node *n)
{
	if (!(n->changes & SPAN_DIFF_ERRORS))
		return;
	start_note(b, o, n);
	for (int i = 0; i < 2; i++) {
		span_buf_puts(b, i ? " -> " : "errors: ");
		span_text_count(b, v->sets ? n->side[i].failing
					   : n->side[i].errors);
		span_buf_puts(b, " of ");
		span_text_count(b,
				v->sets ? n->side[i].traces : n->side[i].spans);
	}
	if (v->sets)
		span_buf_puts(b, n->side[1].traces == 1 ? " trace" : " traces");
	if (v->tested)
		span_buf_printf(b, ", q %.2g", n->q_errors);
	span_buf_putc(b, '\n');
}

/* "q of time 0.0014 (44 and 41 traces)" */
static void put_q(struct span_buf *b, const struct diff_out_opts *o,
		  const struct span_diff_node *n, const char *of, double q,
		  uint64_t n_a, uint64_t n_b)
{
	start_note(b, o, n);
	span_buf_printf(b, "q of %s %.2g (", of, q);
	span_text_count(b, n_a);
	span_buf_puts(b, " and ");
	diff_put_plural(b, n_b, "trace");
	span_buf_puts(b, ")\n");
}

static void put_significance(struct span_buf *b, const struct diff_out_opts *o,
			     const struct span_diff_view *v,
			     const struct span_diff_node *n)
{
	/* What is below a path that is not there was not tested. */
	if (v->tested && n->q_count < 1 &&
	    n->changes &
		    (SPAN_DIFF_ADDED | SPAN_DIFF_REMOVED | SPAN_DIFF_COUNT))
		put_q(b, o, n, "spans", n->q_count, n->side[0].of_traces,
		      n->side[1].of_traces);
	if (v->tested && n->changes & SPAN_DIFF_DURATION)
		put_q(b, o, n, "time", n->q_duration, n->side[0].traces,
		      n->side[1].traces);
}

/* In one span each, so that a key has one value or is a pair. */
static bool is_single(const struct span_diff_view *v,
		      const struct span_diff_node *n)
{
	return !v->sets && n->side[0].spans == 1 && n->side[1].spans == 1;
}

/* Columns of a line that began at FROM, with TAIL more behind them. */
static size_t columns_left(const struct span_buf *b,
			   const struct diff_out_opts *o, size_t from,
			   size_t tail)
{
	size_t used = tail + span_text_width((struct span_str){b->p + from,
							       b->len - from});

	return used + MIN_VALUE < o->look.columns ? o->look.columns - used
						  : MIN_VALUE;
}

/* "key: old -> new", when each side has one value in its one span. */
static bool put_pair(struct span_buf *b, const struct diff_out_opts *o,
		     const struct span_diff_view *v,
		     const struct span_diff_node *n, size_t i, size_t from)
{
	const struct span_diff_attr *a = &n->attrs[i];
	size_t width;

	if (!is_single(v, n) || i + 1 == n->n_attrs ||
	    !span_str_equal(a[0].key, a[1].key) || !a[0].spans[0] ||
	    !a[1].spans[1] || (i && span_str_equal(a[-1].key, a->key)) ||
	    (i + 2 < n->n_attrs && span_str_equal(a[2].key, a->key)))
		return false;
	cmd_look_fit(b, &o->look, a->key, o->look.columns / 4, false);
	span_buf_puts(b, ": ");
	width = columns_left(b, o, from, 4) / 2;
	cmd_look_fit(b, &o->look, a[0].value, width, false);
	span_buf_puts(b, " -> ");
	cmd_look_fit(b, &o->look, a[1].value, width, false);
	return true;
}

/* What has the value: "key=value: 0% -> 100%, q 1e-12". */
static void put_value(struct span_buf *b, const struct diff_out_opts *o,
		      const struct span_diff_view *v,
		      const struct span_diff_node *n, size_t i, size_t from)
{
	const struct span_diff_attr *a = &n->attrs[i];

	cmd_look_fit(b, &o->look, a->key, o->look.columns / 4, false);
	span_buf_putc(b, '=');
	cmd_look_fit(b, &o->look, a->value,
		     columns_left(b, o, from, v->sets ? 25 : 14), false);
	if (is_single(v, n)) {
		span_buf_printf(b, " only in %s", a->spans[0] ? "A" : "B");
		return;
	}
	for (int k = 0; k < 2; k++) {
		double part = v->sets ? (double)a->traces[k] /
						(double)n->side[k].traces
				      : (double)a->spans[k] /
						(double)n->side[k].spans;

		span_buf_printf(b, "%s%.0f%%", k ? " -> " : ": ", part * 100);
	}
	if (v->sets)
		span_buf_printf(b, ", q %.2g", a->q);
}

static void put_attrs(struct span_buf *b, const struct diff_out_opts *o,
		      const struct span_diff_view *v,
		      const struct span_diff_node *n)
{
	size_t lines = 0;

	for (size_t i = 0; i < n->n_attrs; i++) {
		size_t from = b->len;

		if (lines++ == ATTRS_SHOWN && !o->all) {
			start_note(b, o, n);
			span_buf_printf(b, "and %zu more\n", n->n_attrs - i);
			return;
		}
		start_note(b, o, n);
		if (put_pair(b, o, v, n, i, from))
			i++;
		else
			put_value(b, o, v, n, i, from);
		span_buf_putc(b, '\n');
	}
}

void diff_put_notes(struct span_buf *b, const struct diff_out_opts *o,
		    const struct span_diff_view *v,
		    const struct span_diff_node *n)
{
	put_errors(b, o, v, n);
	put_significance(b, o, v, n);
	put_attrs(b, o, v, n);
}
