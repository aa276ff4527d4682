/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace-diff - compare traces, or sets of them
 *
 * A side is a trace by its id, a FILE, or what an expression chooses. The
 * first one is compared with each of the others.
 */
#include "cmd_source.h"
#include "diff-operands.h"
#include "diff-out.h"
#include "diff-sides.h"
#include "diff-stdin.h"
#include "diff-threshold.h"

#include <math.h>
#include <string.h>

#include "base/banned.h"

/* For traces of a stream: one may need a quarter of it, as in trace-view. */
#define STREAM_MEMORY (UINT64_C(1) << 30)

enum { TEXT, JSON };
static const char *const formats[] = {"text", "json", NULL};

static struct {
	const char *a, *b;
	struct cmd_list thresholds;
	uint64_t width;
	double max_q;
	int format;
	bool exact_names, attrs, all;
} opt = {.max_q = NAN, .attrs = true};

static const struct cmd_option diff_options[] = {
	{CMD_CHOICE, 'o', "format", &opt.format, "FORMAT", "what to write",
	 formats},
	{CMD_STRING, 0, "a", &opt.a, "EXPR",
	 "compare the traces that this TraceQL expression chooses", NULL},
	{CMD_STRING, 0, "b", &opt.b, "EXPR", "with those that this one does",
	 NULL},
	{CMD_LIST, 0, "threshold", &opt.thresholds, "LIMIT",
	 "smaller differences are none: 20%, 5ms, or 20%,5ms (10%,1ms)", NULL},
	{CMD_DOUBLE, 0, "max-q", &opt.max_q, "Q",
	 "of sets: expected part of false differences (0.05)", NULL},
	{CMD_FLAG, 0, "exact-names", &opt.exact_names, NULL,
	 "operations that differ in a number are not the same", NULL},
	{CMD_NOFLAG, 0, "no-attributes", &opt.attrs, NULL,
	 "do not compare tags", NULL},
	{CMD_FLAG, 0, "all", &opt.all, NULL,
	 "show what is the same, too, and all tags that differ", NULL},
	{CMD_INT, 0, "width", &opt.width, "COLUMNS",
	 "how wide the output is (default: as the terminal)", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static const struct cmd_option options[] = {
	{CMD_GROUP, 0, NULL, (void *)diff_options, NULL, "Comparison", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_search_options, NULL, "Traces", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_source_options, NULL, "Input", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_look_options, NULL, "Output", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_output_options, NULL, "Output", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static struct {
	struct span_diff_opts opts;
	struct diff_sides sides;
	uint64_t n_cut;
	bool partial;  /* something was left out of a comparison */
	bool untested; /* sets that are too small */
} work;

/* ---- Options ---- */

static void set_up(void)
{
	if (!opt.a != !opt.b)
		cmd_usage("--a and --b go together");
	if (opt.a && cmd_source_has_expression())
		cmd_usage("--expression goes with no --a and --b");
	if (opt.max_q < 0 || opt.max_q > 1)
		cmd_usage("--max-q is from 0 to 1");
	if (opt.format == JSON && (opt.all || opt.width))
		cmd_usage("--all and --width are about text");
	work.opts = (struct span_diff_opts)SPAN_DIFF_DEFAULTS;
	work.opts.exact_names = opt.exact_names;
	work.opts.no_attrs = !opt.attrs;
	if (!isnan(opt.max_q))
		work.opts.max_q = opt.max_q;
	diff_thresholds(&opt.thresholds, &work.opts);
	cmd_source_default_memory(STREAM_MEMORY);
	cmd_large_heap();
}

/* ---- Sides ---- */

static int open_sides(char **names, int n, struct span_error *err)
{
	return diff_sides_open(&work.sides, names, n, &work.opts, err);
}

static int put(int side, const struct span_trace *t, struct span_error *err)
{
	return diff_sides_put(&work.sides, side, t, err);
}

/* All that a source has goes to PUT_TRACE, with SIDE. */
static int read_source(int argc, char **argv, int side,
		       int (*put_trace)(int side, const struct span_trace *t,
					struct span_error *err),
		       struct span_error *err)
{
	struct cmd_source *in = NULL;
	struct span_trace t;
	int rc = cmd_source_open(&in, argc, argv, NULL, err);

	while (rc >= 0 && (rc = cmd_source_next_trace(in, &t, NULL, err)) > 0)
		rc = put_trace(side, &t, err);
	if (in)
		work.n_cut += cmd_source_n_cut(in);
	cmd_source_close(&in);
	return rc;
}

static int read_files(char **files, int n, struct span_error *err)
{
	int rc = open_sides(files, n, err);

	for (int i = 0, standard = 0; i < n; i++)
		if (!strcmp(files[i], "-") && standard++)
			cmd_usage("standard input is one side only");
	for (int i = 0; i < n && rc >= 0; i++)
		rc = read_source(1, &files[i], i, put, err);
	return rc;
}

static int read_sets(int argc, char **argv, struct span_error *err)
{
	static char *names[2];
	int rc;

	names[0] = (char *)(uintptr_t)opt.a;
	names[1] = (char *)(uintptr_t)opt.b;
	work.sides.of_one_source = true;
	rc = open_sides(names, 2, err);
	if (rc >= 0)
		rc = diff_stdin_keep(argc, argv, err);
	for (int i = 0; i < 2 && rc >= 0; i++) {
		cmd_source_expression(names[i]);
		rc = diff_stdin_rewind(argc, argv, err);
		if (rc >= 0)
			rc = read_source(argc, argv, i, put, err);
	}
	return rc;
}

/* ---- Traces by id ---- */

static int put_named(int side, const struct span_trace *t,
		     struct span_error *err)
{
	(void)side;
	return diff_sides_put_named(&work.sides, t, err);
}

static int read_ids(char **ids, int n, char **files, int n_files,
		    struct span_error *err)
{
	int rc = open_sides(ids, n, err);

	if (!isnan(opt.max_q))
		cmd_usage("--max-q is about sets: FILEs, or --a and --b");
	if (cmd_source_has_trace_ids())
		cmd_usage("--trace-id goes with no other id: '%s'", ids[0]);
	cmd_source_trace_ids(ids, (size_t)n);
	return rc < 0 ? rc : read_source(n_files, files, 0, put_named, err);
}

static int read_all(int argc, char **argv, struct span_error *err)
{
	int n;

	if (opt.a)
		return read_sets(argc, argv, err);
	n = diff_operands_sort(argc, argv);
	if (n == 1 || (!n && argc < 2))
		cmd_usage("what is there to compare? two ids, two FILEs, or "
			  "--a and --b");
	return n ? read_ids(argv, n, argv + n, argc - n, err)
		 : read_files(argv, argc, err);
}

/* ---- Output ---- */

/* No side is empty, or has only parts of traces. */
static int check_sides(struct span_error *err)
{
	if (work.n_cut)
		return span_error_set(err, SPAN_E_INVALID,
				      "nothing is said of traces that were "
				      "cut; see --memory");
	return diff_sides_check(&work.sides, err);
}

static void warn_left_out(const struct span_diff_view *v)
{
	if (v->spans_left_out || v->values_left_out)
		cmd_warn("more than %u paths or %u values of tags: spans that "
			 "are left out: %llu, tags: %llu",
			 SPAN_DIFF_PATHS, SPAN_DIFF_VALUES,
			 (unsigned long long)v->spans_left_out,
			 (unsigned long long)v->values_left_out);
}

static int show(struct span_buf *b, int i, struct diff_out_opts *o,
		struct span_error *err)
{
	struct span_diff_view v;
	int rc = span_diff_view(work.sides.diffs[i - 1], &v, err);

	if (rc < 0)
		return rc;
	o->names[0] = work.sides.names[0];
	o->names[1] = work.sides.names[i];
	if (i > 1 && opt.format == TEXT)
		span_buf_putc(b, '\n');
	if (opt.format == JSON)
		diff_out_json(b, o, &v);
	else
		diff_out_text(b, o, &v);
	warn_left_out(&v);
	work.partial |= v.spans_left_out != 0;
	work.untested |= v.sets && !v.tested;
	return v.n_changed != 0;
}

static int write_all(struct span_error *err)
{
	struct diff_out_opts o = {.all = opt.all};
	struct span_buf b = {0};
	int fd, differ = 0, rc = cmd_output_open(&fd, false, err);

	cmd_look(&o.look);
	if (opt.width)
		o.look.columns = opt.width < 1000 ? opt.width : 1000;
	for (int i = 1; i < work.sides.n && rc >= 0; i++) {
		rc = show(&b, i, &o, err);
		differ |= rc > 0;
	}
	if (rc >= 0 && b.failed)
		rc = span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (rc >= 0)
		rc = span_write_all(fd, b.p, b.len, err);
	if (rc >= 0)
		rc = cmd_output_close(fd, err);
	span_buf_release(&b);
	return rc < 0 ? rc : differ;
}

/* Is what was written, RC, a verdict? */
static int judge(int rc, struct span_error *err)
{
	if (work.untested)
		return span_error_set(err, SPAN_E_INVALID,
				      "too few traces to tell: it takes %u on "
				      "each side",
				      SPAN_DIFF_MIN_TRACES);
	if (!rc && work.partial)
		return span_error_set(err, SPAN_E_INVALID,
				      "not everything could be compared");
	return rc;
}

static int run(int argc, char **argv, struct span_error *err)
{
	uint64_t since = cmd_monotonic_ns();
	int rc;

	set_up();
	rc = read_all(argc, argv, err);
	if (rc >= 0)
		rc = check_sides(err);
	if (rc >= 0)
		rc = write_all(err);
	if (rc >= 0)
		rc = judge(rc, err);
	if (rc >= 0 && cmd_verbose)
		cmd_note("%d sides, %llu span%s in %.2f s", work.sides.n,
			 (unsigned long long)work.sides.n_spans,
			 work.sides.n_spans == 1 ? "" : "s",
			 (double)(cmd_monotonic_ns() - since) / 1e9);
	diff_sides_close(&work.sides);
	return rc > 0 ? CMD_NONE : rc;
}

static const struct cmd trace_diff = {
	.name = "trace-diff",
	.operands = "A B [C...] [FILE...]",
	.summary = "compare traces, or sets of them",
	.options = options,
	.run = run,
};

int main(int argc, char **argv)
{
	return cmd_main(&trace_diff, argc, argv);
}
