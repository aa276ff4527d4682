/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_build_state.h - what a builder of segments holds
 *
 * seg_build.c takes spans, seg_build_type.c gives them their types,
 * seg_build_order.c puts them in order, seg_build_tree.c does that for one
 * trace, seg_build_columns.c writes the values, seg_build_tables.c strings,
 * processes and the like, and seg_build_finish.c calls them in turn.
 */
#ifndef SPAN_SEG_BUILD_STATE_H
#define SPAN_SEG_BUILD_STATE_H

#include "store/seg_agg.h"
#include "store/seg_build.h"
#include "store/seg_pool.h"
#include "store/seg_shapes.h"
#include "store/seg_types.h"
#include "trace/parents.h"

/* Words of the signature of a type, at most; see seg_build_type.c. */
#define SEG_SIGNATURE (24u + 3u * SEG_TYPE_EVENTS + 2u * SEG_TYPE_SLOTS)

struct span__build_span {
	uint64_t id;
	uint64_t parent; /* once in order: the start of a centred type */
	uint64_t start;	 /* once in order: the start of another type */
	uint64_t duration;
	uint32_t trace, type, row, process;
};

struct span__build_trace {
	uint8_t id[16];
	uint64_t min_start, max_end;
	uint32_t n;
};

struct span__build_type {
	/* strings by the builder's number; slots behind the process's */
	struct span__seg_type type;
	uint32_t *signature;
	struct span__raw *columns; /* of slots behind process, in their order */
	uint32_t n_rows, n_words, n_columns;
	uint32_t final; /* its number in the segment */
};

/* A table of numbers by hash: upper half of the hash, number + 1. */
struct span__build_index {
	uint64_t *slots;
	size_t mask, n;
};

#define SEG_CACHED 1024u
#define SEG_CACHED_SCOPES 16u

struct span__seg_builder {
	enum span__seg_codec codec;
	struct span__intern strings, processes, scopes;
	struct span__pool pool;	   /* of types */
	struct span__pool columns; /* of values, until they are written */
	struct span_buf spans, traces, types;
	struct span__build_index by_trace, by_signature;
	uint32_t n_exact, n_weights;
	double weights[SEG_WEIGHTS_MAX];
	bool mixed_weights;
	bool failed;	 /* memory was out: nothing is put any more */
	bool only_known; /* texts and scopes are looked up, none is added */
	size_t limit;	 /* of memory; 0: none */
	unsigned threads;
	struct span_buf pack;
	uint32_t *services; /* of processes: strings */
	size_t services_cap;
	uint32_t last_trace;
	uint32_t longest;      /* spans of a trace */
	uint32_t longest_type; /* rows of a type */
	size_t n_columns;      /* of all types */
	/* processes by serial */
	struct {
		uint64_t serial;
		uint32_t process;
	} cached[SEG_CACHED];
	/* the frame that is being put: where its texts begin */
	const char *texts;
	size_t texts_len;
	struct span_buf at;	 /* u32 by half of the offset: text + 1 */
	struct span_buf numbers; /* u32 by text of the frame: string + 1 */
	const struct span_str *frame_strings;
	size_t n_frame_strings;
	bool in_frame;
	struct {
		const struct span_scope *scope;
		uint32_t number;
	} frame_scopes[SEG_CACHED_SCOPES];
};

static inline struct span__build_span *
span__build_spans(const struct span__seg_builder *b)
{
	return (struct span__build_span *)(void *)b->spans.p;
}

static inline struct span__build_trace *
span__build_traces(const struct span__seg_builder *b)
{
	return (struct span__build_trace *)(void *)b->traces.p;
}

static inline struct span__build_type *
span__build_types(const struct span__seg_builder *b)
{
	return (struct span__build_type *)(void *)b->types.p;
}

static inline size_t span__build_n_types(const struct span__seg_builder *b)
{
	return b->types.len / sizeof(struct span__build_type);
}

static inline size_t span__build_n_traces(const struct span__seg_builder *b)
{
	return b->traces.len / sizeof(struct span__build_trace);
}

/* Room for one more in X; false when memory is out. */
bool span__build_index_grow(struct span__build_index *x);

/* True when there are no more types but loose ones. */
static inline bool span__build_full(const struct span__seg_builder *b)
{
	return b->n_exact >= SEG_TYPES_MAX;
}

/* Which text of the frame S is; SEG_NO_STRING when it is none. */
static inline uint32_t
span__build_frame_string(const struct span__seg_builder *b, struct span_str s)
{
	uintptr_t off = (uintptr_t)s.p - (uintptr_t)b->texts;
	uint32_t i;

	if (off >= b->texts_len)
		return SEG_NO_STRING;
	i = ((const uint32_t *)(const void *)b->at.p)[off / 2] - 1;
	if (i >= b->n_frame_strings || b->frame_strings[i].p != s.p ||
	    b->frame_strings[i].len != s.len)
		return SEG_NO_STRING;
	return i;
}

/* Of a text that the frame has no number of. */
uint32_t span__build_other_string(struct span__seg_builder *b,
				  struct span_str s);

/*
 * The number of a text; SEG_NO_MEMORY when memory is out, or when it is not
 * there and only what is known counts.
 */
static inline uint32_t span__build_string(struct span__seg_builder *b,
					  struct span_str s)
{
	uint32_t i = span__build_frame_string(b, s), number = 0;

