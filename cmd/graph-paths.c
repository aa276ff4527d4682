/* SPDX-License-Identifier: Apache-2.0 */
#include "graph-paths.h"
#include "graph-options.h"
#include "graph-read.h"

#include "base/banned.h"

static void put_text(struct span_buf *b, const struct span_path *path)
{
	char id[SPAN_TRACE_ID_TEXT];
	size_t at = b->len;

	span_text_count(b, path->calls);
	span_buf_printf(b, " call%s in ", path->calls == 1 ? "" : "s");
	span_text_count(b, path->traces);
	span_buf_printf(b, " trace%s, %s: ", path->traces == 1 ? "" : "s",
			span_trace_id_text(path->trace_id, id));
	for (size_t i = 0; i < path->n; i++) {
		span_buf_puts(b, i ? " > " : "");
		graph_label(b, path->steps[i].service);
		if (!path->steps[i].operation.len)
			continue;
		span_buf_putc(b, ' ');
		graph_label(b, path->steps[i].operation);
	}
	graph_end_line(b, at, 4);
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

/* Are PATH and those before it, WRITTEN of them, wanted? */
static bool is_wanted(const struct span_path *path, size_t written)
{
	return path->calls >= graph_wanted.min_calls &&
	       (!graph_wanted.top || written < graph_wanted.top);
}

/*
 * Those with the most calls come first: 1 when there are any, 0, or NOMEM; *OUT
 * are those that are wanted.
 */
static int put_all(struct span_buf *b, struct span_paths *p, size_t *out,
		   struct span_error *err)
{
	bool json = graph_wanted.format == JSON;
	struct span_path path;
	size_t n = 0;
	int rc;

	if (json)
		span_buf_puts(b, "{\"dependencies\":[");
	while ((rc = span_paths_next(p, &path, err)) > 0 &&
	       is_wanted(&path, n)) {
		if (json)
			span_buf_puts(b, n ? ",\n" : "\n");
		(json ? put_json : put_text)(b, &path);
		n++;
	}
	if (json)
		span_buf_puts(b, "]}\n");
	if (rc > 0 && !n && cmd_output_is_terminal())
		cmd_note("no path has so many calls");
	*out = n;
	return rc < 0 ? rc : rc || n;
}

static void tell(const struct span_paths *p, uint64_t traces, size_t paths,
		 uint64_t since)
{
	if (span_paths_left_out(p))
		cmd_warn("%llu spans are beyond %u paths, and left out",
			 (unsigned long long)span_paths_left_out(p),
			 SPAN_PATHS_MAX);
	if (cmd_verbose)
		cmd_note("%llu traces, %zu paths, %.2f s",
			 (unsigned long long)traces, paths,
			 (double)(cmd_monotonic_ns() - since) / 1e9);
}

static int count(struct span_paths *p, int argc, char **argv,
		 struct span_error *err)
{
	uint64_t since = cmd_monotonic_ns(), traces = 0;
	struct span_buf b = {0};
	size_t paths = 0;
	int rc = graph_read_paths(p, argc, argv, &traces, err);

	if (!rc)
		rc = put_all(&b, p, &paths, err);
	if (!rc) {
		cmd_warn("no such service in the graph");
		rc = CMD_NONE;
	} else if (rc > 0) {
		rc = graph_write(&b, false, err);
	}
	if (rc >= 0)
		tell(p, traces, paths, since);
	span_buf_release(&b);
	return rc;
}

int graph_paths_run(int argc, char **argv, struct span_error *err)
{
	struct span_paths *p = NULL;
	int rc = span_paths_open(&p, span_str(graph_wanted.paths),
				 graph_wanted.by == OPERATIONS, err);

	if (!rc)
		rc = count(p, argc, argv, err);
	span_paths_close(&p);
	return rc;
}
