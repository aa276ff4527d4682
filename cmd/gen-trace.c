/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One walk through the topology, without recursion, so that a chain may be as
 * deep as it likes. Breadth first, every operation that runs becomes a node;
 * backwards, from calls to callers, durations and failures add up; forwards,
 * from callers to calls, the starts are laid out. A node's own time is spread
 * evenly before, between and after the steps it makes.
 */
#include "gen.h"

#include <stdlib.h>

#include "base/banned.h"

#define FIRST_NODES 64u
#define STAGGER_NS 60000u	 /* between starts of parallel calls */
#define QUEUE_LOG2 (24ull << 32) /* about 17 ms until a consumer runs */
#define QUEUE_SIGMA (2ull << 32)
#define FAILURE_SIGMA (1ull << 26) /* about 1 %, as timeouts vary */
#define NO_STEP UINT32_MAX

static struct gen_node *add_node(struct gen_trace *tr, struct span_error *err)
{
	if (tr->n == tr->cap) {
		size_t cap = tr->cap ? 2 * tr->cap : FIRST_NODES;
		struct gen_node *p = realloc(tr->nodes, cap * sizeof(*p));

		if (!p) {
			span_error_set(err, SPAN_E_NOMEM, "out of memory");
			return NULL;
		}
		tr->nodes = p;
		tr->cap = cap;
	}
	tr->nodes[tr->n] = (struct gen_node){.step = NO_STEP};
	return &tr->nodes[tr->n++];
}

static uint32_t draw_root(const struct gen_topology *t, uint64_t *state)
{
	uint64_t at = gen_below(state, t->weight);
	size_t lo = 0, hi = t->n_roots - 1;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (at < t->roots[mid].sum)
			hi = mid;
		else
			lo = mid + 1;
	}
	return t->roots[lo].op;
}

static uint32_t draw_process(const struct gen_topology *t, uint32_t op,
			     uint64_t *state)
{
	const struct gen_service *s = &t->services[t->ops[op].service];

	return s->first_process + (uint32_t)gen_below(state, s->n_instances);
}

static uint64_t draw_count(const struct gen_call *call, uint64_t *state)
{
	uint64_t n;

	if (!gen_chance(state, call->chance))
		return 0;
	if (call->lo == call->hi)
		return call->lo;
	n = gen_log_uniform(state, call->lo_log2, call->hi_log2);
	if (n < call->lo)
		return call->lo;
	return n > call->hi ? call->hi : n;
}

static int add_call(struct gen_trace *tr, const struct gen_topology *t,
		    uint32_t parent, uint32_t which, uint64_t *state,
		    struct span_error *err)
{
	const struct gen_op *op = &t->ops[tr->nodes[parent].op];
	const struct gen_call *call = &op->calls[which];
	bool other = t->ops[call->op].service != op->service;
	struct gen_node *child = add_node(tr, err), *from;

	if (!child)
		return SPAN_E_NOMEM;
	from = &tr->nodes[parent];
	child->op = call->op;
	child->parent = parent;
	child->depth = from->depth + 1;
	child->process =
		other ? draw_process(t, call->op, state) : from->process;
	child->peer = from->process;
	child->call = which;
	child->parallel = call->parallel;
	child->async = call->async;
	child->delay = call->parallel ? gen_below(state, STAGGER_NS) : 0;
	if (op->is_client)
		from->peer = child->process;
	return 0;
}

static int expand(struct gen_trace *tr, const struct gen_topology *t,
		  uint64_t *state, struct span_error *err)
{
	uint64_t depth =
		gen_log_uniform(state, t->depth_lo_log2, t->depth_hi_log2);
	struct gen_node *root = add_node(tr, err);

	if (!root)
		return SPAN_E_NOMEM;
	root->op = draw_root(t, state);
	root->parent = GEN_NO_NODE;
	root->process = root->peer = draw_process(t, root->op, state);
	for (uint32_t i = 0; i < tr->n; i++) {
		const struct gen_op *op = &t->ops[tr->nodes[i].op];

		if (tr->nodes[i].depth + 1 >= depth)
			continue;
		for (uint32_t k = 0; k < op->n_calls; k++) {
			uint64_t n = draw_count(&op->calls[k], state);

			for (; n && tr->n < GEN_MAX_TRACE; n--)
				if (add_call(tr, t, i, k, state, err) < 0)
					return SPAN_E_NOMEM;
		}
	}
	return 0;
}

