/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces wait until none of their spans has come for a while in the time of the
 * stream. Part of the memory is for what was decided, by which late spans are
 * judged.
 */
#include <stdlib.h>
#include <string.h>

#include "query/stream_time.h"
#include "sample/decided.h"
#include "sample/policy.h"
#include "sample/waiting.h"

#include "base/banned.h"

#define DECIDED_SHARE 8u /* of the memory, one part of so many */
#define BIG_SHARE 4u	 /* that one trace may need */
#define WAIT_NS UINT64_C(10000000000)
#define MEMORY (64u << 20)
#define LARGE (256u << 10) /* what is kept for reading the next trace */

struct span_sampler {
	struct span__policies policies;
	struct span_ratio ratio;
	struct span__stream_time time;
	struct span__blocks blocks;
	struct span__waiting waiting;
	struct span__decided decided;
	/* The trace that was returned last. */
	uint32_t current;
	struct span_trace_builder builder;
	struct span_buf matched;
};

int span_sampler_open(struct span_sampler **out,
		      const struct span_sampler_opts *o, struct span_error *err)
{
	uint64_t memory = o->memory ? o->memory : MEMORY;
	struct span_sampler *s = calloc(1, sizeof(*s));
	int rc = 0;

	*out = NULL;
	if (!s)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	s->ratio = o->ratio;
	s->current = SPAN__WAITING_NONE;
	span__stream_time_init(&s->time, o->wait_ns ? o->wait_ns : WAIT_NS);
	span__blocks_init(&s->blocks, memory);
	if (o->strategies)
		rc = span_strategies_parse(&s->policies.strategies,
					   o->strategies_name, o->strategies,
					   o->strategies_len, o->warnings, err);
	if (!rc)
		rc = span__policies_parse(&s->policies, o->name, o->policies,
					  o->len, err);
	if (!rc)
		rc = span__decided_init(&s->decided, memory / DECIDED_SHARE,
					err);
	if (!rc)
		rc = span__waiting_init(
			&s->waiting, &s->blocks,
			memory - span__decided_bytes(&s->decided),
			memory / BIG_SHARE, err);
	if (rc < 0)
		span_sampler_close(&s);
	*out = s;
	return rc;
}

/* A wish of a span, and the first to be kept before any to be dropped. */
static bool wishes(const struct span_trace *t, struct span_verdict *v)
{
	bool refused = false, wanted = false;

	for (size_t i = 0; i < t->n && !wanted; i++) {
		wanted = span_wants_sampling(&t->spans[i]);
		refused |= span_refuses_sampling(&t->spans[i]);
	}
	*v = (struct span_verdict){
		.keep = wanted, .policy = SPAN_POLICY_WISH, .p = 1};
	return wanted || refused;
}

static void conclude(const struct span_sampler *s, const struct span__chance *c,
		     const struct span *root, struct span_verdict *v)
{
	*v = (struct span_verdict){
		.keep = c->p > 0 &&
			(c->p >= 1 || span_ratio_keeps(&s->ratio, c->p, root)),
		.by_ratio = !c->has_place,
		.policy = c->policy,
		.p = c->p};
	if (!c->bucket)
		return;
	if (v->keep)
		v->p /= span__bucket_stands_for(c->bucket);
	else if (!c->has_place && c->p == 0)
		span__bucket_miss(c->bucket);
}

static int decide(struct span_sampler *s, uint64_t came,
		  struct span_sampled *out, struct span_error *err)
{
	struct span_trace trace;
	struct span__chance chance = {0};
	struct span__asked_trace asked = {.trace = &trace,
					  .ratio = &s->ratio,
					  .now_ns = came + 1,
					  .matched = &s->matched};
	int rc;

	/* What came twice is kept or dropped twice. */
	s->builder.keep_duplicates = true;
	rc = span_trace_builder_build(&s->builder, &trace, err);
	if (rc < 0)
		return rc;
	out->spans = trace.spans;
	out->n = trace.n;
	if (s->policies.adapts) {
		asked.adapted = span__adaptive_arrive(&s->policies.adaptive,
						      &trace.spans[trace.root],
						      asked.now_ns);
		if (!asked.adapted)
			return span_error_set(err, SPAN_E_NOMEM,
					      "memory is out");
	}
	if (wishes(&trace, &out->verdict))
		return 0;
	rc = span__policy_ask(&s->policies.root, &asked, &chance, err);
	if (rc >= 0)
		conclude(s, &chance, &trace.spans[trace.root], &out->verdict);
	return rc;
}

