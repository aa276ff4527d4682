/* SPDX-License-Identifier: Apache-2.0 */
/* What every span begins with, read in place. */
#include "store/frame_judge.h"
#include "stream/plain.h"

#include "base/banned.h"

/* False: the head has to be looked at, and r->d is unchanged. */
static bool read_plain_head(const struct span_frame *f, struct span__raw *r)
{
	const unsigned char *p = r->d.p;
	uint64_t flags, bits;

	if (!span__begins_plain(f, p))
		return false;
	r->n_elements = p[0] & 15;
	memcpy(r->trace_id, p + 3, 16);
	if (!(p = span__plain(p + 19, &r->id)) ||
	    !(p = span__plain(p, &r->parent_id)) ||
	    !(p = span__plain(p, &r->process)) ||
	    !(p = span__plain(p, &r->scope)) ||
	    !(p = span__plain(p, &r->name)) ||
	    !(p = span__plain_time(p, &r->start_ns)) ||
	    !(p = span__plain_time(p, &r->duration_ns)) ||
	    !(p = span__plain(p, &bits)) || !(p = span__plain(p, &flags)) ||
	    p > r->d.end)
		return false;
	if (r->process >= f->info.n_processes || r->scope > f->n_scopes ||
	    r->name >= f->info.n_strings)
		return false;
	r->start_ns += f->base_ns;
	r->kind = bits & 15;
	r->status = bits >> 4 & 15;
	r->d.p = p;
	return true;
}

/* What is behind the trace id, which was read. */
static int read_rest(struct span_frame *f, struct span__raw *r,
		     struct span_error *err)
{
	struct dec *d = &r->d;
	uint64_t bits;

	r->id = dec_uint(d);
	r->parent_id = dec_uint(d);
	r->process = dec_uint(d);
	r->scope = dec_uint(d);
	r->name = dec_uint(d);
	if (r->process >= f->info.n_processes || r->scope > f->n_scopes ||
	    r->name >= f->info.n_strings)
		dec_fail(d, SPAN_E_CORRUPT, "a reference outside the tables");
	r->start_ns = f->base_ns + span__frame_time(d);
	r->duration_ns = span__frame_time(d);
	bits = dec_uint(d);
	r->kind = bits & 15;
	r->status = bits >> 4 & 15;
	span__dec_skip(d);
	return d->err ? span__frame_fail(f, d, err) : 1;
}

static void read_trace_id(struct span__raw *r)
{
	r->n_elements = dec_array(&r->d);
	if (r->n_elements < SPAN__SPAN_ELEMENTS)
		dec_fail(&r->d, SPAN_E_CORRUPT, "a span with too few elements");
	span__frame_trace_id(&r->d, r->trace_id);
}

int span__raw_head(struct span_frame *f, struct span__raw *r,
		   struct span_error *err)
{
	if (!span__frame_take(f, &r->d))
		return span__frame_fail(f, &f->next, err);
	if (read_plain_head(f, r))
		return 1;
	read_trace_id(r);
	return read_rest(f, r, err);
}

int span__judge_head(struct span__judge *j, struct span__raw *r,
		     struct span_error *err)
{
	const struct span__scan *scan = &j->filter->scan;

	if (!scan->n_ids)
		return span__raw_head(j->f, r, err);
	if (!span__frame_take(j->f, &r->d))
		return span__frame_fail(j->f, &j->f->next, err);
	read_trace_id(r);
	if (!r->d.err && !span__id_among(r->trace_id, scan->ids, scan->n_ids))
		return 0;
	return read_rest(j->f, r, err);
}
