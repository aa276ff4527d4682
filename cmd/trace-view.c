/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace-view - look at traces
 */
#include "cmd_source.h"
#include "view-findings.h"
#include "view-links.h"
#include "view-patterns.h"
#include "view-show.h"

#include <string.h>

#include "base/banned.h"

#define TERMINAL_LIMIT 20

/* For traces of a stream: one may need a quarter of it, see trace-view(1). */
#define STREAM_MEMORY (UINT64_C(1) << 30)
enum { TEXT, JSON };
static const char *const formats[] = {"text", "json", NULL};
static const char *const origins[] = {"trace", "span", NULL};

static struct {
	struct view_opts view;
	const char *columns;
	uint64_t depth, width;
	int format;
	bool fold, ascii, follow_links;
} opt = {.view = {.critical = true}, .fold = true};

static const struct cmd_option view_options[] = {
	{CMD_INT, 0, "depth", &opt.depth, "N",
	 "show N levels, and how many spans are below them", NULL},
	{CMD_NOFLAG, 0, "no-fold", &opt.fold, NULL,
	 "a line for each span, though siblings are alike", NULL},
	{CMD_NOFLAG, 0, "no-critical", &opt.view.critical, NULL,
	 "leave out the critical path", NULL},
	{CMD_STRING, 0, "find", &opt.view.find, "TEXT",
	 "mark the spans that hold TEXT, in whatever case", NULL},
	{CMD_LIST, 0, "span", &opt.view.spans, "ID",
	 "show this span whole, and no tree; or the beginning of its id", NULL},
	{CMD_FLAG, 0, "events", &opt.view.events, NULL,
	 "show the events of all spans, and no tree", NULL},
	{CMD_FLAG, 0, "errors", &opt.view.errors, NULL,
	 "show why spans failed, with their exceptions, and no tree", NULL},
	{CMD_CHOICE, 0, "relative", &opt.view.relative, "ORIGIN",
	 "where the times of events count from", origins},
	{CMD_DURATION, 0, "adjust-clock", &opt.view.adjust_ns, "MAX",
	 "correct the clocks of other hosts, by MAX at most", NULL},
	{CMD_STRING, 0, "columns", &opt.columns, "LIST",
	 "what stands beside the bars: service,operation,start,duration,...",
	 NULL},
	{CMD_FLAG, 0, "follow-links", &opt.follow_links, NULL,
	 "show the traces that spans link to, too, below the others", NULL},
	{CMD_FLAG, 0, "html", &opt.view.html, NULL,
	 "write one page of HTML, which needs nothing else", NULL},
	{CMD_FLAG, 0, "svg", &opt.view.svg, NULL, "draw a picture, as SVG",
	 NULL},
	{CMD_INT, 0, "width", &opt.width, "COLUMNS",
	 "how wide the output is (default: as the terminal)", NULL},
	{CMD_FLAG, 0, "ascii", &opt.ascii, NULL, "draw with ASCII only", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static const struct cmd_option format_options[] = {
	{CMD_CHOICE, 'o', "format", &opt.format, "FORMAT",
	 "what to write of findings and patterns", formats},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static const struct cmd_option options[] = {
	{CMD_GROUP, 0, NULL, (void *)format_options, NULL, "View", NULL},
	{CMD_GROUP, 0, NULL, (void *)view_options, NULL, "View", NULL},
	{CMD_GROUP, 0, NULL, (void *)view_findings_options, NULL, "Findings",
	 NULL},
	{CMD_GROUP, 0, NULL, (void *)view_patterns_options, NULL, "Findings",
	 NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_search_options, NULL, "Traces", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_source_options, NULL, "Input", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_look_options, NULL, "Output", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_output_options, NULL, "Output", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static struct view view = {.opt = &opt.view};

static int before_wait(void *arg, uint64_t *wait_ns, struct span_error *err)
{
	(void)arg;
	(void)wait_ns;
	return view_flush(&view, err);
}

static void report(uint64_t start_ns)
{
	cmd_note("%llu traces, %llu spans in %.2f s",
		 (unsigned long long)view.n_traces,
		 (unsigned long long)view.n_spans,
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
		if (opt.follow_links)
			view_links_add(links, &t);
		rc = view_show(&view, &t, marks ? matched : NULL, err);
		if (rc < 0)
			break;
	}
	span_buf_release(&note);
	return rc;
}

/* Level by level what the traces so far link to, each trace once. */
static int show_linked(struct cmd_source *in, struct view_links *links,
		       struct span_error *err)
{
	uint64_t missing = 0, before;
	size_t n = 0;
	int rc = 0;

	for (unsigned level = 0; level < VIEW_MAX_LEVELS && !rc; level++) {
		const uint8_t(*ids)[16] = view_links_ids(links, &n);

		if (!ids)
			return span_error_set(err, SPAN_E_NOMEM,
					      "memory is out");
		if (!n)
			break;
		before = view.n_traces;
		rc = cmd_source_by_ids(in, ids, n, err);
		if (!rc)
			rc = show_next(in, links, true, err);
		missing += n - (size_t)(view.n_traces - before);
	}
	if (rc < 0)
		return rc;
	if (missing)
		cmd_warn("%llu linked trace%s not here",
			 (unsigned long long)missing,
			 missing == 1 ? " is" : "s are");
	if (n && (links->more || view_links_ids(links, &n)) &&
	    (links->more || n))
		cmd_warn("only %u levels and %u linked traces are shown",
			 VIEW_MAX_LEVELS, VIEW_MAX_LINKED);
	return 0;
}

/* All of it; after bad input what was found before it is shown. */
static int show_traces(struct cmd_source *in, struct span_error *err)
{
	struct view_links links = {0};
	struct span_error late = {0};
	int rc, written;

	view_begin(&view);
	rc = show_next(in, &links, false, err);
	if (!rc && opt.follow_links)
		rc = show_linked(in, &links, err);
	view_links_release(&links);
	if (rc == SPAN_E_PIPE || rc == SPAN_E_NOMEM)
		return rc;
	written = view_end(&view, rc < 0 ? &late : err);
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

/* The columns of --columns, which end with a comma or the list. */
static void choose_columns(const char *list)
{
	static struct span_render_column shown[SPAN_RENDER_COLUMNS];
	struct span_error err = {0};
	size_t n = 0;

	for (const char *p = list; p;) {
		size_t len = strcspn(p, ",");

		if (n == SPAN_RENDER_COLUMNS)
			cmd_usage("more than %u columns", SPAN_RENDER_COLUMNS);
		if (span_render_column_parse((struct span_str){p, len},
					     &shown[n++], &err) < 0)
			cmd_usage("%s", err.msg);
		p = p[len] ? p + len + 1 : NULL;
	}
	view.look.shown = shown;
	view.look.n_shown = n;
}

static void check_usage(void)
{
	const struct view_opts *o = &opt.view;
	bool list = view_is_list(o);

	if (o->spans.n && (o->events || o->errors))
		cmd_usage("--span goes with no --events or --errors");
	if (o->events && o->errors)
		cmd_usage("--events and --errors do not go together");
	if (o->find && list)
		cmd_usage("--find goes with no --span, --events or --errors");
	if (o->find && !*o->find)
		cmd_usage("--find needs a text");
	if (opt.columns && (list || o->html || o->svg))
		cmd_usage("--columns goes with the tree only");
	if (opt.follow_links && list)
		cmd_usage("--follow-links goes with no --span, --events or "
			  "--errors");
	if (o->html && o->svg)
		cmd_usage("--html and --svg do not go together");
	if ((o->html || o->svg) && list)
		cmd_usage("%s goes with no --span, --events or --errors",
			  o->html ? "--html" : "--svg");
}

/* What is said of traces in the place of showing them. */
static void check_analysis(void)
{
	struct view_opts *o = &opt.view;

	o->findings = view_findings_wanted();
	o->patterns = view_patterns_wanted();
	o->json = opt.format == JSON;
	if (view_is_analysis(o) && (view_is_list(o) || o->find || o->html ||
				    o->svg || opt.columns || opt.follow_links))
		cmd_usage("--findings and --error-patterns go with no other "
			  "view");
	if (o->findings && o->patterns)
		cmd_usage("--findings and --error-patterns do not go together");
	if (o->json && !view_is_analysis(o))
		cmd_usage("-o goes with --findings or --error-patterns");
}

static void set_up(void)
{
	check_usage();
	check_analysis();
	if (cmd_output_is_terminal() && !view_is_analysis(&opt.view))
		cmd_source_default_limit(TERMINAL_LIMIT);
	cmd_source_default_memory(STREAM_MEMORY);
	cmd_large_heap();
	cmd_look(&view.look);
	view.look.fold = opt.fold;
	view.look.depth = opt.depth < UINT32_MAX ? (uint32_t)opt.depth : 0;
	view.look.ascii |= opt.ascii;
	if (opt.columns)
		choose_columns(opt.columns);
	if (opt.width)
		view.look.columns = opt.width < 1000 ? opt.width : 1000;
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
	if (opt.view.find || view_is_list(&opt.view) ||
	    view_is_analysis(&opt.view))
		return view.n_shown ? CMD_OK : CMD_NONE;
	return view.n_traces ? CMD_OK : CMD_NONE;
}

static const struct cmd trace_view = {
	.name = "trace-view",
	.operands = "[EXPR] [FILE...]",
	.summary = "look at traces",
	.options = options,
	.run = run,
};

int main(int argc, char **argv)
{
	return cmd_main(&trace_view, argc, argv);
}