	if (i != SEG_NO_STRING)
		number = ((const uint32_t *)(const void *)b->numbers.p)[i];
	return number ? number - 1 : span__build_other_string(b, s);
}
/* The scope's number + 1, 0 for none; SEG_NO_MEMORY likewise. */
uint32_t span__build_scope(struct span__seg_builder *b,
			   const struct span_scope *s);

/*
 * Find or make the type of S and add its values: true with the type's number
 * and the row in it.
 */
bool span__build_typed(struct span__seg_builder *b, const struct span *s,
		       uint32_t *type, uint32_t *row);

/* Bytes of memory that it holds. */
size_t span__build_held(const struct span__seg_builder *b);
/* What a thread needs while columns are planned. */
size_t span__build_room(const struct span__seg_builder *b);
/* span__seg_builder_memory() with THREADS. */
size_t span__build_memory(const struct span__seg_builder *b, unsigned threads);
/* Give back what only putting needs. */
void span__build_seal(struct span__seg_builder *b);

/* A span in the tree of its trace; numbers of spans are within the trace. */
struct span__tree_node {
	uint64_t id, parent_id, start;
	uint32_t span; /* in the builder */
	uint32_t type, process;
	uint32_t parent;   /* UINT32_MAX: none here */
	uint32_t first, n; /* its children in kids[] */
	uint32_t depth, link;
	uint8_t state;
	bool cut; /* its parents form a circle, which was cut here */
};

/* Scratch of span__build_tree(), zeroed at first but for SECRET; it grows. */
struct span__build_tree {
	void *memory;
	size_t size, cap; /* bytes; spans */
	uint64_t secret[2];
	bool shared;	/* two spans have one id that is not 0 */
	bool any_twice; /* two of some trace have one id, 0 too */
	struct span__tree_node *nodes;
	struct span__item *items;
	uint32_t *kids, *stack, *table;
	uint32_t *order;	      /* nodes in preorder */
	struct span__seg_node *shape; /* in that order */
};

/* The tree of the N spans at SPANS. False when memory is out. */
bool span__build_tree(const struct span__seg_builder *b,
		      struct span__build_tree *t, const uint32_t *spans,
		      uint32_t n);

/* Everything in the order it is written. */
struct span__build_block {
	uint64_t trace, span, min_start, max_start;
};
struct span__build_explicit {
	uint64_t trace, node, id;
};
struct span__build_order {
	uint32_t *traces; /* the builder's numbers */
	uint32_t *spans;
	uint32_t *types;
	uint32_t *shapes;	  /* by trace, in order */
	struct span_buf blocks;	  /* struct span__build_block */
	struct span_buf ranks;	  /* by block, then by type: u32 */
	struct span_buf explicit; /* struct span__build_explicit */
	struct span__shapes_writer *writer;
	struct span__agg_writer *calls;
	struct span__build_tree tree;
	struct span_buf members; /* scratch of span__build_calls() */
	struct span__parents parents;
	uint32_t *counts; /* of spans by type, so far */
	uint64_t min_start, max_start, max_end;
};

/*
 * Number the types, put traces in order of start, and each trace as
 * seg_shapes.h says. The starts of spans become values of their slots. O is
 * zeroed at first, and released by the caller, after an error too.
 */
SPAN_NODISCARD int span__build_order(struct span__seg_builder *b,
				     struct span__build_order *o,
				     struct span_error *err);
/* Note the calls of the N spans of o->tree. */
SPAN_NODISCARD int span__build_calls(struct span__seg_builder *b,
				     struct span__build_order *o, uint32_t n,
				     struct span_error *err);
void span__build_order_release(struct span__build_order *o);

/* What is written, but for what span__build_order has. */
struct span__build_output {
	struct span_buf *numbers; /* by type, in order: its columns of numbers,
				     end to end */
	struct span__texts_plan *plans; /* of columns of texts, in order */
	uint32_t *first_plan;		/* by type */
	size_t n_types, n_plans;
	struct span__chunks_writer *heap;
	uint32_t *strings;   /* the segment's by the builder's */
	uint32_t *processes; /* the same */
	uint32_t *process_order;
	struct span__seg_type *types; /* in order */
};

/*
 * Plan all columns: numbers and plans are filled in. SPAN_E_LIMIT when that
 * takes more memory than there may be.
 */
SPAN_NODISCARD int span__build_columns(struct span__seg_builder *b,
				       const struct span__build_order *o,
				       struct span__build_output *out,
				       struct span_error *err);
/* When strings have their numbers: the section SEG_COLUMNS, and types. */
SPAN_NODISCARD int span__build_put_columns(struct span__seg_builder *b,
					   const struct span__build_order *o,
					   struct span__build_output *out,
					   struct span_buf *section,
					   struct span_error *err);
void span__build_output_release(struct span__build_output *out);

/* Number processes by service: out->processes and out->process_order. */
SPAN_NODISCARD int span__build_processes(struct span__seg_builder *b,
					 struct span__build_output *out,
					 struct span_error *err);
/* Number the strings that are used: out->strings; their section. */
SPAN_NODISCARD int span__build_strings(struct span__seg_builder *b,
				       struct span__build_output *out,
				       struct span_buf *section,
				       struct span_buf *shorts,
				       struct span_error *err);

#endif
