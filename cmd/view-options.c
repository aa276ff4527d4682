/* SPDX-License-Identifier: Apache-2.0 */
#include "view-options.h"

#include "cmd_source.h"
#include "view-findings.h"
#include "view-patterns.h"

#include <string.h>

#include "base/banned.h"

#define NOT_GIVEN UINT64_MAX
#define MAX_WIDTH 1000u

enum { TEXT, JSON };
static const char *const formats[] = {"text", "json", NULL};
static const char *const origins[] = {"trace", "span", NULL};

struct view_opts view_wanted = {.critical = true, .relative = VIEW_NOT_SAID};

static struct {
	const char *columns;
	uint64_t depth, width;
	int format;
	bool fold, ascii;
} opt = {.depth = NOT_GIVEN, .width = NOT_GIVEN, .fold = true};

static const struct cmd_option tree_options[] = {
	{CMD_INT, 0, "depth", &opt.depth, "N",
	 "show N levels, and how many spans are below them", NULL},
	{CMD_FLAG, 0, "fold", &opt.fold, NULL,
	 "siblings that are alike are one line: the default", NULL},
	{CMD_NOFLAG, 0, "no-fold", &opt.fold, NULL,
	 "a line for each span, though siblings are alike", NULL},
	{CMD_NOFLAG, 0, "no-critical", &view_wanted.critical, NULL,
	 "leave out the critical path", NULL},
	{CMD_STRING, 0, "find", &view_wanted.find, "TEXT",
	 "mark the spans that hold TEXT, in whatever case", NULL},
	{CMD_LIST, 0, "span", &view_wanted.spans, "ID",
	 "show this span whole, and no tree; or the beginning of its id", NULL},
	{CMD_FLAG, 0, "events", &view_wanted.events, NULL,
	 "show the events of all spans, and no tree", NULL},
	{CMD_STRING, 0, "logs", &view_wanted.logs, "LOGFILE",
	 "show lines of a log among the events; alone as with --events", NULL},
	{CMD_FLAG, 0, "errors", &view_wanted.errors, NULL,
	 "show why spans failed, with their exceptions, and no tree", NULL},
	{CMD_CHOICE, 0, "relative", &view_wanted.relative, "ORIGIN",
	 "where the times of events count from", origins},
	{CMD_DURATION, 0, "adjust-clock", &view_wanted.adjust_ns, "MAX",
	 "correct the clocks of other hosts, by MAX at most", NULL},
	{CMD_STRING, 0, "columns", &opt.columns, "LIST",
	 "what stands beside the bars: service,operation,start,duration,...",
	 NULL},
	{CMD_FLAG, 0, "follow-links", &view_wanted.follow_links, NULL,
	 "show the traces that spans link to, too, below the others", NULL},
	{CMD_FLAG, 0, "html", &view_wanted.html, NULL,
	 "write one page of HTML, which needs nothing else", NULL},
	{CMD_FLAG, 0, "svg", &view_wanted.svg, NULL, "draw a picture, as SVG",
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

const struct cmd_option view_options[] = {
	{CMD_GROUP, 0, NULL, (void *)format_options, NULL, "View", NULL},
	{CMD_GROUP, 0, NULL, (void *)tree_options, NULL, "View", NULL},
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

static bool is_same_column(const struct span_render_column *a,
			   const struct span_render_column *b)
{
	return a->column == b->column && span_str_equal(a->key, b->key);
}

/* The columns of --columns, which end with a comma or the list. */
static void choose_columns(const char *list, struct span_render_opts *look)
{
	static struct span_render_column shown[SPAN_RENDER_COLUMNS];
	struct span_error err = {0};
	size_t n = 0;

	for (const char *p = list; p;) {
		size_t len = strcspn(p, ",");

		if (n == SPAN_RENDER_COLUMNS)
			cmd_usage("more than %u columns", SPAN_RENDER_COLUMNS);
		if (span_render_column_parse((struct span_str){p, len},
					     &shown[n], &err) < 0)
			cmd_usage("%s", err.msg);
		for (size_t i = 0; i < n; i++)
			if (is_same_column(&shown[i], &shown[n]))
				cmd_usage("column '%.*s' twice", (int)len, p);
		n++;
		p = p[len] ? p + len + 1 : NULL;
	}
	look->shown = shown;
	look->n_shown = n;
}

static void check_numbers(void)
{
	if (!opt.depth)
		cmd_usage("--depth needs at least 1");
	if (opt.width != NOT_GIVEN && (!opt.width || opt.width > MAX_WIDTH))
		cmd_usage("--width is from 1 to %u", MAX_WIDTH);
	for (size_t i = 0; i < view_wanted.spans.n; i++) {
		const char *id = view_wanted.spans.v[i];
		size_t n = strspn(id, "0123456789abcdefABCDEF");

		if (!n || id[n] || n >= SPAN_ID_TEXT)
			cmd_usage("--span: '%s' is no id of a span, which has "
				  "%u hexadecimal digits, nor how one begins",
				  id, SPAN_ID_TEXT - 1);
	}
}

/* Options that would do nothing without the view they are for. */
static void check_modes(void)
{
	const struct view_opts *o = &view_wanted;
	bool tree = !view_is_list(o) && !view_is_analysis(o);

	if (o->relative != VIEW_NOT_SAID && !view_is_list(o))
		cmd_usage("--relative goes with --span, --events or --errors");
	if (!tree && opt.depth != NOT_GIVEN)
		cmd_usage("--depth goes with the tree only");
	if (!tree && !o->critical)
		cmd_usage("--no-critical goes with the tree only");
	if ((!tree || o->html) && !opt.fold)
		cmd_usage("--no-fold goes with %s",
			  o->html ? "text and --svg; a page has a line for "
				    "each span"
				  : "the tree only");
	if ((o->html || o->svg || o->json) && opt.width != NOT_GIVEN)
		cmd_usage("--width goes with text only");
	if ((o->html || o->svg || o->json) && opt.ascii)
		cmd_usage("--ascii goes with text only");
}

static void check_usage(void)
{
	const struct view_opts *o = &view_wanted;
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
	if (view_wanted.follow_links && list)
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
	struct view_opts *o = &view_wanted;

	o->findings = view_findings_wanted();
	o->patterns = view_patterns_wanted();
	o->json = opt.format == JSON;
	if (view_is_analysis(o) &&
	    (view_is_list(o) || o->find || o->html || o->svg || opt.columns ||
	     view_wanted.follow_links))
		cmd_usage("--findings and --error-patterns go with no other "
			  "view");
	if (o->findings && o->patterns)
		cmd_usage("--findings and --error-patterns do not go together");
	if (o->json && !view_is_analysis(o))
		cmd_usage("-o goes with --findings or --error-patterns");
}

/* Lines stand where events do. */
static void check_logs(void)
{
	struct view_opts *o = &view_wanted;

	if (!o->logs)
		return;
	if (o->errors || o->svg || o->find || opt.columns ||
	    view_findings_wanted() || view_patterns_wanted())
		cmd_usage("--logs goes with --events, --span and --html only");
	if (!o->spans.n && !o->html)
		o->events = true;
}

void view_options_check(void)
{
	check_logs();
	check_numbers();
	check_usage();
	check_analysis();
	check_modes();
}

void view_options_look(struct span_render_opts *look)
{
	cmd_look(look);
	look->fold = opt.fold;
	look->depth = opt.depth < UINT32_MAX ? (uint32_t)opt.depth : 0;
	look->ascii |= opt.ascii;
	if (opt.columns)
		choose_columns(opt.columns, look);
	if (opt.width != NOT_GIVEN)
		look->columns = opt.width;
}
