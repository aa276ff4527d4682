/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_template.h - texts with numbers in them
 *
 * A template is what remains of a text when runs of digits are taken out: a
 * list of tokens, each literal bytes or the place of a number. A number is
 * kept in one of SEG_TEMPLATE_VARS slots, which all templates of a column
 * share; a long one in two. The bytes of a token:
 *
 *     1 to 127, so many bytes               literal
 *     0x80 + 8 * kind + slot                a number
 *       then its width                      where the kind has one
 *       then the slot of its low 64 bits    where the kind has two
 */
#ifndef SPAN_SEG_TEMPLATE_H
#define SPAN_SEG_TEMPLATE_H

#include "store/seg_texts.h"

#define TEMPLATE_TEXT_MAX 1024u /* longer texts are not taken apart */
#define TEMPLATE_BODY_MAX 1152u /* bytes of all tokens */
#define TEMPLATE_LITERAL_MAX 127u

enum span__token_kind {
	TOKEN_DECIMAL = 0, /* without leading zeros, up to 19 digits */
	TOKEN_DIGITS,	   /* so many, up to 19 */
	TOKEN_HEX,	   /* so many lower-case hex digits, up to 16 */
	TOKEN_HEX_LONG,	   /* 17 to 32 of them, in two slots */
	TOKEN_UUID,	   /* 8-4-4-4-12 of them, in two slots */
	TOKEN_STRING,	   /* alone: the slot has a place in the list */
	TOKEN_LITERAL,
};

struct span__token {
	enum span__token_kind kind;
	uint8_t slot, low_slot; /* low_slot: only where it has two */
	uint8_t width;
	struct span_str literal;
};

/* What is left of a template's bytes. */
struct span__tokens {
	const uint8_t *p, *end;
};

/* 1 with *OUT, 0 at the end, -1 when the bytes make no sense. */
int span__token_next(struct span__tokens *t, struct span__token *out);

static inline bool span__token_long(enum span__token_kind kind)
{
	return kind == TOKEN_HEX_LONG || kind == TOKEN_UUID;
}

/* A text taken apart; its numbers have the slots 0, 1, ... */
struct span__split {
	uint8_t body[TEMPLATE_BODY_MAX];
	size_t len;
	uint64_t v[SEG_TEMPLATE_VARS];
	uint8_t kind[SEG_TEMPLATE_VARS]; /* the same ones may share a slot */
	unsigned n;
};

/* TEXT is up to TEMPLATE_TEXT_MAX bytes. */
void span__template_split(struct span__split *s, struct span_str text);

/*
 * The text of template BODY, no TOKEN_STRING, with the numbers V of the slots,
 * into OUT, which has room for TEMPLATE_RENDER_MAX. False when a number has
 * not the form that the template wants.
 */
#define TEMPLATE_RENDER_MAX (TEMPLATE_BODY_MAX * 20u)
bool span__template_render(struct span_str body, const uint64_t *v, char *out,
			   size_t *len);

/*
 * True when TEXT is of template BODY: then V has the numbers of the slots
 * whose bits are in *SLOTS.
 */
bool span__template_match(struct span_str body, struct span_str text,
			  uint64_t *v, unsigned *slots);

/*
 * Plan the column as templates: fill plan->data, and for texts that are like
 * no other plan->strings. False, with the plan as it was, when the texts are
 * too unlike, or memory is out (then scratch's or plan's buffers have failed).
 */
bool span__templates_plan(struct span__texts_plan *plan,
			  struct span__texts_scratch *scratch,
			  const struct span_str *strings, const uint32_t *v,
			  size_t n);

/* The bytes of template K. False: damaged. */
bool span__texts_template(const struct span__texts *c, uint64_t k,
			  struct span_str *body);

/* The slots that BODY uses, and whether it is that of a string. */
bool span__texts_slots(const struct span__texts *c, struct span_str body,
		       unsigned *slots, bool *string);

/* Where a group's texts begin and end in the heap. False: damaged. */
bool span__texts_heap_group(const struct span__texts *c, uint64_t group,
			    uint64_t *pos, uint64_t *end);

/* The strings that scratch->c lists (uint32_t), in order of their bytes, and
 * their ranks in scratch->code. False when memory is out. */
bool span__texts_rank(struct span__texts_plan *plan,
		      struct span__texts_scratch *scratch,
		      const struct span_str *strings);

#endif
