/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text/json_plain.h - what means nothing in a string of JSON, eight bytes at
 * a time
 */
#ifndef TEXT_JSON_PLAIN_H
#define TEXT_JSON_PLAIN_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SPAN__EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/*
 * The lowest high bit that is set belongs to the lowest byte of WORD that is a
 * quote, a backslash or a control character below 0x20; 0: there is none. What
 * is above that byte may be set for nothing.
 */
static inline uint64_t span__json_stops(uint64_t word)
{
	uint64_t quote = word ^ SPAN__EACH('"');
	uint64_t backslash = word ^ SPAN__EACH('\\');

	return (((word - SPAN__EACH(0x20)) & ~word) |
		((quote - SPAN__EACH(1)) & ~quote) |
		((backslash - SPAN__EACH(1)) & ~backslash)) &
	       SPAN__EACH(0x80);
}

/* The first such byte from P on, or END. */
static inline const unsigned char *span__json_plain(const unsigned char *p,
						    const unsigned char *end)
{
	uint64_t word, stops;

	for (; end - p >= (ptrdiff_t)sizeof(word); p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		stops = span__json_stops(le64toh(word));
		if (stops)
			return p + __builtin_ctzll(stops) / 8;
	}
	while (p < end && *p != '"' && *p != '\\' && *p >= 0x20)
		p++;
	return p;
}

#endif
