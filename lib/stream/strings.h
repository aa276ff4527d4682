/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strings.h - the string table of a frame that is being written
 *
 * Keys of attributes and names of spans are few and referred to most, so the
 * first numbers, which take one byte, are set aside for them: as many as the
 * last frame had, 64 at most. Those that the frame does not need stay empty
 * strings.
 */
#ifndef SPAN_STRINGS_H
#define SPAN_STRINGS_H

#include "base/bytes.h"
#include "base/hash.h"

#define STRINGS_FIRST_KEYS 24u /* set aside in a first frame */
#define STRINGS_MAX_KEYS 64u

struct strings__entry {
	uint32_t off, len; /* of the bytes in KEYS or PACKED */
};

struct span__strings {
	struct span__key key;
	struct span_buf keys;	/* msgpack strings 0 to N_RESERVED - 1 */
	struct span_buf packed; /* and from N_RESERVED on */
	struct strings__entry *entries;
	uint32_t *slots; /* number plus one, 0: free; 2^SLOT_BITS of them */
	uint32_t n, cap;
	uint32_t n_reserved, n_keys; /* set aside, and of these taken */
	uint32_t n_all_keys;	     /* keys added, set aside or not */
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
	const char *p = n < t->n_reserved ? t->keys.p : t->packed.p;

	return e->len == s.len && span__bytes_equal(p + e->off, s.p, s.len);
}

/*
 * The number of S, which is added when it is new, as a key or another string;
 * at most SPAN_MAX_STRING bytes. A negative code when memory is out.
 */
SPAN_NODISCARD int64_t span__strings_add(struct span__strings *t,
					 struct span_str s, bool is_key);

/*
 * Fill what was set aside and not taken; then KEYS and PACKED are the table
 * of N strings. 0 or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__strings_finish(struct span__strings *t);

#endif
