/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/jaeger_traces.h - traces as Jaeger's query API answers with them
 *
 * An answer is made trace by trace. What is small is whole before anything is
 * sent, so that what fails is an error of its own; of what is larger the rest
 * comes in pieces, with one trace in memory.
 */
#ifndef SERVE_JAEGER_TRACES_H
#define SERVE_JAEGER_TRACES_H

#include "serve/select.h"

/* Which traces; all borrowed while they are opened. */
struct span__serve_traces_opts {
	bool raw;		  /* as they are stored */
	struct span__select *sel; /* what a search looks for, or NULL: */
	uint64_t limit;		  /* the newest of these */
	const uint8_t (*ids)[16]; /* these, in their order */
	size_t n_ids;
	bool archived_only; /* the ids of the archive alone */
};

struct span__serve_traces;

/* 0; what span__serve_take() and a search return; SPAN_E_NOMEM. */
SPAN_NODISCARD int span__serve_traces_open(
	struct span__serve_traces **out, const struct span__serve *s,
	const struct span__serve_traces_opts *o, struct span_error *err);
void span__serve_traces_close(struct span__serve_traces **t);

/*
 * Answer with T, which belongs to the answer then or is closed. MUST: 404 where
 * there is none. Returns what handlers do.
 */
int span__serve_traces_answer(struct span__serve_traces **t, bool must,
			      struct span__serve_answer *a,
			      struct span_error *err);

#endif
