/* SPDX-License-Identifier: Apache-2.0 */
#include "graph-paths.h"

#include "base/banned.h"

static void put_text(struct span_buf *b, const struct span_path *path)
{
	char id[SPAN_TRACE_ID_TEXT];

	span_text_count(b, path->calls);
	span_buf_printf(b, " call%s in ", path->calls == 1 ? "" : "s");
	span_text_count(b, path->traces);
	span_buf_printf(b, " trace%s, %s: ", path->traces == 1 ? "" : "s",
			span_trace_id_text(path->trace_id, id));
	for (size_t i = 0; i < path->n; i++) {
		span_buf_puts(b, i ? " > " : "");
		span_text_terminal(b, path->steps[i].service);
		if (!path->steps[i].operation.len)
			continue;
		span_buf_putc(b, ' ');
		span_text_terminal(b, path->steps[i].operation);
	}
	span_buf_putc(b, '\n');
}

int graph_paths_text(struct span_buf *b, struct span_paths *p,
		     struct span_error *err)
{
	struct span_path path;
	int rc;

	while ((rc = span_paths_next(p, &path, err)) > 0)
		put_text(b, &path);
	return rc;
}

static void put_json(struct span_buf *b, const struct span_path *path)
{
	char id[SPAN_TRACE_ID_TEXT];

	span_buf_puts(b, "{\"path\":[");
	for (size_t i = 0; i < path->n; i++) {
		span_buf_puts(b, i ? ",{\"service\":" : "{\"service\":");
		span_text_json(b, path->steps[i].service);
		graph_json_text(b, "operation", path->steps[i].operation);
		span_buf_putc(b, '}');
	}
	span_buf_printf(b,
			"],\"attributes\":[{\"key\":\"exemplar_trace_id\","
			"\"value\":\"%s\"}]",
			span_trace_id_text(path->trace_id, id));
	graph_json_number(b, "calls", path->calls);
	graph_json_number(b, "traces", path->traces);
	span_buf_putc(b, '}');
}

int graph_paths_json(struct span_buf *b, struct span_paths *p,
		     struct span_error *err)
{
	struct span_path path;
	size_t n = 0;
	int rc;

	span_buf_puts(b, "{\"dependencies\":[");
	while ((rc = span_paths_next(p, &path, err)) > 0) {
		span_buf_puts(b, n++ ? ",\n" : "\n");
		put_json(b, &path);
	}
	span_buf_puts(b, "]}\n");
	return rc;
}
