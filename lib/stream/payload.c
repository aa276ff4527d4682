/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Payloads are flat, so that msgpack-c reads them once the bounded cursor has
 * seen that the value is whole: then no declared count exceeds the bytes.
 */
#include <span/payload.h>

#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#include "base/dec.h"
#include "base/pack.h"
#include "stream/frame.h"
#include "stream/input.h"

#include "base/banned.h"

#define MARK "\xa4PLD1"
#define ELEMENTS 9u
#define MAX_RECORD (SPAN_PAYLOAD_MAX + 4 * SPAN_PAYLOAD_TEXT + 4096u)
#define MAX_ELEMENTS 64u /* of a payload, unknown ones included */

bool span_payload_detect(const void *p, size_t len)
{
	return len > 5 && span__marked(p, len, MARK, ELEMENTS);
}

bool span_stream_detect(const void *p, size_t len)
{
	return len > 5 &&
	       span__marked(p, len, SPAN__MARK, SPAN__FRAME_ELEMENTS);
}

/* ---- writing ---- */

static bool fits(const struct span_payload *p)
{
	return p->data.len <= SPAN_PAYLOAD_MAX &&
	       p->peer.len <= SPAN_PAYLOAD_TEXT &&
	       p->content_type.len <= SPAN_PAYLOAD_TEXT &&
	       p->path.len <= SPAN_PAYLOAD_TEXT;
}

static void put_text(struct pack *x, struct span_str s)
{
	pack_str(x, s.len);
	pack_raw(x, s.p, s.len);
}

int span_payload_encode(struct span_buf *b, const struct span_payload *p,
			struct span_error *err)
{
	struct pack x;

	if (!fits(p))
		return span_error_set(err, SPAN_E_LIMIT,
				      "a payload above its limits");
	x.p = span_buf_reserve(b, (ELEMENTS + 2) * PACK_MAX + p->peer.len +
					  p->content_type.len + p->path.len +
					  p->data.len);
	if (!x.p)
		return span_error_set(err, SPAN_E_NOMEM,
				      "no memory for a payload");
	pack_array(&x, ELEMENTS);
	pack_raw(&x, MARK, 5);
	pack_uint64(&x, p->time_ns);
	pack_uint8(&x, p->transport);
	pack_uint16(&x, p->port);
	put_text(&x, p->peer);
	if (p->truncated)
		pack_true(&x);
	else
		pack_false(&x);
	put_text(&x, p->content_type);
	put_text(&x, p->path);
	pack_bin(&x, p->data.len);
	pack_raw(&x, p->data.p, p->data.len);
	b->len = (size_t)(x.p - b->p);
	return 0;
}

#define WRITE_BYTES ((size_t)64 << 10)

struct span_payload_writer {
	struct span_buf out;
	int fd;
	struct span_error error; /* the first one, for good */
};

int span_payload_writer_open(struct span_payload_writer **out, int fd,
			     struct span_error *err)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return span_error_set(err, SPAN_E_NOMEM,
				      "no memory for a writer");
	(*out)->fd = fd;
	return 0;
}

int span_payload_writer_flush(struct span_payload_writer *w,
			      struct span_error *err)
{
	if (!w->error.code && w->out.len &&
	    span_write_all(w->fd, w->out.p, w->out.len, &w->error) == 0)
		w->out.len = 0;
	if (w->error.code && err)
		*err = w->error;
	return w->error.code;
}

int span_payload_writer_put(struct span_payload_writer *w,
			    const struct span_payload *p,
			    struct span_error *err)
{
	int rc = w->error.code ? w->error.code
			       : span_payload_encode(&w->out, p, err);

	if (rc < 0 && w->error.code && err)
		*err = w->error;
	if (rc < 0)
		return rc;
	return w->out.len >= WRITE_BYTES ? span_payload_writer_flush(w, err)
					 : 0;
}

void span_payload_writer_close(struct span_payload_writer **w)
{
	if (!*w)
		return;
	span_buf_release(&(*w)->out);
	free(*w);
	*w = NULL;
}

/* ---- reading ---- */

struct span_payload_reader {
	struct span__input in;
	msgpack_unpacked unpacked;
	size_t used;
	struct span_error error;
};

static int open_reader(struct span_payload_reader **out, struct span__input in,
		       const struct span_payload_reader_opts *o,
		       struct span_error *err)
{
	struct span_payload_reader *r = calloc(1, sizeof(*r));

	*out = r;
	if (!r)
		return span_error_set(err, SPAN_E_NOMEM,
				      "no memory for a reader");
	msgpack_unpacked_init(&r->unpacked);
	r->in = in;
	r->in.max = MAX_RECORD;
	if (o) {
		r->in.tie = o->tie;
		r->in.skip_bad = o->skip_bad;
		if (o->head.len && span__input_head(&r->in, o->head, err) < 0) {
			span_payload_reader_close(out);
			return SPAN_E_NOMEM;
		}
	}
	return 0;
}

int span_payload_reader_open(struct span_payload_reader **out, int fd,
			     const struct span_payload_reader_opts *o,
			     struct span_error *err)
{
	return open_reader(out, (struct span__input){.fd = fd}, o, err);
}

int span_payload_reader_open_mem(struct span_payload_reader **out,
				 const void *p, size_t len,
				 const struct span_payload_reader_opts *o,
				 struct span_error *err)
{
	return open_reader(out,
			   (struct span__input){.fd = -1, .p = p, .len = len},
			   o, err);
}

