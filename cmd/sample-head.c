/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ratio, span by span: the trace id decides alone, so that nothing has to
 * wait. Of a stream the frames are looked at without decoding more of a span
 * than decides, and what is kept gets its mark in the bytes that it has.
 */
#include "sample-cmd.h"

#include <string.h>

#include "base/banned.h"

static struct sample *o;
static size_t n_wishes; /* of the frame: what is kept with no mark */

static struct span_verdict decide(const struct span *s)
{
	struct span_verdict v = {.keep = span_wants_sampling(s), .p = 1};

	if (v.keep || span_refuses_sampling(s))
		return v;
	return (struct span_verdict){
		.keep = span_ratio_keeps(&o->like, o->ratio, s),
		.by_ratio = true,
		.p = o->ratio};
}

static bool decide_for_source(void *arg, const struct span *s)
{
	struct span_verdict v = decide(s);

	(void)arg;
	n_wishes += v.keep && !v.by_ratio;
	return v.keep;
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
 * Trace states and attributes lie behind all else in a span; without one that
 * counts here in the frame's strings, the head decides alone.
 */
static enum cmd_source_part needs(void *arg, const struct span_frame_info *f)
{
	enum cmd_source_part part = CMD_SOURCE_HEAD;

	(void)arg;
	n_wishes = 0;
	for (size_t i = 0; i < f->n_strings; i++) {
		if (span_str_equal(f->strings[i],
				   SPAN_STR("sampling.priority")))
			return CMD_SOURCE_WHOLE;
		if (has_ot(f->strings[i]))
			part = CMD_SOURCE_OUTLINE;
	}
	return part;
}

void sample_head_prepare(struct sample *options)
{
	o = options;
	if (!o->dropped)
		cmd_source_also(decide_for_source, needs, NULL);
}

/* The spans of the frame that KEEP says, each with a mark of its own. */
static int put_marked(struct span_frame *frame, const uint8_t *keep,
		      struct span_error *err)
{
	struct span s;
	int rc;

	span_frame_rewind(frame);
	for (size_t i = 0;
	     (rc = span_frame_next_head(frame, NULL, 0, &s, err)) > 0; i++) {
		struct span_verdict v;

		if (!(keep[i / 8] >> (i % 8) & 1))
			continue;
		rc = span_frame_complete(frame, &s, err);
		if (rc < 0)
			return rc;
		v = decide(&s);
		rc = sample_put(o, &s, &v, err);
		if (rc < 0)
			return rc;
	}
	return rc;
}

/* The trace state of one that is kept, when the old one alone tells it. */
static int mark_state(void *arg, struct span_str *state, struct span_error *err)
{
	struct span s = {.trace_state = *state};
	struct span_verdict v = {.keep = true, .by_ratio = true, .p = o->ratio};
	int rc = span_sample_mark(&s, &o->like, &v, &o->text, err);

	(void)arg;
	*state = s.trace_state;
	return rc;
}

/* With a share of 1 what is kept is forwarded as it is. */
static int put_kept(struct span_frame *frame, const uint8_t *keep,
		    struct span_error *err)
{
	if (o->ratio >= 1)
		return span_writer_put_slice(o->out, frame, keep, err);
	if (n_wishes || o->like.like != SPAN_RATIO_CONSISTENT)
		return put_marked(frame, keep, err);
	return span_writer_put_slice_states(o->out, frame, keep, mark_state,
					    NULL, err);
}

static int sample_frames(struct cmd_source *in, struct span_error *err)
{
	struct span_frame *frame;
	const uint8_t *keep;
	size_t n;
	int rc;

	while ((rc = cmd_source_next_slice(in, &frame, &keep, &n, err)) > 0) {
		sample_count_spans(n, span_frame_info(frame)->n_spans - n);
		if (n)
			rc = put_kept(frame, keep, err);
		if (rc < 0)
			return rc;
		sample_report_metrics(false);
	}
	return rc;
}

static int sample_spans(struct cmd_source *in, struct span_error *err)
{
	struct span s;
	int rc;

	while ((rc = cmd_source_next(in, &s, err)) > 0) {
		struct span_verdict v = decide(&s);

		sample_count_spans(v.keep, !v.keep);
		rc = sample_put(o, &s, &v, err);
		if (rc < 0)
			return rc;
		sample_report_metrics(false);
	}
	return rc;
}

int sample_head(struct sample *options, struct cmd_source *in,
		struct span_error *err)
{
	o = options;
	return !o->dropped && cmd_source_slices(in) ? sample_frames(in, err)
						    : sample_spans(in, err);
}
