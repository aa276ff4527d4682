/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "serve/jaeger_quality.h"

#include "base/banned.h"

#define NONE SPAN_TRACE_NONE
#define DOC_KINDS "https://opentelemetry.io/docs/specs/otel/trace/api/#spankind"
#define DOC_QUALITY                                                            \
	"https://github.com/jaegertracing/"                                    \
	"jaeger-analytics-java#trace-quality-metrics"

static enum span__serve_verdict verdict(bool good)
{
	return good ? SPAN__SERVE_PASS : SPAN__SERVE_FAIL;
}

static enum span__serve_verdict has_kind(const struct span_trace *t, uint32_t i)
{
	return verdict(t->spans[i].kind != SPAN_KIND_UNSPECIFIED);
}

static bool same_service(const struct span_trace *t, uint32_t a, uint32_t b)
{
	return span_str_equal(t->spans[a].process->service,
			      t->spans[b].process->service);
}

/* What is called has no spans by its nature. */
static bool calls_system(const struct span *s)
{
	static const char *const keys[] = {"db.system", "db.system.name",
					   "db.type", "messaging.system"};

	for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++)
		if (span_attr_get(&s->attrs, span_str(keys[k])))
			return true;
	return false;
}

static enum span__serve_verdict is_answered(const struct span_trace *t,
					    uint32_t i)
{
	const struct span *s = &t->spans[i];
	uint32_t child = t->nodes[i].first_child;

	if (s->kind != SPAN_KIND_CLIENT && s->kind != SPAN_KIND_PRODUCER)
		return SPAN__SERVE_EXEMPT;
	while (child != NONE && same_service(t, i, child))
		child = t->nodes[child].next_sibling;
	if (child != NONE)
		return SPAN__SERVE_PASS;
	return calls_system(s) ? SPAN__SERVE_EXEMPT : SPAN__SERVE_FAIL;
}

static enum span__serve_verdict has_parent(const struct span_trace *t,
					   uint32_t i)
{
	if (t->nodes[i].parent != NONE)
		return SPAN__SERVE_PASS;
	return span_is_root(&t->spans[i]) ? SPAN__SERVE_EXEMPT
					  : SPAN__SERVE_FAIL;
}

static bool same_id(const struct span_trace *t, uint32_t a, uint32_t b)
{
	return !memcmp(t->spans[a].span_id, t->spans[b].span_id, 8);
}

/* Client and server that share one id, Zipkin's way, may. */
static enum span__serve_verdict has_own_id(const struct span_trace *t,
					   uint32_t i)
{
	uint32_t parent = t->nodes[i].parent;
	uint32_t child = t->nodes[i].first_child;

	if (!(t->nodes[i].flags & SPAN_TRACE_SHARED))
		return SPAN__SERVE_PASS;
	if (parent != NONE && same_id(t, i, parent))
		return SPAN__SERVE_PASS;
	while (child != NONE && !same_id(t, i, child))
		child = t->nodes[child].next_sibling;
	return verdict(child != NONE);
}

/* A call that somebody waits for lies within the span of its caller. */
static enum span__serve_verdict agrees(const struct span_trace *t, uint32_t i)
{
	uint32_t parent = t->nodes[i].parent;

	if (parent == NONE || same_service(t, i, parent) ||
	    !span_trace_blocks(t, i))
		return SPAN__SERVE_EXEMPT;
	return verdict(t->spans[i].start_ns >= t->spans[parent].start_ns &&
		       span_end_ns(&t->spans[i]) <=
			       span_end_ns(&t->spans[parent]));
}

static enum span__serve_verdict is_whole(const struct span_trace *t, uint32_t i)
{
	return verdict(!t->spans[i].marks);
}

const struct span__serve_question span__serve_questions[SPAN__SERVE_QUESTIONS] =
	{
		{"Span kinds", "coverage",
		 "Spans that say whether they serve, call, produce or consume.",
		 DOC_KINDS, 0.4, has_kind},
		{"Calls answered", "coverage",
		 "Client and producer spans below which another service has a "
		 "span. Exempt: other kinds, calls of databases and queues.",
		 DOC_KINDS, 0.6, is_answered},
		{"Parents present", "quality",
		 "Spans whose parent is in the trace. Exempt: those that name "
		 "none.",
		 DOC_QUALITY, 0.4, has_parent},
		{"Unique span ids", "quality",
		 "Spans with an id that no other span of the trace has, but "
		 "for "
		 "a client and its server.",
		 DOC_QUALITY, 0.2, has_own_id},
		{"Clocks agree", "quality",
		 "Spans that lie within the call of the other service that "
		 "waits for them. Exempt: those that nobody waits for, or "
		 "within one service.",
		 DOC_QUALITY, 0.2, agrees},
		{"Received whole", "quality",
		 "Spans without a text or list that was too long, a time that "
		 "does not fit or a name that had to be replaced.",
		 DOC_QUALITY, 0.2, is_whole},
};
