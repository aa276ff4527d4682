/* SPDX-License-Identifier: Apache-2.0 */
#include "net/grpc_message.h"

#include <span/text.h>

#include <endian.h>
#include <string.h>

#include "net/pb.h"

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
	span__pb_put_number(b, 1, code);
	span__pb_put_bytes(b, 2, span_str(text));
}

void span__grpc_put_retry(struct span_buf *b, int status, const char *text,
			  uint64_t delay_s)
{
	static const char type[] = "type.googleapis.com/google.rpc.RetryInfo";
	struct span_buf rpc = {0}, part = {0}, info = {0};

	span__pb_put_number(&part, 1, delay_s); /* Duration.seconds */
	span__pb_put_part(&info, 1, &part);	/* RetryInfo.retry_delay */
	span__pb_put_bytes(&part, 1, SPAN_STR(type)); /* Any.type_url */
	span__pb_put_part(&part, 2, &info);	      /* Any.value */
	span__rpc_put_status(&rpc, (unsigned)status, text);
	span__pb_put_part(&rpc, 3, &part); /* Status.details */
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
	span__pb_put_number(&partial, 1, rejected);
	span__pb_put_bytes(&partial, 2, span_str(text));
	span__pb_put_part(b, 1, &partial);
	span_buf_release(&partial);
}

bool span__grpc_health_service(const void *bytes, size_t len,
			       struct span_str *service)
{
	struct span_str in = {bytes, len};
	struct span__pb_field f;
	int rc;

	*service = (struct span_str){0};
	while ((rc = span__pb_next(&in, &f)) > 0)
		if (f.id == 1 && f.wire == SPAN__PB_LEN)
			*service = f.bytes;
	return !rc;
}

void span__grpc_put_health(struct span_buf *b, bool serving)
{
	span__pb_put_number(b, 1, serving ? 1 : 2);
}
