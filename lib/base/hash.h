/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash.h - hashing of wire data
 *
 * Every table whose keys come from outside uses a key of its own, drawn when
 * the table is made, so that nobody can prepare names that collide.
 */
#ifndef SPAN_HASH_H
#define SPAN_HASH_H

#include <span/base.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

struct span__key {
	unsigned char secret[XXH3_SECRET_SIZE_MIN + 56];
};

/* Draw a key. 0, or SPAN_E_IO when the system has no randomness. */
SPAN_NODISCARD int span__key_init(struct span__key *k, struct span_error *err);

/* A random number, for serials that no other object gives out. */
SPAN_NODISCARD int span__serial_init(uint64_t *serial, struct span_error *err);

static inline uint64_t span__hash(const struct span__key *k, const void *p,
				  size_t len)
{
	return XXH3_64bits_withSecret(p, len, k->secret, sizeof(k->secret));
}

static inline uint64_t span__hash_str(const struct span__key *k,
				      struct span_str s)
{
	return span__hash(k, s.p, s.len);
}

#endif
