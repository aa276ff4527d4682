/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http-parser sees the bytes; its callbacks gather what is of interest. A
 * request that turns out to be of none is read on for its end only.
 */
#include "net/http_stream.h"

#include <http_parser.h>
#include <span/payload.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/banned.h"

enum state {
	SEEKING, /* for the beginning of a request */
	BETWEEN, /* two requests */
	HEAD,
	BODY,
	IGNORED, /* the rest of a request that is not wanted */
};

struct span__http_stream {
	const struct span__http_sink *sink;
	http_parser parser;
	enum state state;
	bool disputed;	 /* some of the request's bytes are */
	bool disputes;	 /* those being read are */
	bool in_value;	 /* the last part of a header was one of a value */
	char name[32];	 /* of the header being read: enough for ours */
	size_t name_len; /* may be more than NAME holds */
	struct span_buf target, type, encoding, body;
	uint64_t time_ns; /* of the bytes being read */
	int rc;		  /* what a callback failed with */
	struct span_error *err;
};

int span__http_stream_open(struct span__http_stream **out,
			   const struct span__http_sink *sink, bool whole,
			   struct span_error *err)
{
	struct span__http_stream *h = calloc(1, sizeof(*h));

	*out = h;
	if (!h)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	h->sink = sink;
	h->state = whole ? BETWEEN : SEEKING;
	http_parser_init(&h->parser, HTTP_REQUEST);
	h->parser.data = h;
	return 0;
}

static void forget_request(struct span__http_stream *h)
{
	span_buf_release(&h->target);
	span_buf_release(&h->type);
	span_buf_release(&h->encoding);
	span_buf_release(&h->body);
	h->disputed = false;
	h->in_value = false;
	h->name_len = 0;
}

static void lose(struct span__http_stream *h, enum span__drop cause)
{
	if (h->state == HEAD || h->state == BODY)
		h->sink->lost(h->sink->arg, cause);
	forget_request(h);
}

/* Read on for the end of this request. */
static void ignore(struct span__http_stream *h)
{
	forget_request(h);
	h->state = IGNORED;
}

static int no_memory(struct span__http_stream *h)
{
	h->rc = span_error_set(h->err, SPAN_E_NOMEM, "out of memory");
	return 1;
}

/* Append, up to MAX bytes in all: what is longer is not of interest. */
static int append(struct span__http_stream *h, struct span_buf *b,
		  const char *p, size_t len, size_t max)
{
	if (b->len >= max)
		return 0;
	span_buf_put(b, p, len < max - b->len ? len : max - b->len);
	return b->failed ? no_memory(h) : 0;
}

static int on_begin(http_parser *p)
{
	struct span__http_stream *h = p->data;

	h->state = HEAD;
	h->disputed = h->disputes;
	return 0;
}

static int on_target(http_parser *p, const char *at, size_t len)
{
	struct span__http_stream *h = p->data;

	return append(h, &h->target, at, len, SPAN__HTTP_TARGET_MAX + 1);
}

static int on_name(http_parser *p, const char *at, size_t len)
{
	struct span__http_stream *h = p->data;

	if (h->state != HEAD) /* a trailer */
		return 0;
	if (h->in_value)
		h->name_len = 0;
	h->in_value = false;
	for (size_t i = 0; i < len; i++, h->name_len++)
		if (h->name_len < sizeof(h->name))
			h->name[h->name_len] = at[i];
	return 0;
}

static bool is_name(const struct span__http_stream *h, struct span_str name)
{
	return h->name_len == name.len &&
	       !strncasecmp(h->name, name.p, name.len);
}

static int on_value(http_parser *p, const char *at, size_t len)
{
	struct span__http_stream *h = p->data;
	struct span_buf *to = NULL;
	bool again = !h->in_value;

	if (h->state != HEAD)
		return 0;
	h->in_value = true;
	if (is_name(h, SPAN_STR("content-type")))
		to = &h->type;
	else if (is_name(h, SPAN_STR("content-encoding")))
		to = &h->encoding;
	if (!to)
		return 0;
	/* A header that comes twice is a list. */
	if (again && to->len && append(h, to, ", ", 2, SPAN_PAYLOAD_TEXT))
		return 1;
	return append(h, to, at, len, SPAN_PAYLOAD_TEXT);
}

/* The target without scheme, host and query; empty when it is too long. */
static struct span_str path_of(const struct span__http_stream *h)
{
	struct http_parser_url url;
	struct span_str none = {0};

	http_parser_url_init(&url);
	if (h->target.len > SPAN__HTTP_TARGET_MAX ||
	    http_parser_parse_url(h->target.p, h->target.len, false, &url) ||
	    !(url.field_set & 1 << UF_PATH))
		return none;
	return (struct span_str){h->target.p + url.field_data[UF_PATH].off,
				 url.field_data[UF_PATH].len};
}

