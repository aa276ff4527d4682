/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_cursor.h"

#include "stream/frame.h"

#include "base/banned.h"

#define FEW_IDS 8u

int span__frame_cursor_init(struct span__frame_cursor *c,
			    const struct span__cursor_ops *ops,
			    const struct span__scan *scan,
			    struct span_error *err)
{
	c->base.ops = ops;
	span__filter_init(&c->filter, scan);
	c->judge.filter = &c->filter;
	return span_frame_open(&c->frame, err);
}

void span__frame_cursor_release(struct span__frame_cursor *c)
{
	span__judge_release(&c->judge);
	span_frame_close(&c->frame);
}

bool span__scan_overlaps(const struct span__scan *scan, uint64_t min_start_ns,
			 uint64_t max_end_ns)
{
	const struct span_range *r = scan->range;

	if (!r)
		return true;
	return max_end_ns >= r->since_ns &&
	       (!r->until_ns || min_start_ns < r->until_ns) &&
	       (!r->floor_ns || max_end_ns >= *r->floor_ns);
}

/* Tell of the frame that came last, if it is damaged: 0, or SPAN_E_NOMEM. */
static int damaged(struct span__frame_cursor *c, int rc,
		   const struct span_error *why, struct span_error *err)
{
	if (rc == SPAN_E_NOMEM)
		return span_error_set(err, rc, "out of memory");
	c->bad_frame(c, why);
	return 0;
}

static int parse(struct span__frame_cursor *c, struct span_str bytes,
		 struct span_error *why)
{
	size_t used;
	int rc = span__frame_parse_sound(c->frame, bytes.p, bytes.len, &used,
					 why);

	if (rc > 0 && used != bytes.len)
		rc = span_error_set(why, SPAN_E_CORRUPT,
				    "bytes behind the frame");
	return rc;
}

struct wanted {
	const struct span__scan *scan;
	bool found;
};

static void see_id(void *arg, const uint8_t id[16])
{
	struct wanted *w = arg;

	w->found = w->found || span__id_among(id, w->scan->ids, w->scan->n_ids);
}

/*
 * Few traces are hardly ever in a frame, which their ids tell sooner than its
 * tables are read. True of one that is damaged, too.
 */
static bool may_have(const struct span__scan *scan, struct span_str bytes)
{
	struct wanted w = {.scan = scan};

	if (!scan->n_ids || scan->n_ids > FEW_IDS)
		return true;
	return span__frame_ids(bytes.p, bytes.len, see_id, &w) < 0 || w.found;
}

/*
 * Go to the next frame that has spans of the scan, *N of them: 1, 0 at the
 * end, or a negative code.
 */
static int next_frame(struct span__frame_cursor *c, uint32_t *n,
		      struct span_error *err)
{
	struct span_str bytes;
	int rc;

	while ((rc = c->next_frame(c, &bytes, err)) > 0) {
		c->is_bad = false;
		c->next = c->n_spans = 0;
		if (!may_have(&c->filter.scan, bytes))
			continue;
		rc = parse(c, bytes, &c->why);
		if (rc < 0) {
			rc = damaged(c, rc, &c->why, err);
			if (rc < 0)
				return rc;
			continue;
		}
		rc = span__judge_frame(&c->judge, c->frame, n, &c->why);
		if (rc == SPAN_E_NOMEM || c->judge.ended) {
			if (err)
				*err = c->why;
			return rc;
		}
		c->is_bad = rc < 0;
		if (*n)
			c->n_spans = span_frame_info(c->frame)->n_spans;
		if (*n || c->is_bad)
			return 1;
	}
	return rc;
}

/* Has the head of S all that is wanted of it? */
static bool head_tells(const struct span_range *r, const struct span *s)
{
	return r && r->head_only &&
	       (!r->head_errors || s->status == SPAN_STATUS_ERROR);
}

/* The next span of this frame that is in the scan: 1, 0, or a code. */
static int next_in_frame(struct span__frame_cursor *c, struct span *out)
{
	const struct span_range *r = c->filter.scan.range;
	int rc;

	for (; c->next < c->n_spans; c->next++) {
		if (span__judge_bit(&c->judge, c->next))
			break;
		rc = span__frame_skip(c->frame, &c->why);
		if (rc < 0)
			return rc;
	}
	if (c->next == c->n_spans)
		return 0;
	c->next++;
	rc = span_frame_next_head(c->frame, NULL, 0, out, &c->why);
	if (rc > 0 && !head_tells(r, out) &&
	    span_frame_complete(c->frame, out, &c->why) < 0)
		return c->why.code;
	return rc;
}

int span__frame_cursor_next(struct span_cursor *cursor, struct span *out,
			    struct span_error *err)
{
	struct span__frame_cursor *c = (struct span__frame_cursor *)cursor;
	uint32_t n;
	int rc;

	for (;;) {
		rc = next_in_frame(c, out);
		if (rc > 0)
			return rc;
		if (rc < 0 || c->is_bad) {
			rc = damaged(c, rc, &c->why, err);
			if (rc < 0)
				return rc;
		}
		c->is_bad = false;
		rc = next_frame(c, &n, err);
		if (rc <= 0)
			return rc;
	}
}

int span__frame_cursor_count(struct span_cursor *cursor, uint64_t *n,
			     struct span_error *err)
{
	struct span__frame_cursor *c = (struct span__frame_cursor *)cursor;
	uint32_t some;
	int rc;

	while ((rc = next_frame(c, &some, err)) > 0) {
		*n += some;
		if (c->is_bad)
			c->bad_frame(c, &c->why);
	}
	return rc;
}
