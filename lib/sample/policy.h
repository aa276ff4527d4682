/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h - what of a trace decides
 *
 * A policy gives a trace a chance: a probability that is compared with the
 * randomness of its id, or a place among the so many of a time. span-sample(1)
 * describes the file that policies are read from.
 */
#ifndef SPAN_SAMPLE_POLICY_H
#define SPAN_SAMPLE_POLICY_H

#include <span/query.h>
#include <span/sample.h>

#include "sample/adaptive.h"
#include "sample/buckets.h"
#include <span/strategies.h>

#define SPAN__POLICY_DEPTH 16
#define SPAN__POLICY_MAX 1000u

enum span__policy_type {
	SPAN__POLICY_ALWAYS,
	SPAN__POLICY_ERROR,
	SPAN__POLICY_STATUS,
	SPAN__POLICY_LATENCY,
	SPAN__POLICY_TRACEQL,
	SPAN__POLICY_RATIO,
	SPAN__POLICY_RATE,
	SPAN__POLICY_RARE,
	SPAN__POLICY_FIRST,
	SPAN__POLICY_STRATEGIES,
	SPAN__POLICY_ADAPTIVE,
	SPAN__POLICY_AND,
	SPAN__POLICY_OR,
	SPAN__POLICY_NOT,
};

enum span__per { SPAN__PER_ALL, SPAN__PER_SERVICE, SPAN__PER_OPERATION };

struct span__policy {
	enum span__policy_type type;
	struct span_str name;
	uint32_t number; /* among all that have a name to be counted by */
	bool remembers;	 /* it, or one below, is of those with a limit */
	uint8_t status;
	enum span__per per;
	uint64_t min_ns, max_ns; /* 0: any */
	double ratio;
	struct span_query *query;
	struct span__limit limit;
	/* Borrowed; and a limit for each of its services, then the usual. */
	const struct span_strategies *strategies;
	struct span__limit *limits;
	struct span__policy *v; /* and, or, not */
	size_t n;
};

/* One trace while it is asked about. */
struct span__asked_trace {
	const struct span_trace *trace;
	const struct span_ratio *ratio;
	uint64_t now_ns; /* for limits, never 0 */
	struct span_buf *matched;
	const struct span__adapted *adapted; /* where a policy adapts */
};

struct span__chance {
	double p;
	uint32_t policy;
	/* A limit has a place for it, or had none and nothing else takes it. */
	struct span__bucket *bucket;
	bool has_place;
};

/* P keeps what S says, with limits in A. 0, SPAN_E_IO or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__policy_strategies(struct span__policy *p,
					   const struct span_strategies *s,
					   struct span_arena *a,
					   struct span_error *err);

/* 0, or SPAN_E_LIMIT of a regex, SPAN_E_NOMEM. */
SPAN_NODISCARD int span__policy_ask(struct span__policy *p,
				    struct span__asked_trace *t,
				    struct span__chance *out,
				    struct span_error *err);

struct span__policies {
	struct span_arena arena;
	struct span__policy root;	    /* an OR of those in the file */
	struct span_strategies *strategies; /* or NULL; owned */
	struct span__adaptive adaptive;
	bool adapts;
	const struct span__policy **numbered;
	uint32_t n;
};

/*
 * Read the LEN bytes of JSON at TEXT, named NAME in messages; one policy of
 * P->strategies is that they say what is kept, where there are any. 0;
 * SPAN_E_INVALID with the line in the message; SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__policies_parse(struct span__policies *p,
					const char *name, const void *text,
					size_t len, struct span_error *err);
void span__policies_release(struct span__policies *p);

#endif