static int on_head(http_parser *p)
{
	struct span__http_stream *h = p->data;

	/* A client may propose HTTP/2; that it gets it would be seen. */
	if (p->method != HTTP_CONNECT)
		p->upgrade = 0;
	if (p->method == HTTP_POST && h->sink->wants(path_of(h))) {
		h->state = BODY;
		return 0;
	}
	h->sink->ignored(h->sink->arg);
	ignore(h);
	return 0;
}

static int on_body(http_parser *p, const char *at, size_t len)
{
	struct span__http_stream *h = p->data;

	if (h->state != BODY)
		return 0;
	if (len > SPAN_PAYLOAD_MAX - h->body.len) {
		lose(h, SPAN__DROP_LIMIT);
		h->state = IGNORED;
		return 0;
	}
	return append(h, &h->body, at, len, SPAN_PAYLOAD_MAX);
}

static struct span_str text_of(const struct span_buf *b)
{
	return (struct span_str){b->p, b->len};
}

static int on_end(http_parser *p)
{
	struct span__http_stream *h = p->data;
	struct span__http_request r = {.time_ns = h->time_ns};

	if (h->state == BODY && h->disputed) {
		lose(h, SPAN__DROP_OVERLAP);
	} else if (h->state == BODY) {
		r.path = path_of(h);
		r.content_type = text_of(&h->type);
		r.content_encoding = text_of(&h->encoding);
		r.body = text_of(&h->body);
		h->rc = h->sink->request(h->sink->arg, &r, h->err);
	}
	forget_request(h);
	h->state = BETWEEN;
	return h->rc < 0;
}

bool span__http_stream_begins(const void *p, size_t len)
{
	const char *c = p;
	size_t i = 0;

	while (i < len && c[i] >= 'A' && c[i] <= 'Z')
		i++;
	/* A path, "*", or "http://...". */
	return i >= 3 && i + 1 < len && c[i] == ' ' &&
	       (c[i + 1] == '/' || c[i + 1] == '*' || c[i + 1] == 'h');
}

static void restart(struct span__http_stream *h, enum state state)
{
	http_parser_init(&h->parser, HTTP_REQUEST);
	h->state = state;
}

/*
 * What the parser did not take is an error. After "Connection: close" there
 * should be nothing; if there is, then another request.
 */
static int stopped(struct span__http_stream *h)
{
	enum http_errno e = HTTP_PARSER_ERRNO(&h->parser);

	if (h->rc < 0)
		return h->rc;
	if (h->parser.upgrade) { /* a tunnel begins */
		restart(h, SEEKING);
		return 0;
	}
	if (e == HPE_CLOSED_CONNECTION) {
		restart(h, BETWEEN);
		return 1;
	}
	if (h->state == BETWEEN && e != HPE_OK)
		h->state = HEAD; /* its first byte was wrong */
	lose(h, SPAN__DROP_MALFORMED);
	restart(h, SEEKING);
	return 0;
}

int span__http_stream_put(struct span__http_stream *h,
			  const struct span__tcp_bytes *b,
			  struct span_error *err)
{
	static const http_parser_settings callbacks = {
		.on_message_begin = on_begin,
		.on_url = on_target,
		.on_header_field = on_name,
		.on_header_value = on_value,
		.on_headers_complete = on_head,
		.on_body = on_body,
		.on_message_complete = on_end,
	};
	const char *p = (const char *)b->p;
	size_t len = b->len;
	int rc = 1;

	if (h->state == SEEKING) {
		if (!b->begins || !span__http_stream_begins(p, len))
			return 0;
		h->state = BETWEEN;
	}
	h->time_ns = b->time_ns;
	h->disputes = b->disputed;
	h->disputed = h->disputed || b->disputed;
	h->rc = 0;
	h->err = err;
	while (len && rc > 0) {
		size_t n = http_parser_execute(&h->parser, &callbacks, p, len);

		p += n;
		len -= n;
		if (len || h->parser.upgrade ||
		    HTTP_PARSER_ERRNO(&h->parser) != HPE_OK)
			rc = stopped(h);
	}
	return rc < 0 ? rc : 0;
}

void span__http_stream_gap(struct span__http_stream *h, enum span__drop cause)
{
	if (h->state == BETWEEN)
		h->state = HEAD; /* one at least was in the gap */
	lose(h, cause);
	restart(h, SEEKING);
}

size_t span__http_stream_memory(const struct span__http_stream *h)
{
	return sizeof(*h) + h->target.cap + h->type.cap + h->encoding.cap +
	       h->body.cap;
}

void span__http_stream_close(struct span__http_stream **hp)
{
	struct span__http_stream *h = *hp;

	*hp = NULL;
	if (!h)
		return;
	lose(h, SPAN__DROP_INCOMPLETE);
	free(h);
}
