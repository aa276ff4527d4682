/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loki-entry.h - a span, an event of it or a trace as an entry of Loki's
 */
#ifndef LOKI_ENTRY_H
#define LOKI_ENTRY_H

#include "cmd.h"
#include "loki-labels.h"
#include "loki-line.h"

enum loki_format { LOKI_PUSH, LOKI_LOGFMT, LOKI_JSON };

/* What an entry is about: EVENT of SPAN, TRACE, whose root SPAN is, or SPAN. */
struct loki_subject {
	const struct span *span;
	const struct span_event *event;
	const struct span_trace *trace;
};

struct loki_opts {
	int format;	  /* enum loki_format */
	bool json;	  /* lines of a request are JSON */
	bool no_metadata; /* ids are in the line only */
};

struct loki_counts {
	uint64_t spans, events, traces;
	uint64_t cut;	  /* lines that were too long */
	uint64_t clamped; /* times that Loki cannot say */
};

bool loki_is_error(const struct loki_subject *s);

/*
 * Append ["NS","LINE",{METADATA}], or where lines are wanted the line with its
 * end. *TIME_NS is the entry's. False when memory is out.
 */
bool loki_entry(struct span_buf *b, const struct loki_subject *s,
		const struct loki_stream *stream, uint64_t *time_ns);

extern struct loki_opts loki_opts;
extern struct loki_counts loki_counts;
void loki_entry_release(void);

#endif
