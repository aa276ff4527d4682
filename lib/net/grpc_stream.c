/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame is a head of 9 bytes and its payload. Payloads of headers are
 * gathered until their block is whole; those of data go on as they come.
 */
#include "net/grpc_stream.h"

#include <nghttp2/nghttp2.h>
#include <span/payload.h>
#include <stdlib.h>
#include <string.h>

#include "net/grpc_message.h"
#include "net/packet_window.h"

#include "base/banned.h"

#define FRAME_HEAD 9u
#define TABLE_MAX (64u << 10) /* a server may allow so large a table */

struct call {
	uint32_t id;
	bool dead;     /* a part of its data is missing */
	bool disputed; /* a part of the message is */
	bool answered; /* one message at least was whole */
	struct span_buf method, path, type, encoding;
	struct span__grpc_message message;
};

struct span__grpc_stream {
	const struct span__http_sink *sink;
	nghttp2_hd_inflater *inflater;
	uint8_t head[FRAME_HEAD];
	size_t n_head; /* bytes of it; all while a payload is read */
	uint8_t type, flags;
	uint32_t id;
	uint32_t left;	/* bytes of the payload that are to come */
	uint32_t pad;	/* so many at its end are padding */
	bool pad_known; /* the byte that says so was read */
	bool in_block;	/* a CONTINUATION has to come */
	struct span_buf block;
	uint32_t block_id, last_id;
	bool block_ends; /* its call has no data */
	struct call *calls[SPAN__GRPC_CALLS];
	size_t n_calls;
	bool disputes; /* the bytes being read are disputed */
	uint64_t time_ns;
	struct span_error *err;
};

static int no_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

int span__grpc_stream_open(struct span__grpc_stream **out,
			   const struct span__http_sink *sink,
			   struct span_error *err)
{
	struct span__grpc_stream *g = calloc(1, sizeof(*g));

	*out = g;
	if (!g)
		return no_memory(err);
	g->sink = sink;
	if (nghttp2_hd_inflate_new(&g->inflater) ||
	    nghttp2_hd_inflate_change_table_size(g->inflater, TABLE_MAX)) {
		span__grpc_stream_close(out);
		return no_memory(err);
	}
	return 0;
}

/* ---- calls ---- */

static void free_call(struct call *c)
{
	span_buf_release(&c->method);
	span_buf_release(&c->path);
	span_buf_release(&c->type);
	span_buf_release(&c->encoding);
	span__grpc_message_release(&c->message);
	free(c);
}

static struct call *find_call(const struct span__grpc_stream *g, uint32_t id)
{
	for (size_t i = g->n_calls; i-- > 0;)
		if (g->calls[i]->id == id)
			return g->calls[i];
	return NULL;
}

static void remove_call(struct span__grpc_stream *g, struct call *c)
{
	size_t i = 0;

	while (g->calls[i] != c)
		i++;
	g->n_calls--;
	memmove(&g->calls[i], &g->calls[i + 1],
		(g->n_calls - i) * sizeof(g->calls[0]));
	free_call(c);
}

/* None of its data is wanted any more. False when nothing of it is lost. */
static bool lose_call(struct span__grpc_stream *g, struct call *c,
		      enum span__drop cause)
{
	bool lost = !c->dead && (!c->answered || c->message.n_prefix);

	if (lost)
		g->sink->lost(g->sink->arg, cause);
	c->dead = true;
	span__grpc_message_release(&c->message);
	return lost;
}

static size_t lose_calls(struct span__grpc_stream *g, enum span__drop cause)
{
	size_t n = 0;

	while (g->n_calls) {
		struct call *c = g->calls[--g->n_calls];

		n += lose_call(g, c, cause);
		free_call(c);
	}
	return n;
}

/* A client that says it is done in the middle of a message. */
static void end_call(struct span__grpc_stream *g, struct call *c)
{
	if (c->message.n_prefix)
		lose_call(g, c, SPAN__DROP_MALFORMED);
	remove_call(g, c);
}

