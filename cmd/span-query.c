/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span-query - find traces
 */
#include "cmd_source.h"
#include "query-explain.h"
#include "query-files.h"
#include "query-news.h"

#include <string.h>

#include "base/banned.h"

#define TERMINAL_LIMIT 20

static struct {
	const char *format, *columns, *cursor;
	bool count, spans, csv_safe, zero, with, without, follow, explain;
} opt = {.csv_safe = true};

static const struct cmd_option options[] = {
	{CMD_WORD, 'o', "format", &opt.format, "FORMAT",
	 "what to print (table on a terminal, else spans): a template "
	 "with %(fields), or one of",
	 query_formats},
	{CMD_STRING, 0, "columns", &opt.columns, "LIST",
	 "columns of a table or of CSV: trace_id,service,tag:KEY,...; help "
	 "lists them",
	 NULL},
	{CMD_FLAG, 0, "spans", &opt.spans, NULL,
	 "only the matching spans, not their whole traces", NULL},
	{CMD_FLAG, 'c', "count", &opt.count, NULL,
	 "print only how many traces match; with --spans how many spans", NULL},
	{CMD_FLAG, 'l', "files-with-matches", &opt.with, NULL,
	 "print only the names of FILEs with a match", NULL},
	{CMD_FLAG, 'L', "files-without-match", &opt.without, NULL,
	 "print only the names of FILEs without one", NULL},
	{CMD_FLAG, 0, "explain", &opt.explain, NULL,
	 "print how the search was done, and not what was found", NULL},
	{CMD_FLAG, 'z', "null", &opt.zero, NULL,
	 "a zero byte, not a newline, ends ids, names and templates", NULL},
	{CMD_FLAG, 0, "follow", &opt.follow, NULL,
	 "go on with what comes into the store: a trace when it is complete",
	 NULL},
	{CMD_STRING, 0, "cursor", &opt.cursor, "FILE",
	 "only what is new since the run before, which FILE remembers", NULL},
	{CMD_FLAG, 'q', "quiet", &cmd_quiet, NULL,
	 "print nothing: the exit status says whether something matches", NULL},
	{CMD_NOFLAG, 0, "no-csv-safe", &opt.csv_safe, NULL,
	 "leave CSV fields alone that a spreadsheet would compute", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_search_options, NULL, "Results", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_source_options, NULL, "Input", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_look_options, NULL, "Output", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_output_options, NULL, "Output", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static struct query_print out;
static struct query_news news;

/* ---- The ways through the input: counts go to out.n_* ---- */

static int all_traces(struct cmd_source *in, struct span_error *err)
{
	/* Where all match nothing has to stand out. */
	bool marks = cmd_source_selects() && !query_print_takes_heads(&out);
	const uint8_t *matched = NULL;
	struct span_trace t;
	int rc;

	while ((rc = cmd_source_next_trace(in, &t, marks ? &matched : NULL,
					   err)) > 0) {
		rc = query_print_trace(&out, &t, matched, err);
		if (rc < 0)
			break;
	}
	return rc;
}

static int all_ids(struct cmd_source *in, struct span_error *err)
{
	uint8_t id[16];
	int rc;

	if (opt.count)
		return cmd_source_count_traces(in, &out.n_traces, err);
	while ((rc = cmd_source_next_id(in, id, err)) > 0) {
		rc = query_print_id(&out, id, err);
		if (rc < 0)
			break;
	}
	return rc;
}

/* Frames of a stream go on as they are, or the selected part of them. */
static int all_slices(struct cmd_source *in, struct span_error *err)
{
	struct span_frame *frame;
	const uint8_t *keep;
	size_t n;
	int rc;

	while ((rc = cmd_source_next_slice(in, &frame, &keep, &n, err)) > 0) {
		out.n_spans += n;
		if (opt.count || !n)
			continue;
		rc = n == span_frame_info(frame)->n_spans
			     ? span_writer_put_frame(out.writer, frame, err)
			     : span_writer_put_slice(out.writer, frame, keep,
						     err);
		if (rc < 0)
			break;
	}
	return rc;
}

static int all_spans(struct cmd_source *in, struct span_error *err)
{
	struct span s;
	int rc;

	if (cmd_source_slices(in) && (opt.count || out.format == QUERY_SPANS))
		return all_slices(in, err);
	if (opt.count)
		return cmd_source_count(in, &out.n_spans, err);
	while ((rc = cmd_source_next(in, &s, err)) > 0) {
		rc = query_print_span(&out, &s, err);
		if (rc < 0)
			break;
	}
	return rc;
}

static int produce(struct cmd_source *in, struct span_error *err)
{
	if (opt.count && opt.spans)
		return all_spans(in, err);
	if (opt.count)
		return all_ids(in, err);
	if (opt.spans && out.format != QUERY_JSON)
		return all_spans(in, err);
	if (out.format == QUERY_IDS)
		return all_ids(in, err);
	return all_traces(in, err);
}

/* What there is, what is new, or what comes. */
static int produce_all(struct cmd_source *in, struct span_error *err)
{
	news.count = opt.count;
	news.spans = opt.spans;
	if (opt.follow)
		return query_follow(&news, &out, in, err);
	if (opt.cursor)
		return query_since_cursor(&news, &out, in, opt.cursor, err);
	return produce(in, err);
}

static int search(struct cmd_source *in, struct span_error *err)
{
	struct span_error late = {0};
	int rc, written;

	if (cmd_quiet)
		return query_any(&out, in, err);
	if (opt.count)
		out.format = QUERY_IDS; /* nothing before and behind it */
	query_print_begin(&out);
	rc = produce_all(in, err);
	if (rc == SPAN_E_PIPE || rc == SPAN_E_NOMEM)
		return rc;
	if (opt.count)
		span_buf_printf(&out.text, "%llu\n",
				(unsigned long long)(opt.spans ? out.n_spans
							       : out.n_traces));
	/* After bad input what was found before it is still written. */
	written = query_print_end(&out, rc < 0 ? &late : err);
	return rc < 0 ? rc : written;
}

static int explain(struct cmd_source *in, uint64_t start_ns,
		   struct span_error *err)
{
	struct query_explain e = {
		.count = opt.count,
		.spans = opt.spans,
		.ids = out.format == QUERY_IDS,
		.start_ns = start_ns,
	};
	int rc = query_explain(&e, in, &out.text, err);

	out.n_traces = e.n_traces;
	out.n_spans = e.n_spans;
	return rc < 0 ? rc : query_print_flush(&out, err);
}

static int before_wait(void *arg, uint64_t *wait_ns, struct span_error *err)
{
	(void)wait_ns;
	return query_print_flush(arg, err);
}

static void report(const struct cmd_source *in, uint64_t start_ns)
{
	double seconds = (double)(cmd_monotonic_ns() - start_ns) / 1e9;
	char of[48] = "";

	if (!cmd_source_is_store(in))
		snprintf(of, sizeof(of), " out of %llu",
			 (unsigned long long)cmd_source_spans(in));
	cmd_note("%llu traces, %llu spans%s in %.2f s",
		 (unsigned long long)out.n_traces,
		 (unsigned long long)out.n_spans, of, seconds);
}

/* ---- All of it ---- */

static int search_all(int argc, char **argv, struct span_error *err)
{
	uint64_t start_ns = cmd_monotonic_ns();
	struct cmd_source *in = NULL;
	int rc = cmd_source_open(&in, argc, argv, out.writer, err);

	if (!rc)
		rc = opt.explain ? explain(in, start_ns, err) : search(in, err);
	if (!rc && cmd_verbose)
		report(in, start_ns);
	cmd_source_close(&in);
	return rc;
}

static bool lists_names(void)
{
	return opt.with || opt.without;
}

/* What does not go together. */
static void check_options(void)
{
	if (opt.spans && out.format == QUERY_TREE)
		cmd_usage("--spans and -o tree do not go together");
	if (opt.with && opt.without)
		cmd_usage("-l and -L do not go together");
	if (lists_names() && (opt.count || opt.format || opt.columns))
		cmd_usage("-l and -L go with no -c, -o or --columns");
	if (lists_names() && (opt.follow || opt.cursor))
		cmd_usage("-l and -L go with no --follow or --cursor");
	if (opt.zero && out.format != QUERY_IDS &&
	    out.format != QUERY_TEMPLATE && !lists_names())
		cmd_usage("-z goes with -o ids, templates, -l and -L");
}

static void set_up(bool lists)
{
	bool terminal = cmd_output_is_terminal();

	out.only_matching = opt.spans;
	out.csv_safe = opt.csv_safe;
	out.end = opt.zero ? '\0' : '\n';
	query_print_choose(&out, opt.format, opt.columns);
	if (lists || lists_names())
		check_options();
	if (opt.follow && (opt.count || opt.cursor || cmd_quiet))
		cmd_usage("--follow goes with no -c, -q or --cursor");
	if (opt.explain &&
	    (opt.follow || opt.cursor || cmd_quiet || lists_names()))
		cmd_usage("--explain goes with no --follow, --cursor, -q, -l "
			  "or -L");
	if (opt.cursor && cmd_quiet)
		cmd_usage("--cursor goes with no -q");
	if (terminal && lists && !opt.follow && !opt.cursor)
		cmd_source_default_limit(TERMINAL_LIMIT);
	query_print_hold(&out, cmd_source_limit());
	if (query_print_takes_heads(&out))
		cmd_source_heads();
	cmd_source_on_idle(before_wait, &out);
}

static int run(int argc, char **argv, struct span_error *err)
{
	bool lists = !opt.count && !cmd_quiet && !lists_names();
	int fd, rc;

	if (opt.columns && !strcmp(opt.columns, "help")) {
		query_print_list_columns();
		return CMD_OK;
	}
	set_up(lists);
	rc = cmd_output_open(
		&fd, out.format == QUERY_SPANS && lists && !opt.explain, err);
	if (!rc)
		rc = query_print_open(&out, fd, err);
	if (!rc)
		rc = lists_names()
			     ? query_list_files(&out, opt.with, argc, argv, err)
			     : search_all(argc, argv, err);
	query_print_close(&out);
	if (!rc)
		rc = cmd_output_close(fd, err);
	if (!rc && opt.cursor)
		rc = query_cursor_write(&news, opt.cursor, err);
	span_buf_release(&news.cursor);
	if (rc < 0)
		return rc;
	if (opt.follow)
		return CMD_OK;
	if (out.n_traces || out.n_spans)
		return CMD_OK;
	if (cmd_output_is_terminal() && lists)
		cmd_note("nothing matches");
	return CMD_NONE;
}

static const struct cmd span_query = {
	.name = "span-query",
	.operands = "[EXPR] [FILE...]",
	.summary = "find traces by what is in their spans",
	.options = options,
	.run = run,
};

int main(int argc, char **argv)
{
	return cmd_main(&span_query, argc, argv);
}
