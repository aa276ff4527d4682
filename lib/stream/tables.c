/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of a frame that is being written, and the frame around them. */
#include "stream/enc.h"

#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "model/model.h"
#include "stream/frame.h"

#include "base/banned.h"

struct span__owner {
	uint64_t hash;
	uint32_t off, len;
};

int span__building_init(struct span__building *b, struct span_error *err)
{
	int rc = span__strings_init(&b->strings, err);

	if (rc < 0)
		return rc;
	b->guesses = calloc(1, sizeof(*b->guesses));
	if (!b->guesses)
		return span_error_set(err, SPAN_E_NOMEM,
				      "no memory for a writer");
	return 0;
}

void span__building_reset(struct span__building *b)
{
	span__strings_reset(&b->strings);
	b->processes.n = b->scopes.n = 0;
	b->processes.packed.len = b->scopes.packed.len = 0;
	span_arena_reset(&b->arena);
	b->has_last_process = false;
	b->body.len = 0;
	memset(b->guesses, 0, sizeof(*b->guesses));
	b->n_spans = 0;
}

void span__building_release(struct span__building *b)
{
	span__strings_release(&b->strings);
	span_buf_release(&b->processes.packed);
	span_buf_release(&b->scopes.packed);
	free(b->processes.v);
	free(b->scopes.v);
	span_arena_release(&b->arena);
	span_buf_release(&b->body);
	span_buf_release(&b->scratch);
	free(b->guesses);
}

size_t span__building_size(const struct span__building *b)
{
	return b->strings.keys.len + b->strings.packed.len +
	       b->processes.packed.len + b->scopes.packed.len + b->body.len;
}

static int owner_room(struct span__owners *o)
{
	uint32_t cap = o->cap ? o->cap * 2 : 16;
	struct span__owner *v;

	if (o->n < o->cap)
		return 0;
	v = realloc(o->v, cap * sizeof(*v));
	if (!v)
		return SPAN_E_NOMEM;
	o->v = v;
	o->cap = cap;
	return 0;
}

/* The number of the owner that was just packed into scratch. */
static uint32_t owner_number(struct enc *e, struct span__owners *o,
			     const struct span_buf *packed)
{
	uint64_t hash = span__hash(&e->b->strings.key, packed->p, packed->len);

	for (uint32_t i = 0; i < o->n; i++)
		if (o->v[i].hash == hash && o->v[i].len == packed->len &&
		    !memcmp(o->packed.p + o->v[i].off, packed->p, packed->len))
			return i;
	if (owner_room(o) < 0) {
		enc_fail(e, SPAN_E_NOMEM, "no memory for a frame");
		return 0;
	}
	o->v[o->n].hash = hash;
	o->v[o->n].off = (uint32_t)o->packed.len;
	o->v[o->n].len = (uint32_t)packed->len;
	span_buf_put(&o->packed, packed->p, packed->len);
	if (o->packed.failed)
		enc_fail(e, SPAN_E_NOMEM, "no memory for a frame");
	return o->n++;
}

/* Texts of a process or scope have the limit that those of a span have. */
static void check_texts(struct enc *e, const struct span_attrs *attrs)
{
	if (span__enc_text_bytes(attrs) > SPAN_MAX_BYTES)
		enc_fail(e, SPAN_E_LIMIT, "a process or scope above 1 MiB");
}

static void enc_process(struct enc *e, const struct span_process *p)
{
	size_t n = p->schema_url.len ? 4 : p->attrs.dropped ? 3 : 1;
	uint32_t service;

	check_texts(e, &p->attrs);
	service = enc_string(e, p->service, false);
	if (n == 1 && p->attrs.n)
		n = 2;
	enc_array(e, n);
	enc_u64(e, service);
	if (n > 1)
		span__enc_attrs(e, &p->attrs, NULL);
	if (n > 2)
		enc_u64(e, p->attrs.dropped);
	if (n > 3)
		enc_ref1(e, p->schema_url);
}

static void enc_scope(struct enc *e, const struct span_scope *s)
{
	size_t n = s->schema_url.len ? 5 : s->attrs.dropped ? 4 : 3;

	check_texts(e, &s->attrs);
	enc_array(e, n);
	enc_ref1(e, s->name);
	enc_ref1(e, s->version);
	span__enc_attrs(e, &s->attrs, NULL);
	if (n > 3)
		enc_u64(e, s->attrs.dropped);
	if (n > 4)
		enc_ref1(e, s->schema_url);
}

