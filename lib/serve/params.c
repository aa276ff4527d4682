/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/params.h"

#include <span/text.h>

#include <string.h>

#include "base/banned.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/*
 * S without its escapes to OUT, which has room for all of S. Its length, or -1
 * for a bad escape.
 */
static ptrdiff_t unescape(struct span_str s, char *out, bool plus_is_space)
{
	char *p = out;

	for (size_t i = 0; i < s.len; i++) {
		int high, low;

		if (s.p[i] != '%') {
			*p++ = plus_is_space && s.p[i] == '+' ? ' ' : s.p[i];
			continue;
		}
		if (s.len - i < 3)
			return -1;
		high = hex_digit(s.p[i + 1]);
		low = hex_digit(s.p[i + 2]);
		if (high < 0 || low < 0)
			return -1;
		*p++ = (char)(high << 4 | low);
		i += 2;
	}
	return p - out;
}

/* The part of *REST before C, which both are taken off it. */
static struct span_str cut(struct span_str *rest, char c)
{
	const char *end = rest->len ? memchr(rest->p, c, rest->len) : NULL;
	struct span_str part = *rest;

	if (!end) {
		*rest = (struct span_str){0};
		return part;
	}
	part.len = (size_t)(end - rest->p);
	rest->p = end + 1;
	rest->len -= part.len + 1;
	return part;
}

/* Decode a pair to *OUT: 1, or 0 when it is none. */
static int read_pair(struct span_str pair, struct span_arena *a,
		     struct span__serve_param *out)
{
	char *room = span_arena_alloc(a, pair.len);
	struct span_str name;
	ptrdiff_t n, m;

	if (!room)
		return SPAN_E_NOMEM;
	name = cut(&pair, '=');
	n = unescape(name, room, true);
	m = n < 0 ? n : unescape(pair, room + n, true);
	if (m < 0)
		return 0;
	out->name = (struct span_str){room, (size_t)n};
	out->value = (struct span_str){room + n, (size_t)m};
	return 1;
}

static int read_query(struct span__serve_request *r, struct span_str query,
		      struct span_arena *a, struct span_error *err)
{
	struct span__serve_param *v;
	size_t most = 0;

	for (size_t i = 0; i < query.len; i++)
		most += query.p[i] == '&';
	if (most >= SPAN__SERVE_PARAMS_MAX)
		return span_error_set(err, SPAN_E_LIMIT,
				      "more than %u parameters",
				      SPAN__SERVE_PARAMS_MAX);
	v = span_arena_array(a, most + 1, sizeof(*v));
	if (!v)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	while (query.len) {
		struct span_str pair = cut(&query, '&');
		int rc = pair.len ? read_pair(pair, a, &v[r->n_params]) : 0;

		if (rc < 0)
			return span_error_set(err, rc, "out of memory");
		r->n_params += (size_t)rc;
	}
	r->params = v;
	return 0;
}

int span__serve_target(struct span__serve_request *r, struct span_str target,
		       struct span_arena *a, struct span_error *err)
{
	r->params = NULL;
	r->n_params = 0;
	r->path = cut(&target, '?');
	if (!r->path.len || *r->path.p != '/')
		return span_error_set(err, SPAN_E_INVALID,
				      "a path begins with a slash");
	return read_query(r, target, a, err);
}

int span__serve_unescape(struct span_str text, struct span_buf *out)
{
	char *room = span_buf_reserve(out, text.len);
	ptrdiff_t len;

	if (!room)
		return SPAN_E_NOMEM;
	len = unescape(text, room, false);
	if (len < 0)
		return SPAN_E_INVALID;
	out->len += (size_t)len;
	return 0;
}

int span__serve_segment(struct span_str path, size_t n, struct span_buf *out,
			struct span_error *err)
{
	struct span_str segment;
	int rc;

	cut(&path, '/');
	while (n-- && path.len)
		cut(&path, '/');
	segment = cut(&path, '/');
	if (!segment.len)
		return span_error_set(err, SPAN_E_NOTFOUND, "no such segment");
	rc = span__serve_unescape(segment, out);
	if (rc == SPAN_E_NOMEM)
		return span_error_set(err, rc, "out of memory");
	if (rc < 0)
		return span_error_set(err, rc,
				      "invalid URL escape in the path");
	return 0;
}

const struct span_str *span__serve_next(const struct span__serve_request *r,
					const char *name, size_t *at)
{
	const struct span_str wanted = span_str(name);

	while (*at < r->n_params) {
		const struct span__serve_param *p = &r->params[(*at)++];

		if (span_str_equal(p->name, wanted))
			return &p->value;
	}
	return NULL;
}

const struct span_str *span__serve_param(const struct span__serve_request *r,
					 const char *name)
{
	size_t at = 0;

	return span__serve_next(r, name, &at);
}

struct span_str span__serve_value(const struct span__serve_request *r,
				  const char *name)
{
	const struct span_str *v = span__serve_param(r, name);

	return v ? *v : (struct span_str){0};
}

int span__serve_base64_id(struct span_str text, uint8_t out[16])
{
	char bytes[SPAN_BASE64_ROOM(24)];
	size_t len;

	if (!text.len || text.len > 24 ||
	    !span_text_from_base64(text, bytes, &len))
		return -1;
	if (len != 8 && len != 16)
		return 1;
	memset(out, 0, 16);
	memcpy(out + 16 - len, bytes, len);
	return 0;
}
