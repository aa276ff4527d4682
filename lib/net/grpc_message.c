/* SPDX-License-Identifier: Apache-2.0 */
#include "net/grpc_message.h"

#include <span/text.h>

#include <endian.h>
#include <string.h>

#include "base/banned.h"

size_t span__grpc_message_len(const struct span__grpc_message *m)
{
	uint32_t len;

	memcpy(&len, m->prefix + 1, sizeof(len));
	return be32toh(len);
}

bool span__grpc_message_is_whole(const struct span__grpc_message *m)
{
	return m->n_prefix == SPAN__GRPC_PREFIX &&
	       m->data.len == span__grpc_message_len(m);
}

bool span__grpc_message_is_compressed(const struct span__grpc_message *m)
{
	return m->prefix[0] == 1;
}

/* Returns how many of the LEN bytes at P belong to the prefix, or negative. */
static int put_prefix(struct span__grpc_message *m, const void *p, size_t len,
		      size_t max, struct span_error *err)
{
	size_t n = SPAN__GRPC_PREFIX - m->n_prefix;

	if (!n)
		return 0;
	if (n > len)
		n = len;
	memcpy(m->prefix + m->n_prefix, p, n);
	m->n_prefix = (uint8_t)(m->n_prefix + n);
	if (m->n_prefix && m->prefix[0] > 1)
		return span_error_set(err, SPAN_E_CORRUPT,
				      "message flag %u is unknown",
				      m->prefix[0]);
	if (m->n_prefix == SPAN__GRPC_PREFIX && span__grpc_message_len(m) > max)
		return span_error_set(
			err, SPAN_E_LIMIT,
			"received message larger than max (%zu vs. %zu)",
			span__grpc_message_len(m), max);
	return (int)n;
}

int span__grpc_message_put(struct span__grpc_message *m, const void *p,
			   size_t len, size_t max, struct span_error *err)
{
	int n = put_prefix(m, p, len, max, err);

	if (n < 0)
		return n;
	len -= (size_t)n;
	if (!len)
		return 0;
	if (len > span__grpc_message_len(m) - m->data.len)
		return span_error_set(err, SPAN_E_INVALID,
				      "more than one request message");
	span_buf_put(&m->data, (const char *)p + n, len);
	if (m->data.failed)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	return 0;
}

void span__grpc_message_release(struct span__grpc_message *m)
{
	span_buf_release(&m->data);
	*m = (struct span__grpc_message){0};
}

void span__grpc_put_message(struct span_buf *b, const void *p, size_t len)
{
	uint32_t be = htobe32((uint32_t)len);

	span_buf_putc(b, 0);
	span_buf_put(b, &be, sizeof(be));
	span_buf_put(b, p, len);
}

static uint64_t unit_ns(char unit)
{
	switch (unit) {
	case 'H':
		return 3600u * UINT64_C(1000000000);
	case 'M':
		return 60u * UINT64_C(1000000000);
	case 'S':
		return 1000000000u;
	case 'm':
		return 1000000u;
	case 'u':
		return 1000u;
	case 'n':
		return 1;
	default:
		return 0;
	}
}

bool span__grpc_timeout(struct span_str text, uint64_t *ns)
{
	uint64_t n = 0, unit;

	if (text.len < 2 || text.len > 9)
		return false;
	for (size_t i = 0; i + 1 < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(text.p[i] - '0');
	}
	unit = unit_ns(text.p[text.len - 1]);
	if (!unit)
		return false;
	if (__builtin_mul_overflow(n, unit, ns) || *ns > INT64_MAX)
		*ns = INT64_MAX;
	return true;
}

void span__grpc_put_percent(struct span_buf *b, const char *text)
{
	for (const char *c = text; *c; c++) {
		if (*c >= ' ' && *c <= '~' && *c != '%')
			span_buf_putc(b, *c);
		else
			span_buf_printf(b, "%%%02X", (unsigned char)*c);
	}
}

/* ---- The few protobuf messages of an answer ---- */

static void put_varint(struct span_buf *b, uint64_t v)
{
	while (v >= 0x80) {
		span_buf_putc(b, (char)(v | 0x80));
		v >>= 7;
	}
	span_buf_putc(b, (char)v);
}

static void put_number(struct span_buf *b, unsigned field, uint64_t v)
{
	put_varint(b, field << 3);
	put_varint(b, v);
}

static void put_bytes(struct span_buf *b, unsigned field, const void *p,
		      size_t len)
{
	put_varint(b, field << 3 | 2);
	put_varint(b, len);
	span_buf_put(b, p, len);
}

/* A message that was made in PART, which is empty again afterwards. */
static void put_part(struct span_buf *b, unsigned field, struct span_buf *part)
{
	put_bytes(b, field, part->p, part->len);
	b->failed |= part->failed;
	part->len = 0;
}

/* Without padding, as gRPC wants binary headers to be. */
static void put_base64(struct span_buf *b, const struct span_buf *bytes)
{
	span_text_base64(b, (struct span_str){bytes->p, bytes->len});
	while (b->len && b->p[b->len - 1] == '=')
		b->len--;
	b->failed |= bytes->failed;
}

void span__rpc_put_status(struct span_buf *b, unsigned code, const char *text)
{
	put_number(b, 1, code);
	put_bytes(b, 2, text, strlen(text));
}

void span__grpc_put_retry(struct span_buf *b, int status, const char *text,
			  uint64_t delay_s)
{
	static const char type[] = "type.googleapis.com/google.rpc.RetryInfo";
	struct span_buf rpc = {0}, part = {0}, info = {0};

	put_number(&part, 1, delay_s);		     /* Duration.seconds */
	put_part(&info, 1, &part);		     /* RetryInfo.retry_delay */
	put_bytes(&part, 1, type, sizeof(type) - 1); /* Any.type_url */
	put_part(&part, 2, &info);		     /* Any.value */
	span__rpc_put_status(&rpc, (unsigned)status, text);
	put_part(&rpc, 3, &part); /* Status.details */
	put_base64(b, &rpc);
	span_buf_release(&rpc);
	span_buf_release(&part);
	span_buf_release(&info);
}

void span__otlp_put_response(struct span_buf *b, uint64_t rejected,
			     const char *text)
{
	struct span_buf partial = {0};

	if (!rejected)
		return;
	put_number(&partial, 1, rejected);
	put_bytes(&partial, 2, text, strlen(text));
	put_part(b, 1, &partial);
	span_buf_release(&partial);
}

static bool get_varint(const unsigned char **p, const unsigned char *end,
		       uint64_t *v)
{
	*v = 0;
	for (unsigned shift = 0; shift < 64 && *p < end; shift += 7) {
		*v |= (uint64_t)(**p & 0x7f) << shift;
		if (!(*(*p)++ & 0x80))
			return true;
	}
	return false;
}

bool span__grpc_health_service(const void *bytes, size_t len,
			       struct span_str *service)
{
	const unsigned char *p = bytes, *end = len ? p + len : p;
	uint64_t key, n;

	*service = (struct span_str){0};
	while (p < end) {
		if (!get_varint(&p, end, &key) || !get_varint(&p, end, &n))
			return false;
		if ((key & 7) == 0)
			continue;
		if ((key & 7) != 2 || n > (uint64_t)(end - p))
			return false;
		if (key >> 3 == 1)
			*service = (struct span_str){(const char *)p, n};
		p += n;
	}
	return true;
}

void span__grpc_put_health(struct span_buf *b, bool serving)
{
	put_number(b, 1, serving ? 1 : 2);
}