/* Remember the process as the likely one of the next span. */
static void keep_process(struct enc *e, const struct span_process *p,
			 uint32_t number)
{
	struct span__building *b = e->b;

	span_arena_reset(&b->arena);
	b->last_process = *p;
	b->last_process_number = number;
	b->has_last_process = span__copy_process(&b->last_process, &b->arena);
	if (!b->has_last_process)
		enc_fail(e, SPAN_E_NOMEM, "no memory for a frame");
}

static bool is_last(struct span__building *b, const struct span_process *p)
{
	if (p->serial && p->serial == b->last_process.serial)
		return true;
	if (!span__process_equal(p, &b->last_process))
		return false;
	b->last_process.serial = p->serial;
	return true;
}

uint32_t span__enc_process(struct enc *e, const struct span_process *p)
{
	struct span__building *b = e->b;
	struct enc own;
	uint32_t number;

	if (b->has_last_process && is_last(b, p))
		return b->last_process_number;
	b->scratch.len = 0;
	enc_begin(&own, b, &b->scratch);
	enc_process(&own, p);
	enc_end(&own);
	if (own.err) {
		enc_fail(e, own.err, own.what);
		return 0;
	}
	number = owner_number(e, &b->processes, &b->scratch);
	if (!e->err)
		keep_process(e, p, number);
	return number;
}

uint32_t span__enc_scope1(struct enc *e, const struct span_scope *s)
{
	struct span__building *b = e->b;
	struct enc own;

	if (!s)
		return 0;
	b->scratch.len = 0;
	enc_begin(&own, b, &b->scratch);
	enc_scope(&own, s);
	enc_end(&own);
	if (own.err) {
		enc_fail(e, own.err, own.what);
		return 0;
	}
	return owner_number(e, &b->scopes, &b->scratch) + 1;
}

void span__frame_compose(struct span_buf *out, const struct span__parts *parts)
{
	size_t start = out->len;
	struct pack x;

	x.p = span_buf_reserve(out, 7 * PACK_MAX);
	if (!x.p)
		return;
	pack_array(&x, SPAN__FRAME_ELEMENTS);
	pack_raw(&x, SPAN__MARK, 5);
	pack_uint8(&x, 0);
	pack_uint32(&x, parts->n_spans);
	pack_uint64(&x, parts->base_ns);
	pack_uint64(&x, parts->min_start_ns);
	pack_uint64(&x, parts->max_end_ns);
	out->len = (size_t)(x.p - out->p);
	for (size_t i = 0; i < SPAN__TABLES; i++)
		span_buf_str(out, parts->tables[i]);
	x.p = span_buf_reserve(out, 2 * PACK_MAX + parts->body.len);
	if (!x.p)
		return;
	pack_bin(&x, parts->body.len);
	pack_raw(&x, parts->body.p, parts->body.len);
	pack_fix_uint32(&x, span__crc32c(0, out->p + start,
					 (size_t)(x.p - out->p) - start));
	out->len = (size_t)(x.p - out->p);
}

static struct span_str array_head(char buf[PACK_MAX], size_t n)
{
	struct pack x = {buf};

	pack_array(&x, n);
	return (struct span_str){buf, (size_t)(x.p - buf)};
}

static struct span_str contents(const struct span_buf *b)
{
	return (struct span_str){b->p, b->len};
}

void span__building_finish(struct span__building *b, struct span_buf *out)
{
	int rc = span__strings_finish(&b->strings);
	char heads[3][PACK_MAX];
	struct span__parts parts = {
		.n_spans = b->n_spans,
		.base_ns = b->base_ns,
		.min_start_ns = b->min_start_ns,
		.max_end_ns = b->max_end_ns,
		.tables = {array_head(heads[0], b->strings.n),
			   contents(&b->strings.keys),
			   contents(&b->strings.packed),
			   array_head(heads[1], b->processes.n),
			   contents(&b->processes.packed),
			   array_head(heads[2], b->scopes.n),
			   contents(&b->scopes.packed)},
		.body = contents(&b->body),
	};

	if (rc < 0)
		out->failed = true;
	else
		span__frame_compose(out, &parts);
}
