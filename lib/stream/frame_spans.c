/* SPDX-License-Identifier: Apache-2.0 */
/* The spans of a frame, one after another, or those of some traces only. */
#include "stream/plain.h"

#include "base/id.h"
#include "model/model.h"

#include "base/banned.h"

void span__frame_trace_id(struct dec *d, uint8_t out[16])
{
	struct span_str s;

	if (dec_peek(d) != 0xc4) {
		memset(out, 0, 8);
		span__id_put(out + 8, dec_uint(d));
		return;
	}
	s = dec_bin(d, 16);
	if (s.len == 16)
		memcpy(out, s.p, 16);
	else
		dec_fail(d, SPAN_E_CORRUPT, "a trace id that is not 16 bytes");
}

static uint32_t load32(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

uint64_t span__frame_time(struct dec *d)
{
	uint64_t v;
	bool neg;
	int32_t i;

	if (dec_peek(d) < 0xd0)
		return dec_uint(d);
	if (*d->p == 0xd2 && dec_left(d) >= 5 && d->p[1] & 0x80) {
		i = (int32_t)be32toh(load32(d->p + 1));
		d->p += 5;
		return (uint64_t) - (int64_t)i * 1000;
	}
	if (!dec_integer(d, &neg, &v) || !neg)
		return v;
	if (__builtin_mul_overflow(-v, UINT64_C(1000), &v))
		dec_fail(d, SPAN_E_CORRUPT, "a time above 2^64 ns");
	return v;
}

static void dec_event(struct span_frame *f, struct dec *d, struct span_event *e,
		      uint64_t start_ns)
{
	size_t n = dec_array(d);

	*e = (struct span_event){0};
	if (!n)
		dec_fail(d, SPAN_E_CORRUPT, "an event without a time");
	e->time_ns = start_ns + span__frame_time(d);
	if (n > 1)
		span__frame_attrs(f, d, &f->span_arena, &e->attrs);
	if (n > 2)
		e->name = span__frame_string1(f, d);
	if (n > 3)
		e->attrs.dropped = dec_u32(d);
	skip_rest(d, n, 4);
}

static void dec_events(struct span_frame *f, struct dec *d, struct span *s)
{
	size_t n = dec_array(d);
	struct span_event *v;

	if (n > SPAN_MAX_EVENTS)
		dec_fail(d, SPAN_E_LIMIT, "too many events");
	v = span__frame_array(d, &f->span_arena, n, sizeof(*v));
	s->events = v;
	s->n_events = v ? n : 0;
	for (size_t i = 0; i < s->n_events; i++)
		dec_event(f, d, &v[i], s->start_ns);
}

static void dec_ref(struct span_frame *f, struct dec *d, struct span_ref *r,
		    const uint8_t trace_id[16])
{
	size_t n = dec_array(d);
	int64_t type;

	*r = (struct span_ref){0};
	if (n < 3)
		dec_fail(d, SPAN_E_CORRUPT, "a reference without ids");
	type = dec_int(d);
	if (type < INT32_MIN || type > INT32_MAX)
		dec_fail(d, SPAN_E_CORRUPT, "a reference type out of range");
	r->type = (int32_t)type;
	if (dec_peek(d) == 0xc0) {
		d->p++;
		memcpy(r->trace_id, trace_id, 16);
	} else {
		span__frame_trace_id(d, r->trace_id);
	}
	span__id_put(r->span_id, dec_uint(d));
	if (n > 3)
		span__frame_attrs(f, d, &f->span_arena, &r->attrs);
	if (n > 4)
		r->trace_state = span__frame_string1(f, d);
	if (n > 5)
		r->flags = dec_u32(d);
	if (n > 6)
		r->attrs.dropped = dec_u32(d);
	skip_rest(d, n, 7);
}

static void dec_refs(struct span_frame *f, struct dec *d, struct span *s)
{
	size_t n = dec_array(d);
	struct span_ref *v;

	if (n > SPAN_MAX_REFS)
		dec_fail(d, SPAN_E_LIMIT, "too many references");
	v = span__frame_array(d, &f->span_arena, n, sizeof(*v));
	s->refs = v;
	s->n_refs = v ? n : 0;
	for (size_t i = 0; i < s->n_refs; i++)
		dec_ref(f, d, &v[i], s->trace_id);
}

static void dec_extra(struct span_frame *f, struct dec *d, struct span *s)
{
	size_t n = dec_array(d);

	if (n > 0)
		s->status_message = span__frame_string1(f, d);
	if (n > 1)
		s->trace_state = span__frame_string1(f, d);
	if (n > 2)
		s->attrs.dropped = dec_u32(d);
	if (n > 3)
		s->dropped_events = dec_u32(d);
	if (n > 4)
		s->dropped_refs = dec_u32(d);
	skip_rest(d, n, 5);
}

static void dec_owner(struct span_frame *f, struct dec *d, struct span *s)
{
	uint64_t process = dec_uint(d), scope = dec_uint(d);

	if (process < f->info.n_processes)
		s->process = &f->info.processes[process];
	else
		dec_fail(d, SPAN_E_CORRUPT, "a process outside the table");
	if (scope > f->n_scopes)
		dec_fail(d, SPAN_E_CORRUPT, "a scope outside the table");
	else if (scope)
		s->scope = &f->scopes[scope - 1];
}

/* Field by field, as most are filled in: that is a tenth of reading a head. */
static void clear_rest(struct span *s)
{
	s->process = NULL;
	s->scope = NULL;
	s->status_message = (struct span_str){0};
	s->trace_state = (struct span_str){0};
	s->attrs = (struct span_attrs){0};
	s->events = NULL;
	s->n_events = 0;
	s->refs = NULL;
	s->n_refs = 0;
	s->dropped_events = 0;
	s->dropped_refs = 0;
}

/* What every span has, up to its flags. */
static void dec_span_head(struct span_frame *f, struct dec *d, struct span *s)
{
	uint64_t bits;

	span__id_put(s->span_id, dec_uint(d));
	span__id_put(s->parent_id, dec_uint(d));
	dec_owner(f, d, s);
	s->name = span__frame_string(f, d, dec_uint(d));
	s->start_ns = f->base_ns + span__frame_time(d);
	s->duration_ns = span__frame_time(d);
	bits = dec_uint_max(d, 0xffffff, "bits out of range");
	s->kind = bits & 15;
	s->status = bits >> 4 & 15;
	s->marks = (uint16_t)(bits >> 8);
	s->flags = dec_u32(d);
}

/* The same where it is plain. False: it has to be looked at. */
static bool plain_span_head(struct span_frame *f, struct dec *d, struct span *s)
{
	const unsigned char *p = d->p;
	uint64_t id, parent_id, process, scope, name, bits, flags;

	if (!span__begins_plain(f, p) || !(p = span__plain(p + 19, &id)) ||
	    !(p = span__plain(p, &parent_id)) ||
	    !(p = span__plain(p, &process)) || !(p = span__plain(p, &scope)) ||
	    !(p = span__plain(p, &name)) ||
	    !(p = span__plain_time(p, &s->start_ns)) ||
	    !(p = span__plain_time(p, &s->duration_ns)) ||
	    !(p = span__plain(p, &bits)) || !(p = span__plain(p, &flags)) ||
	    p > d->end)
		return false;
	if (process >= f->info.n_processes || scope > f->n_scopes ||
	    name >= f->info.n_strings || bits > 0xffffff || flags > UINT32_MAX)
		return false;
	f->n_elements = *d->p & 15;
	memcpy(s->trace_id, d->p + 3, 16);
	span__id_put(s->span_id, id);
	span__id_put(s->parent_id, parent_id);
	s->process = &f->info.processes[process];
	s->scope = scope ? &f->scopes[scope - 1] : NULL;
	s->name = f->info.strings[name];
	s->start_ns += f->base_ns;
	s->kind = bits & 15;
	s->status = bits >> 4 & 15;
	s->marks = (uint16_t)(bits >> 8);
	s->flags = (uint32_t)flags;
	d->p = p;
	return true;
}

bool span__frame_take(struct span_frame *f, struct dec *d)
{
	uint64_t len = dec_uint(&f->next);
	const unsigned char *p;

	if (len > SPAN_MAX_BYTES)
		dec_fail(&f->next, SPAN_E_LIMIT, "a span above 1 MiB");
	p = dec_take(&f->next, len);
	if (!p)
		return false;
	*d = dec_init(p, len);
	f->spans_left--;
	return true;
}

int span__frame_fail(struct span_frame *f, const struct dec *d,
		     struct span_error *err)
{
	int code = d->err;

	/* the body is whole: a span that ends early is damage */
	if (code == SPAN_E_TRUNCATED)
		code = SPAN_E_CORRUPT;
	f->failed = code;
	return span_error_at(err, code,
			     (uint64_t)((const char *)d->p - f->info.bytes.p),
			     "a span is bad: %s", d->what);
}

bool span__id_among(const uint8_t id[16], const uint8_t (*ids)[16], size_t n)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = memcmp(id, ids[mid], 16);

		if (!order)
			return true;
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return false;
}

