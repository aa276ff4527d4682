/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls_file.h - the traces of one file of a store, for counting calls
 *
 * A log is read once and kept by what counts: 44 bytes a span. A segment is
 * read trace by trace, from its columns.
 */
#ifndef SPAN_CALLS_FILE_H
#define SPAN_CALLS_FILE_H

#include "store/calls_names.h"
#include "store/seg_read.h"
#include "trace/parents.h"

struct span__call {
	uint64_t start_ns, duration_ns;
	uint32_t name;	/* number in the names */
	uint32_t place; /* in the order of the file; of a segment: the node */
	uint32_t type;	/* in a segment */
	bool loose;	/* and the type does not name it */
};

/*
 * The spans of a trace that are in one file. A zeroed struct is empty; reuse
 * it.
 */
struct span__call_trace {
	size_t n;
	struct span__member *members; /* until they are sorted in the order */
	struct span__call *calls;     /* of the file */
	/* after span__call_trace_link() */
	const uint32_t *parent; /* index or SPAN_TRACE_NONE */
	const uint8_t *flags;	/* SPAN_TRACE_ORPHAN, others when sorted */
	struct span__few_parents few;
	struct span__parents parents;
	struct span_buf buf, table;
};
/* Room for N spans, to be filled in and counted in t->n. False: no memory. */
bool span__call_trace_room(struct span__call_trace *t, size_t n);
/*
 * Find the parents. Where ids are shared, or parents go in circles, this sorts
 * the spans by start. 0 or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__call_trace_link(struct span__call_trace *t,
					 struct span_error *err);
/* The same, and sort: for span__parents_adopt() of t->parents. */
SPAN_NODISCARD int span__call_trace_sort(struct span__call_trace *t,
					 struct span_error *err);
void span__call_trace_release(struct span__call_trace *t);

/* ---- frames ---- */

/* With NAMES_ONLY it counts them, and has no traces. */
struct span__calls_log;
SPAN_NODISCARD int span__calls_log_open(struct span__calls_log **out,
					struct span__call_names *names,
					bool names_only,
					struct span_error *err);
/* Make room for N spans in all. 0 or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__calls_log_reserve(struct span__calls_log *l,
					   uint64_t n, struct span_error *err);
/*
 * Take the spans of a frame whose checksum was checked. 0; SPAN_E_NOMEM;
 * another code when the frame is bad: what was before the damage is taken.
 */
SPAN_NODISCARD int span__calls_log_put(struct span__calls_log *l,
				       struct span_str frame,
				       struct span_error *err);
/* All are there: put them in order by trace. 0 or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__calls_log_finish(struct span__calls_log *l,
					  struct span_error *err);
size_t span__calls_log_memory(const struct span__calls_log *l);
void span__calls_log_close(struct span__calls_log **l);

/* ---- either ---- */

struct span__calls_seg;

struct span__calls_file {
	struct span__calls_log *log; /* or */
	struct span__calls_seg *seg;
};

SPAN_NODISCARD int span__calls_seg_open(struct span__calls_seg **out,
					struct span__seg *seg,
					struct span__call_names *names,
					struct span_error *err);
void span__calls_seg_close(struct span__calls_seg **s);
struct span__seg *span__calls_seg(struct span__calls_seg *s);

/* The name of the spans of type I of a segment, which must not be loose. */
SPAN_NODISCARD int span__calls_seg_name(struct span__calls_seg *s, uint64_t i,
					uint32_t *name, struct span_error *err);
/* True when its spans' names are not told by their type; or it is damaged. */
bool span__calls_seg_loose(struct span__calls_seg *s, uint64_t i);
/* Any type that is loose or damaged. */
bool span__calls_seg_any_loose(const struct span__calls_seg *s);

uint64_t span__calls_file_traces(const struct span__calls_file *f);
/* 1 with *TRACE, 0 when it has none of this trace, SPAN_E_CORRUPT. */
SPAN_NODISCARD int span__calls_file_find(const struct span__calls_file *f,
					 const uint8_t id[16], uint64_t *trace,
					 struct span_error *err);
void span__calls_file_trace_id(const struct span__calls_file *f, uint64_t trace,
			       uint8_t id[16]);
void span__calls_file_times(const struct span__calls_file *f, uint64_t trace,
			    uint64_t *start_ns, uint64_t *end_ns);
/*
 * The spans of a trace; ascending numbers are faster. Damaged ones are left
 * out. 0, SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__calls_file_trace(const struct span__calls_file *f,
					  uint64_t trace,
					  struct span__call_trace *out,
					  struct span_error *err);

#endif
