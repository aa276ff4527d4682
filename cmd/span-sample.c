/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sampling by trace id, as OpenTelemetry's consistent probability sampling
 * decides: the low 56 bits of the trace id are a random number R, and a trace
 * is kept when R >= (1 - P) * 2^56. A trace state with "ot=rv:..." brings an
 * R of its own. All who decide so keep the same traces, and a smaller P keeps
 * a subset of what a larger one keeps.
 */
#include "cmd_source.h"

#include <string.h>

#include "base/banned.h"

#define RANDOM_BYTES 7
#define RANDOM_DIGITS (2 * RANDOM_BYTES)
#define ALL (1ull << 8 * RANDOM_BYTES)

static struct {
	double ratio;
} opt = {.ratio = -1};

static struct {
	uint64_t threshold; /* ALL: nothing is kept */
	uint64_t kept, dropped;
} sample;

static const struct cmd_option options[] = {
	{CMD_DOUBLE, 'r', "ratio", &opt.ratio, "P",
	 "keep this share of the traces, from 0 to 1", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_source_options, NULL, "Source", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_output_options, NULL, "Output", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_metrics_options, NULL, "Output", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static const struct cmd_metric metrics[] = {
	{"span_sample_spans_total", "decision=\"kept\"",
	 "Spans by what was decided.", &sample.kept, false},
	{"span_sample_spans_total", "decision=\"dropped\"",
	 "Spans by what was decided.", &sample.dropped, false},
	{NULL, NULL, NULL, NULL, false},
};

/* Of the probability P: what R has to reach. */
static uint64_t threshold(double p)
{
	uint64_t kept = (uint64_t)(p * (double)ALL + 0.5);

	return ALL - (p > 0 && !kept ? 1 : kept);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "rv:" and 14 digits among the ;-separated parts of OpenTelemetry's entry. */
static bool random_value(struct span_str entry, uint64_t *r)
{
	const char *p = entry.p, *end = p ? p + entry.len : NULL;

	while (p && end - p >= 3 + RANDOM_DIGITS) {
		uint64_t v = 0;
		int i, digit = 0;

		for (i = 0; i < RANDOM_DIGITS && digit >= 0; i++) {
			digit = hex_digit(p[3 + i]);
			v = v << 4 | ((uint64_t)digit & 15);
		}
		if (!memcmp(p, "rv:", 3) && digit >= 0 &&
		    (p + 3 + i == end || p[3 + i] == ';')) {
			*r = v;
			return true;
		}
		p = memchr(p, ';', (size_t)(end - p));
		p += p != NULL;
	}
	return false;
}

/* The entry "ot=" of a W3C trace state; empty when there is none. */
static struct span_str ot_entry(struct span_str state)
{
	const char *p = state.p, *end = p + state.len;

	while (p && p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		const char *stop = comma ? comma : end;

		while (p < stop && (*p == ' ' || *p == '\t'))
			p++;
		while (stop > p && (stop[-1] == ' ' || stop[-1] == '\t'))
			stop--;
		if (stop - p > 3 && !memcmp(p, "ot=", 3))
			return (struct span_str){p + 3, (size_t)(stop - p) - 3};
		p = comma ? comma + 1 : NULL;
	}
	return (struct span_str){NULL, 0};
}

static bool decide(const struct span *s)
{
	uint64_t r = 0;

	for (size_t i = 16 - RANDOM_BYTES; i < 16; i++)
		r = r << 8 | s->trace_id[i];
	if (s->trace_state.len)
		(void)random_value(ot_entry(s->trace_state), &r);
	return r >= sample.threshold;
}

static bool decide_for_source(void *arg, const struct span *s)
{
	(void)arg;
	return decide(s);
}

/* Does S have "ot="? Hardly any text has the last of these. */
static bool has_ot(struct span_str s)
{
	const char *end = s.p + s.len;

	if (s.len < 3)
		return false;
	for (const char *p = s.p + 2;
	     p < end && (p = memchr(p, '=', (size_t)(end - p))); p++)
		if (p[-1] == 't' && p[-2] == 'o')
			return true;
	return false;
}

/*
 * Trace states lie behind all else in a span; without one that has an entry of
 * OpenTelemetry in the frame's strings, the trace id decides alone.
 */
static enum cmd_source_part needs(void *arg, const struct span_frame_info *f)
{
	(void)arg;
	for (size_t i = 0; i < f->n_strings; i++)
		if (has_ot(f->strings[i]))
			return CMD_SOURCE_OUTLINE;
	return CMD_SOURCE_HEAD;
}

/* Frame by frame: what is kept is forwarded as it is. */
static int sample_frames(struct cmd_source *in, struct span_writer *out,
			 struct span_error *err)
{
	struct span_frame *frame;
	const uint8_t *keep;
	size_t n;
	int rc;

	while ((rc = cmd_source_next_slice(in, &frame, &keep, &n, err)) > 0) {
		sample.kept += n;
		sample.dropped += span_frame_info(frame)->n_spans - n;
		if (n &&
		    (rc = span_writer_put_slice(out, frame, keep, err)) < 0)
			return rc;
		cmd_metrics_write(metrics, false);
	}
	return rc;
}

static int sample_spans(struct cmd_source *in, struct span_writer *out,
			struct span_error *err)
{
	struct span span;
	int rc;

	while ((rc = cmd_source_next(in, &span, err)) > 0) {
		if (!decide(&span)) {
			sample.dropped++;
			continue;
		}
		sample.kept++;
		if ((rc = span_writer_put(out, &span, err)) < 0)
			return rc;
	}
	return rc;
}

static void report(uint64_t since)
{
	uint64_t in = sample.kept + sample.dropped;
	struct span_buf b = {0};

	span_text_count(&b, in);
	span_buf_puts(&b, " spans, ");
	span_text_count(&b, sample.kept);
	span_buf_printf(&b, " kept (%.2f %%), ",
			in ? 100.0 * (double)sample.kept / (double)in : 0.0);
	span_text_count(&b, sample.dropped);
	span_buf_printf(&b, " dropped, %.2f s",
			(double)(cmd_monotonic_ns() - since) / 1e9);
	if (!b.failed)
		cmd_note("%.*s", (int)b.len, b.p);
	span_buf_release(&b);
}

static int run(int argc, char **argv, struct span_error *err)
{
	uint64_t since = cmd_monotonic_ns();
	struct cmd_source *in = NULL;
	struct span_writer *out = NULL;
	int fd, rc;

	if (opt.ratio == -1)
		cmd_usage("--ratio P is needed");
	if (!(opt.ratio >= 0 && opt.ratio <= 1))
		cmd_usage("--ratio is not from 0 to 1");
	sample.threshold = threshold(opt.ratio);
	cmd_source_also(decide_for_source, needs, NULL);
	if ((rc = cmd_output_open(&fd, true, err)) < 0 ||
	    (rc = span_writer_open(&out, fd, err)) < 0 ||
	    (rc = cmd_source_open(&in, argc, argv, out, err)) < 0)
		goto done;
	rc = cmd_source_slices(in) ? sample_frames(in, out, err)
				   : sample_spans(in, out, err);
	if (rc >= 0 && (rc = span_writer_flush(out, err)) >= 0)
		rc = cmd_output_close(fd, err);
	cmd_metrics_write(metrics, true);
	if (rc >= 0 && cmd_verbose)
		report(since);
done:
	cmd_source_close(&in);
	span_writer_close(&out);
	return rc;
}

static const struct cmd span_sample = {
	.name = "span-sample",
	.operands = "[FILE...]",
	.summary = "keep a share of the traces",
	.options = options,
	.run = run,
};

int main(int argc, char **argv)
{
	return cmd_main(&span_sample, argc, argv);
}
