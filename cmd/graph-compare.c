/* SPDX-License-Identifier: Apache-2.0 */
#include "graph-compare.h"
#include "graph-diff.h"
#include "graph-options.h"
#include "graph-read.h"

#include <string.h>

#include "base/banned.h"

struct side {
	struct span_graph *g;
	char *file;
	bool saved;
	struct span_graph_view v; /* the part that is wanted */
	bool no_focus;		  /* which is empty then */
	struct span_buf scratch;
};

static void tell_side(const struct side *s, uint64_t since)
{
	struct span_buf before = {0};

	span_buf_printf(&before, "%s: ", s->file);
	span_buf_putc(&before, 0);
	if (!before.failed)
		graph_tell(before.p, &s->v, span_graph_options(s->g), since);
	span_buf_release(&before);
}

static int read_side(struct side *s, struct span_error *err)
{
	uint64_t since = cmd_monotonic_ns();
	int rc = s->saved ? graph_read_saved(s->g, s->file, err)
			  : graph_read_source(s->g, 1, &s->file, err);

	if (rc < 0)
		return rc;
	if (s->saved)
		graph_options_check_saved(s->file, span_graph_options(s->g));
	rc = span_graph_view(s->g, &s->v, err);
	if (rc < 0)
		return rc;
	/* Calls that are few on one side only are compared. */
	rc = graph_read_part(&s->v, 0, &s->scratch, err);
	if (rc == SPAN_E_NOTFOUND) {
		s->v.n_nodes = s->v.n_edges = 0;
		s->no_focus = true;
		rc = 0;
	}
	if (!rc)
		tell_side(s, since);
	return rc;
}

static int read_sides(struct side *old, struct side *new,
		      struct span_error *err)
{
	const struct span_graph_opts *a = span_graph_options(old->g), *b;
	int rc;

	if (old->saved && new->saved && cmd_source_option())
		cmd_usage("--%s is about spans, and both FILEs are saved "
			  "graphs",
			  cmd_source_option());
	rc = read_side(old, err);
	if (!rc)
		rc = span_graph_open(&new->g, a, err);
	if (!rc)
		rc = read_side(new, err);
	if (rc < 0)
		return rc;
	b = span_graph_options(new->g);
	if (a->by_operation != b->by_operation ||
	    a->self_edges != b->self_edges || a->peers != b->peers ||
	    a->links != b->links)
		return span_error_set(err, SPAN_E_INVALID,
				      "%s and %s were counted with different "
				      "options",
				      old->file, new->file);
	/* A gate that nothing can come through by its name stays shut. */
	if (old->no_focus && new->no_focus)
		return span_error_set(err, SPAN_E_INVALID,
				      "no such service in either graph");
	return 0;
}

static int put_diff(struct span_buf *b, const struct side *old,
		    const struct side *new, struct span_error *err)
{
	const struct span_graph_opts *o = span_graph_options(new->g);
	struct graph_form form = {.operations = o->by_operation,
				  .peers = o->peers};
	struct span_buf changes = {0};
	struct graph_changes c = {.form = &form};
	int64_t n = span_graph_diff(&old->v, &new->v, &graph_wanted.tolerance,
				    &changes, err);

	if (n >= 0) {
		c.v = (struct span_graph_change *)changes.p;
		c.n = changes.len / sizeof(*c.v);
		(graph_wanted.format == DOT    ? graph_diff_dot
		 : graph_wanted.format == JSON ? graph_diff_json
					       : graph_diff_text)(b, &c);
		if (!c.n)
			cmd_warn("there are no calls to compare");
		n = graph_diff_count(&c) ? CMD_NONE : CMD_OK;
	}
	span_buf_release(&changes);
	return (int)n;
}

int graph_compare(struct span_graph *g, char **files, struct span_error *err)
{
	struct side old = {.g = g,
			   .file = files[0],
			   .saved = graph_read_is_saved(files[0])};
	struct side new = {.file = files[1],
			   .saved = graph_read_is_saved(files[1])};
	struct span_buf b = {0};
	int rc, written;

	if (!strcmp(files[0], "-") && !strcmp(files[1], "-"))
		cmd_usage("standard input can only be one of the two");
	rc = read_sides(&old, &new, err);
	if (!rc)
		rc = put_diff(&b, &old, &new, err);
	if (rc >= 0 && (written = graph_write(&b, false, err)) < 0)
		rc = written;
	span_graph_close(&new.g);
	span_buf_release(&b);
	span_buf_release(&old.scratch);
	span_buf_release(&new.scratch);
	return rc;
}