int span_sampler_put(struct span_sampler *s, const struct span *span,
		     struct span_sampled *out, struct span_error *err)
{
	uint64_t hash = span__decided_hash(&s->decided, span->trace_id);
	uint32_t t = span__waiting_find(&s->waiting, span->trace_id, hash);
	struct span_verdict v;

	if (t == SPAN__WAITING_NONE &&
	    span__decided_get(&s->decided, hash, &v)) {
		*out = (struct span_sampled){
			.spans = span, .n = 1, .verdict = v, .late = true};
		return 1;
	}
	return span__waiting_put(
		&s->waiting, t, span, hash,
		span__stream_time_tick(&s->time, span_end_ns(span)), err);
}

/* Forget the trace that was returned last, and the memory it took. */
static void drop_current(struct span_sampler *s)
{
	struct span_trace_builder *b = &s->builder;

	if (s->current == SPAN__WAITING_NONE)
		return;
	span__waiting_drop(&s->waiting, s->current);
	s->current = SPAN__WAITING_NONE;
	if (span_arena_size(&b->arena) + b->spans.cap + b->scratch.cap > LARGE)
		span_trace_builder_release(b);
	else
		span_trace_builder_reset(b);
}

/* The trace to decide next, 1; 0; or a negative code. */
static int choose(struct span_sampler *s, bool end, bool *early,
		  uint32_t *number, struct span_error *err)
{
	struct span__waiting *w = &s->waiting;

	*number = w->oldest;
	*early = false;
	if (!w->n)
		return 0;
	if (end || span__stream_time_over(&s->time,
					  span__waiting_at(w, w->oldest)->last))
		return 1;
	*early = true;
	if (w->big != SPAN__WAITING_NONE) {
		*number = w->big;
		return 1;
	}
	while (span__waiting_is_full(w)) {
		int rc = span__held_compact(
			&w->held, span__waiting_at(w, w->oldest)->first, err);

		if (rc <= 0)
			return rc < 0 ? rc : 1;
	}
	return 0;
}

int span_sampler_next(struct span_sampler *s, bool end,
		      struct span_sampled *out, struct span_error *err)
{
	const struct span__waiting_trace *t;
	bool early;
	uint32_t number;
	int rc;

	drop_current(s);
	rc = choose(s, end, &early, &number, err);
	if (rc <= 0)
		return rc;
	*out = (struct span_sampled){.early = early};
	span__waiting_take(&s->waiting, number);
	s->current = number;
	t = span__waiting_at(&s->waiting, number);
	span__decided_expect(&s->decided, t->hash);
	span__waiting_expect(&s->waiting);
	rc = span__waiting_read(&s->waiting, number, &s->builder, err);
	if (rc >= 0)
		rc = decide(s, t->last, out, err);
	if (rc < 0)
		return rc;
	span__decided_put(&s->decided, t->hash, &out->verdict);
	return 1;
}

void span_sampler_idle(struct span_sampler *s, uint64_t ns)
{
	span__stream_time_idle(&s->time, ns);
}

uint32_t span_sampler_n_policies(const struct span_sampler *s)
{
	return SPAN_POLICY_FIRST + s->policies.n;
}

struct span_str span_sampler_policy(const struct span_sampler *s,
				    uint32_t number)
{
	if (number < SPAN_POLICY_FIRST)
		return number == SPAN_POLICY_WISH ? SPAN_STR("wish of a span")
						  : SPAN_STR("none");
	return s->policies.numbered[number - SPAN_POLICY_FIRST]->name;
}

bool span_sampler_adapts(const struct span_sampler *s)
{
	return s->policies.adapts;
}

uint64_t span_sampler_rounds(const struct span_sampler *s)
{
	return s->policies.adaptive.rounds;
}

int span_sampler_save(const struct span_sampler *s, struct span_buf *out,
		      struct span_error *err)
{
	span__adaptive_save(&s->policies.adaptive, out);
	return out->failed ? span_error_set(err, SPAN_E_NOMEM, "memory is out")
			   : 0;
}

int span_sampler_load(struct span_sampler *s, const char *name,
		      const void *text, size_t len, struct span_error *err)
{
	return span__adaptive_load(&s->policies.adaptive, name, text, len, err);
}

int span_sampler_strategies(const struct span_sampler *s, struct span_buf *out,
			    struct span_error *err)
{
	return span__adaptive_strategies(&s->policies.adaptive, out, err);
}

void span_sampler_close(struct span_sampler **s)
{
	struct span_sampler *sampler = *s;

	if (!sampler)
		return;
	span_trace_builder_release(&sampler->builder);
	span__waiting_release(&sampler->waiting);
	span__decided_release(&sampler->decided);
	span__policies_release(&sampler->policies);
	span_buf_release(&sampler->matched);
	free(sampler);
	*s = NULL;
}
