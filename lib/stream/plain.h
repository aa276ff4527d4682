/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plain.h - the head of a span as nearly all are
 *
 * A trace id of 16 bytes and numbers that are not negative, but for times, and
 * everything within what is left: read straight on, and its bounds are checked
 * once. What is not so has to be looked at by dec.h, value by value.
 */
#ifndef SPAN_PLAIN_H
#define SPAN_PLAIN_H

#include "stream/frame.h"

/* A plain head is never longer. */
#define SPAN__PLAIN_HEAD (1 + 18 + 9 * 9)

/* Where a number that is not negative ends; NULL: it has to be looked at. */
static inline const unsigned char *span__plain(const unsigned char *p,
					       uint64_t *v)
{
	uint32_t u32;
	uint64_t u64;

	if (*p < 0x80) {
		*v = *p;
		return p + 1;
	}
	switch (*p) {
	case 0xcc:
		*v = p[1];
		return p + 2;
	case 0xcd:
		*v = (uint64_t)p[1] << 8 | p[2];
		return p + 3;
	case 0xce:
		memcpy(&u32, p + 1, sizeof(u32));
		*v = be32toh(u32);
		return p + 5;
	case 0xcf:
		memcpy(&u64, p + 1, sizeof(u64));
		*v = be64toh(u64);
		return p + 9;
	default:
		return NULL;
	}
}

/* The same of a time, which span__frame_time() reads. */
static inline const unsigned char *span__plain_time(const unsigned char *p,
						    uint64_t *v)
{
	uint16_t u16;
	uint32_t u32;

	switch (*p) {
	case 0xd1:
		memcpy(&u16, p + 1, sizeof(u16));
		*v = (uint64_t) - (int64_t)(int16_t)be16toh(u16) * 1000;
		return (int16_t)be16toh(u16) < 0 ? p + 3 : NULL;
	case 0xd2:
		memcpy(&u32, p + 1, sizeof(u32));
		*v = (uint64_t) - (int64_t)(int32_t)be32toh(u32) * 1000;
		return (int32_t)be32toh(u32) < 0 ? p + 5 : NULL;
	default:
		return span__plain(p, v);
	}
}

/*
 * Does the span at P begin like one? It may look at bytes of the spans behind
 * it, of which there must be some.
 */
static inline bool span__begins_plain(const struct span_frame *f,
				      const unsigned char *p)
{
	return f->next.end - p >= SPAN__PLAIN_HEAD && p[1] == 0xc4 &&
	       p[2] == 16 && p[0] >= (0x90 | SPAN__SPAN_ELEMENTS) &&
	       p[0] <= 0x9f;
}

#endif
