/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sampling_answer.h - what clients that ask are told about sampling
 *
 * The answers of Jaeger's collector and agent, JSON. Source: Jaeger
 * documentation, "Sampling"; jaeger-idl sampling.thrift.
 */
#ifndef NET_SAMPLING_ANSWER_H
#define NET_SAMPLING_ANSWER_H

#include <span/strategies.h>

/*
 * Append the answer for SERVICE. When NUMERIC its strategyType is a number, as
 * the agent's oldest endpoint has it. S may be NULL: one trace in a thousand,
 * for every service.
 */
void span__sampling_answer(const struct span_strategies *s,
			   struct span_str service, bool numeric,
			   struct span_buf *out);

/*
 * Append the list of baggage restrictions. Returns false when the file says
 * nothing about them. S may be NULL.
 */
bool span__baggage_answer(const struct span_strategies *s,
			  struct span_buf *out);

#endif
