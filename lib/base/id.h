/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/id.h - ids as the numbers that their bytes are, the highest first
 *
 * A span has its ids as bytes; columns, hashes and wire formats have numbers,
 * of the ids of traces one for each half.
 */
#ifndef SPAN_ID_H
#define SPAN_ID_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t span__id_get(const uint8_t id[8])
{
	uint64_t v;

	memcpy(&v, id, sizeof(v));
	return be64toh(v);
}

static inline void span__id_put(uint8_t out[8], uint64_t id)
{
	id = htobe64(id);
	memcpy(out, &id, sizeof(id));
}

static inline void span__trace_id_put(uint8_t out[16], uint64_t high,
				      uint64_t low)
{
	span__id_put(out, high);
	span__id_put(out + 8, low);
}

#endif
