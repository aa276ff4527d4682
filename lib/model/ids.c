/* SPDX-License-Identifier: Apache-2.0 */
/* Ids as text: Jaeger's rules, hex without a high half that is zero. */
#include <span/model.h>

#include <string.h>

#include "base/banned.h"

static void put_hex(const uint8_t *id, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[id[i] >> 4];
		*out++ = digits[id[i] & 15];
	}
	*out = '\0';
}

char *span_trace_id_text(const uint8_t id[16], char out[SPAN_TRACE_ID_TEXT])
{
	static const uint8_t zero[8];

	if (!memcmp(id, zero, 8))
		put_hex(id + 8, 8, out);
	else
		put_hex(id, 16, out);
	return out;
}

char *span_id_text(const uint8_t id[8], char out[SPAN_ID_TEXT])
{
	put_hex(id, 8, out);
	return out;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Digits fill OUT from its end; what they do not reach stays zero. */
static int parse_hex(struct span_str text, uint8_t *out, size_t len)
{
	if (!text.len || text.len > 2 * len)
		return SPAN_E_INVALID;
	memset(out, 0, len);
	for (size_t i = 0; i < text.len; i++) {
		int d = digit(text.p[text.len - 1 - i]);

		if (d < 0)
			return SPAN_E_INVALID;
		out[len - 1 - i / 2] |= (uint8_t)(d << (i % 2 * 4));
	}
	return 0;
}

int span_trace_id_parse(struct span_str text, uint8_t out[16])
{
	return parse_hex(text, out, 16);
}

int span_id_parse(struct span_str text, uint8_t out[8])
{
	return parse_hex(text, out, 8);
}
