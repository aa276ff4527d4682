/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace-view - look at traces
 */
#include "cmd_source.h"
#include "view-find.h"
#include "view-findings.h"
#include "view-patterns.h"

#include <string.h>

#include "base/banned.h"

#define TERMINAL_LIMIT 20
#define FLUSH_AT (64u << 10)

enum { FROM_TRACE, FROM_SPAN };
enum { TEXT, JSON };
static const char *const formats[] = {"text", "json", NULL};
static const char *const origins[] = {"trace", "span", NULL};

static struct {
	struct cmd_list spans;
	const char *find;
	uint64_t depth, width, adjust_ns;
	int relative, format;
	bool fold, critical, events, errors, ascii;
} opt = {.fold = true, .critical = true, .depth = 0};

static const struct cmd_option view_options[] = {
	{CMD_INT, 0, "depth", &opt.depth, "N",
	 "show N levels, and how many spans are below them", NULL},
	{CMD_NOFLAG, 0, "no-fold", &opt.fold, NULL,
	 "a line for each span, though siblings are alike", NULL},
	{CMD_NOFLAG, 0, "no-critical", &opt.critical, NULL,
	 "leave out the critical path", NULL},
	{CMD_STRING, 0, "find", &opt.find, "TEXT",
	 "mark the spans that hold TEXT, in whatever case", NULL},
	{CMD_LIST, 0, "span", &opt.spans, "ID",
	 "show this span whole, and no tree; or the beginning of its id", NULL},
	{CMD_FLAG, 0, "events", &opt.events, NULL,
	 "show the events of all spans, and no tree", NULL},
	{CMD_FLAG, 0, "errors", &opt.errors, NULL,
	 "show why spans failed, with their exceptions, and no tree", NULL},
	{CMD_CHOICE, 0, "relative", &opt.relative, "ORIGIN",
	 "where the times of events count from", origins},
	{CMD_DURATION, 0, "adjust-clock", &opt.adjust_ns, "MAX",
	 "correct the clocks of other hosts, by MAX at most", NULL},
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

static struct {
	int fd;
	struct span_buf text;
	struct span_buf path; /* critical, of the trace at hand */
	struct span_buf marks;
	struct span_trace_builder builder; /* of traces with other times */
	struct span_render_opts look;
	uint64_t n_traces, n_spans;
	uint64_t n_shown; /* spans that were asked for */
	bool findings, patterns;
} view;

static int flush(struct span_error *err)
{
	int rc = 0;

	if (view.text.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (view.text.len)
		rc = span_write_all(view.fd, view.text.p, view.text.len, err);
	view.text.len = 0;
	return rc;
}

/* The same trace with its clocks corrected. */
static int adjust(struct span_trace *t, struct span_error *err)
{
	int rc = 0;

	if (!opt.adjust_ns)
		return 0;
	span_trace_builder_reset(&view.builder);
	view.builder.keep_duplicates = true;
	for (size_t i = 0; i < t->n && rc >= 0; i++)
		rc = span_trace_builder_put(&view.builder, &t->spans[i], err);
	if (rc >= 0)
		rc = span_trace_builder_build(&view.builder, t, err);
	if (rc >= 0)
		rc = span_trace_builder_adjust(&view.builder, opt.adjust_ns, t,
					       err);
	return rc < 0 ? rc : 0;
}

static bool is_asked_for(const struct span *s)
{
	for (size_t i = 0; i < opt.spans.n; i++)
		if (view_has_id(s, span_str(opt.spans.v[i])))
			return true;
	return false;
}

/* Spans of a trace one by one, in the order of the tree. */
static void put_details(const struct span_trace *t)
{
	for (size_t k = 0; k < t->n; k++) {
		uint32_t i = t->order[k];
		size_t from = view.text.len;

		if (from)
			span_buf_putc(&view.text, '\n');
		if (opt.spans.n && is_asked_for(&t->spans[i]))
			span_render_span(&view.text, &view.look, t, i,
					 opt.relative == FROM_SPAN);
		else if (!opt.spans.n)
			span_render_events(&view.text, &view.look, t, i,
					   opt.relative == FROM_SPAN,
					   opt.errors);
		if (view.text.len == from + (from != 0))
			view.text.len = from;
		else
			view.n_shown++;
	}
}

/* Mark what --find looks for; NULL without it. */
static const uint8_t *find(const struct span_trace *t, struct span_error *err)
{
	struct span_str text = span_str(opt.find);
	struct span_buf tmp = {0};
	uint8_t *marks;

	view.marks.len = 0;
	marks = (uint8_t *)span_buf_reserve(&view.marks, t->n);
	if (!marks) {
		span_error_set(err, SPAN_E_NOMEM, "memory is out");
		return NULL;
	}
	for (size_t i = 0; i < t->n; i++) {
		marks[i] = view_has_text(&t->spans[i], text, &tmp);
		view.n_shown += marks[i];
	}
	span_buf_release(&tmp);
	return marks;
}

static int put_tree(const struct span_trace *t, const uint8_t *matched,
		    struct span_error *err)
{
	int rc = 0;

	if (opt.find) {
		matched = find(t, err);
		if (!matched)
			return SPAN_E_NOMEM;
	}
	if (opt.critical)
		rc = span_trace_critical_path(t, &view.path, err);
	if (rc < 0)
		return rc;
	view.look.critical =
		(const struct span_trace_section *)(const void *)view.path.p;
	view.look.n_critical =
		view.path.len / sizeof(struct span_trace_section);
	if (view.n_traces > 1)
		span_buf_putc(&view.text, '\n');
	span_render_tree(&view.text, &view.look, t, matched);
	return 0;
}

static int show(struct span_trace *t, const uint8_t *matched,
		struct span_error *err)
{
	int rc = adjust(t, err);

	view.n_traces++;
	view.n_spans += t->n;
	/* Spans with other times stand in another order. */
	if (opt.adjust_ns || !cmd_source_selects())
		matched = NULL;
	if (rc >= 0 && view.findings)
		rc = view_findings_put(t, &view.look, err);
	else if (rc >= 0 && view.patterns)
		rc = view_patterns_put(t, err);
	else if (rc >= 0 && (opt.spans.n || opt.events || opt.errors))
		put_details(t);
	else if (rc >= 0)
		rc = put_tree(t, matched, err);
	if (rc < 0)
		return rc;
	return view.text.len > FLUSH_AT || view.text.failed ? flush(err) : 0;
}

static int before_wait(void *arg, uint64_t *wait_ns, struct span_error *err)
{
	(void)arg;
	(void)wait_ns;
	return flush(err);
}

static void report(uint64_t start_ns)
{
	cmd_note("%llu traces, %llu spans in %.2f s",
		 (unsigned long long)view.n_traces,
		 (unsigned long long)view.n_spans,
		 (double)(cmd_monotonic_ns() - start_ns) / 1e9);
}

/* What is known only when all traces were seen. */
static int show_whole(struct span_error *err)
{
	int rc = view.findings ? view_findings_show(&view.text, &view.look,
						    opt.format == JSON, err)
			       : view_patterns_show(&view.text, &view.look,
						    opt.format == JSON, err);

	view.n_shown += rc > 0;
	return rc;
}

static int show_all(int argc, char **argv, struct span_error *err)
{
	struct cmd_source *in = NULL;
	const uint8_t *matched;
	struct span_error late = {0};
	uint64_t start_ns = cmd_monotonic_ns();
	struct span_trace t;
	int rc = cmd_source_open(&in, argc, argv, NULL, err), written;

	while (rc >= 0 &&
	       (rc = cmd_source_next_trace(in, &t, &matched, err)) > 0) {
		rc = show(&t, matched, err);
		if (rc < 0)
			break;
	}
	if ((view.findings || view.patterns) && rc != SPAN_E_NOMEM) {
		written = show_whole(rc < 0 ? &late : err);
		rc = rc < 0 || written >= 0 ? rc : written;
	}
	if (rc != SPAN_E_PIPE && rc != SPAN_E_NOMEM) {
		/* After bad input what was found before it is still shown. */
		written = flush(rc < 0 ? &late : err);
		rc = rc < 0 ? rc : written;
	}
	if (rc >= 0 && cmd_verbose)
		report(start_ns);
	cmd_source_close(&in);
	return rc;
}

static void set_up(void)
{
	if (opt.spans.n && (opt.events || opt.errors))
		cmd_usage("--span goes with no --events or --errors");
	if (opt.events && opt.errors)
		cmd_usage("--events and --errors do not go together");
	if (opt.find && (opt.spans.n || opt.events || opt.errors))
		cmd_usage("--find goes with no --span, --events or --errors");
	if (opt.find && !*opt.find)
		cmd_usage("--find needs a text");
	if ((view.findings || view.patterns) &&
	    (opt.spans.n || opt.events || opt.errors || opt.find))
		cmd_usage("--findings and --error-patterns go with no --span, "
			  "--events, --errors or --find");
	if (view.findings && view.patterns)
		cmd_usage("--findings and --error-patterns do not go together");
	if (opt.format != TEXT && !view.findings && !view.patterns)
		cmd_usage("-o goes with --findings or --error-patterns");
	if (cmd_output_is_terminal() && !view.findings && !view.patterns)
		cmd_source_default_limit(TERMINAL_LIMIT);
	cmd_look(&view.look);
	view.look.fold = opt.fold;
	view.look.depth = opt.depth < UINT32_MAX ? (uint32_t)opt.depth : 0;
	view.look.ascii |= opt.ascii;
	if (opt.width)
		view.look.columns = opt.width < 1000 ? opt.width : 1000;
	cmd_source_on_idle(before_wait, NULL);
}

static int run(int argc, char **argv, struct span_error *err)
{
	int rc;

	view.findings = view_findings_wanted();
	view.patterns = view_patterns_wanted();
	set_up();
	rc = cmd_output_open(&view.fd, false, err);
	if (rc >= 0)
		rc = show_all(argc, argv, err);
	span_trace_builder_release(&view.builder);
	span_buf_release(&view.text);
	span_buf_release(&view.path);
	span_buf_release(&view.marks);
	view_findings_release();
	view_patterns_release();
	if (rc >= 0)
		rc = cmd_output_close(view.fd, err);
	if (rc < 0)
		return rc;
	if (opt.find || opt.spans.n || opt.events || opt.errors ||
	    view.findings || view.patterns)
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
