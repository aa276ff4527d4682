/* SPDX-License-Identifier: Apache-2.0 */
/* model.h - what other layers use of the model beside <span/model.h> */
#ifndef SPAN_MODEL_MODEL_H
#define SPAN_MODEL_MODEL_H

#include <span/model.h>

/* What makes a span with no other attribute one of span_is_error(). */
extern const struct span_attr span__error_attr;

/* Replace what *P (*S) points to by copies in A; false: out of memory. */
bool span__copy_process(struct span_process *p, struct span_arena *a);
bool span__copy_scope(struct span_scope *s, struct span_arena *a);

bool span__process_equal(const struct span_process *a,
			 const struct span_process *b);
bool span__scope_equal(const struct span_scope *a, const struct span_scope *b);

/*
 * How many spans one with this trace state stands for: the inverse of the
 * probability that OpenTelemetry's threshold (ot=th:...) tells, else 1.
 */
double span__weight(struct span_str trace_state);

/*
 * Of a trace state: the threshold of 56 bits, 0 when it tells none; and the
 * random bits that are compared with it, false when it has none of its own.
 */
#define SPAN__OT_ALL (UINT64_C(1) << 56)
uint64_t span__threshold(struct span_str trace_state);
bool span__randomness(struct span_str trace_state, uint64_t *r);

/* The value of KEY in OpenTelemetry's member of a trace state, or empty. */
struct span_str span__ot_value(struct span_str trace_state, const char *key);
/* Cut the part before the first C, or all, from S; S without blanks around. */
struct span_str span__cut(struct span_str *s, char c);
struct span_str span__trim(struct span_str s);

/*
 * Its references are one to the parent that it names, of any type, with
 * nothing else in it; and: that is a FOLLOWS_FROM one.
 */
bool span__plain_parent(const struct span *s);
bool span__follows(const struct span *s);

#endif