static void draw_failure(struct gen_node *node, const struct gen_topology *t,
			 uint64_t *state)
{
	const struct gen_op *op = &t->ops[node->op];
	uint64_t chance = t->error_chance;

	if (chance < GEN_ALWAYS)
		chance = (chance >> 12) * (op->error.chance >> 10) >> 10;
	node->by_itself = gen_chance(state, chance);
	/* So far it only says that one of its calls failed. */
	if (node->failed)
		node->failed = gen_chance(state, GEN_PASSES_ON(op));
	node->failed = node->failed || node->by_itself;
}

/* Durations and failures, from the last call to the first caller. */
static void add_up(struct gen_trace *tr, const struct gen_topology *t,
		   uint64_t unit, uint64_t *state)
{
	for (size_t i = tr->n; i-- > 0;) {
		struct gen_node *node = &tr->nodes[i], *parent;
		const struct gen_op *op = &t->ops[node->op];
		uint64_t median = op->self_log2, sigma = op->sigma;

		draw_failure(node, t, state);
		if (node->by_itself && op->error.self_log2) {
			median = op->error.self_log2;
			sigma = FAILURE_SIGMA;
		}
		node->cursor = gen_log_normal(state, median, sigma) / unit;
		node->duration += node->step_end + node->cursor;
		node->duration += !node->duration;
		if (node->parent == GEN_NO_NODE || node->async)
			continue;
		parent = &tr->nodes[node->parent];
		if (node->failed) {
			parent->failed = true;
			parent->cause = (uint32_t)i;
		}
		if (parent->step != node->call) {
			parent->duration += parent->step_end;
			parent->step_end = 0;
			parent->step = node->call;
			parent->n_steps++;
		}
		node->delay /= unit;
		if (!node->parallel)
			parent->step_end += node->duration;
		else if (parent->step_end < node->delay + node->duration)
			parent->step_end = node->delay + node->duration;
	}
}

static void place_call(struct gen_node *parent, struct gen_node *node)
{
	uint64_t end;

	if (parent->step != node->call) {
		parent->step = node->call;
		parent->step_end += parent->delay;
		parent->cursor = parent->step_end;
	}
	node->start = parent->cursor + node->delay;
	end = node->start + node->duration;
	if (!node->parallel)
		parent->cursor = end;
	if (parent->step_end < end)
		parent->step_end = end;
}

/* Starts, from callers to calls; delay is now the gap between steps. */
static void lay_out(struct gen_trace *tr, uint64_t start, uint64_t unit,
		    uint64_t *state)
{
	for (size_t i = 0; i < tr->n; i++) {
		struct gen_node *node = &tr->nodes[i], *parent;
		uint64_t own = node->cursor;

		if (node->parent == GEN_NO_NODE) {
			node->start = start;
		} else if (parent = &tr->nodes[node->parent], node->async) {
			uint64_t wait =
				gen_log_normal(state, QUEUE_LOG2, QUEUE_SIGMA);

			node->start =
				parent->start + parent->duration + wait / unit;
		} else {
			place_call(parent, node);
		}
		node->delay = own / (node->n_steps + 1);
		node->step_end = node->start;
		node->step = NO_STEP;
	}
}

int gen_trace_draw(struct gen_trace *tr, const struct gen_topology *t,
		   uint64_t seed, uint64_t start, uint64_t unit,
		   struct span_error *err)
{
	uint64_t state = gen_mix(seed, GEN_SEED_WALK);
	uint64_t hi = gen_mix(seed, GEN_SEED_ID_HIGH);
	uint64_t lo = gen_mix(seed, GEN_SEED_ID_LOW);
	int rc;

	tr->n = 0;
	tr->seed = seed;
	for (size_t i = 0; i < 8; i++) {
		tr->trace_id[i] = (uint8_t)(hi >> (56 - 8 * i));
		tr->trace_id[8 + i] = (uint8_t)(lo >> (56 - 8 * i));
	}
	if ((rc = expand(tr, t, &state, err)) < 0)
		return rc;
	add_up(tr, t, unit, &state);
	lay_out(tr, start, unit, &state);
	tr->n_left = tr->n;
	return 0;
}
