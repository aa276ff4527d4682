/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strings.h - the string table of a frame that is being written
 */
#ifndef SPAN_STRINGS_H
#define SPAN_STRINGS_H

#include "base/hash.h"

struct strings__entry {
	uint32_t off, len; /* of the bytes in PACKED */
};

struct span__strings {
	struct span__key key;
	struct span_buf packed; /* msgpack strings, one after another */
	struct strings__entry *entries;
	uint32_t *slots; /* number plus one, 0: free; 2^SLOT_BITS of them */
	uint32_t n, cap;
	unsigned slot_bits;
};

/* 0 or a negative code. */
SPAN_NODISCARD int span__strings_init(struct span__strings *t,
				      struct span_error *err);
/* Forget all strings; memory is kept. */
void span__strings_reset(struct span__strings *t);
void span__strings_release(struct span__strings *t);

/* True when string N of the table is S. */
static inline bool span__strings_is(const struct span__strings *t, uint32_t n,
				    struct span_str s)
{
	const struct strings__entry *e = &t->entries[n];

	return e->len == s.len && !memcmp(t->packed.p + e->off, s.p, s.len);
}

/*
 * The number of S, which is added when it is new; at most SPAN_MAX_STRING
 * bytes. A negative code when memory is out.
 */
SPAN_NODISCARD int64_t span__strings_add(struct span__strings *t,
					 struct span_str s);

#endif
