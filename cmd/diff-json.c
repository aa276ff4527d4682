/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd_json.h"
#include "diff-out.h"

#include "base/banned.h"

static const char *const sides[] = {"a", "b"};

static void put_attrs(struct cmd_json *j, const struct span_diff_node *n)
{
	cmd_json_open(j, "attributes", '[');
	for (size_t i = 0; i < n->n_attrs; i++) {
		const struct span_diff_attr *a = &n->attrs[i];

		cmd_json_open(j, NULL, '{');
		cmd_json_text(j, "key", a->key);
		cmd_json_text(j, "value", a->value);
		for (int k = 0; k < 2; k++) {
			cmd_json_open(j, sides[k], '{');
			cmd_json_uint(j, "traces", a->traces[k]);
			cmd_json_uint(j, "spans", a->spans[k]);
			cmd_json_close(j, '}');
		}
		cmd_json_double(j, "q", a->q);
		cmd_json_close(j, '}');
	}
	cmd_json_close(j, ']');
}

static void put_changes(struct cmd_json *j, unsigned changes)
{
	static const char *const names[] = {"added", "removed", "count",
					    "duration", "errors"};

	cmd_json_open(j, "changes", '[');
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (changes & 1u << i)
			cmd_json_text(j, NULL, span_str(names[i]));
	}
	cmd_json_close(j, ']');
}

static void put_side(struct cmd_json *j, const struct span_diff_node *n,
		     int side)
{
	cmd_json_open(j, sides[side], '{');
	cmd_json_uint(j, "traces", n->side[side].traces);
	cmd_json_uint(j, "of_traces", n->side[side].of_traces);
	cmd_json_uint(j, "failing_traces", n->side[side].failing);
	cmd_json_uint(j, "spans", n->side[side].spans);
	cmd_json_uint(j, "errors", n->side[side].errors);
	cmd_json_uint(j, "time_ns", n->side[side].typical_ns);
	cmd_json_close(j, '}');
}

static void put_node(struct cmd_json *j, const struct span_diff_node *n,
		     size_t number)
{
	cmd_json_open(j, NULL, '{');
	cmd_json_uint(j, "path", number);
	if (n->parent == SPAN_TRACE_NONE)
		cmd_json_null(j, "parent");
	else
		cmd_json_uint(j, "parent", n->parent);
	cmd_json_text(j, "service", n->service);
	cmd_json_text(j, "operation", n->name);
	put_changes(j, n->changes);
	put_side(j, n, SPAN_DIFF_A);
	put_side(j, n, SPAN_DIFF_B);
	cmd_json_double(j, "q_count", n->q_count);
	cmd_json_double(j, "q_duration", n->q_duration);
	cmd_json_double(j, "q_errors", n->q_errors);
	put_attrs(j, n);
	cmd_json_close(j, '}');
}

void diff_out_json(struct span_buf *b, const struct diff_out_opts *o,
		   const struct span_diff_view *v)
{
	struct cmd_json j = {.b = b};

	cmd_json_open(&j, NULL, '{');
	for (int i = 0; i < 2; i++) {
		cmd_json_open(&j, sides[i], '{');
		cmd_json_text(&j, "name", span_str(o->names[i]));
		cmd_json_uint(&j, "traces", v->traces[i]);
		cmd_json_uint(&j, "spans", v->spans[i]);
		cmd_json_close(&j, '}');
	}
	cmd_json_bool(&j, "sets", v->sets);
	cmd_json_bool(&j, "tested", v->tested);
	cmd_json_uint(&j, "changed", v->n_changed);
	cmd_json_open(&j, "paths", '[');
	for (size_t i = 0; i < v->n_nodes; i++) {
		cmd_json_line(&j);
		put_node(&j, &v->nodes[i], i);
	}
	cmd_json_close(&j, ']');
	cmd_json_close(&j, '}');
	span_buf_putc(b, '\n');
}
