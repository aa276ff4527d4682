/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span-query - find traces
 *
 * What is found is formatted into one buffer, which is written when it is
 * large, before the input makes us wait, and at the end.
 */
#include "cmd.h"
#include "cmd_source.h"

#include <string.h>

#include "base/banned.h"

#define FLUSH_AT (64u << 10)
#define TERMINAL_LIMIT 20

enum format { SPANS, TABLE, JSON, JSONL, CSV, IDS, TREE };
static const char *const formats[] = {"spans", "table", "json", "jsonl",
				      "csv",   "ids",	"tree", NULL};

static struct {
	int format;
	bool count, spans, csv_safe;
} opt = {.format = -1, .csv_safe = true};

static const struct cmd_option options[] = {
	{CMD_CHOICE, 'o', "output-format", &opt.format, "FORMAT",
	 "what to print", formats},
	{CMD_FLAG, 0, "spans", &opt.spans, NULL,
	 "only the matching spans, not their whole traces", NULL},
	{CMD_FLAG, 'c', "count", &opt.count, NULL,
	 "print only how many traces match; with --spans how many spans", NULL},
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

static struct {
	int fd;
	struct span_buf text;
	struct span_writer *writer;
	struct span_render_opts look;
	uint64_t n_traces, n_spans;
} out;

static int flush(struct span_error *err)
{
	int rc = 0;

	if (out.text.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (out.text.len)
		rc = span_write_all(out.fd, out.text.p, out.text.len, err);
	out.text.len = 0;
	return rc;
}

static int before_wait(void *arg, uint64_t *wait_ns, struct span_error *err)
{
	(void)arg;
	(void)wait_ns;
	return flush(err);
}

static int flush_when_large(struct span_error *err)
{
	return out.text.len >= FLUSH_AT || out.text.failed ? flush(err) : 0;
}

/* ---- The formats ---- */

static void put_id(const uint8_t trace_id[16], const uint8_t span_id[8])
{
	char text[SPAN_TRACE_ID_TEXT];

	span_buf_puts(&out.text, span_trace_id_text(trace_id, text));
	if (span_id) {
		span_buf_putc(&out.text, ':');
		span_buf_puts(&out.text, span_id_text(span_id, text));
	}
	span_buf_putc(&out.text, '\n');
}

static int put_span(const struct span *s, struct span_error *err)
{
	bool first = !out.n_spans++;

	switch (opt.format) {
	case SPANS:
		return span_writer_put(out.writer, s, err);
	case TABLE:
		if (first)
			span_render_spans_head(&out.text, &out.look);
		span_render_spans_row(&out.text, &out.look, s);
		break;
	case JSONL:
		span_encode_jsonl(&out.text, s);
		break;
	case CSV:
		span_encode_csv(&out.text, s, opt.csv_safe);
		break;
	default:
		put_id(s->trace_id, s->span_id);
		break;
	}
	return flush_when_large(err);
}

static int put_spans(const struct span_trace *t, struct span_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < t->n && !rc; i++)
		rc = put_span(&t->spans[i], err);
	return rc;
}

static void put_json(const struct span_trace *t, const uint8_t *matched)
{
	struct span_buf kept = {0};

	span_buf_puts(&out.text, out.n_traces ? ",\n" : "");
	for (size_t i = 0; i < t->n; i++)
		if (!opt.spans || matched[i])
			span_buf_put(&kept, &t->spans[i], sizeof(*t->spans));
	out.text.failed |= kept.failed;
	out.n_spans += kept.len / sizeof(*t->spans);
	span_encode_jaeger_json(&out.text, (const struct span *)(void *)kept.p,
				kept.len / sizeof(*t->spans));
	span_buf_release(&kept);
}

static int put_trace(const struct span_trace *t, const uint8_t *matched,
		     struct span_error *err)
{
	switch (opt.format) {
	case JSON:
		put_json(t, matched);
		break;
	case TABLE:
		if (!out.n_traces)
			span_render_traces_head(&out.text, &out.look);
		span_render_traces_row(&out.text, &out.look, t);
		out.n_spans += t->n;
		break;
	case TREE:
		if (out.n_traces)
			span_buf_putc(&out.text, '\n');
		span_render_tree(&out.text, &out.look, t, matched);
		out.n_spans += t->n;
		break;
	default:
		out.n_traces++;
		return put_spans(t, err);
	}
	out.n_traces++;
	return flush_when_large(err);
}

/* ---- The ways through the input ---- */

static int all_traces(struct cmd_source *in, struct span_error *err)
{
	const uint8_t *matched;
	struct span_trace t;
	int rc;

	while ((rc = cmd_source_next_trace(in, &t, &matched, err)) > 0) {
		rc = put_trace(&t, matched, err);
		if (rc < 0)
			break;
	}
	return rc;
}

static int all_ids(struct cmd_source *in, struct span_error *err)
{
	uint8_t id[16];
	int rc;

	while ((rc = cmd_source_next_id(in, id, err)) > 0) {
		out.n_traces++;
		if (opt.count)
			continue;
		put_id(id, NULL);
		rc = flush_when_large(err);
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

	if (cmd_source_slices(in) && (opt.count || opt.format == SPANS))
		return all_slices(in, err);
	while ((rc = cmd_source_next(in, &s, err)) > 0) {
		if (opt.count)
			out.n_spans++;
		else
			rc = put_span(&s, err);
		if (rc < 0)
			break;
	}
	return rc;
}

static int any(struct cmd_source *in, struct span_error *err)
{
	struct span s;
	int rc = cmd_source_next(in, &s, err);

	out.n_spans = rc > 0;
	return rc < 0 ? rc : 0;
}

static int produce(struct cmd_source *in, struct span_error *err)
{
	if (cmd_quiet)
		return any(in, err);
	if (opt.spans && (opt.count || opt.format != JSON))
		return all_spans(in, err);
	if (opt.count || opt.format == IDS)
		return all_ids(in, err);
	return all_traces(in, err);
}

/* What stands before and after the results. */
static void begin(void)
{
	if (cmd_quiet || opt.count)
		return;
	if (opt.format == JSON)
		span_buf_puts(&out.text, "{\"data\":[");
	if (opt.format == CSV)
		span_encode_csv_head(&out.text);
}

static int end(struct span_error *err)
{
	int rc;

	if (opt.count && !cmd_quiet)
		span_buf_printf(&out.text, "%llu\n",
				(unsigned long long)(opt.spans ? out.n_spans
							       : out.n_traces));
	else if (opt.format == JSON && !cmd_quiet)
		span_buf_puts(&out.text, "]}\n");
	rc = span_writer_flush(out.writer, err);
	return rc < 0 ? rc : flush(err);
}

static void report(const struct cmd_source *in, uint64_t start_ns)
{
	double seconds = (double)(cmd_monotonic_ns() - start_ns) / 1e9;

	if (cmd_verbose && !cmd_source_is_store(in))
		cmd_note("%llu traces, %llu spans out of %llu in %.2f s",
			 (unsigned long long)out.n_traces,
			 (unsigned long long)out.n_spans,
			 (unsigned long long)cmd_source_spans(in), seconds);
	else if (cmd_verbose)
		cmd_note("%llu traces, %llu spans in %.2f s",
			 (unsigned long long)out.n_traces,
			 (unsigned long long)out.n_spans, seconds);
}

static int search(struct cmd_source *in, struct span_error *err)
{
	struct span_error late = {0};
	int rc, written;

	begin();
	rc = produce(in, err);
	/* After bad input what was found before it is still written. */
	if (rc == SPAN_E_PIPE || rc == SPAN_E_NOMEM)
		return rc;
	written = end(rc < 0 ? &late : err);
	return rc < 0 ? rc : written;
}

static int run(int argc, char **argv, struct span_error *err)
{
	bool terminal = cmd_output_is_terminal();
	uint64_t start_ns = cmd_monotonic_ns();
	struct cmd_source *in = NULL;
	bool lists = !opt.count && !cmd_quiet;
	int rc;

	if (opt.format < 0)
		opt.format = terminal ? TABLE : SPANS;
	if (opt.spans && opt.format == TREE && lists)
		cmd_usage("--spans and -o tree do not go together");
	if (terminal && lists)
		cmd_source_default_limit(TERMINAL_LIMIT);
	cmd_source_on_idle(before_wait, NULL);
	rc = cmd_output_open(&out.fd, opt.format == SPANS && lists, err);
	cmd_look(&out.look);
	if (!rc)
		rc = span_writer_open(&out.writer, out.fd, err);
	if (!rc)
		rc = cmd_source_open(&in, argc, argv, out.writer, err);
	if (!rc)
		rc = search(in, err);
	if (!rc)
		report(in, start_ns);
	cmd_source_close(&in);
	span_writer_close(&out.writer);
	span_buf_release(&out.text);
	if (!rc)
		rc = cmd_output_close(out.fd, err);
	if (rc < 0)
		return rc;
	if (out.n_traces || out.n_spans)
		return CMD_OK;
	if (terminal && lists)
		cmd_note("nothing matches");
	return CMD_NONE;
}

static const struct cmd span_query = {
	.name = "span-query",
	.operands = "[FILE...]",
	.summary = "find traces by what is in their spans",
	.options = options,
	.run = run,
};

int main(int argc, char **argv)
{
	return cmd_main(&span_query, argc, argv);
}
