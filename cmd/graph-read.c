/* SPDX-License-Identifier: Apache-2.0 */
#include "graph-read.h"
#include "graph-options.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"

/*
 * A call counts by its own start: of a trace at the edge of --since or
 * --until only the spans inside do.
 */
static int put_trace(struct span_graph *g, const struct span_trace *t,
		     struct span_buf *counted, struct span_error *err)
{
	uint8_t *in_time;

	counted->len = 0;
	in_time = (uint8_t *)span_buf_reserve(counted, t->n);
	if (!in_time)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	for (size_t i = 0; i < t->n; i++)
		in_time[i] = cmd_source_in_time(&t->spans[i]);
	return span_graph_put(g, t, in_time, err);
}

/*
 * A graph needs few parts of a span, which then take a fraction of the memory
 * and time until their trace is complete. Tags say whether it failed.
 */
static void leave_out_more(struct span *s)
{
	static struct span_process process;

	process = (struct span_process){.service = s->process->service,
					.serial = s->process->serial};
	s->process = &process;
	s->scope = NULL;
	s->events = NULL;
	s->n_events = 0;
	s->status_message = (struct span_str){0};
}

static void leave_out(struct span *s)
{
	if (span_is_error(s))
		s->status = SPAN_STATUS_ERROR;
	s->attrs = (struct span_attrs){0};
	leave_out_more(s);
}

static int read_traces(struct cmd_source *in, struct span_graph *g,
		       struct span_error *err)
{
	struct span_buf counted = {0};
	struct span_trace t;
	uint64_t n = 0;
	int rc;

	while ((rc = cmd_source_next_trace(in, &t, NULL, err)) > 0) {
		if ((rc = put_trace(g, &t, &counted, err)) < 0)
			break;
		cmd_progress(++n, "traces");
	}
	cmd_progress_end();
	span_buf_release(&counted);
	return rc;
}

/* Spans of a stream of which nothing but a time is selected. */
static int put_outlines(struct cmd_source *in, struct span_graph_stream *gs,
			struct span_error *err)
{
	struct span s;
	int rc;

	while ((rc = cmd_source_next_outline(in, &s, err)) > 0) {
		rc = span_graph_stream_put(gs, &s, err);
		if (rc < 0)
			return rc;
		if (cmd_source_spans(in) % 256 == 0)
			cmd_progress(cmd_source_spans(in), "spans");
	}
	return rc < 0 ? rc : span_graph_stream_finish(gs, err);
}

static int read_outlines(struct cmd_source *in, struct span_graph *g,
			 struct span_error *err)
{
	struct span_graph_stream_opts o;
	struct span_graph_stream *gs;
	int rc;

	cmd_source_window(&o.window_ns, &o.memory);
	cmd_source_time(&o.since_ns, &o.until_ns);
	rc = span_graph_stream_open(&gs, g, &o, err);
	if (!rc)
		rc = put_outlines(in, gs, err);
	cmd_progress_end();
	if (!rc)
		cmd_source_cut(span_graph_stream_cut(gs));
	span_graph_stream_close(&gs);
	return rc;
}

static int put_calls(void *graph, const struct span_store_calls *c,
		     struct span_error *err)
{
	return span_graph_put_calls(graph, c, err);
}

int graph_read_source(struct span_graph *g, int argc, char **argv,
		      struct span_error *err)
{
	const struct span_graph_opts *o = span_graph_options(g);
	bool whole = o->peers || o->links;
	struct cmd_source *in = NULL;
	int rc;

	/* The tags of a client tell what it called. */
	cmd_source_trim(o->peers ? leave_out_more : leave_out);
	rc = cmd_source_open(&in, argc, argv, NULL, err);
	if (rc < 0)
		goto done;
	if (!whole && cmd_source_has_calls(in))
		rc = cmd_source_calls(in, put_calls, g, err);
	else if (!whole && cmd_source_has_outlines(in))
		rc = read_outlines(in, g, err);
	else
		rc = read_traces(in, g, err);
done:
	cmd_source_close(&in);
	return rc;
}

int graph_read_paths(struct span_paths *p, int argc, char **argv,
		     uint64_t *traces, struct span_error *err)
{
	struct cmd_source *in = NULL;
	struct span_trace t;
	int rc;

	cmd_source_trim(leave_out);
	rc = cmd_source_open(&in, argc, argv, NULL, err);
	while (rc >= 0 && (rc = cmd_source_next_trace(in, &t, NULL, err)) > 0) {
		rc = span_paths_put(p, &t, err);
		cmd_progress(++*traces, "traces");
	}
	cmd_progress_end();
	cmd_source_close(&in);
	return rc;
}

int graph_read_saved(struct span_graph *g, const char *file,
		     struct span_error *err)
{
	const char *name = strcmp(file, "-") ? file : "standard input";
	struct span_buf b = {0};
	size_t at = 0, used;
	int rc = cmd_input_read(file, &b, err);

	if (!rc && !b.len)
		rc = span_error_set(err, SPAN_E_FORMAT,
				    "%s: there is no saved graph in it", name);
	while (!rc && at < b.len) {
		rc = span_graph_load(g, b.p + at, b.len - at, &used, err);
		if (rc < 0 && rc != SPAN_E_NOMEM) {
			struct span_error why = *err;

			rc = span_error_set(
				err, rc, "%s: at byte %llu: %s", name,
				(unsigned long long)(at + why.pos), why.msg);
		}
		at += used;
	}
	span_buf_release(&b);
	return rc;
}

/* Standard input is not moved by this. */
static bool begins_as_saved(int fd, off_t at)
{
	char head[6];

	return at >= 0 && pread(fd, head, sizeof(head), at) == sizeof(head) &&
	       memcmp(head, "\x95\xa4SPG1", sizeof(head)) == 0;
}

bool graph_read_is_saved(const char *file)
{
	bool is_stdin = !strcmp(file, "-"), saved;
	struct stat st;
	int fd;

	if ((is_stdin ? fstat(STDIN_FILENO, &st) : stat(file, &st)) < 0)
		return false;
	if (!S_ISREG(st.st_mode))
		return true;
	if (is_stdin)
		return begins_as_saved(STDIN_FILENO,
				       lseek(STDIN_FILENO, 0, SEEK_CUR));
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	saved = begins_as_saved(fd, 0);
	close(fd);
	return saved;
}

int graph_read_part(struct span_graph_view *v, uint64_t min_calls,
		    struct span_buf *scratch, struct span_error *err)
{
	struct span_str focus = span_str(graph_wanted.focus);
	struct span_graph_filter f = {
		.focus = graph_wanted.focus ? &focus : NULL,
		.depth = graph_wanted.depth < UINT32_MAX
				 ? (unsigned)graph_wanted.depth
				 : 0,
		.top = graph_wanted.top,
		.min_calls = min_calls,
		.kinds = graph_wanted.edges < 0 ? 0 : 1u << graph_wanted.edges,
	};
	struct span_graph_view whole = *v;

	if (!f.focus && !f.top && !f.min_calls && !f.kinds)
		return 0;
	return span_graph_select(&whole, &f, scratch, v, err);
}
