/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_texts.h - a column of texts or bytes
 *
 * Written in one of these ways, whichever is smallest: one value; codes into
 * a list of strings of the segment; templates, where runs of digits and of hex
 * digits are taken out of the text and become columns of numbers; the
 * segment's heap, with lengths. A filter goes with heap columns of more than
 * 64 values, so that equality need not read the heap where there is none.
 */
#ifndef SPAN_SEG_TEXTS_H
#define SPAN_SEG_TEXTS_H

#include "store/seg_chunks.h"
#include "store/seg_ints.h"
#include "store/seg_strings.h"

#define SEG_TEMPLATE_VARS 8u   /* numbers in a text at most */
#define SEG_TEMPLATES_MAX 256u /* templates in a column at most */

enum span__texts_way {
	TEXTS_CONSTANT = 0, /* one string of the segment */
	TEXTS_CODES,	    /* a list of such strings, and codes */
	TEXTS_TEMPLATES,    /* seg_template.h */
	TEXTS_HEAP,
};

/*
 * Writing takes two steps, since the strings of the segment get their numbers
 * when all columns are known.
 */
struct span__texts_plan {
	uint8_t way; /* enum span__texts_way */
	uint64_t n;
	/* The strings that it needs in the table, by their number in the
	 * builder, in order of their bytes: the column's own codes. */
	uint32_t *strings;
	size_t n_strings;
	struct span_buf data; /* what follows the list of strings */
	/* Of the way TEXTS_HEAP: the texts, until they are put there; and
	 * where they begin. */
	uint32_t *heap_strings;
	uint64_t heap_pos;
};

/*
 * What all plans of a builder share; a zeroed struct is ready. While a column
 * is planned it takes up to 8 * (SEG_TEMPLATE_VARS + 2) bytes for each value,
 * half as much again as memory grows.
 */
struct span__texts_scratch {
	uint32_t *code; /* by string number; all UINT32_MAX between calls */
	size_t n_code;
	struct span_buf a, b, c;
};

/*
 * Plan the column of the N values V, which are numbers into STRINGS (of
 * n_strings). 0 or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__texts_plan(struct span__texts_plan *plan,
				    struct span__texts_scratch *scratch,
				    const struct span_str *strings,
				    size_t n_strings, const uint32_t *v,
				    size_t n, struct span_error *err);
/* Put its texts into HEAP, if that is its way. */
void span__texts_put_heap(struct span__texts_plan *plan,
			  const struct span_str *strings,
			  struct span__chunks_writer *heap);
/* Bytes of memory that a plan holds, and scratch. */
size_t span__texts_plan_memory(const struct span__texts_plan *plan);
size_t span__texts_scratch_memory(const struct span__texts_scratch *s);
/* Append the column; FINAL gives the segment's number of a string by the
 * builder's. */
void span__texts_put(struct span_buf *out, const struct span__texts_plan *plan,
		     const uint32_t *final);
void span__texts_plan_release(struct span__texts_plan *plan);
void span__texts_scratch_release(struct span__texts_scratch *s);

struct span__texts {
	struct span__area area;
	uint64_t n;
	struct span__strings *strings;
	struct span__chunks *heap;
	uint8_t way;	 /* enum span__texts_way */
	uint32_t string; /* of a constant, which has nothing more */
	/* In the heap: where the values begin, and each group but the first,
	 * counted from there. It has nothing more. */
	struct span__area filter;
	uint64_t heap_pos;
	struct span__ints lengths, starts;
	/* The strings in order of their bytes, and for each value which (of
	 * templates: which template; empty when there is one). */
	struct span__ints list, codes;
	struct span__ints template_ends; /* in TEMPLATES; empty: none */
	struct span__area templates;
	uint64_t n_templates;
	unsigned n_vars;
	struct span__ints vars[SEG_TEMPLATE_VARS];
};

/* As span__ints_open(). STRINGS and HEAP are borrowed. */
bool span__texts_open(struct span__texts *c, const struct span__area *area,
		      uint64_t n, struct span__strings *strings,
		      struct span__chunks *heap, uint64_t *used);

/*
 * A copy of C in ARENA, with no more of it than its way has: a segment may
 * have very many columns. NULL when memory is out.
 */
struct span__texts *span__texts_keep(const struct span__texts *c,
				     struct span_arena *arena);

/*
 * Value I. It points into the string table, which lives as long as the
 * segment is open, or into ARENA. False when it is damaged (the file is marked
 * bad) or memory is out; *OUT is empty then.
 */
bool span__texts_get(const struct span__texts *c, uint64_t i,
		     struct span_arena *arena, struct span_str *out);

/*
 * Find values that are equal to TEXT: as span__ints_find(). Where way, list,
 * templates and filter rule it out no value is read.
 */
uint64_t span__texts_find(const struct span__texts *c, uint64_t from, size_t n,
			  struct span_str text, uint64_t *bits);

/*
 * Ask FN about the text of each value, with 1, 0, or a negative code, which
 * ends it; of equal texts as seldom as can be, so it must say the same. Sets
 * the bits of those it says 1 of, *N, in BITS (c->n of them, cleared before).
 * Damaged ones are left out, and the file is marked. TEMP is working memory
 * that FN must leave alone. With ALIKE it says the same of texts of which only
 * such digits differ (struct span_attr_test). 0, what FN returned below 0, or
 * SPAN_E_NOMEM.
 */
enum span__texts_alike {
	TEXTS_UNLIKE = 0,
	TEXTS_DIGITS, /* decimal ones */
	TEXTS_HEX,    /* hexadecimal ones too */
};
typedef int span__texts_ask_fn(void *arg, struct span_str text);
SPAN_NODISCARD int span__texts_ask(const struct span__texts *c,
				   span__texts_ask_fn *fn, void *arg,
				   enum span__texts_alike alike,
				   struct span_arena *temp, uint64_t *bits,
				   uint64_t *n);

/*
 * The distinct values, where the column has a list of them: true, and FN was
 * called with each (number: the segment's string). False where it has none.
 */
bool span__texts_distinct(const struct span__texts *c,
			  void (*fn)(void *arg, uint32_t string), void *arg);

/* True when all values are the same string of the table. */
bool span__texts_constant(const struct span__texts *c, uint32_t *string);

#endif