static struct span_str text_of(const struct span_buf *b)
{
	return (struct span_str){b->p, b->len};
}

static int take_message(struct span__grpc_stream *g, struct call *c)
{
	struct span__http_request r = {
		.path = text_of(&c->path),
		.content_type = text_of(&c->type),
		.body = text_of(&c->message.data),
		.time_ns = g->time_ns,
	};
	int rc = 0;

	if (span__grpc_message_is_compressed(&c->message))
		r.content_encoding = text_of(&c->encoding);
	if (c->disputed)
		g->sink->lost(g->sink->arg, SPAN__DROP_OVERLAP);
	else
		rc = g->sink->request(g->sink->arg, &r, g->err);
	span__grpc_message_release(&c->message);
	c->disputed = false;
	c->answered = true;
	return rc;
}

/* How many bytes the prefix, or then the message, is still to have. */
static size_t bytes_due(const struct span__grpc_message *m)
{
	if (m->n_prefix < SPAN__GRPC_PREFIX)
		return SPAN__GRPC_PREFIX - m->n_prefix;
	return span__grpc_message_len(m) - m->data.len;
}

static int put_data(struct span__grpc_stream *g, struct call *c,
		    const uint8_t *p, size_t len)
{
	int rc = 0;

	while (len && rc >= 0 && !c->dead) {
		size_t n = bytes_due(&c->message);

		if (n > len)
			n = len;
		c->disputed = c->disputed || g->disputes;
		rc = span__grpc_message_put(&c->message, p, n, SPAN_PAYLOAD_MAX,
					    g->err);
		if (rc == SPAN_E_LIMIT || rc == SPAN_E_CORRUPT) {
			lose_call(g, c,
				  rc == SPAN_E_LIMIT ? SPAN__DROP_LIMIT
						     : SPAN__DROP_MALFORMED);
			return 0;
		}
		if (rc >= 0 && span__grpc_message_is_whole(&c->message))
			rc = take_message(g, c);
		p += n;
		len -= n;
	}
	return rc;
}

/* ---- headers ---- */

static void keep(struct span_buf *b, const nghttp2_nv *nv)
{
	if (!b->len) /* a second one is against the rules */
		span_buf_put(b, nv->value,
			     nv->valuelen < SPAN_PAYLOAD_TEXT
				     ? nv->valuelen
				     : SPAN_PAYLOAD_TEXT);
}

static void take_header(struct call *c, const nghttp2_nv *nv)
{
	struct span_str name = {(const char *)nv->name, nv->namelen};

	if (span_str_equal(name, SPAN_STR(":method")))
		keep(&c->method, nv);
	else if (span_str_equal(name, SPAN_STR(":path")))
		keep(&c->path, nv);
	else if (span_str_equal(name, SPAN_STR("content-type")))
		keep(&c->type, nv);
	else if (span_str_equal(name, SPAN_STR("grpc-encoding")))
		keep(&c->encoding, nv);
}

/* 0, 1 when it makes no sense, SPAN_E_NOMEM. */
static int inflate_block(struct span__grpc_stream *g, struct call *c)
{
	const uint8_t *p = (const uint8_t *)(g->block.len ? g->block.p : "");
	size_t len = g->block.len;
	int flags = 0;

	while (!(flags & NGHTTP2_HD_INFLATE_FINAL)) {
		nghttp2_nv nv;
		ssize_t n;

		flags = 0;
		n = nghttp2_hd_inflate_hd2(g->inflater, &nv, &flags, p, len, 1);
		if (n == NGHTTP2_ERR_NOMEM)
			return no_memory(g->err);
		if (n < 0)
			return 1;
		if (flags & NGHTTP2_HD_INFLATE_EMIT)
			take_header(c, &nv);
		p += n;
		len -= (size_t)n;
	}
	nghttp2_hd_inflate_end_headers(g->inflater);
	if (c->method.failed || c->path.failed || c->type.failed ||
	    c->encoding.failed)
		return no_memory(g->err);
	return 0;
}

