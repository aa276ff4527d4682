/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes.h - comparing short texts
 *
 * Names are some ten bytes long, where a call of memcmp(3) costs more than
 * the comparison: up to 16 bytes are compared as two words that may overlap.
 */
#ifndef SPAN_BYTES_H
#define SPAN_BYTES_H

#include <span/base.h>

#include <string.h>

static inline uint64_t bytes__word(const char *p, size_t len)
{
	uint64_t v = 0;
	uint32_t a, b;

	if (len >= 8) {
		memcpy(&v, p, 8);
	} else if (len >= 4) {
		memcpy(&a, p, 4);
		memcpy(&b, p + len - 4, 4);
		v = (uint64_t)a << 32 | b;
	} else if (len) {
		v = (uint64_t)(unsigned char)p[0] << 16 |
		    (uint64_t)(unsigned char)p[len / 2] << 8 |
		    (unsigned char)p[len - 1];
	}
	return v;
}

/* True when the LEN bytes at A and at B are the same; LEN may be 0. */
static inline bool span__bytes_equal(const char *a, const char *b, size_t len)
{
	if (len > 16)
		return !memcmp(a, b, len);
	if (bytes__word(a, len) != bytes__word(b, len))
		return false;
	return len <= 8 ||
	       bytes__word(a + len - 8, 8) == bytes__word(b + len - 8, 8);
}

static inline bool span__str_equal(struct span_str a, struct span_str b)
{
	return a.len == b.len && span__bytes_equal(a.p, b.p, a.len);
}

#endif
