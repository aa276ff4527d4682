/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jaeger_model.h - what the readers of Jaeger's JSON and protobuf share
 */
#ifndef SPAN__JAEGER_MODEL_H
#define SPAN__JAEGER_MODEL_H

#include "codec/decoder.h"

/*
 * A process of a message that has several. MARKS are those of its own, for
 * the spans that it gets.
 */
struct span__jaeger_process {
	struct span_str id; /* JSON */
	struct span_process p;
	uint16_t marks;
};

/* A span being read. */
struct span__jaeger_span {
	struct span s;
	struct span__list attrs, events, refs;
	struct span__list warnings; /* struct span_value */
	int64_t start_us, duration_us;
	unsigned start_rest, duration_rest; /* ns that follow, below 1000 */
	const struct span__jaeger_process *process;
	const char *bad; /* why it cannot be taken, or NULL */
	const unsigned char *bad_at;
};

/* Keep the first reason. */
void span__jaeger_bad(struct span__jaeger_span *s, const unsigned char *at,
		      const char *why);

/*
 * A process begins: the message's marks are its own until it ends, when it
 * gets its number, and its name where it has none. ARENA holds it.
 */
uint16_t span__jaeger_process_begin(struct span__message *m);
void span__jaeger_process_end(struct span__message *m, uint16_t before,
			      struct span__jaeger_process *p,
			      struct span_arena *arena);

/* A warning: one of our marks, or kept. TEXT is in the arena or message. */
void span__jaeger_warning(struct span__message *m, struct span__jaeger_span *s,
			  struct span_str text);

/* Room for N, at most MAX, when it is known how many will come. */
void span__jaeger_reserve(struct span__message *m, struct span_arena *arena,
			  struct span__list *list, size_t n, size_t max,
			  size_t size);

/* The next of a list that holds MAX; above that NULL, and a mark. */
void *span__jaeger_push(struct span__message *m, struct span_arena *arena,
			struct span__list *list, size_t max, size_t size);

/* Set the time of an event: US, and REST ns below 1000 that follow. */
void span__jaeger_event_time(struct span__message *m, struct span_event *e,
			     int64_t us, unsigned rest);

/* The span is complete: it is bad, or goes on. */
void span__jaeger_span(struct span__message *m, struct span__jaeger_span *s);

#endif
