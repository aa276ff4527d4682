/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keep a part of the traces: a ratio by their ids alone, or what policies say
 * of whole traces. All that is kept is marked with how many it stands for.
 */
#include "sample-cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"

#define NOT_GIVEN UINT64_MAX

static struct {
	struct sample o;
	int like; /* -1: not given */
	const char *salt, *dropped;
	int dropped_fd;
} opt = {.o = {.wait_ns = NOT_GIVEN, .memory = NOT_GIVEN},
	 .like = -1,
	 .dropped_fd = -1};

/* In the order of enum span_ratio_like. */
static const char *const likes[] = {
	"consistent", "otel-python",   "otel-js",   "otel-go",
	"otel-java",  "jaeger-python", "jaeger-go", NULL};

static const struct cmd_option options[] = {
	{CMD_GROUP, 0, NULL, (void *)sample_policy_options, NULL, "Policies",
	 NULL},
	{CMD_GROUP, 0, NULL, (void *)sample_adaptive_options, NULL, "Policies",
	 NULL},
	{CMD_CHOICE, 0, "like", &opt.like, "WHO",
	 "decide by the trace id as this client does", likes},
	{CMD_STRING, 0, "hash-salt", &opt.salt, "TEXT",
	 "decide by a hash of the trace id and TEXT, as Jaeger's collector",
	 NULL},
	{CMD_DURATION, 0, "wait", &opt.o.wait_ns, "TIME",
	 "a trace is complete after TIME without a span (10s)", NULL},
	{CMD_SIZE, 0, "memory", &opt.o.memory, "SIZE",
	 "memory of the process, for traces that wait and what was decided "
	 "(64M)",
	 NULL},
	{CMD_FLAG, 0, "explain", &opt.o.explain, NULL,
	 "say of each trace why it is kept or dropped", NULL},
	{CMD_STRING, 0, "dropped", &opt.dropped, "FILE",
	 "write the dropped spans to FILE", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_source_options, NULL, "Source", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_output_options, NULL, "Output", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_metrics_options, NULL, "Output", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

int sample_put(struct sample *o, const struct span *s,
	       const struct span_verdict *v, struct span_error *err)
{
	struct span marked = *s;
	int rc;

	if (!v->keep)
		return o->dropped ? span_writer_put(o->dropped, s, err) : 0;
	rc = span_sample_mark(&marked, &o->like, v, &o->text, err);
	if (rc < 0)
		return rc;
	rc = span_writer_put(o->out, &marked, err);
	/* One as large as can be has no room for a mark. */
	if (rc == SPAN_E_LIMIT)
		rc = span_writer_put(o->out, s, err);
	return rc;
}

/* Is what FD is one of the files that are read? */
static bool is_operand(int fd, int argc, char **argv)
{
	struct stat out, in;

	for (int i = 0; i < argc && !fstat(fd, &out); i++)
		if (!stat(argv[i], &in) && S_ISREG(in.st_mode) &&
		    in.st_dev == out.st_dev && in.st_ino == out.st_ino)
			return true;
	return false;
}

static int open_dropped(int argc, char **argv, int out_fd,
			struct span_error *err)
{
	int fd = STDOUT_FILENO;

	if (strcmp(opt.dropped, "-") != 0)
		fd = open(opt.dropped, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		return span_error_set(err, SPAN_E_IO, "cannot open %s",
				      opt.dropped);
	opt.dropped_fd = fd;
	if (fd == STDOUT_FILENO && out_fd == STDOUT_FILENO)
		cmd_usage("--dropped - needs --output FILE");
	if (isatty(fd))
		return span_error_set(err, SPAN_E_INVALID,
				      "--dropped: this is no output for a "
				      "terminal");
	if (is_operand(fd, argc, argv))
		cmd_usage("--dropped: %s is read", opt.dropped);
	if (ftruncate(fd, 0) < 0 && errno != EINVAL)
		return span_error_set(err, SPAN_E_IO, "cannot empty %s",
				      opt.dropped);
	return span_writer_open(&opt.o.dropped, fd, err);
}

static int close_dropped(struct span_error *err)
{
	int rc;

	if (!opt.o.dropped)
		return 0;
	rc = span_writer_flush(opt.o.dropped, err);
	if (rc >= 0 && opt.dropped_fd != STDOUT_FILENO &&
	    close(opt.dropped_fd) < 0)
		rc = span_error_set(err, SPAN_E_IO, "cannot write %s",
				    opt.dropped);
	return rc;
}

/* 1 when whole traces are gathered, 0, or a negative code. */
static int prepare(struct span_error *err)
{
	bool whole = opt.o.explain || opt.o.wait_ns != NOT_GIVEN ||
		     opt.o.memory != NOT_GIVEN;
	struct span_buf policies = {0};
	const char *name;
	int rc;

	if (opt.like >= 0 && opt.salt)
		cmd_usage("--like and --hash-salt at once");
	if (!opt.o.wait_ns || !opt.o.memory)
		cmd_usage("--wait and --memory are above 0");
	if (opt.o.wait_ns == NOT_GIVEN)
		opt.o.wait_ns = 0;
	if (opt.o.memory == NOT_GIVEN)
		opt.o.memory = 0;
	if (opt.like > 0)
		opt.o.like.like = (enum span_ratio_like)opt.like;
	if (opt.salt)
		opt.o.like = (struct span_ratio){SPAN_RATIO_SALTED,
						 span_str(opt.salt)};
	rc = sample_policies(whole, &opt.o.ratio, &name, &policies, err);
	if (rc > 0)
		rc = sample_tail_prepare(&opt.o, name, &policies, err) < 0
			     ? err->code
			     : 1;
	else if (!rc && (rc = sample_adaptive_open(NULL, err)) >= 0)
		rc = sample_report_open(NULL, err);
	span_buf_release(&policies);
	return rc;
}

static int sample(struct cmd_source **in, int argc, char **argv,
		  struct span_error *err)
{
	int fd, rc, whole = prepare(err);

	if (whole < 0)
		return whole;
	if ((rc = cmd_output_open(&fd, true, err)) < 0 ||
	    (rc = span_writer_open(&opt.o.out, fd, err)) < 0 ||
	    (rc = opt.dropped ? open_dropped(argc, argv, fd, err) : 0) < 0)
		return rc;
	if (!whole)
		sample_head_prepare(&opt.o);
	rc = cmd_source_open(in, argc, argv, opt.o.out, err);
	if (rc < 0)
		return rc;
	rc = whole ? sample_tail(*in, err) : sample_head(&opt.o, *in, err);
	if (rc >= 0 && (rc = span_writer_flush(opt.o.out, err)) >= 0 &&
	    (rc = close_dropped(err)) >= 0)
		rc = cmd_output_close(fd, err);
	return rc;
}

static int run(int argc, char **argv, struct span_error *err)
{
	uint64_t since = cmd_monotonic_ns();
	struct cmd_source *in = NULL;
	int rc = sample(&in, argc, argv, err);

	if (in)
		sample_report_metrics(true);
	if (rc >= 0)
		sample_report_early();
	if (rc >= 0 && cmd_verbose)
		sample_report(since);
	cmd_source_close(&in);
	span_writer_close(&opt.o.out);
	span_writer_close(&opt.o.dropped);
	sample_report_close();
	sample_tail_close();
	sample_adaptive_close();
	span_buf_release(&opt.o.text);
	return rc;
}

static const struct cmd span_sample = {
	.name = "span-sample",
	.operands = "[FILE...]",
	.summary = "keep a part of the traces",
	.options = options,
	.run = run,
};

int main(int argc, char **argv)
{
	return cmd_main(&span_sample, argc, argv);
}
