/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_strings.h - the strings of a segment: names, keys, frequent values
 *
 * Each once, in order of their bytes, so that a string is found by halving.
 * Stored front-coded and compressed. A string's number is its rank.
 *
 * Most of the bytes are long texts that hardly anybody asks for, such as stack
 * traces. The short ones, which all names are among, are there a second time:
 * only they are decompressed when a segment is first used, and of the others
 * those around one that is asked for.
 */
#ifndef SPAN_SEG_STRINGS_H
#define SPAN_SEG_STRINGS_H

#include "store/seg_chunks.h"

#define SEG_NO_STRING UINT32_MAX
/* A segment has no more, so that it can be read in little memory. */
#define SEG_STRINGS_MAX (1u << 21)
#define SEG_STRINGS_BYTES (64u << 20) /* all of them together */
#define SEG_STRING_SHORT 256u	      /* bytes of a short one at most */

/*
 * Append the section of the N strings V, which ascend and differ. 0,
 * SPAN_E_LIMIT, SPAN_E_NOMEM, SPAN_E_INVALID as span__chunks_writer_open().
 */
SPAN_NODISCARD int span__strings_put_section(struct span_buf *out,
					     const struct span_str *v, size_t n,
					     enum span__seg_codec codec,
					     struct span_error *err);
/* The same for SEG_SHORT_STRINGS. */
SPAN_NODISCARD int span__strings_put_short(struct span_buf *out,
					   const struct span_str *v, size_t n,
					   enum span__seg_codec codec,
					   struct span_error *err);

/* Strings that are read together, without those before. */
struct span__strings_piece {
	uint64_t pos; /* in the sequence */
	uint32_t first;
	bool bad; /* they cannot be read */
};

struct span__strings {
	struct span_str *v; /* by number; p is NULL: long, not read yet */
	size_t n;
	uint32_t *shorts; /* the numbers of the short ones; NULL: all read */
	size_t n_shorts;
	struct span__strings_piece *pieces;
	size_t n_pieces;
	struct span__area area;
	struct span__chunks *chunks;
	struct span_arena arena;
};

/*
 * AREA is the section of all strings, SHORTS (or NULL) that of the short ones;
 * when that is empty or damaged all are read at once. 0; SPAN_E_CORRUPT,
 * SPAN_E_FORMAT, SPAN_E_NOMEM: the struct is empty then. An empty area has no
 * strings.
 */
SPAN_NODISCARD int span__strings_open(struct span__strings *s,
				      const struct span__area *area,
				      const struct span__area *shorts,
				      struct span_error *err);
/* Memory that they hold. */
size_t span__strings_held(const struct span__strings *s);
void span__strings_close(struct span__strings *s);

/* The number of TEXT, or SEG_NO_STRING. */
uint32_t span__strings_find(struct span__strings *s, struct span_str text);

/* Read string I and those around it. False: the file is marked bad. */
bool span__strings_read(struct span__strings *s, uint32_t i);

/*
 * Do the short strings say what the section of all says? True too when there
 * are none.
 */
bool span__strings_agree(struct span__strings *s);

/*
 * String I, valid until close; empty when there is none (a damaged segment),
 * and, with the file marked bad, when it cannot be read.
 */
static inline struct span_str span__strings_get(struct span__strings *s,
						uint32_t i)
{
	if (i >= s->n)
		return (struct span_str){0};
	if (!s->v[i].p)
		(void)span__strings_read(s, i);
	return s->v[i];
}

#endif
