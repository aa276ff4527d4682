/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/packet_window.h - what is left of a packet behind the headers read so far
 */
#ifndef NET_PACKET_WINDOW_H
#define NET_PACKET_WINDOW_H

#include <span/base.h>

struct span__window {
	const uint8_t *p;
	size_t len;
	bool cut;	/* more was sent than was captured */
	size_t missing; /* so many bytes */
};

static inline uint16_t span__get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t span__get32(const uint8_t *p)
{
	return (uint32_t)span__get16(p) << 16 | span__get16(p + 2);
}

static inline void span__window_advance(struct span__window *w, size_t n)
{
	w->p += n;
	w->len -= n;
}

/* Shorten it to LEN; false when the packet promises what is not there. */
static inline bool span__window_limit(struct span__window *w, size_t len)
{
	if (len > w->len) {
		w->missing = len - w->len;
		return w->cut;
	}
	w->len = len;
	w->cut = false;
	w->missing = 0;
	return true;
}

#endif
