/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_ints.h - a column of numbers
 *
 * Values are 64 bits; they are ordered as signed numbers. A column is packed
 * by frame of reference: the least value is taken off, what is left divided by
 * the greatest divisor that all share (1000 for microseconds), and the
 * quotients stored in as few bits as most need; the code with all bits set
 * marks an exception, whose quotient is in a list. A column has one frame, or
 * one for each 512 values, or stores what long quotients have in addition to
 * short ones apart, whichever is smallest. Any value can be read alone.
 */
#ifndef SPAN_SEG_INTS_H
#define SPAN_SEG_INTS_H

#include "store/seg_file.h"

#define SEG_GROUP 512u

/*
 * Append the column of the N values at V to OUT. It knows its own length; N is
 * not stored: who reads it knows N. Memory that is out: out->failed.
 */
void span__ints_put(struct span_buf *out, const uint64_t *v, size_t n);

/*
 * The same for doubles given by their bits: as decimal fractions (k / 10^d)
 * where that gives every one back bit for bit, else as the bits.
 */
void span__doubles_put(struct span_buf *out, const uint64_t *bits, size_t n);

enum span__ints_form {
	INTS_CONSTANT = 0, /* base, and no data */
	INTS_FRAME,	   /* one frame */
	INTS_GROUPS,	   /* a frame for each SEG_GROUP values */
	INTS_TIERS,	   /* short and long quotients: see seg_ints_tiers.c */
};

struct span__ints {
	struct span__area area; /* begins with the column, may be longer */
	uint64_t n;
	/* The least and greatest value, as signed numbers, known from the head
	 * (of doubles: of what is stored for them). */
	uint64_t min, max;
	/* The rest is for seg_ints*.c. Quotients are (value - base) / scale. */
	uint64_t base, scale;
	uint64_t range; /* the greatest quotient */
	uint8_t form;
	uint8_t decimals;   /* doubles that are fractions: digits + 1, else 0 */
	uint8_t width;	    /* of the codes of a frame, of the first tier */
	uint8_t range_bits; /* of a quotient */
	uint8_t pos_bits;   /* of an exception's place in its frame */
	uint8_t end_bits;   /* of an element of group_data */
	uint8_t exception_bits; /* of an element of group_exceptions */
	uint64_t data_end;	/* where group_data ends */
	uint64_t n_groups, n_exceptions;
	/* Offsets in the area: of each group its least quotient, where its
	 * codes begin, in units of 64 bytes, and its first exception; codes;
	 * exceptions' places, and their quotients. */
	uint64_t group_base, group_data, group_exceptions;
	uint64_t data, places, quotients;
	uint64_t frame_base; /* of one frame: the quotient of code 0 */
	/* Of tiers: how many are long, the marks of these, how many are before
	 * a group, and what they have in addition. */
	uint64_t n_long, marks, before, rests;
};

/*
 * Open the column of N values at the begin of AREA, which may be longer; *USED
 * (or NULL) is its length. False when it is damaged: the file is marked bad,
 * and c->n is 0. A damaged value reads as 0 and marks the file bad.
 */
bool span__ints_open(struct span__ints *c, const struct span__area *area,
		     uint64_t n, uint64_t *used);

/* Value I, below c->n; else 0 and the file is marked bad. */
uint64_t span__ints_get(const struct span__ints *c, uint64_t i);

/*
 * Values I to I + N - 1 into OUT, as fast as they can be unpacked. For
 * doubles: their bits.
 */
void span__ints_range(const struct span__ints *c, uint64_t i, size_t n,
		      uint64_t *out);

/*
 * Find values: set bit (i - from) of BITS, which has room for n bits rounded
 * up to whole words and is cleared first, where MIN <= value <= MAX as signed
 * numbers (doubles: use span__doubles_find()). Returns how many. Does not
 * unpack what the frames rule out.
 */
uint64_t span__ints_find(const struct span__ints *c, uint64_t from, size_t n,
			 int64_t min, int64_t max, uint64_t *bits);

/* The same for doubles: min <= value <= max; NaN is in no range. */
uint64_t span__doubles_find(const struct span__ints *c, uint64_t from, size_t n,
			    double min, double max, uint64_t *bits);

/* The least I in [0, c->n] with value I > X (unsigned), where values ascend. */
uint64_t span__ints_upper(const struct span__ints *c, uint64_t x);

/* True when all values are the same: *V. An empty column is not constant. */
bool span__ints_constant(const struct span__ints *c, uint64_t *v);

#endif
