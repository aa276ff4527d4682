/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace-view - look at traces
 */
#include "cmd_source.h"
#include "view-links.h"
#include "view-options.h"

#include "base/banned.h"

#define TERMINAL_LIMIT 20

/* For traces of a stream: one may need a quarter of it, see trace-view(1). */
#define STREAM_MEMORY (UINT64_C(1) << 30)

static struct view view = {.opt = &view_wanted};

static int before_wait(void *arg, uint64_t *wait_ns, struct span_error *err)
{
	(void)arg;
	(void)wait_ns;
	return view_flush(&view, err);
}

static void report(uint64_t start_ns)
{
	cmd_note("%llu trace%s, %llu span%s in %.2f s",
		 (unsigned long long)view.n_traces,
		 view.n_traces == 1 ? "" : "s",
		 (unsigned long long)view.n_spans, view.n_spans == 1 ? "" : "s",
		 (double)(cmd_monotonic_ns() - start_ns) / 1e9);
}

/* Show what IN has next, to its end: 0 or a negative code. */
static int show_next(struct cmd_source *in, struct view_links *links,
		     bool linked, struct span_error *err)
{
	bool marks = !linked && cmd_source_selects();
	const uint8_t *matched;
	struct span_buf note = {0};
	struct span_trace t;
	int rc;

	while ((rc = cmd_source_next_trace(in, &t, &matched, err)) > 0) {
		if (linked)
			view_links_note(links, t.trace_id, &note);
		view.look.note = (struct span_str){note.p, note.len};
		if (view_wanted.follow_links)
			view_links_add(links, &t);
		rc = view_show(&view, &t, marks ? matched : NULL, err);
		if (rc < 0)
			break;
	}
	span_buf_release(&note);
	return rc;
}

/* What links led to and is not shown, BEYOND the levels that are. */
static void warn_links(const struct view_links *links, uint64_t missing,
		       bool beyond)
{
	if (missing)
		cmd_warn("%llu linked trace%s not here",
			 (unsigned long long)missing,
			 missing == 1 ? " is" : "s are");
	if (beyond)
		cmd_warn("links are followed for %u levels: there are more",
			 VIEW_MAX_LEVELS);
	if (links->more)
		cmd_warn("the first %u linked traces are shown: there are more",
			 VIEW_MAX_LINKED);
}

/* Level by level what the traces so far link to, each trace once. */
static int show_linked(struct cmd_source *in, struct view_links *links,
		       struct span_error *err)
{
	uint64_t missing = 0;
	size_t n = 0;
	int rc;

	for (unsigned level = 0;; level++) {
		const uint8_t(*ids)[16] = view_links_ids(links, &n);

		if (!ids)
			return span_error_set(err, SPAN_E_NOMEM,
					      "memory is out");
		if (!n || level == VIEW_MAX_LEVELS)
			break;
		rc = cmd_source_by_ids(in, ids, n, err);
		if (!rc)
			rc = show_next(in, links, true, err);
		if (rc < 0)
			return rc;
		missing += view_links_absent(links);
	}
	warn_links(links, missing, n > 0);
	return 0;
}

/* All of it; after bad input what was found before it is shown. */
static int show_traces(struct cmd_source *in, struct span_error *err)
{
	struct view_links links = {0};
	struct span_error late = {0};
	int rc, written;

	rc = view_begin(&view, err);
	if (!rc)
		rc = show_next(in, &links, false, err);
	if (!rc && view_wanted.follow_links)
		rc = show_linked(in, &links, err);
	view_links_release(&links);
	if (rc == SPAN_E_PIPE || rc == SPAN_E_NOMEM)
		return rc;
	written = view_end(&view, rc >= 0, rc < 0 ? &late : err);
	return rc < 0 ? rc : written;
}

static int show_all(int argc, char **argv, struct span_error *err)
{
	struct cmd_source *in = NULL;
	uint64_t start_ns = cmd_monotonic_ns();
	int rc = cmd_source_open(&in, argc, argv, NULL, err);

	if (rc >= 0)
		rc = show_traces(in, err);
	if (rc >= 0 && cmd_verbose)
		report(start_ns);
	cmd_source_close(&in);
	return rc;
}

static void set_up(void)
{
	view_options_check();
	if (cmd_output_is_terminal() && !view_is_analysis(&view_wanted))
		cmd_source_default_limit(TERMINAL_LIMIT);
	cmd_source_default_memory(STREAM_MEMORY);
	cmd_large_heap();
	view_options_look(&view.look);
	cmd_source_on_idle(before_wait, NULL);
}

static int run(int argc, char **argv, struct span_error *err)
{
	int rc;

	set_up();
	rc = cmd_output_open(&view.fd, false, err);
	if (rc >= 0)
		rc = show_all(argc, argv, err);
	view_release(&view);
	if (rc >= 0)
		rc = cmd_output_close(view.fd, err);
	if (rc < 0)
		return rc;
	if (view_wanted.find || view_is_list(&view_wanted) ||
	    view_is_analysis(&view_wanted))
		return view.n_shown ? CMD_OK : CMD_NONE;
	return view.n_traces ? CMD_OK : CMD_NONE;
}

static const struct cmd trace_view = {
	.name = "trace-view",
	.operands = "[EXPR] [FILE...]",
	.summary = "look at traces",
	.options = view_options,
	.run = run,
};

int main(int argc, char **argv)
{
	return cmd_main(&trace_view, argc, argv);
}
