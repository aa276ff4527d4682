/* SPDX-License-Identifier: Apache-2.0 */
/* Which spans of the frames of a stream are selected, and what was read. */
#include "cmd_private.h"

#include <string.h>

#include "base/banned.h"

static struct {
	bool (*fn)(void *arg, const struct span *s);
	enum cmd_source_part (*part)(void *arg,
				     const struct span_frame_info *f);
	void *arg;
} also;

void cmd_source_also(bool (*fn)(void *arg, const struct span *s),
		     enum cmd_source_part (*part)(
			     void *arg, const struct span_frame_info *f),
		     void *arg)
{
	also.fn = fn;
	also.part = part;
	also.arg = arg;
}

uint64_t cmd_source_spans(const struct cmd_source *s)
{
	return s->n_spans;
}

bool cmd_source_times(const struct cmd_source *s, uint64_t *from_ns,
		      uint64_t *to_ns)
{
	*from_ns = s->min_start_ns;
	*to_ns = s->max_end_ns;
	return s->n_spans;
}

static int decode(struct span_frame *frame, enum cmd_source_part part,
		  struct span *s, struct span_error *why)
{
	if (part == CMD_SOURCE_HEAD)
		return 0;
	return part == CMD_SOURCE_WHOLE ? span_frame_complete(frame, s, why)
					: span_frame_outline(frame, s, why);
}

/*
 * Judge the next span, and decode its attributes only when they are asked
 * for, or PART of it. 1 with *KEEP; 0 at the end; -1, and *WHY is damage of the
 * frame, or *ERR is another error.
 */
static int judge_span(struct cmd_source *s, struct span_frame *frame,
		      enum cmd_source_part part, bool *keep,
		      struct span_error *why, struct span_error *err)
{
	struct span span;
	int match, rc = span_frame_next_head(frame, NULL, 0, &span, why);

	if (rc <= 0)
		return rc;
	match = span_query_match_head(s->query, &span, err);
	if (match > 0 &&
	    decode(frame, match == 2 ? CMD_SOURCE_WHOLE : part, &span, why) < 0)
		return -1;
	if (match == 2)
		match = span_query_match(s->query, &span, err);
	if (match > 0 && also.fn)
		match = also.fn(also.arg, &span);
	*keep = match > 0;
	return match < 0 ? -1 : 1;
}

/* Judge the spans of FRAME: their number kept, or a negative code. */
static int judge(struct cmd_source *s, struct span_frame *frame,
		 struct span_error *err)
{
	const struct span_frame_info *info = span_frame_info(frame);
	struct span_error why = {0};
	enum cmd_source_part part = CMD_SOURCE_HEAD;
	int n = 0, rc;
	bool keep;

	if (also.fn)
		part = also.part(also.arg, info);
	memset(s->keep, 0, (info->n_spans + 7) / 8);
	for (size_t i = 0;
	     (rc = judge_span(s, frame, part, &keep, &why, err)) > 0; i++) {
		s->keep[i / 8] |= (uint8_t)(keep << (i % 8));
		n += keep;
	}
	if (rc == 0)
		return n;
	if (!why.code)
		return err->code;
	if (s->skip_bad && why.code != SPAN_E_NOMEM) {
		s->places++;
		s->skipped += info->bytes.len;
		return 0;
	}
	return span_error_set(
		err, why.code, "%s: bad frame before byte %llu: %s", s->name,
		(unsigned long long)span_reader_pos(s->reader), why.msg);
}

int cmd_source_next_slice(struct cmd_source *s, struct span_frame **frame,
			  const uint8_t **keep, size_t *n_kept,
			  struct span_error *err)
{
	int rc = cmd_source_next_frame(s, frame, err);

	if (rc <= 0)
		return rc;
	rc = judge(s, *frame, err);
	if (rc < 0)
		return rc;
	*keep = s->keep;
	*n_kept = (size_t)rc;
	return 1;
}