int span__frame_end(struct span_frame *f, struct span_error *err)
{
	if (!dec_left(&f->next))
		return 0;
	dec_fail(&f->next, SPAN_E_CORRUPT, "bytes behind the last span");
	return span__frame_fail(f, &f->next, err);
}

int span_frame_next_head(struct span_frame *f, const uint8_t (*ids)[16],
			 size_t n_ids, struct span *out, struct span_error *err)
{
	struct dec *d = &f->span;

	if (f->failed)
		return span_error_set(err, f->failed, "a frame is bad");
	while (f->spans_left) {
		if (!span__frame_take(f, d))
			return span__frame_fail(f, &f->next, err);
		clear_rest(out);
		if (!ids && plain_span_head(f, d, out))
			return 1;
		f->n_elements = dec_array(d);
		if (f->n_elements < SPAN__SPAN_ELEMENTS)
			dec_fail(d, SPAN_E_CORRUPT,
				 "a span with too few elements");
		span__frame_trace_id(d, out->trace_id);
		if (!d->err && ids &&
		    !span__id_among(out->trace_id, ids, n_ids))
			continue;
		dec_span_head(f, d, out);
		return d->err ? span__frame_fail(f, d, err) : 1;
	}
	return span__frame_end(f, err);
}

int span_frame_complete(struct span_frame *f, struct span *s,
			struct span_error *err)
{
	size_t n = f->n_elements;
	struct dec *d = &f->span;

