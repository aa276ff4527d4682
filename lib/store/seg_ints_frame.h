/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_ints_frame.h - the frames of a column of numbers, for seg_ints*.c
 */
#ifndef SPAN_SEG_INTS_FRAME_H
#define SPAN_SEG_INTS_FRAME_H

#include "store/seg_bits.h"
#include "store/seg_ints.h"

/* The first byte of a column: the form, and */
#define INTS_HEAD_FORM 0x03u
#define INTS_HEAD_SCALE 0x04u
#define INTS_HEAD_DECIMALS 3 /* shift of three bits */
#define INTS_HEAD_EXCEPTIONS 0x40u
#define INTS_HEAD_RAISED 0x80u /* code 0 of the frame is not quotient 0 */

/* Values FIRST to END - 1, whose codes are WIDTH bits each at POS. */
struct span__frame {
	uint64_t first, end;
	uint64_t base; /* quotient of code 0 */
	uint64_t pos;
	uint64_t exceptions, exceptions_end;
	uint8_t width;
};

/* False, and the file is marked bad, when it is damaged. */
bool span__frame_of(const struct span__ints *c, uint64_t i,
		    struct span__frame *f);

/*
 * The codes of values I to I + N - 1, all of the frame; those of exceptions
 * are the mark. The same.
 */
bool span__frame_codes(const struct span__ints *c, const struct span__frame *f,
		       uint64_t i, size_t n, uint64_t *out);

/* The first exception whose place is not before I; exceptions_end: none. */
uint64_t span__frame_exception(const struct span__ints *c,
			       const struct span__frame *f, uint64_t i);

/* Where exception E is, and its quotient: false at the end or for damage. */
bool span__exception_get(const struct span__ints *c,
			 const struct span__frame *f, uint64_t e, uint64_t *i,
			 uint64_t *quotient);

/*
 * Element I of the array of W bits each that begins at POS, which must be in
 * the area; 0 and false for damage.
 */
static inline __attribute__((always_inline)) bool
span__ints_element(const struct span__ints *c, uint64_t pos, uint64_t i,
		   unsigned w, uint64_t *out)
{
	uint64_t at = pos + i / 8 * w + i % 8 * w / 8;

	*out = 0;
	if (!w)
		return true;
	if (!span__area_ok(&c->area, at, (i % 8 * w % 8 + w + 7) / 8))
		return false;
	*out = span__bits_at(c->area.p + pos, c->area.len - pos, i, w);
	return true;
}

/* Elements I to I + N - 1; the same. */
bool span__ints_elements(const struct span__ints *c, uint64_t pos, uint64_t i,
			 unsigned w, size_t n, uint64_t *out);

/*
 * Of a column in tiers: quotient I, and quotients I to I + N - 1, all of one
 * group, of which MARKS has a bit for each that is long. False for damage.
 */
bool span__tiers_get(const struct span__ints *c, uint64_t i, uint64_t *out);
bool span__tiers_range(const struct span__ints *c, uint64_t i, size_t n,
		       uint64_t *out, uint64_t marks[SEG_GROUP / 64]);

/* Stored values into doubles' bits. */
void span__decimals_restore(unsigned decimals, uint64_t *v, size_t n);

/* Fractions' stored value of a double, if it has one. */
double span__decimals_scale(unsigned decimals);

/* span__ints_put() with bits added to the first byte. */
void span__ints_put_marked(struct span_buf *out, const uint64_t *v, size_t n,
			   uint8_t mark);

#endif
