/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame_judge.h - which spans of a frame are in a scan
 *
 * Spans are judged as they lie in the frame, without decoding them: names and
 * keys are looked up in the tables of the frame once, a span's numbers are
 * read in place, and of its attributes only the values that are asked for.
 */
#ifndef SPAN_FRAME_JUDGE_H
#define SPAN_FRAME_JUDGE_H

#include "base/dec.h"
#include "store/store_ops.h"
#include "text/tag_values.h"

#define JUDGE_TAGS 64u /* and tests; more are asked of the decoded span */

/* A scan, made ready to be asked; several threads may ask it. */
struct span__filter {
	struct span__scan scan;
	struct span__tag_eq tags[JUDGE_TAGS];
	const struct span_attr_test *tests[JUDGE_TAGS]; /* or NULL: a tag */
	uint16_t heads[JUDGE_TAGS]; /* kinds, or statuses, that fulfil a tag */
	size_t n_tags;
	uint64_t elses;	 /* those that depend on what the span itself has */
	uint64_t everys; /* tests of every value */
	bool more;	 /* there are more than that */
	bool all;	 /* there is no condition */
	bool errors;	 /* whether a span is an error matters */
};

/* SCAN and what it points to is borrowed. */
void span__filter_init(struct span__filter *filter,
		       const struct span__scan *scan);

enum {
	JUDGE_KEY = 1 << 0,   /* the key of a tag that is asked for */
	JUDGE_ERROR = 1 << 1, /* the key "error" */
	JUDGE_YES = 1 << 2,   /* an operation that is asked for */
	JUDGE_NO = 1 << 3,
	JUDGE_VALUE = 1 << 4, /* the value of the tag that is searched for */
	JUDGE_TRUE = 1 << 5,  /* "true", of an error */
};

/* What is known of a process, or a scope, before a span is looked at. */
struct span__verdict {
	uint64_t tags; /* those that it fulfils */
	bool in;       /* the service is one that is asked for */
};

/* Judges frames; of one thread. A zeroed struct with its filter is ready. */
struct span__judge {
	const struct span__filter *filter;
	struct span_frame *f;
	/* of the frame that is judged */
	struct span_buf marks;	   /* of strings: a byte of JUDGE_* each */
	struct span_buf processes; /* struct span__verdict */
	struct span_buf scopes;	   /* the same; the first: of no scope */
	bool has_keys;		   /* a key that is asked for is in the frame */
	bool has_error_key;
	uint64_t failed;	 /* of everys: a value of the span does not */
	bool ended;		 /* by a function of the range, not by damage */
	struct span_error *err;	 /* what it says goes there */
	struct span_arena arena; /* of values of a span */
	struct span_buf text;
	struct span_buf bits; /* the answer: uint64_t words */
	/* what was searched for: the spans that may have it */
	struct span_buf maybe;
	uint64_t searched; /* the bit of the tag; 0: none */
	bool skips;	   /* no span without it is in the scan */
	const uint64_t *has_tag, *has_error;
};

/*
 * Judge the spans of F, which was parsed or rewound: bit i of the words at
 * j->bits.p is set where span i is in the scan. F is rewound. *N is how many
 * they are. 0; a negative code when the frame is bad: the bits are those of the
 * spans before; SPAN_E_NOMEM, or what a function of the range returned.
 */
SPAN_NODISCARD int span__judge_frame(struct span__judge *j,
				     struct span_frame *f, uint32_t *n,
				     struct span_error *err);
/*
 * The first step: look at the tables of j->f. 1; 0 when no span can be in the
 * scan; or a negative code.
 */
SPAN_NODISCARD int span__judge_tables(struct span__judge *j,
				      struct span_error *err);
/* What is read of a span in place. */
struct span__raw {
	uint8_t trace_id[16];
	uint64_t id, parent_id;	       /* as big-endian values */
	uint64_t process, scope, name; /* in the tables of the frame */
	uint64_t start_ns, duration_ns;
	uint8_t kind, status;
	size_t n_elements;
	struct dec d; /* what is left of it */
};

/* Read the head of the next span, of which there must be one. 1 or a negative
 * code. */
SPAN_NODISCARD int span__raw_head(struct span_frame *f, struct span__raw *r,
				  struct span_error *err);

/* The same: 0 when it is not of the traces of the scan. */
SPAN_NODISCARD int span__judge_head(struct span__judge *j, struct span__raw *r,
				    struct span_error *err);

/*
 * Look at the spans of F, which was parsed or rewound, one after another; the
 * judge has a filter with a range. begin returns 0 or a negative code; next 1,
 * 0 at the end, or a negative code when the frame is bad.
 */
SPAN_NODISCARD int span__judge_begin(struct span__judge *j,
				     struct span_frame *f,
				     struct span_error *err);
SPAN_NODISCARD int span__judge_next(struct span__judge *j, struct span__raw *r,
				    struct span_error *err);
/* As span_is_error() of the span. */
bool span__judge_error(const struct span__judge *j, const struct span__raw *r);
/*
 * The second: find the spans that may have one of the tags, and with ERRORS
 * those that may have a true tag "error", in their attributes. False: memory.
 */
bool span__judge_search(struct span__judge *j, bool errors);
/* After that: does it rule out every span of the frame? */
bool span__judge_rules_out(const struct span__judge *j);
void span__judge_release(struct span__judge *j);

static inline bool span__judge_bit(const struct span__judge *j, size_t i)
{
	return ((const uint64_t *)(const void *)j->bits.p)[i / 64] >> i % 64 &
	       1;
}

/* Is the start of a span, or its duration, in the range? */
static inline bool span__range_times(const struct span_range *r,
				     uint64_t start_ns, uint64_t duration_ns)
{
	return start_ns >= r->since_ns &&
	       (!r->until_ns || start_ns < r->until_ns) &&
	       duration_ns >= r->min_duration_ns &&
	       (!r->max_duration_ns || duration_ns <= r->max_duration_ns);
}

/* Judge a span that is decoded. 1, 0, or a negative code. */
SPAN_NODISCARD int span__filter_span(const struct span__filter *filter,
				     const struct span *s,
				     struct span_buf *text,
				     struct span_error *err);

/*
 * Is a service, or an operation, in the range? 1, 0, or what a function of
 * the range returned.
 */
SPAN_NODISCARD int span__range_service(const struct span_range *r,
				       struct span_str name,
				       struct span_error *err);
SPAN_NODISCARD int span__range_operation(const struct span_range *r,
					 struct span_str name,
					 struct span_error *err);

#endif
