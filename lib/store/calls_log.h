/* SPDX-License-Identifier: Apache-2.0 */
/* calls_log.h - the spans of a log as calls_file.h keeps them; for it only */
#ifndef SPAN_CALLS_LOG_H
#define SPAN_CALLS_LOG_H

#include "store/calls_file.h"
#include "store/frame_judge.h"

struct span__log_call {
	uint64_t id, parent_id;
	uint64_t start_ns, duration_ns;
	uint32_t name, trace;
};

struct span__log_trace {
	uint8_t id[16];
	uint32_t first, n; /* its spans in order[] */
	uint64_t start_ns, end_ns;
};

/* Spans that were put one after another, where others came from elsewhere. */
struct span__log_piece {
	size_t number; /* pieces are in order by that */
	uint32_t from, to;
};

#define CALLS_LOG_RECENT 512u /* a power of two */

struct span__calls_log {
	struct span__call_names *names;
	struct span__key key;
	struct span__log_call *v;
	size_t n, cap;
	struct span__log_trace *traces;
	size_t n_traces, cap_traces;
	uint32_t last_trace; /* that a span was put to */
	uint32_t *table;     /* number of a trace + 1; 0: free */
	size_t table_size;
	uint32_t *order;	/* of v[], by trace; after finish */
	struct span_buf pieces; /* of v[]; none: it is in order */
	/* only names are counted: uint64_t, one each, and nothing is kept */
	bool names_only;
	struct span_buf counts;
	/* while frames are put */
	struct span_range errors;
	struct span__scan scan;
	struct span__filter filter;
	struct span__judge judge;
	struct span_frame *frame;
	bool has_state; /* a string of the frame may tell a weight */
	/* Names of the frame that were looked up; key 0: none. */
	struct {
		uint64_t key;
		uint32_t number;
	} recent[CALLS_LOG_RECENT];
};

/* What was put since there were FROM spans is piece NUMBER. 0, SPAN_E_NOMEM. */
SPAN_NODISCARD int span__calls_log_piece(struct span__calls_log *l,
					 size_t number, size_t from,
					 struct span_error *err);
/*
 * Take the spans of OTHER, too, which has pieces of the same log and numbers
 * the same names. 0, SPAN_E_NOMEM, SPAN_E_LIMIT.
 */
SPAN_NODISCARD int span__calls_log_join(struct span__calls_log *l,
					const struct span__calls_log *other,
					struct span_error *err);

/* The number of a trace + 1, where it is or will be in the table. */
uint32_t *span__calls_log_slot(const struct span__calls_log *l,
			       const uint8_t id[16]);

#endif
