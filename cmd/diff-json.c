/* SPDX-License-Identifier: Apache-2.0 */
#include "diff-out.h"
#include "json-out.h"

#include "base/banned.h"

static const char *const sides[] = {"a", "b"};

static void put_attrs(struct span_buf *b, const struct span_diff_node *n)
{
	json_name(b, "attributes");
	span_buf_putc(b, '[');
	for (size_t i = 0; i < n->n_attrs; i++) {
		const struct span_diff_attr *a = &n->attrs[i];

		span_buf_puts(b, i ? ",{" : "{");
		json_text(b, "key", a->key);
		json_text(b, "value", a->value);
		for (int k = 0; k < 2; k++) {
			json_name(b, sides[k]);
			span_buf_putc(b, '{');
			json_uint(b, "traces", a->traces[k]);
			json_uint(b, "spans", a->spans[k]);
			span_buf_putc(b, '}');
		}
		json_double(b, "q", a->q);
		span_buf_putc(b, '}');
	}
	span_buf_putc(b, ']');
}

static void put_changes(struct span_buf *b, unsigned changes)
{
	static const char *const names[] = {"added", "removed", "count",
					    "duration", "errors"};
	bool first = true;

	json_name(b, "changes");
	span_buf_putc(b, '[');
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!(changes & 1u << i))
			continue;
		span_buf_printf(b, "%s\"%s\"", first ? "" : ",", names[i]);
		first = false;
	}
	span_buf_putc(b, ']');
}

static void put_side(struct span_buf *b, const struct span_diff_node *n,
		     int side)
{
	json_name(b, sides[side]);
	span_buf_putc(b, '{');
	json_uint(b, "traces", n->side[side].traces);
	json_uint(b, "of_traces", n->side[side].of_traces);
	json_uint(b, "failing_traces", n->side[side].failing);
	json_uint(b, "spans", n->side[side].spans);
	json_uint(b, "errors", n->side[side].errors);
	json_uint(b, "time_ns", n->side[side].typical_ns);
	span_buf_putc(b, '}');
}

static void put_node(struct span_buf *b, const struct span_diff_node *n,
		     size_t number)
{
	span_buf_putc(b, '{');
	json_uint(b, "path", number);
	if (n->parent == SPAN_TRACE_NONE) {
		json_name(b, "parent");
		span_buf_puts(b, "null");
	} else {
		json_uint(b, "parent", n->parent);
	}
	json_text(b, "service", n->service);
	json_text(b, "operation", n->name);
	put_changes(b, n->changes);
	put_side(b, n, SPAN_DIFF_A);
	put_side(b, n, SPAN_DIFF_B);
	json_double(b, "q_count", n->q_count);
	json_double(b, "q_duration", n->q_duration);
	json_double(b, "q_errors", n->q_errors);
	put_attrs(b, n);
	span_buf_putc(b, '}');
}

void diff_out_json(struct span_buf *b, const struct diff_out_opts *o,
		   const struct span_diff_view *v)
{
	span_buf_putc(b, '{');
	for (int i = 0; i < 2; i++) {
		json_name(b, sides[i]);
		span_buf_putc(b, '{');
		json_text(b, "name", span_str(o->names[i]));
		json_uint(b, "traces", v->traces[i]);
		json_uint(b, "spans", v->spans[i]);
		span_buf_putc(b, '}');
	}
	json_bool(b, "sets", v->sets);
	json_bool(b, "tested", v->tested);
	json_uint(b, "changed", v->n_changed);
	json_name(b, "paths");
	span_buf_putc(b, '[');
	for (size_t i = 0; i < v->n_nodes; i++) {
		json_line(b, !i);
		put_node(b, &v->nodes[i], i);
	}
	span_buf_puts(b, "]}\n");
}