/* The headers of a call are there; those behind its data say nothing to us. */
static int take_head(struct span__grpc_stream *g, struct call *c)
{
	if (c->id <= g->last_id) {
		free_call(c);
		return 0;
	}
	g->last_id = c->id;
	if (g->block_ends ||
	    !span_str_equal(text_of(&c->method), SPAN_STR("POST")) ||
	    !g->sink->wants(text_of(&c->path))) {
		g->sink->ignored(g->sink->arg);
		free_call(c);
		return 0;
	}
	if (g->n_calls == SPAN__GRPC_CALLS) {
		lose_call(g, g->calls[0], SPAN__DROP_INCOMPLETE);
		remove_call(g, g->calls[0]);
	}
	g->calls[g->n_calls++] = c;
	return 0;
}

static int end_block(struct span__grpc_stream *g)
{
	struct call *c = calloc(1, sizeof(*c)), *old;
	int rc;

	if (!c)
		return no_memory(g->err);
	c->id = g->block_id;
	rc = inflate_block(g, c);
	span_buf_release(&g->block);
	g->in_block = false;
	if (rc) {
		free_call(c);
		return rc;
	}
	old = find_call(g, g->block_id);
	if (old && g->block_ends)
		end_call(g, old);
	return take_head(g, c);
}

/* Take padding and priority off a HEADERS frame. False: there is too much. */
static bool trim_head(struct span__grpc_stream *g)
{
	struct span_buf *b = &g->block;
	size_t front = 0, pad = 0;

	if (g->flags & NGHTTP2_FLAG_PADDED) {
		front = 1;
		pad = b->len ? (uint8_t)b->p[0] : 0;
	}
	if (g->flags & NGHTTP2_FLAG_PRIORITY)
		front += 5;
	if (front + pad > b->len)
		return false;
	b->len -= front + pad;
	if (front)
		memmove(b->p, b->p + front, b->len);
	return true;
}

/* ---- frames ---- */

/* False when the head makes no sense. */
static bool begin_frame(struct span__grpc_stream *g)
{
	g->type = g->head[3];
	g->flags = g->head[4];
	g->id = span__get32(g->head + 5) & 0x7fffffffu;
	g->left = span__get32(g->head) >> 8;
	g->pad = 0;
	g->pad_known =
		!(g->type == NGHTTP2_DATA && g->flags & NGHTTP2_FLAG_PADDED);
	if (g->in_block != (g->type == NGHTTP2_CONTINUATION) ||
	    (g->in_block && g->id != g->block_id))
		return false;
	if (g->type == NGHTTP2_HEADERS) {
		g->block_id = g->id;
		g->block_ends = g->flags & NGHTTP2_FLAG_END_STREAM;
		g->in_block = true;
		if (!(g->block_id % 2))
			return false;
	}
	return !g->in_block ||
	       (g->left <= SPAN__GRPC_HEAD_MAX - g->block.len && !g->disputes);
}

static int take_data(struct span__grpc_stream *g, const uint8_t *p, size_t len)
{
	struct call *c = find_call(g, g->id);

	if (!g->pad_known) {
		g->pad = *p++;
		g->pad_known = true;
		g->left--;
		len--;
		if (g->pad > g->left)
			return 1;
	}
	g->left -= (uint32_t)len;
	/* Some of them may be padding. */
	if (g->left < g->pad)
		len -= g->pad - g->left < len ? g->pad - g->left : len;
	return c && len ? put_data(g, c, p, len) : 0;
}

/* Take LEN bytes of a payload: at least one, and no more than it has left. */
static int take_payload(struct span__grpc_stream *g, const uint8_t *p,
			size_t len)
{
	if (g->type == NGHTTP2_DATA)
		return take_data(g, p, len);
	g->left -= (uint32_t)len;
	if (!g->in_block)
		return 0;
	if (g->disputes)
		return 1;
	span_buf_put(&g->block, p, len);
	return g->block.failed ? no_memory(g->err) : 0;
}

