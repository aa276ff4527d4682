/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode.h - the formats that span-encode writes
 */
#ifndef ENCODE_H
#define ENCODE_H

#include "cmd.h"

enum encode_weight { ENCODE_SELF, ENCODE_WALL, ENCODE_COUNT };

/* What is written goes to B, which the caller empties now and then. */
struct encode_out {
	struct span_buf b;
	int weight; /* enum encode_weight, of folded stacks */
	bool csv_safe;
	uint64_t n_spans, n_traces;
	uint64_t n_cut; /* spans beyond a depth that the format has */
	bool first;	/* nothing of a list was written yet */
};

/*
 * A format: BEGIN and END may be NULL; it takes spans one by one or whole
 * traces. All return 0 or a negative code.
 */
struct encode_format {
	const char *name;
	int (*begin)(struct encode_out *o, struct span_error *err);
	int (*span)(struct encode_out *o, const struct span *s,
		    struct span_error *err);
	int (*trace)(struct encode_out *o, const struct span_trace *t,
		     struct span_error *err);
	int (*end)(struct encode_out *o, struct span_error *err);
	void (*release)(void);
};

/* encode-batch.c: formats of messages, by the number of enum span_format. */
int encode_message_begin(struct encode_out *o, int format,
			 struct span_error *err);
/* Each message is a line of its own. */
void encode_message_lines(void);
int encode_message_span(struct encode_out *o, const struct span *s,
			struct span_error *err);
int encode_message_end(struct encode_out *o, struct span_error *err);
void encode_message_release(void);

/* The others, each a file. */
extern const struct encode_format encode_chrome, encode_folded,
	encode_speedscope, encode_sql;

/* ---- encode-names.c: numbers for names, from 0 on as they come ---- */

struct encode_names {
	void *tree;
	struct span_arena arena;
	struct span_buf v; /* struct span_str, by number */
	uint32_t n;
};

/* The number of S; SPAN_E_NOMEM. It is new when it was N before. */
int encode_names_put(struct encode_names *t, struct span_str s,
		     uint32_t *number, struct span_error *err);
struct span_str encode_names_get(const struct encode_names *t, uint32_t number);
void encode_names_release(struct encode_names *t);

/* ---- encode-lanes.c: lanes on which spans nest ---- */

/*
 * The spans of a trace on lanes: of two spans on a lane one holds the other, or
 * they do not overlap. A span is on its parent's lane where that is
 * possible.
 */
struct encode_lanes {
	struct span_buf memory;
	uint32_t *order;  /* spans by start, what holds another before it */
	uint32_t *lane;	  /* of each span, from 0 on; lanes of all groups */
	uint32_t *group;  /* of each span; to be filled before */
	uint32_t *around; /* what holds it on its lane, or SPAN_TRACE_NONE */
	size_t n_lanes;
};

/* Room for the spans of T; all groups are 0. 0 or SPAN_E_NOMEM. */
int encode_lanes_begin(struct encode_lanes *l, const struct span_trace *t,
		       struct span_error *err);
/* Spans of different groups are never on one lane. */
int encode_lanes_build(struct encode_lanes *l, const struct span_trace *t,
		       struct span_error *err);
void encode_lanes_release(struct encode_lanes *l);

/* "SERVICE:OPERATION" of a span. */
void encode_frame_name(struct span_buf *b, const struct span *s);

#endif