void span_payload_reader_close(struct span_payload_reader **r)
{
	if (!*r)
		return;
	msgpack_unpacked_destroy(&(*r)->unpacked);
	span__input_release(&(*r)->in);
	free(*r);
	*r = NULL;
}

uint64_t span_payload_reader_pos(const struct span_payload_reader *r)
{
	return r->in.pos;
}

uint64_t span_payload_reader_skipped(const struct span_payload_reader *r,
				     uint64_t *places)
{
	if (places)
		*places = r->in.places;
	return r->in.skipped;
}

static bool text_at(const msgpack_object *o, struct span_str *out)
{
	if (o->type != MSGPACK_OBJECT_STR ||
	    o->via.str.size > SPAN_PAYLOAD_TEXT)
		return false;
	*out = (struct span_str){o->via.str.ptr, o->via.str.size};
	return true;
}

static bool number_at(const msgpack_object *o, uint64_t max, uint64_t *out)
{
	*out = o->via.u64;
	return o->type == MSGPACK_OBJECT_POSITIVE_INTEGER && *out <= max;
}

static bool fill(struct span_payload *p, const msgpack_object *o)
{
	const msgpack_object *v = o->via.array.ptr;
	uint64_t transport, port;

	if (o->type != MSGPACK_OBJECT_ARRAY || o->via.array.size < ELEMENTS ||
	    !number_at(&v[1], UINT64_MAX, &p->time_ns) ||
	    !number_at(&v[2], UINT8_MAX, &transport) ||
	    !number_at(&v[3], UINT16_MAX, &port) || !text_at(&v[4], &p->peer) ||
	    v[5].type != MSGPACK_OBJECT_BOOLEAN ||
	    !text_at(&v[6], &p->content_type) || !text_at(&v[7], &p->path) ||
	    v[8].type != MSGPACK_OBJECT_BIN ||
	    v[8].via.bin.size > SPAN_PAYLOAD_MAX)
		return false;
	p->transport = (uint8_t)transport;
	p->port = (uint16_t)port;
	p->truncated = v[5].via.boolean;
	p->data = (struct span_str){v[8].via.bin.ptr, v[8].via.bin.size};
	return true;
}

/* True when msgpack-c makes few objects of the payload: nothing nests. */
static bool is_flat(const struct span__input *in)
{
	struct dec d = dec_init(in->p, in->len);
	size_t n = dec_array(&d);

	if (n > MAX_ELEMENTS)
		return false;
	for (; n && !d.err; n--) {
		unsigned head = dec_peek(&d);

		if ((head & 0xe0) == 0x80 || (head >= 0xdc && head <= 0xdf))
			return false;
		span__dec_skip(&d);
	}
	return !d.err;
}

static int bad(struct span_payload_reader *r, int code, const char *why)
{
	return span_error_at(&r->error, code, r->in.pos,
			     "bad payload at byte %llu: %s",
			     (unsigned long long)r->in.pos, why);
}

/* The payload at the window's start, which is whole. */
static int unpack(struct span_payload_reader *r, struct span_payload *p)
{
	size_t off = 0;
	int rc;

	if (!is_flat(&r->in))
		return bad(r, SPAN_E_CORRUPT, "elements it cannot have");
	rc = msgpack_unpack_next(&r->unpacked, (const char *)r->in.p, r->in.len,
				 &off);
	if (rc == MSGPACK_UNPACK_NOMEM_ERROR)
		return bad(r, SPAN_E_NOMEM, "no memory for it");
	if (rc != MSGPACK_UNPACK_SUCCESS)
		return bad(r, SPAN_E_CORRUPT, "no msgpack value");
	if (!fill(p, &r->unpacked.data))
		return bad(r, SPAN_E_CORRUPT, "an element of a wrong type");
	r->used = off;
	return 1;
}

static int parse(struct span_payload_reader *r, struct span_payload *p)
{
	int rc;

	if (!r->in.len) {
		rc = span__input_more(&r->in, &r->error);
		if (rc <= 0)
			return rc;
	}
	if (span_stream_detect(r->in.p, r->in.len))
		return bad(r, SPAN_E_CORRUPT,
			   "a span stream, which needs no decoding");
	if (!span__marked(r->in.p, r->in.len, MARK, ELEMENTS))
		return bad(r, SPAN_E_CORRUPT, "not a payload stream");
	rc = span__input_whole(&r->in, &r->error);
	if (rc == SPAN_E_CORRUPT)
		return bad(r, rc, "no msgpack value");
	if (rc == 0)
		return bad(r, SPAN_E_TRUNCATED, "the input ends inside it");
	return rc < 0 ? rc : unpack(r, p);
}

int span_payload_reader_next(struct span_payload_reader *r,
			     struct span_payload *p, struct span_error *err)
{
	int rc = r->error.code;

	if (rc == 0) {
		span__input_take(&r->in, r->used);
		r->used = 0;
		while ((rc = parse(r, p)) < 0 &&
		       (rc = span__input_skip(&r->in, rc, MARK, ELEMENTS,
					      &r->error)) > 0)
			;
		r->in.skipping = false;
	}
	if (rc < 0 && err)
		*err = r->error;
	return rc;
}
