/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames are read by a bounded cursor rather than by msgpack-c's unpacker:
 * that one believes declared counts, ends at 32 levels of nesting where a
 * value may have 64, and takes five times as long.
 */
#include "stream/frame.h"

#include <stdlib.h>

#include "base/crc32c.h"
#include "base/hash.h"

#include "base/banned.h"

int span_frame_open(struct span_frame **out, struct span_error *err)
{
	struct span_frame *f = calloc(1, sizeof(*f));
	int rc;

	*out = NULL;
	if (!f)
		return span_error_set(err, SPAN_E_NOMEM,
				      "no memory for a frame");
	rc = span__serial_init(&f->serial, err);
	if (rc < 0)
		span_frame_close(&f);
	*out = f;
	return rc;
}

void span_frame_close(struct span_frame **f)
{
	if (!*f)
		return;
	span_arena_release(&(*f)->table_arena);
	span_arena_release(&(*f)->span_arena);
	free(*f);
	*f = NULL;
}

const struct span_frame_info *span_frame_info(const struct span_frame *f)
{
	return &f->info;
}

static void dec_strings(struct span_frame *f, struct dec *d)
{
	size_t n = dec_array(d);
	struct span_str *v = span__frame_array(d, &f->table_arena, n,
					       sizeof(struct span_str));

	f->info.strings = v;
	f->info.n_strings = v ? n : 0;
	f->n_errors = 0;
	for (size_t i = 0; i < f->info.n_strings; i++) {
		v[i] = dec_str(d, SPAN_MAX_STRING);
		if (v[i].len == 5 && !memcmp(v[i].p, "error", 5)) {
			f->error = i;
			f->n_errors++;
		}
	}
}

static void dec_process(struct span_frame *f, struct dec *d,
			struct span_process *p)
{
	size_t n = dec_array(d);

	*p = (struct span_process){.serial = ++f->serial};
	if (!n)
		dec_fail(d, SPAN_E_CORRUPT, "a process without a service");
	p->service = span__frame_string(f, d, dec_uint(d));
	if (n > 1)
		span__frame_attrs(f, d, &f->table_arena, &p->attrs);
	if (n > 2)
		p->attrs.dropped = dec_u32(d);
	if (n > 3)
		p->schema_url = span__frame_string1(f, d);
	skip_rest(d, n, 4);
}

static void dec_scope(struct span_frame *f, struct dec *d, struct span_scope *s)
{
	size_t n = dec_array(d);

	*s = (struct span_scope){0};
	if (n > 0)
		s->name = span__frame_string1(f, d);
	if (n > 1)
		s->version = span__frame_string1(f, d);
	if (n > 2)
		span__frame_attrs(f, d, &f->table_arena, &s->attrs);
	if (n > 3)
		s->attrs.dropped = dec_u32(d);
	if (n > 4)
		s->schema_url = span__frame_string1(f, d);
	skip_rest(d, n, 5);
}

static void dec_owners(struct span_frame *f, struct dec *d)
{
	size_t n = dec_array(d);
	struct span_process *p =
		span__frame_array(d, &f->table_arena, n, sizeof(*p));
	struct span_scope *s;

	f->info.processes = p;
	f->info.n_processes = p ? n : 0;
	for (size_t i = 0; i < f->info.n_processes; i++)
		dec_process(f, d, &p[i]);
	n = dec_array(d);
	s = span__frame_array(d, &f->table_arena, n, sizeof(*s));
	f->scopes = s;
	f->n_scopes = s ? n : 0;
	for (size_t i = 0; i < f->n_scopes; i++)
		dec_scope(f, d, &s[i]);
}

