/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many spans a trace has on average, and how often a span must fail by
 * itself so that the share of spans that are errors, those that fail for
 * their calls included, is the one asked for.
 *
 * For every operation: its expected spans, the chance that it fails and its
 * expected failing spans, as if failures were rare enough to add up. One
 * round of the iteration adds one level of calls. All numbers are in 2^-16.
 */
#include "gen.h"

#include <stdlib.h>

#include "base/banned.h"

#define ONE 65536u
#define LN2 2977044472ull /* in 2^-32 */
#define ENOUGH (1ull << 44)
#define MAX_ROUNDS 1000u

__extension__ typedef unsigned __int128 wide;

struct estimate {
	uint64_t spans, fails, errors;
};

static uint64_t times(uint64_t a, uint64_t b)
{
	wide product = (wide)a * b >> 16;

	return product > ENOUGH ? ENOUGH : (uint64_t)product;
}

/* How many calls on average: the mean of a log-uniform number. */
static uint64_t mean_calls(const struct gen_call *call)
{
	uint64_t ln = (call->hi_log2 - call->lo_log2) / ONE * LN2 / ONE;
	wide mean = ((wide)(call->hi + 1 - call->lo) << 48) / ln;

	return times((uint64_t)mean - ONE / 2, call->chance / ONE);
}

static struct estimate estimate_op(const struct gen_op *op,
				   const struct estimate *last)
{
	struct estimate e = {ONE, op->error.chance / ONE, 0};

	for (size_t i = 0; i < op->n_calls; i++) {
		const struct gen_call *call = &op->calls[i];
		const struct estimate *to = &last[call->op];
		uint64_t n = mean_calls(call);
		uint64_t fails = times(n, to->fails);

		e.spans += times(n, to->spans);
		e.errors += times(n, to->errors);
		if (!call->async)
			e.fails += times(fails, GEN_PASSES_ON(op) / ONE);
	}
	e.errors += e.fails;
	return e;
}

/* Chance by itself, from the share of errors and the errors each causes. */
static uint64_t by_itself(uint64_t rate, uint64_t each)
{
	wide rest = (wide)(GEN_ALWAYS - rate) * each >> 16;

	if (!rate)
		return 0;
	return (uint64_t)(((wide)rate << 32) / (rate + rest));
}

int gen_topology_estimate(struct gen_topology *t, double error_rate,
			  struct span_error *err)
{
	struct estimate *now = calloc(t->n_ops, sizeof(*now));
	struct estimate *last = calloc(t->n_ops, sizeof(*last));
	uint64_t depth =
		gen_exp2((int64_t)((t->depth_lo_log2 + t->depth_hi_log2) / 2));
	struct estimate sum = {0, 0, 0};
	bool same = false;

	if (!now || !last) {
		free(now);
		free(last);
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	}
	for (uint64_t k = 0; k < depth && k < MAX_ROUNDS && !same; k++) {
		struct estimate *swap = last;

		same = true;
		last = now;
		now = swap;
		for (size_t i = 0; i < t->n_ops; i++) {
			now[i] = estimate_op(&t->ops[i], last);
			same = same && now[i].errors == last[i].errors &&
			       now[i].spans == last[i].spans;
		}
	}
	for (size_t i = 0; i < t->n_ops; i++) {
		uint64_t share = ((uint64_t)t->ops[i].weight << 32) / t->weight;

		sum.spans += times(now[i].spans, share / ONE);
		sum.errors += times(now[i].errors, share / ONE);
	}
	free(now);
	free(last);
	t->mean_spans = sum.spans / ONE + 1;
	t->error_chance = by_itself(gen_probability(error_rate),
				    sum.errors / (sum.spans / ONE + 1));
	return 0;
}