static int end_frame(struct span__grpc_stream *g)
{
	struct call *c = find_call(g, g->id);

	g->n_head = 0;
	if (g->type == NGHTTP2_HEADERS && !trim_head(g))
		return 1;
	if (g->in_block)
		return g->flags & NGHTTP2_FLAG_END_HEADERS ? end_block(g) : 0;
	if (!c)
		return 0;
	if (g->type == NGHTTP2_RST_STREAM) {
		lose_call(g, c, SPAN__DROP_INCOMPLETE);
		remove_call(g, c);
	} else if (g->type == NGHTTP2_DATA &&
		   g->flags & NGHTTP2_FLAG_END_STREAM) {
		end_call(g, c);
	}
	return 0;
}

/* Nothing more can be read. */
static int give_up(struct span__grpc_stream *g, enum span__drop cause)
{
	if (!lose_calls(g, cause)) /* what is to come is lost */
		g->sink->lost(g->sink->arg, cause);
	return 1;
}

/* Take some of the LEN bytes at P: *N. Returns 1 when they make no sense. */
static int take_some(struct span__grpc_stream *g, const uint8_t *p, size_t len,
		     size_t *n)
{
	int rc = 0;

	if (g->n_head < FRAME_HEAD) {
		*n = FRAME_HEAD - g->n_head < len ? FRAME_HEAD - g->n_head
						  : len;
		memcpy(g->head + g->n_head, p, *n);
		g->n_head += *n;
		if (g->n_head < FRAME_HEAD)
			return 0;
		if (!begin_frame(g))
			return 1;
	} else {
		*n = g->left < len ? g->left : len;
		rc = take_payload(g, p, *n);
	}
	return rc || g->left ? rc : end_frame(g);
}

int span__grpc_stream_put(struct span__grpc_stream *g,
			  const struct span__tcp_bytes *b,
			  struct span_error *err)
{
	const uint8_t *p = b->p;
	size_t len = b->len;

	g->time_ns = b->time_ns;
	g->disputes = b->disputed;
	g->err = err;
	while (len) {
		size_t n;
		int rc = take_some(g, p, len, &n);

		if (rc < 0)
			return rc;
		if (rc > 0)
			return give_up(g, g->disputes ? SPAN__DROP_OVERLAP
						      : SPAN__DROP_MALFORMED);
		p += n;
		len -= n;
	}
	return 0;
}

int span__grpc_stream_gap(struct span__grpc_stream *g, uint32_t len,
			  enum span__drop cause)
{
	struct call *c;

	if (g->n_head < FRAME_HEAD || g->type != NGHTTP2_DATA ||
	    !g->pad_known || len > g->left)
		return give_up(g, cause);
	c = find_call(g, g->id);
	if (c)
		lose_call(g, c, cause);
	g->left -= len;
	return g->left ? 0 : end_frame(g);
}

size_t span__grpc_stream_memory(const struct span__grpc_stream *g)
{
	size_t sum = sizeof(*g) + g->block.cap +
		     nghttp2_hd_inflate_get_dynamic_table_size(g->inflater);

	for (size_t i = 0; i < g->n_calls; i++) {
		const struct call *c = g->calls[i];

		sum += sizeof(*c) + c->method.cap + c->path.cap + c->type.cap +
		       c->encoding.cap + c->message.data.cap;
	}
	return sum;
}

void span__grpc_stream_close(struct span__grpc_stream **gp)
{
	struct span__grpc_stream *g = *gp;

	*gp = NULL;
	if (!g)
		return;
	(void)lose_calls(g, SPAN__DROP_INCOMPLETE);
	nghttp2_hd_inflate_del(g->inflater);
	span_buf_release(&g->block);
	free(g);
}
