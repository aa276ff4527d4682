/* SPDX-License-Identifier: Apache-2.0 */
#include <span/text.h>

#include <math.h>

#include "base/banned.h"

static void put_json(struct span_buf *b, const struct span_value *v,
		     unsigned depth);

static void put_array(struct span_buf *b, const struct span_value *v,
		      unsigned depth)
{
	span_buf_putc(b, '[');
	for (size_t i = 0; i < v->array.n; i++) {
		if (i)
			span_buf_putc(b, ',');
		put_json(b, &v->array.v[i], depth + 1);
	}
	span_buf_putc(b, ']');
}

static void put_map(struct span_buf *b, const struct span_value *v,
		    unsigned depth)
{
	span_buf_putc(b, '{');
	for (size_t i = 0; i < v->map.n; i++) {
		if (i)
			span_buf_putc(b, ',');
		span_text_json(b, v->map.v[i].key);
		span_buf_putc(b, ':');
		put_json(b, &v->map.v[i].value, depth + 1);
	}
	span_buf_putc(b, '}');
}

static void put_double(struct span_buf *b, double d)
{
	if (!isfinite(d))
		span_buf_putc(b, '"');
	span_text_double(b, d);
	if (!isfinite(d))
		span_buf_putc(b, '"');
}

static void put_json(struct span_buf *b, const struct span_value *v,
		     unsigned depth)
{
	/* Decoders cut deeper ones; here it bounds the stack. */
	if (depth > SPAN_MAX_DEPTH) {
		span_buf_puts(b, "null");
		return;
	}
	switch (v->type) {
	case SPAN_STRING:
		span_text_json(b, v->str);
		break;
	case SPAN_BOOL:
		span_buf_puts(b, v->b ? "true" : "false");
		break;
	case SPAN_INT:
		span_text_int(b, v->i);
		break;
	case SPAN_DOUBLE:
		put_double(b, v->d);
		break;
	case SPAN_BYTES:
		span_buf_putc(b, '"');
		span_text_base64(b, v->str);
		span_buf_putc(b, '"');
		break;
	case SPAN_ARRAY:
		put_array(b, v, depth);
		break;
	case SPAN_MAP:
		put_map(b, v, depth);
		break;
	case SPAN_NULL:
		span_buf_puts(b, "null");
		break;
	}
}

void span_text_value_json(struct span_buf *b, const struct span_value *v)
{
	put_json(b, v, 0);
}

void span_text_value(struct span_buf *b, const struct span_value *v)
{
	switch (v->type) {
	case SPAN_NULL:
		break;
	case SPAN_STRING:
		span_buf_str(b, v->str);
		break;
	case SPAN_BYTES:
		span_text_hex(b, v->str);
		break;
	case SPAN_DOUBLE:
		span_text_double(b, v->d);
		break;
	default:
		put_json(b, v, 0);
	}
}
