/* SPDX-License-Identifier: Apache-2.0 */
/* tree_critical.h - the critical path in bars; for lib/render only */
#ifndef SPAN_RENDER_TREE_CRITICAL_H
#define SPAN_RENDER_TREE_CRITICAL_H

#include <span/render.h>

#include <string.h>

#include "render/tree_plan.h"

/* Columns of a bar at most. */
#define SPAN__MAX_BAR 80

struct span__critical {
	const struct span_trace *t;
	const struct span_trace_section *sections;
	uint32_t *first, *next; /* a span's sections; NULL: there are none */
	struct span_buf memory;
};

/* The sections that O has of T, by span. False when memory was out. */
bool span__critical_init(struct span__critical *c,
			 const struct span_render_opts *o,
			 const struct span_trace *t);

/*
 * In which of WIDTH columns (SPAN__MAX_BAR at most), that stand for FULL_NS
 * from the trace's start on, at least half of the time of the spans that LINE
 * stands for is on the critical path. False when in none.
 */
bool span__critical_columns(const struct span__critical *c,
			    const struct span__tree_line *line,
			    uint64_t full_ns, size_t width, uint8_t *columns);
/* How long SPAN is on the critical path. */
uint64_t span__critical_ns(const struct span__critical *c, uint32_t span);
/*
 * A line that says which services and operations the critical path is made
 * of, the largest first, as far as there is room; nothing without one.
 */
void span__critical_summary(struct span_buf *b,
			    const struct span_render_opts *o,
			    const struct span_trace *t);
void span__critical_release(struct span__critical *c);

#endif
