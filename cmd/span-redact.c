/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span-redact - take secrets out of spans
 *
 * The tables of the frames that spans come in have their old texts. So they are
 * made anew: those of a frame as a whole, where that goes, or else each span is
 * put into new ones.
 */
#include "cmd_source.h"
#include "redact-rules.h"

#include "base/banned.h"

static struct {
	bool check;
	bool show_rules;
} opt;

static struct {
	uint64_t spans, changed, refused;
	uint64_t values;
} counts;

struct redaction {
	struct span_redact *rules;
	struct span_writer *out; /* NULL: --check */
	int fd;
	struct span_buf *text; /* that --check has to tell */
};

static const struct cmd_option redact_options[] = {
	{CMD_FLAG, 0, "check", &opt.check, NULL,
	 "write no spans, but list what would be redacted; exit 1 if anything",
	 NULL},
	{CMD_FLAG, 0, "show-rules", &opt.show_rules, NULL,
	 "write the rules that hold, as --rules takes them, and end", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static const struct cmd_option options[] = {
	{CMD_GROUP, 0, NULL, (void *)redact_options, NULL, "Redaction", NULL},
	{CMD_GROUP, 0, NULL, (void *)redact_rules_options, NULL, "Redaction",
	 NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_source_options, NULL, "Source", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_output_options, NULL, "Output", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_metrics_options, NULL, "Output", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static const struct cmd_metric metrics[] = {
	{"span_redact_spans_total", "", "Spans that were read.", &counts.spans,
	 false},
	{"span_redact_changed_spans_total", "",
	 "Spans of which something was redacted.", &counts.changed, false},
	{"span_redact_refused_spans_total", "",
	 "Spans that could not be judged and were left out.", &counts.refused,
	 false},
	{"span_redact_values_total", "", "Values that a rule applied to.",
	 &counts.values, false},
	{NULL, NULL, NULL, NULL, false},
};

/* What --check prints. */
static void found(void *arg, const struct span_redact_found *f)
{
	struct span_buf *b = arg;
	char trace[SPAN_TRACE_ID_TEXT], id[SPAN_ID_TEXT];

	span_buf_printf(b, "%s %s ",
			span_trace_id_text(f->span->trace_id, trace),
			span_id_text(f->span->span_id, id));
	span_buf_printf(b, "%s:", f->place);
	span_text_terminal(b, f->key);
	span_buf_printf(b, " %s\n", f->rule);
}

/*
 * A span that cannot be judged may hold what a rule would have found; one that
 * outgrew the limit of a span cannot be written.
 */
static int leave_out(const struct span_error *why)
{
	counts.refused++;
	cmd_warn("a span is left out: %s", why->msg);
	return 0;
}

static int put(struct span_redact *r, const struct span *in,
	       struct span_writer *out, struct span_error *err)
{
	struct span_error why = {0};
	struct span span;
	int rc = span_redact_span(r, in, &span, &why);

	counts.spans++;
	if (rc >= 0) {
		counts.changed += rc > 0;
		rc = out ? span_writer_put(out, &span, &why) : 0;
	}
	if (rc == SPAN_E_LIMIT)
		return leave_out(&why);
	if (rc < 0)
		*err = why;
	return rc;
}

/* What --check found goes out at once. */
static int put_and_tell(struct redaction *x, const struct span *span,
			struct span_error *err)
{
	int rc = put(x->rules, span, x->out, err);

	if (rc < 0 || !x->text->len)
		return rc;
	rc = span_write_all(x->fd, x->text->p, x->text->len, err);
	x->text->len = 0;
	return rc;
}

/* Frames of fewer spans are joined. */
#define MANY 32u

/* All spans of a frame at once: 1, 0 when that does not go, or a code. */
static int put_whole(struct redaction *x, struct span_frame *frame,
		     struct span_error *err)
{
	uint32_t n = span_frame_info(frame)->n_spans, changed;
	int rc = 0;

	if (x->out && n >= MANY)
		rc = span_redact_put_frame(x->rules, frame, x->out, &changed,
					   err);
	if (rc > 0) {
		counts.spans += n;
		counts.changed += changed;
	}
	return rc;
}

/* The spans of a frame that are selected, as KEEP has them; NULL: all. */
static int redact_frame(struct redaction *x, struct cmd_source *in,
			struct span_frame *frame, const uint8_t *keep,
			struct span_error *err)
{
	struct span_error why = {0};
	struct span span;
	int rc;

	if (!keep && (rc = put_whole(x, frame, err)) != 0)
		return rc;
	span_redact_frame(x->rules);
	span_frame_rewind(frame);
	for (size_t i = 0; (rc = span_frame_next(frame, &span, &why)) > 0;
	     i++) {
		if (keep && !(keep[i / 8] >> i % 8 & 1))
			continue;
		if ((rc = put_and_tell(x, &span, err)) < 0)
			return rc;
	}
	return rc < 0 ? cmd_source_bad_frame(in, frame, &why, err) : 0;
}

static void show_counts(const struct redaction *x, bool at_end)
{
	counts.values = span_redact_values(x->rules);
	cmd_metrics_write(metrics, at_end);
	if (!at_end)
		cmd_progress(counts.spans, "spans");
}

static int redact_frames(struct redaction *x, struct cmd_source *in,
			 struct span_error *err)
{
	struct span_frame *frame;
	const uint8_t *keep = NULL;
	size_t n;
	int rc;

	for (;;) {
		rc = cmd_source_selects()
			     ? cmd_source_next_slice(in, &frame, &keep, &n, err)
			     : cmd_source_next_frame(in, &frame, err);
		if (rc <= 0)
			return rc;
		if ((rc = redact_frame(x, in, frame, keep, err)) < 0)
			return rc;
		show_counts(x, false);
	}
}

static int redact_spans(struct redaction *x, struct cmd_source *in,
			struct span_error *err)
{
	struct span span;
	int rc;

	while ((rc = cmd_source_next(in, &span, err)) > 0) {
		if ((rc = put_and_tell(x, &span, err)) < 0)
			return rc;
		show_counts(x, false);
	}
	return rc;
}

static void report(struct span_redact *r, uint64_t since)
{
	const char *rule;
	uint64_t n;

	for (size_t i = 0; (rule = span_redact_count(r, i, &n)); i++)
		if (n)
			cmd_note("%10llu  %s", (unsigned long long)n, rule);
	cmd_note("%llu spans, %llu of them changed, %llu values, %llu left "
		 "out, %.2f s",
		 (unsigned long long)counts.spans,
		 (unsigned long long)counts.changed,
		 (unsigned long long)counts.values,
		 (unsigned long long)counts.refused,
		 (double)(cmd_monotonic_ns() - since) / 1e9);
}

static int run_rules(struct redaction *x, int argc, char **argv,
		     struct span_error *err)
{
	uint64_t since = cmd_monotonic_ns();
	struct cmd_source *in = NULL;
	int rc = 0;

	if (!opt.check)
		rc = span_writer_open(&x->out, x->fd, err);
	if (rc >= 0)
		rc = cmd_source_open(&in, argc, argv, x->out, err);
	if (rc >= 0)
		rc = cmd_source_slices(in) ? redact_frames(x, in, err)
					   : redact_spans(x, in, err);
	cmd_progress_end();
	if (rc >= 0 && x->out)
		rc = span_writer_flush(x->out, err);
	show_counts(x, true);
	if (rc >= 0 && cmd_verbose)
		report(x->rules, since);
	cmd_source_close(&in);
	span_writer_close(&x->out);
	return rc;
}

static int run(int argc, char **argv, struct span_error *err)
{
	struct span_buf text = {0};
	struct redaction x = {.text = &text};
	int rc = redact_rules_open(&x.rules, opt.check ? found : NULL, &text,
				   err);

	if (rc >= 0)
		rc = cmd_output_open(&x.fd, !opt.check && !opt.show_rules, err);
	if (rc >= 0 && opt.show_rules)
		rc = redact_rules_show(x.rules, x.fd, err);
	else if (rc >= 0)
		rc = run_rules(&x, argc, argv, err);
	if (rc >= 0)
		rc = cmd_output_close(x.fd, err);
	span_redact_close(&x.rules);
	span_buf_release(&text);
	if (rc < 0)
		return rc;
	return opt.check && counts.values ? CMD_NONE : CMD_OK;
}

static const struct cmd span_redact = {
	.name = "span-redact",
	.operands = "[FILE...]",
	.summary = "take secrets out of spans",
	.options = options,
	.run = run,
};

int main(int argc, char **argv)
{
	return cmd_main(&span_redact, argc, argv);
}
