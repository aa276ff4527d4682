/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adaptive.h - the share of each operation by how many of its traces come
 *
 * An operation is that of a service, where a trace begins. Its traces are
 * counted for an interval in the time of the stream, and then its share is set
 * anew: for a target as Jaeger's adaptive sampling does, or by bands of load.
 * span-sample(1) has the rules.
 */
#ifndef SPAN_SAMPLE_ADAPTIVE_H
#define SPAN_SAMPLE_ADAPTIVE_H

#include <span/sample.h>

#include "base/hash.h"
#include "base/slots.h"

#define SPAN__BANDS_MAX 16u

struct span__band {
	double below; /* traces a second; of the last one infinite */
	double p;
};

struct span__adapted {
	uint64_t hash;
	struct span_str service, operation;
	double p, count;     /* of this interval, by weight */
	uint32_t band, idle; /* idle: intervals in a row without any */
};

struct span__adaptive {
	double target; /* traces a second to be kept; 0: bands */
	double initial, min;
	struct span__band bands[SPAN__BANDS_MAX];
	uint32_t n_bands;
	uint64_t interval_ns;
	uint64_t carried_ns; /* of the interval, before this process began */
	uint64_t now_ns, ends_ns;
	uint64_t rounds;   /* intervals that have ended */
	struct span_buf v; /* struct span__adapted; see adaptive.c */
	struct span__slots slots;
	struct span_arena names;
	struct span__key secret;
};

/* With the rules set: 0, SPAN_E_IO or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__adaptive_init(struct span__adaptive *a,
				       struct span_error *err);
/*
 * The trace of ROOT came at NOW_NS, which is never 0. What its operation has;
 * NULL when memory is out. Valid until the next call.
 */
const struct span__adapted *span__adaptive_arrive(struct span__adaptive *a,
						  const struct span *root,
						  uint64_t now_ns);
/* How many traces ROOT stands for by its client's own sampling, 1 at least. */
double span__client_weight(const struct span *root);

/* The operation's entry, a new one where it has none, or the shared one. */
struct span__adapted *span__adaptive_find(struct span__adaptive *a,
					  struct span_str service,
					  struct span_str operation);
size_t span__adaptive_n(const struct span__adaptive *a);
struct span__adapted *span__adaptive_at(const struct span__adaptive *a,
					size_t i);
void span__adaptive_release(struct span__adaptive *a);

/* ---- adaptive_state.c: what is kept from run to run, JSON ---- */

void span__adaptive_save(const struct span__adaptive *a, struct span_buf *out);
/* 0; SPAN_E_CORRUPT when the LEN bytes TEXT are no such state; SPAN_E_NOMEM. */
SPAN_NODISCARD int span__adaptive_load(struct span__adaptive *a,
				       const char *name, const void *text,
				       size_t len, struct span_error *err);
/* Jaeger's strategies file. 0 or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__adaptive_strategies(const struct span__adaptive *a,
					     struct span_buf *out,
					     struct span_error *err);

/* ---- rate_parse.c ---- */

/* Read the target, or else the bands; one can be NULL. NULL, or what is wrong.
 */
const char *span__adaptive_rules(struct span__adaptive *a, const char *target,
				 const char *bands);

#endif
