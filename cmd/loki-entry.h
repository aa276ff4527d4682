/* SPDX-License-Identifier: Apache-2.0 */
/* loki-entry.h - a span or an event of it as an entry of Loki's */
#ifndef LOKI_ENTRY_H
#define LOKI_ENTRY_H

#include "cmd.h"

#define LOKI_SPAN SIZE_MAX	  /* the span itself, no event of it */
#define LOKI_MAX_LINE 262144u	  /* bytes; longer ones Loki refuses */
#define LOKI_MAX_LABEL 680u	  /* a third of Loki's limit, see .c */
#define LOKI_MAX_BATCH (1u << 29) /* offsets in a batch are 32 bits */

/* A zeroed struct is ready. */
struct loki_writer {
	bool no_metadata; /* ids go into the line */
	uint64_t spans, events;
	uint64_t cut;	  /* lines that were too long */
	uint64_t clamped; /* times that Loki cannot say */
	struct span_buf line, scratch;
};

/* The stream's labels as a JSON object: from a fixed list of names only. */
void loki_labels(struct span_buf *b, const struct span *s, size_t event);

/* ["NS","LINE",{METADATA}]; returns the time. */
uint64_t loki_value(struct loki_writer *w, struct span_buf *b,
		    const struct span *s, size_t event);

void loki_release(struct loki_writer *w);

#endif
