/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame.h - a decoded frame from the inside
 *
 * frame.c reads the frame and its tables, frame_attrs.c what refers to them,
 * frame_spans.c the spans; the writer takes slices of it.
 */
#ifndef SPAN_FRAME_H
#define SPAN_FRAME_H

#include <span/stream.h>

#include "base/dec.h"

#define SPAN__MARK "\xa4SPN1"
#define SPAN__FRAME_ELEMENTS 11u
#define SPAN__SPAN_ELEMENTS 10u

struct span_frame {
	struct span_frame_info info;
	uint64_t base_ns;
	uint64_t serial; /* of the last process */
	const struct span_scope *scopes;
	size_t n_scopes;
	struct span_str tables; /* strings, processes, scopes as packed */
	size_t strings_len;	/* how much of that are the strings */
	struct span_str body;
	struct dec next;   /* what is left of the body */
	struct dec span;   /* what is left of the last span */
	size_t n_elements; /* that it has */
	uint64_t error;	   /* the number of the text "error", where one is */
	size_t n_errors;   /* texts that are it: one in a sound frame */
	uint32_t spans_left;
	int failed; /* the code that every further call returns */
	struct span_arena table_arena; /* until the next parse */
	bool keep;		       /* spans stay until the next parse */
	struct span_arena span_arena;  /* until the next span, or so */
};

/* An array in A for the N elements that were announced; NULL when N is 0. */
void *span__frame_array(struct dec *d, struct span_arena *a, size_t n,
			size_t size);

/* String REF of the table; or REF minus one, where 0 is the empty string. */
struct span_str span__frame_string(const struct span_frame *f, struct dec *d,
				   uint64_t ref);
struct span_str span__frame_string1(const struct span_frame *f, struct dec *d);

/* The bytes of processes and scopes, of a frame that has strings. */
static inline struct span_str span__frame_owners(const struct span_frame *f)
{
	struct span_str last = f->info.strings[f->info.n_strings - 1];
	const char *p = last.p + last.len;

	return (struct span_str){p, (size_t)(f->tables.p + f->tables.len - p)};
}

/* Attributes, whose arrays are put into A. */
void span__frame_attrs(const struct span_frame *f, struct dec *d,
		       struct span_arena *a, struct span_attrs *out);

/*
 * The same of those alone whose keys are marked: string I of the frame is when
 * MARKS[I] is not 0. Of others nothing is checked but where they end.
 */
void span__frame_attrs_of(const struct span_frame *f, struct dec *d,
			  const uint8_t *marks, struct span_arena *a,
			  struct span_attrs *out);

/*
 * Pass over attributes. Returns whether the first with the key "error", which
 * is string f->error, is true; of a frame with one such string at most.
 */
bool span__frame_skip_attrs(const struct span_frame *f, struct dec *d);

/*
 * False when none of the attributes that follow has the key "error", which is
 * told from the bytes that are left of the span: every way to write a number
 * ends with its lowest ones.
 */
bool span__frame_may_fail(const struct span_frame *f, const struct dec *d);

/* A value that is written in place. */
void span__frame_value(struct dec *d, struct span_arena *a,
		       struct span_value *out);

/* Nanoseconds, or microseconds when negative. */
uint64_t span__frame_time(struct dec *d);
void span__frame_trace_id(struct dec *d, uint8_t out[16]);

/* Is ID one of the N at IDS, which are sorted by memcmp(3)? */
bool span__id_among(const uint8_t id[16], const uint8_t (*ids)[16], size_t n);

/* Move on by one span: *D is what belongs to it. False: F->next says why. */
bool span__frame_take(struct span_frame *f, struct dec *d);
/* Fail for what D found. Returns the code. */
int span__frame_fail(struct span_frame *f, const struct dec *d,
		     struct span_error *err);
/* After the last span nothing may be left of the body: 0 or a code. */
int span__frame_end(struct span_frame *f, struct span_error *err);

/*
 * span_frame_parse() of bytes that were written as a valid frame and have a
 * checksum around them that holds: the frame's own is not checked again.
 */
SPAN_NODISCARD int span__frame_parse_sound(struct span_frame *f, const void *p,
					   size_t len, size_t *used,
					   struct span_error *err);

/*
 * Call FN with the trace id of each span of the frame at P, whose checksum is
 * not looked at. 0 or a negative code.
 */
SPAN_NODISCARD int span__frame_ids(const void *p, size_t len,
				   void (*fn)(void *arg, const uint8_t id[16]),
				   void *arg);

/* Pass over the next span, of which there must be one: 0 or a negative code. */
SPAN_NODISCARD int span__frame_skip(struct span_frame *f,
				    struct span_error *err);

static inline uint32_t dec_u32(struct dec *d)
{
	return (uint32_t)dec_uint_max(d, UINT32_MAX, "a number above 2^32-1");
}

/* Pass over elements that a later minor version has added. */
static inline void skip_rest(struct dec *d, size_t have, size_t known)
{
	for (; have > known && !d->err; have--)
		span__dec_skip(d);
}

#endif
