/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces wait in a window, as those of a search of a stream do. Part of the
 * memory is for what was decided, by which late spans are judged.
 */
#include <stdlib.h>
#include <string.h>

#include "query/window.h"
#include "sample/decided.h"
#include "sample/policy.h"

#include "base/banned.h"

#define DECIDED_SHARE 8u /* of the memory, one part of so many */

struct span_sampler {
	struct span__policies policies;
	struct span_ratio ratio;
	struct span__window window;
	struct span__decided decided;
	struct span__open_trace *current; /* the one that was returned last */
	struct span_buf matched;
	size_t memory; /* for open traces */
};

int span_sampler_open(struct span_sampler **out,
		      const struct span_sampler_opts *o, struct span_error *err)
{
	uint64_t memory = o->memory ? o->memory : SPAN__WINDOW_MEMORY;
	struct span_sampler *s = calloc(1, sizeof(*s));
	int rc = 0;

	*out = NULL;
	if (!s)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	s->ratio = o->ratio;
	s->memory = memory - memory / DECIDED_SHARE;
	if (o->strategies)
		rc = span_strategies_parse(&s->policies.strategies,
					   o->strategies_name, o->strategies,
					   o->strategies_len, o->warnings, err);
	if (!rc)
		rc = span__policies_parse(&s->policies, o->name, o->policies,
					  o->len, err);
	if (!rc)
		rc = span__window_init(
			&s->window, o->wait_ns ? o->wait_ns : SPAN__WINDOW_NS,
			err);
	if (!rc)
		rc = span__decided_init(&s->decided, memory / DECIDED_SHARE,
					err);
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

static int decide(struct span_sampler *s, struct span__open_trace *t,
		  struct span_sampled *out, struct span_error *err)
{
	struct span_trace trace;
	struct span__chance chance = {0};
	struct span__asked_trace asked = {.trace = &trace,
					  .ratio = &s->ratio,
					  .now_ns = t->last + 1,
					  .matched = &s->matched};
	int rc;

	/* What came twice is kept or dropped twice. */
	t->builder.keep_duplicates = true;
	rc = span_trace_builder_build(&t->builder, &trace, err);
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
	struct span_verdict v;

	if (span__decided_get(&s->decided, span->trace_id, &v)) {
		*out = (struct span_sampled){
			.spans = span, .n = 1, .verdict = v, .late = true};
		return 1;
	}
	return span__window_put(&s->window, span, true, s->memory / 4, err);
}

int span_sampler_next(struct span_sampler *s, bool end,
		      struct span_sampled *out, struct span_error *err)
{
	struct span__window *w = &s->window;
	struct span__open_trace *t;
	int rc;

	span__open_trace_free(s->current);
	s->current = t = span__window_pop(w, s->memory, end);
	if (!t)
		return 0;
	*out = (struct span_sampled){
		.early = !end && !(t->last < w->now_ns &&
				   w->now_ns - t->last > w->window_ns)};
	rc = decide(s, t, out, err);
	if (rc < 0)
		return rc;
	span__decided_put(&s->decided, t->id, &out->verdict);
	return 1;
}

void span_sampler_idle(struct span_sampler *s, uint64_t ns)
{
	span__window_idle(&s->window, ns);
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
	span__open_trace_free(sampler->current);
	span__window_release(&sampler->window);
	span__decided_release(&sampler->decided);
	span__policies_release(&sampler->policies);
	span_buf_release(&sampler->matched);
	free(sampler);
	*s = NULL;
}
