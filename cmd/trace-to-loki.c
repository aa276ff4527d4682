/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans, their events or whole traces as log entries: loki-entry.c makes them,
 * loki-batch.c gathers and sorts them to requests, which are written here.
 */
#include "cmd_source.h"
#include "loki-account.h"
#include "loki-batch.h"
#include "loki-http.h"
#include "loki-logs.h"
#include "loki-push.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"

#define SECOND 1000000000ull

static const char *const whats[] = {"all", "span", "event", "trace", NULL};
enum what { ALL, SPANS, EVENTS, TRACES };
static const char *const formats[] = {"push", "logfmt", "json", NULL};
static const char *const lines[] = {"logfmt", "json", NULL};

static struct {
	uint64_t batch_size, batch_wait, max_streams;
	int what, line;
	struct cmd_list labels;
} opt = {.batch_size = 1 << 20,
	 .batch_wait = SECOND,
	 .max_streams = 1000,
	 .line = -1};

static const struct cmd_option entry_options[] = {
	{CMD_CHOICE, 'o', "format", &loki_opts.format, "FORMAT",
	 "requests, or lines alone for another shipper", formats},
	{CMD_CHOICE, 0, "per", &opt.what, "WHAT",
	 "an entry per span, event or trace, or per span and event", whats},
	{CMD_CHOICE, 0, "line", &opt.line, "FORM",
	 "what the lines of requests look like (logfmt)", lines},
	{CMD_LIST, 0, "label", &opt.labels, "NAME=KEY",
	 "label streams by the tag KEY, too (repeatable)", NULL},
	{CMD_INT, 0, "max-streams", &opt.max_streams, "N",
	 "most streams, before values become \"other\" (1000)", NULL},
	{CMD_FLAG, 0, "no-structured-metadata", &loki_opts.no_metadata, NULL,
	 "trace_id and span_id are in the line only", NULL},
	{CMD_SIZE, 0, "batch-size", &opt.batch_size, "SIZE",
	 "about the size of a request (1M)", NULL},
	{CMD_DURATION, 0, "batch-wait", &opt.batch_wait, "TIME",
	 "write what waited this long (1s)", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static const struct cmd_option options[] = {
	{CMD_GROUP, 0, NULL, (void *)entry_options, NULL, "Entries", NULL},
	{CMD_GROUP, 0, NULL, (void *)loki_logs_options, NULL, "Logs", NULL},
	{CMD_GROUP, 0, NULL, (void *)loki_push_options, NULL, "Loki", NULL},
	{CMD_GROUP, 0, NULL, (void *)loki_http_options, NULL, "Loki", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_source_options, NULL, "Source", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_search_options, NULL, "Traces", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_output_options, NULL, "Output", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static struct {
	int fd;
	struct span_buf body;
	bool push;   /* to a Loki, and not written */
	bool drains; /* a pipe, to its end whatever signal comes */
} out;

/* A batch, as a line or as lines. */
static int write_batch(size_t at, size_t n, struct span_error *err)
{
	out.body.len = 0;
	loki_batch_body(&out.body, at, n);
	if (loki_opts.format == LOKI_PUSH)
		span_buf_putc(&out.body, '\n');
	if (out.body.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return span_write_all(out.fd, out.body.p, out.body.len, err);
}

static int put_span(const struct span *s, struct span_error *err)
{
	struct loki_subject subject = {.span = s};
	int rc = opt.what == EVENTS ? 0 : loki_batch_put(&subject, err);

	for (size_t i = 0; !rc && opt.what != SPANS && i < s->n_events; i++) {
		subject.event = &s->events[i];
		rc = loki_batch_put(&subject, err);
	}
	return rc;
}

/* A signal ends the reading, but not that of a pipe. */
static bool is_over(void)
{
	return cmd_stopped && !out.drains;
}

static int put_spans(struct cmd_source *in, struct span_error *err)
{
	struct span span;
	int rc;

	while ((rc = is_over() ? 0 : cmd_source_next(in, &span, err)) > 0)
		if ((rc = put_span(&span, err)) < 0)
			break;
	return rc;
}

static int put_traces(struct cmd_source *in, struct span_error *err)
{
	struct span_trace t;
	int rc;

	while ((rc = is_over() ? 0 : cmd_source_next_trace(in, &t, NULL, err)) >
	       0) {
		struct loki_subject s = {.span = &t.spans[t.root], .trace = &t};

		if ((rc = loki_batch_put(&s, err)) < 0)
			break;
	}
	return rc;
}

/* Before a read that would block: write what waited long enough. */
static int before_wait(void *arg, uint64_t *wait_ns, struct span_error *err)
{
	uint64_t since = loki_batch_since(), waited;

	(void)arg;
	if (!since)
		return 0;
	waited = cmd_monotonic_ns() - since;
	if (waited >= opt.batch_wait)
		return loki_batch_flush(err);
	if (*wait_ns > opt.batch_wait - waited)
		*wait_ns = opt.batch_wait - waited;
	return 0;
}

static void report_counts(uint64_t since)
{
	const struct loki_counts *c = &loki_counts;

	cmd_note("%llu spans, %llu events and %llu traces in %llu %s, %.2f s",
		 (unsigned long long)c->spans, (unsigned long long)c->events,
		 (unsigned long long)c->traces,
		 (unsigned long long)loki_batches,
		 loki_opts.format == LOKI_PUSH ? "requests" : "parts",
		 (double)(cmd_monotonic_ns() - since) / 1e9);
}

static void report(uint64_t since)
{
	loki_batch_warn();
	if (out.push) {
		loki_push_end();
		loki_account_report(since);
	} else if (cmd_verbose) {
		report_counts(since);
	}
}

static bool is_time(const char *option)
{
	return !strcmp(option, "since") || !strcmp(option, "until") ||
	       !strcmp(option, "around");
}

/* Is something said about spans? A time is about lines, too, for --fetch. */
static bool selects_spans(void)
{
	const char *option = cmd_source_option();
	struct span_buf selected = {0};
	bool any;

	cmd_source_selection(&selected);
	any = selected.len ||
	      (option && !(loki_logs_asks() && is_time(option)));
	span_buf_release(&selected);
	return any;
}

/* What has nothing to do with NAME, which makes no entries. */
static void check_logs_usage(const char *name)
{
	if (selects_spans() || loki_opts.format != LOKI_PUSH ||
	    opt.what != ALL || loki_opts.no_metadata || out.push)
		cmd_usage("%s takes no spans and makes no entries: options for "
			  "these do not go with it",
			  name);
	if (!loki_logs_asks() && loki_http_option())
		cmd_usage("%s does not go with %s", loki_http_option(), name);
}

static void check_format(void)
{
	bool push = loki_opts.format == LOKI_PUSH;

	if (!push && (opt.line >= 0 || opt.labels.n || loki_opts.no_metadata))
		cmd_usage("--line, --label and --no-structured-metadata go "
			  "with requests only");
	if (out.push && !push)
		cmd_usage("--push sends requests: no --format goes with it");
	if (out.push && cmd_output_path())
		cmd_usage("--push and --output at once");
	if (!out.push && loki_http_option())
		cmd_usage("%s goes with --push or --fetch", loki_http_option());
}

static void check_usage(void)
{
	const char *logs = loki_logs_wanted();

	if (!opt.batch_size || opt.batch_size > LOKI_MAX_BATCH)
		cmd_usage("--batch-size is not from 1 to 512M");
	if (!opt.max_streams)
		cmd_usage("--max-streams needs at least 1");
	out.push = loki_push_wanted();
	if (logs)
		check_logs_usage(logs);
	else
		check_format();
	loki_opts.json = opt.line == 1;
	loki_labels_init(&opt.labels, opt.max_streams);
}

/* Damage ends the input, but what came before it counts. */
static int put_all(struct cmd_source *in, struct span_error *err)
{
	int rc = opt.what == TRACES ? put_traces(in, err) : put_spans(in, err);
	struct span_error late = {0};
	int flushed;

	if (rc == SPAN_E_PIPE)
		return rc;
	flushed = loki_batch_flush(rc < 0 ? &late : err);
	return rc < 0 ? rc : flushed;
}

static bool reads_pipe(int argc, char **argv)
{
	bool is_stdin = !argc;
	struct stat st;

	for (int i = 0; i < argc; i++)
		is_stdin |= !strcmp(argv[i], "-");
	return is_stdin && !fstat(STDIN_FILENO, &st) &&
	       (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

static int open_out(int argc, char **argv, struct span_error *err)
{
	loki_batch_init((size_t)opt.batch_size,
			out.push ? loki_push_batch : write_batch);
	cmd_source_on_idle(before_wait, NULL);
	if (!out.push)
		return cmd_output_open(&out.fd, false, err);
	out.drains = reads_pipe(argc, argv);
	cmd_signals_source();
	return loki_push_open(err);
}

static int close_out(struct span_error *err)
{
	if (!out.push)
		return cmd_output_close(out.fd, err);
	return loki_account_lost() ? CMD_PEER : 0;
}

static int put_entries(int argc, char **argv, struct span_error *err)
{
	uint64_t since = cmd_monotonic_ns();
	struct cmd_source *in = NULL;
	int rc;

	if ((rc = open_out(argc, argv, err)) < 0 ||
	    (rc = cmd_source_open(&in, argc, argv, NULL, err)) < 0)
		goto done;
	rc = put_all(in, err);
	if (rc >= 0)
		rc = close_out(err);
	if (rc != SPAN_E_PIPE)
		report(since);
done:
	cmd_source_close(&in);
	loki_push_close();
	loki_batch_release();
	loki_entry_release();
	span_buf_release(&out.body);
	return rc;
}

static int look_into_logs(int argc, char **argv, struct span_error *err)
{
	int rc = cmd_output_open(&out.fd, false, err), closed;

	if (rc < 0)
		return rc;
	rc = loki_logs_run(out.fd, argc, argv, lines[loki_opts.json], err);
	if (rc < 0)
		return rc;
	closed = cmd_output_close(out.fd, err);
	return closed < 0 ? closed : rc;
}

static int run(int argc, char **argv, struct span_error *err)
{
	int rc;

	check_usage();
	rc = loki_logs_wanted() ? look_into_logs(argc, argv, err)
				: put_entries(argc, argv, err);
	loki_labels_release();
	return rc;
}

static const struct cmd trace_to_loki = {
	.name = "trace-to-loki",
	.operands = "[FILE... | ID...]",
	.summary = "write spans as push requests of Grafana Loki",
	.options = options,
	.run = run,
};

int main(int argc, char **argv)
{
	return cmd_main(&trace_to_loki, argc, argv);
}
