/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample/strategies.h - the strategies file of Jaeger's collector
 *
 * Which share of the traces of each service and operation is to be kept.
 * Source: Jaeger documentation, "Sampling"; jaeger-idl sampling.thrift.
 */
#ifndef SAMPLE_STRATEGIES_H
#define SAMPLE_STRATEGIES_H

#include <span/base.h>

#define SPAN__PROBABILITY 0.001 /* where nobody says anything */

struct span__operation_strategy {
	struct span_str name;
	double p;
};

struct span__strategy {
	struct span_str service; /* empty: of all that are not named */
	bool limits;		 /* PARAM is of traces a second, whole */
	double param;		 /* else a probability */
	/* Then each operation has a probability, those not named the other. */
	bool has_operations;
	const struct span__operation_strategy *operations;
	size_t n_operations;
	double other;
};

struct span__baggage {
	struct span_str key;
	uint32_t max;
};

struct span__strategies {
	struct span_arena arena;
	struct span__strategy usual;
	struct span__strategy *services; /* in order */
	size_t n;
	struct span__baggage *baggage; /* what is allowed of it */
	size_t n_baggage;
	bool has_baggage;
};

/*
 * Read the LEN bytes of JSON at TEXT, named NAME in messages. What is wrong
 * but not fatal goes to WARNINGS, a line each.
 *
 * 0; SPAN_E_CORRUPT with the line and the place in the message when it is no
 * JSON, or not of that form; SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__strategies_parse(struct span__strategies **out,
					  const char *name, const void *text,
					  size_t len, struct span_buf *warnings,
					  struct span_error *err);

/* The strategy of SERVICE, or the usual one. */
const struct span__strategy *
span__strategies_find(const struct span__strategies *s,
		      struct span_str service);

/* The probability of an operation, of S that has none or does not limit. */
double span__strategy_p(const struct span__strategy *s,
			struct span_str operation);

/* NULL is fine. */
void span__strategies_close(struct span__strategies **s);

#endif
