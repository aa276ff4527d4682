/* SPDX-License-Identifier: Apache-2.0 */
/* tree_plan.h - which spans of a tree get a line; for lib/render only */
#ifndef SPAN_RENDER_TREE_PLAN_H
#define SPAN_RENDER_TREE_PLAN_H

#include <span/render.h>

/* Siblings that are alike become one line from this number on. */
#define SPAN__FOLD_MIN 3u

struct span__tree_line {
	uint32_t span;
	uint32_t n;	 /* 1, or how many siblings it stands for */
	uint32_t hidden; /* spans below it that are left out */
	uint64_t end_ns; /* of the last of them */
	uint64_t sum_ns; /* their durations */
};

/*
 * The lines of T into *LINES: those of spans above o->depth; with o->fold a
 * row of siblings of one name and service that call nothing, did not fail and
 * are equally MATCHED (or NULL) in one. False when memory was out.
 */
bool span__tree_plan(const struct span_render_opts *o,
		     const struct span_trace *t, const uint8_t *matched,
		     struct span_buf *lines);

/* The sum of two times, the greatest one where it is more. */
uint64_t span__add_ns(uint64_t a, uint64_t b);

/* Does a sibling follow the last of those that LINE stands for? */
bool span__tree_more(const struct span_trace *t,
		     const struct span__tree_line *line);

#endif
