/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_cursor.h"

#include "base/banned.h"

int span__frame_cursor_init(struct span__frame_cursor *c,
			    const struct span__cursor_ops *ops,
			    const struct span__scan *scan,
			    struct span_error *err)
{
	c->base.ops = ops;
	c->scan = *scan;
	return span_frame_open(&c->frame, err);
}

void span__frame_cursor_release(struct span__frame_cursor *c)
{
	span_frame_close(&c->frame);
}

bool span__scan_overlaps(const struct span__scan *scan, uint64_t min_start_ns,
			 uint64_t max_end_ns)
{
	const struct span_range *r = scan->range;

	if (!r)
		return true;
	return max_end_ns >= r->since_ns &&
	       (!r->until_ns || min_start_ns < r->until_ns);
}

static bool one_of(struct span_str s, const struct span_str *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (span_str_equal(s, v[i]))
			return true;
	}
	return !n;
}

/* By all but its attributes. */
static bool head_matches(const struct span_range *r, const struct span *s)
{
	if (s->start_ns < r->since_ns ||
	    (r->until_ns && s->start_ns >= r->until_ns))
		return false;
	if (s->duration_ns < r->min_duration_ns ||
	    (r->max_duration_ns && s->duration_ns > r->max_duration_ns))
		return false;
	return one_of(s->process->service, r->services, r->n_services) &&
	       one_of(s->name, r->operations, r->n_operations);
}

/* The tables of a frame tell when none of its spans can match. */
static bool frame_may_match(const struct span_range *r,
			    const struct span_frame_info *info)
{
	bool service = !r->n_services, operation = !r->n_operations;

	for (size_t i = 0; i < info->n_processes && !service; i++)
		service = one_of(info->processes[i].service, r->services,
				 r->n_services);
	for (size_t i = 0; i < info->n_strings && service && !operation; i++)
		operation = one_of(info->strings[i], r->operations,
				   r->n_operations);
	return service && operation;
}

/* Go to the next frame that may have a span of the scan. */
static int next_frame(struct span__frame_cursor *c, struct span_error *err)
{
	const struct span_range *r = c->scan.range;
	struct span_error why = {0};
	struct span_str bytes;
	size_t used;
	int rc;

	while ((rc = c->next_frame(c, &bytes, err)) > 0) {
		rc = span_frame_parse(c->frame, bytes.p, bytes.len, &used,
				      &why);
		if (rc == SPAN_E_NOMEM)
			return span_error_set(err, rc, "out of memory");
		if (rc > 0 && used != bytes.len)
			rc = span_error_set(&why, SPAN_E_CORRUPT,
					    "bytes behind the frame");
		if (rc < 0) {
			c->bad_frame(c, &why);
			continue;
		}
		if (!r || frame_may_match(r, span_frame_info(c->frame)))
			return 1;
	}
	return rc;
}

/* The next span of this frame that is in the scan: 1, 0, or SPAN_E_NOMEM. */
static int next_in_frame(struct span__frame_cursor *c, struct span *out,
			 struct span_error *err)
{
	const struct span_range *r = c->scan.range;
	struct span_error why = {0};
	int rc;

	while ((rc = span_frame_next_head(c->frame, c->scan.ids, c->scan.n_ids,
					  out, &why)) > 0) {
		if (r && !head_matches(r, out))
			continue;
		rc = span_frame_complete(c->frame, out, &why);
		if (rc < 0)
			break;
		if (!r || !r->error || span_is_error(out))
			return 1;
	}
	if (rc == SPAN_E_NOMEM)
		return span_error_set(err, rc, "out of memory");
	if (rc < 0)
		c->bad_frame(c, &why);
	return 0;
}

int span__frame_cursor_next(struct span_cursor *cursor, struct span *out,
			    struct span_error *err)
{
	struct span__frame_cursor *c = (struct span__frame_cursor *)cursor;
	int rc;

	for (;;) {
		if (c->in_frame) {
			rc = next_in_frame(c, out, err);
			if (rc)
				return rc;
			c->in_frame = false;
		}
		rc = next_frame(c, err);
		if (rc <= 0)
			return rc;
		c->in_frame = true;
	}
}
