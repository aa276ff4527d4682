/* SPDX-License-Identifier: Apache-2.0 */
/* What every span begins with, read in place. */
#include <endian.h>
#include <string.h>

#include "store/frame_judge.h"
#include "stream/frame.h"

#include "base/banned.h"

/* A plain head is never longer. */
#define PLAIN_HEAD (1 + 18 + 9 * 9)

/* Where a number that is not negative ends; NULL: it has to be looked at. */
static inline const unsigned char *plain(const unsigned char *p, uint64_t *v)
{
	uint32_t u32;
	uint64_t u64;

	if (*p < 0x80) {
		*v = *p;
		return p + 1;
	}
	switch (*p) {
	case 0xcc:
		*v = p[1];
		return p + 2;
	case 0xcd:
		*v = (uint64_t)p[1] << 8 | p[2];
		return p + 3;
	case 0xce:
		memcpy(&u32, p + 1, sizeof(u32));
		*v = be32toh(u32);
		return p + 5;
	case 0xcf:
		memcpy(&u64, p + 1, sizeof(u64));
		*v = be64toh(u64);
		return p + 9;
	default:
		return NULL;
	}
}

/* The same of a time, which span__frame_time() reads. */
static inline const unsigned char *plain_time(const unsigned char *p,
					      uint64_t *v)
{
	uint16_t u16;
	uint32_t u32;

	switch (*p) {
	case 0xd1:
		memcpy(&u16, p + 1, sizeof(u16));
		*v = (uint64_t) - (int64_t)(int16_t)be16toh(u16) * 1000;
		return (int16_t)be16toh(u16) < 0 ? p + 3 : NULL;
	case 0xd2:
		memcpy(&u32, p + 1, sizeof(u32));
		*v = (uint64_t) - (int64_t)(int32_t)be32toh(u32) * 1000;
		return (int32_t)be32toh(u32) < 0 ? p + 5 : NULL;
	default:
		return plain(p, v);
	}
}

/*
 * The head of a span as nearly all are: a trace id of 16 bytes, numbers that
 * are not negative, and everything within what is left. It may look at bytes of
 * the spans behind. False: it has to be looked at, and r->d is unchanged.
 */
static bool read_plain_head(const struct span_frame *f, struct span__raw *r)
{
	const unsigned char *p = r->d.p;
	uint64_t flags, bits;

	if (f->next.end - p < PLAIN_HEAD || p[1] != 0xc4 || p[2] != 16 ||
	    p[0] < (0x90 | SPAN__SPAN_ELEMENTS) || p[0] > 0x9f)
		return false;
	r->n_elements = p[0] & 15;
	memcpy(r->trace_id, p + 3, 16);
	if (!(p = plain(p + 19, &r->id)) || !(p = plain(p, &r->parent_id)) ||
	    !(p = plain(p, &r->process)) || !(p = plain(p, &r->scope)) ||
	    !(p = plain(p, &r->name)) || !(p = plain_time(p, &r->start_ns)) ||
	    !(p = plain_time(p, &r->duration_ns)) || !(p = plain(p, &bits)) ||
	    !(p = plain(p, &flags)) || p > r->d.end)
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