	if (!f->keep)
		span_arena_reset(&f->span_arena);
	if (n > 10)
		span__frame_attrs(f, d, &f->span_arena, &s->attrs);
	if (n > 11)
		dec_events(f, d, s);
	if (n > 12)
		dec_refs(f, d, s);
	if (n > 13)
		dec_extra(f, d, s);
	skip_rest(d, n, 14);
	if (!d->err && dec_left(d))
		dec_fail(d, SPAN_E_CORRUPT, "bytes behind a span");
	return d->err ? span__frame_fail(f, d, err) : 0;
}

/* For frames that have the text "error" twice. */
static bool failed_by_decoded(struct span_frame *f, struct dec *d)
{
	struct span s = {0};

	span__frame_attrs(f, d, &f->span_arena, &s.attrs);
	return span_is_error(&s);
}

/* Of a span of N elements: does an attribute say that it failed? */
static bool failed_by_attrs(struct span_frame *f, struct dec *d, size_t n)
{
	if (n <= 10 ||
	    (n <= 12 && f->n_errors <= 1 && !span__frame_may_fail(f, d)))
		return false;
	return f->n_errors <= 1 ? span__frame_skip_attrs(f, d)
				: failed_by_decoded(f, d);
}

int span_frame_outline(struct span_frame *f, struct span *s,
		       struct span_error *err)
{
	size_t n = f->n_elements;
	struct dec *d = &f->span;

	if (!f->keep && (n > 12 || f->n_errors > 1))
		span_arena_reset(&f->span_arena);
	if (failed_by_attrs(f, d, n))
		s->attrs = (struct span_attrs){.v = &span__error_attr, .n = 1};
	if (n > 12) {
		span__dec_skip(d);
		dec_refs(f, d, s);
	}
	if (n > 13)
		dec_extra(f, d, s);
	return d->err ? span__frame_fail(f, d, err) : 0;
}

int span_frame_next_of(struct span_frame *f, const uint8_t (*ids)[16],
		       size_t n_ids, struct span *out, struct span_error *err)
{
	int rc = span_frame_next_head(f, ids, n_ids, out, err);

	if (rc > 0 && span_frame_complete(f, out, err) < 0)
		return f->failed;
	return rc;
}

int span_frame_next(struct span_frame *f, struct span *out,
		    struct span_error *err)
{
	return span_frame_next_of(f, NULL, 0, out, err);
}

int span__frame_skip(struct span_frame *f, struct span_error *err)
{
	struct dec d;

	if (f->failed)
		return span_error_set(err, f->failed, "a frame is bad");
	return span__frame_take(f, &d) ? 0 : span__frame_fail(f, &f->next, err);
}

int span_frame_validate(struct span_frame *f, struct span_error *err)
{
	struct span s;
	int rc;

	span_frame_rewind(f);
	while ((rc = span_frame_next(f, &s, err)) > 0) {
		if (s.start_ns >= f->info.min_start_ns &&
		    span_end_ns(&s) <= f->info.max_end_ns)
			continue;
		/* who prunes by the frame's times would miss it */
		f->failed = SPAN_E_CORRUPT;
		return span_error_at(err, SPAN_E_CORRUPT, 0,
				     "a span is bad: outside of its frame's "
				     "times");
	}
	if (rc == 0)
		span_frame_rewind(f);
	return rc;
}
