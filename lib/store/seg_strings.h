/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_strings.h - the strings of a segment: names, keys, frequent values
 *
 * Each once, in order of their bytes, so that a string is found by halving.
 * Stored front-coded and compressed; decompressed whole when the segment is
 * first used. A string's number is its rank.
 */
#ifndef SPAN_SEG_STRINGS_H
#define SPAN_SEG_STRINGS_H

#include "store/seg_chunks.h"

#define SEG_NO_STRING UINT32_MAX
/* A segment has no more, so that it can be read in little memory. */
#define SEG_STRINGS_MAX (1u << 21)
#define SEG_STRINGS_BYTES (64u << 20) /* all of them together */

/*
 * Append the section of the N strings V, which ascend and differ. 0,
 * SPAN_E_LIMIT, SPAN_E_NOMEM, SPAN_E_INVALID as span__chunks_writer_open().
 */
SPAN_NODISCARD int span__strings_put_section(struct span_buf *out,
					     const struct span_str *v, size_t n,
					     enum span__seg_codec codec,
					     struct span_error *err);

struct span__strings {
	struct span_str *v;
	size_t n;
	struct span_arena arena;
};

/*
 * 0; SPAN_E_CORRUPT, SPAN_E_FORMAT, SPAN_E_NOMEM: the struct is empty then. An
 * empty area has no strings.
 */
SPAN_NODISCARD int span__strings_open(struct span__strings *s,
				      const struct span__area *area,
				      struct span_error *err);
void span__strings_close(struct span__strings *s);

/* The number of TEXT, or SEG_NO_STRING. */
uint32_t span__strings_find(const struct span__strings *s,
			    struct span_str text);

/* String I; empty when there is none (a damaged segment). */
static inline struct span_str span__strings_get(const struct span__strings *s,
						uint32_t i)
{
	return i < s->n ? s->v[i] : (struct span_str){0};
}

#endif