static bool dec_mark(struct dec *d)
{
	const unsigned char *p = dec_take(d, 5);

	if (!p)
		return false;
	if (!memcmp(p, SPAN__MARK, 5))
		return true;
	if (!memcmp(p, SPAN__MARK, 4) && p[4] >= '2' && p[4] <= '9')
		dec_fail(d, SPAN_E_FORMAT, "a span stream of a later version");
	else if (!memcmp(p, "\xa4PLD", 4))
		dec_fail(d, SPAN_E_CORRUPT,
			 "a payload stream, which span-decode reads");
	else
		dec_fail(d, SPAN_E_CORRUPT, "not a span stream");
	return false;
}

static size_t dec_frame_head(struct dec *d)
{
	unsigned head = dec_peek(d);
	size_t n;

	if (dec_left(d) && (head & 0xf0) != 0x90 && head != 0xdc &&
	    head != 0xdd) {
		dec_fail(d, SPAN_E_CORRUPT, "not a span stream");
		return 0;
	}
	n = dec_array(d);
	if (!d->err && dec_mark(d) && n < SPAN__FRAME_ELEMENTS)
		dec_fail(d, SPAN_E_CORRUPT, "a frame with too few elements");
	return n;
}

static void check_counts(struct span_frame *f, struct dec *d)
{
	uint32_t n = f->info.n_spans;

	if (n > SPAN_FRAME_MAX_SPANS)
		dec_fail(d, SPAN_E_LIMIT, "too many spans in a frame");
	else if (!d->err && (!n || n > f->body.len / SPAN__SPAN_ELEMENTS))
		dec_fail(d, SPAN_E_CORRUPT, "a count of spans that is wrong");
}

static void dec_frame(struct span_frame *f, struct dec *d, const char *start,
		      bool sound)
{
	size_t n = dec_frame_head(d);
	const unsigned char *at;
	uint32_t crc;

	dec_uint(d); /* the minor version: what it adds is skipped */
	f->info.n_spans = dec_u32(d);
	f->base_ns = dec_uint(d);
	f->info.min_start_ns = dec_uint(d);
	f->info.max_end_ns = dec_uint(d);
	at = d->p;
	dec_strings(f, d);
	f->strings_len = (size_t)(d->p - at);
	dec_owners(f, d);
	f->tables = (struct span_str){(const char *)at, (size_t)(d->p - at)};
	f->body = dec_bin(d, SPAN_FRAME_MAX);
	check_counts(f, d);
	at = d->p;
	crc = dec_u32(d);
	skip_rest(d, n, SPAN__FRAME_ELEMENTS);
	if (!d->err && !sound &&
	    crc != span__crc32c(0, start, (size_t)((const char *)at - start)))
		dec_fail(d, SPAN_E_CORRUPT, "its checksum does not hold");
}

static int parse(struct span_frame *f, const void *p, size_t len, bool sound,
		 size_t *used, struct span_error *err)
{
	struct dec d = dec_init(p, len);

	span_arena_reset(&f->table_arena);
	span_arena_reset(&f->span_arena);
	f->info = (struct span_frame_info){0};
	f->failed = 0;
	f->spans_left = 0;
	if (!len)
		return 0;
	dec_frame(f, &d, p, sound);
	*used = (size_t)(d.p - (const unsigned char *)p);
	if (!d.err && *used > SPAN_FRAME_MAX)
		dec_fail(&d, SPAN_E_LIMIT, "a frame above 64 MiB");
	if (d.err) {
		f->failed = d.err;
		return span_error_at(err, d.err, *used, "%s", d.what);
	}
	f->info.bytes = (struct span_str){p, *used};
	span_frame_rewind(f);
	return 1;
}

int span_frame_parse(struct span_frame *f, const void *p, size_t len,
		     size_t *used, struct span_error *err)
{
	return parse(f, p, len, false, used, err);
}

int span__frame_parse_sound(struct span_frame *f, const void *p, size_t len,
			    size_t *used, struct span_error *err)
{
	return parse(f, p, len, true, used, err);
}

void span_frame_rewind(struct span_frame *f)
{
	f->next = dec_init(f->body.p, f->body.len);
	f->spans_left = f->info.n_spans;
}
