/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_types.h - span types: what spans of one kind have in common, once
 *
 * A type is service, name, kind, status, scope, flags, and the ordered list of
 * keys with their value types, of the span and of its events. What remains of
 * a span are its slots: start, duration, process, and one value for each tag.
 * The values of one slot of all spans of a type are one column, in the order
 * of the traces; a span's place in it is its rank among the spans of its type.
 *
 * Spans that have too much of something (see below), or whose type comes after
 * there are SEG_TYPES_MAX, are of a loose type, which states only kind, status,
 * error and weight, and has two slots more: the name, and all the rest packed
 * (seg_pack.h). So hostile data costs compression, and nothing else.
 */
#ifndef SPAN_SEG_TYPES_H
#define SPAN_SEG_TYPES_H

#include <span/model.h>

#include "store/seg_texts.h"

#define SEG_TYPES_MAX 4096u  /* of a segment, loose ones come on top */
#define SEG_TYPE_SLOTS 128u  /* tags, event times and fields of one type */
#define SEG_TYPE_EVENTS 16u  /* events of a span in one type */
#define SEG_WEIGHTS_MAX 256u /* different weights; more: see weight */

enum span__slot_role {
	SLOT_START = 0, /* from the parent's start, or the trace's, or from
			 * what span__centre() expects; signed */
	SLOT_DURATION,
	SLOT_PROCESS,	 /* number of the process; absent when the type has
			  * same_process */
	SLOT_MESSAGE,	 /* status message, of types that have one */
	SLOT_STATE,	 /* trace state, of types that have one */
	SLOT_TAG,	 /* value of a tag */
	SLOT_EVENT_TIME, /* from the span's start; signed */
	SLOT_EVENT_TAG,	 /* value of an event's field */
	SLOT_REFS,	 /* packed references: refs SEG_REFS_PACKED */
	SLOT_NAME,	 /* loose types: the name */
	SLOT_REST,	 /* loose types: packed */
};

struct span__seg_slot {
	uint8_t role;	   /* enum span__slot_role */
	uint8_t value;	   /* enum span_type of a tag or field */
	uint16_t event;	   /* which event of the type */
	uint32_t key;	   /* string */
	uint64_t pos, len; /* of its column in SEG_COLUMNS; no column for a
			    * value of type SPAN_NULL: len 0 */
};

/*
 * How a slot's column is stored: numbers (seg_ints.h) for START, DURATION,
 * PROCESS, EVENT_TIME and values of type bool and int; doubles for double;
 * texts for all others, arrays and maps packed.
 */
static inline bool span__slot_is_text(const struct span__seg_slot *s)
{
	switch (s->role) {
	case SLOT_TAG:
	case SLOT_EVENT_TAG:
		return s->value != SPAN_BOOL && s->value != SPAN_INT &&
		       s->value != SPAN_DOUBLE && s->value != SPAN_NULL;
	case SLOT_MESSAGE:
	case SLOT_STATE:
	case SLOT_REFS:
	case SLOT_NAME:
	case SLOT_REST:
		return true;
	default:
		return false;
	}
}

enum span__seg_refs {
	SEG_REFS_NONE = 0,
	SEG_REFS_PARENT, /* one, ref_type, to the parent in the same trace,
			  * without anything else */
	SEG_REFS_PACKED,
};

struct span__seg_event_type {
	uint32_t name;	  /* string; of an event without one: the empty one */
	uint32_t dropped; /* attributes */
	uint16_t n_attrs;
};

struct span__seg_type {
	bool loose;
	bool error;	   /* span_is_error() */
	bool same_process; /* as the parent in the tree has */
	bool centred;	   /* starts of spans with a parent in the tree count
			    * from span__centre() */
	uint8_t kind, status;
	uint8_t refs; /* enum span__seg_refs */
	int32_t ref_type;
	uint16_t marks;
	uint32_t flags;
	uint32_t service, name; /* strings; SEG_NO_STRING of a loose type */
	uint32_t scope;		/* number + 1; 0: none */
	uint32_t dropped_attrs, dropped_events, dropped_refs;
	/*
	 * How many spans one stands for: 1 / probability of the threshold in
	 * its trace state (ot=th:), else 1. Always 1 where SEG_WEIGHTS_MAX was
	 * reached; HEADER.flags has SEG_FLAG_MIXED_WEIGHTS then.
	 */
	double weight;
	uint64_t n_spans;
	struct span__seg_event_type *events;
	uint16_t n_events, n_tags;
	/*
	 * In this order: start, duration, process unless same_process,
	 * message, state, tags, then for each event its time and fields, refs,
	 * name, rest.
	 */
	struct span__seg_slot *slots;
	uint16_t n_slots;
};

/* Of HEADER.flags. */
#define SEG_FLAG_MIXED_WEIGHTS 1u
#define SEG_FLAG_DISTINCT_IDS 2u /* no trace has two spans with one id */

/*
 * How long after its parent a span begins that lies in the middle of it, in
 * whole microseconds: what a server's span is to the client's. Any durations
 * will do; the difference is taken modulo 2^64.
 */
static inline uint64_t span__centre(uint64_t parent_duration_ns,
				    uint64_t duration_ns)
{
	int64_t around = (int64_t)(parent_duration_ns - duration_ns);

	return (uint64_t)(around / 2000 * 1000);
}

/* The section, which tells each type's place so that one can be read alone. */
SPAN_NODISCARD int span__types_put_section(struct span_buf *out,
					   const struct span__seg_type *types,
					   size_t n, struct span_error *err);

struct span__types {
	struct span__area area;
	uint64_t n;
	uint64_t columns; /* length of SEG_COLUMNS */
	struct span__ints ends;
	struct span__area bodies;
};
bool span__types_open(struct span__types *t, const struct span__area *area,
		      uint64_t n);
/*
 * Read type I; its arrays are in ARENA. False when it is damaged (the file is
 * marked bad: a slot outside of the columns, a count above its limit) or
 * memory is out.
 */
bool span__types_get(const struct span__types *t, uint64_t i,
		     struct span_arena *arena, struct span__seg_type *out);

/*
 * SEG_RANKS: for each type a column of n_blocks numbers, one after another:
 * how many spans of the type lie before the block. An array of their lengths
 * is not needed: SEG_RANKS begins with a column of n_types ends.
 */
SPAN_NODISCARD int span__ranks_put_section(struct span_buf *out,
					   const uint64_t *ranks,
					   size_t n_types, size_t n_blocks,
					   struct span_error *err);
struct span__ranks {
	struct span__area bodies;
	struct span__ints ends;
	uint64_t n_types, n_blocks;
};
bool span__ranks_open(struct span__ranks *r, const struct span__area *area,
		      uint64_t n_types, uint64_t n_blocks);
/* Open the column of TYPE. */
bool span__ranks_type(const struct span__ranks *r, uint64_t type,
		      struct span__ints *out);

#endif
