/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/strategies.h - what clients that ask are told about sampling
 *
 * The strategies file of Jaeger's collector, and its answers. Source: Jaeger
 * documentation, "Sampling"; jaeger-idl sampling.thrift.
 */
#ifndef NET_STRATEGIES_H
#define NET_STRATEGIES_H

#include <span/base.h>

struct span__strategies;

/*
 * Read the LEN bytes of JSON at TEXT, named NAME in messages. What is wrong
 * but not fatal goes to WARNINGS, a line each.
 *
 * 0; SPAN_E_CORRUPT with the place in the message when it is no JSON, or not
 * of that form; SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__strategies_parse(struct span__strategies **out,
					  const char *name, const void *text,
					  size_t len, struct span_buf *warnings,
					  struct span_error *err);

/*
 * Append the answer for SERVICE, JSON. When NUMERIC its strategyType is a
 * number, as the agent's oldest endpoint has it. S may be NULL: one trace in
 * a thousand, for every service.
 */
void span__strategies_answer(const struct span__strategies *s,
			     struct span_str service, bool numeric,
			     struct span_buf *out);

/*
 * Append the list of baggage restrictions, JSON. Returns false when the file
 * says nothing about them.
 */
bool span__strategies_baggage(const struct span__strategies *s,
			      struct span_buf *out);

/* How many services are named. */
size_t span__strategies_n(const struct span__strategies *s);

/* NULL is fine. */
void span__strategies_close(struct span__strategies **s);

#endif
