/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span/strategies.h - the strategies file of Jaeger's collector
 *
 * Which share of the traces of each service and operation is to be kept.
 * Source: Jaeger documentation, "Sampling"; jaeger-idl sampling.thrift.
 *
 * All of it is read only and lives until span_strategies_close(), so that
 * several threads may share it.
 */
#ifndef SPAN_STRATEGIES_H
#define SPAN_STRATEGIES_H

#include <span/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SPAN_STRATEGY_PROBABILITY 0.001 /* where nobody says anything */

struct span_operation_strategy {
	struct span_str name;
	double p;
};

struct span_strategy {
	struct span_str service; /* empty: of all that are not named */
	bool limits;		 /* PARAM is of traces a second, whole */
	double param;		 /* else a probability */
	/* Then each operation has a probability, those not named the other. */
	bool has_operations;
	const struct span_operation_strategy *operations;
	size_t n_operations;
	double other;
};

struct span_baggage {
	struct span_str key;
	uint32_t max;
};

struct span_strategies {
	struct span_arena arena;
	struct span_strategy usual;
	struct span_strategy *services; /* in order */
	size_t n;
	struct span_baggage *baggage; /* what is allowed of it */
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
SPAN_API SPAN_NODISCARD int span_strategies_parse(struct span_strategies **out,
						  const char *name,
						  const void *text, size_t len,
						  struct span_buf *warnings,
						  struct span_error *err);

/* The strategy of SERVICE, or the usual one. */
SPAN_API const struct span_strategy *
span_strategies_find(const struct span_strategies *s, struct span_str service);

/* The probability of an operation, of S that has none or does not limit. */
SPAN_API double span_strategy_p(const struct span_strategy *s,
				struct span_str operation);

/* NULL is fine. */
SPAN_API void span_strategies_close(struct span_strategies **s);

#ifdef __cplusplus
}
#endif

#endif
