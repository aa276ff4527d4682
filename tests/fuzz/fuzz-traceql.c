/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TraceQL as people type it: what is accepted is asked of a small trace, and
 * what it chooses must be among what each span alone says it could choose.
 */
#include <span/query.h>

#include <stdlib.h>
#include <string.h>

#include "query/match.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

#define N 5

static void make_spans(struct span *spans, const struct span_process *process,
		       const struct span_attr *attrs)
{
	for (size_t i = 0; i < N; i++) {
		spans[i] = (struct span){
			.trace_id = {[15] = 1},
			.span_id = {[7] = (uint8_t)(i + 1)},
			.parent_id = {[7] = (uint8_t)((i + 1) / 2)},
			.start_ns = 1000 + i,
			.duration_ns = i * 1000000,
			.name = {"GET /", 5},
			.kind = (uint8_t)i,
			.status = (uint8_t)(i % 3),
			.process = process,
			.attrs = {attrs, i % 4, 0},
		};
	}
}

static void ask(const struct span_query *q, const struct span_trace *t)
{
	struct span_error err = {0};
	uint8_t matched[N];
	int rc = span__query_judge(q, t, matched, &err);

	if (rc < 0 && rc != SPAN_E_LIMIT)
		abort();
	for (size_t i = 0; i < t->n && rc >= 0; i++) {
		int could = span_query_match(q, &t->spans[i], &err);

		if (could < 0 && could != SPAN_E_LIMIT)
			abort();
		if (rc > 0 && matched[i] && could == 0)
			abort();
		if (could == 1 && !span_query_needs_trace(q) &&
		    (!rc || !matched[i]))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static const struct span_attr attrs[] = {
		{{"a", 1}, {SPAN_STRING, {.str = {"500", 3}}}},
		{{"b", 1}, {SPAN_INT, {.i = 500}}},
		{{"c", 1}, {SPAN_BYTES, {.str = {"\x05\x00", 2}}}},
	};
	static const struct span_process process = {.service = {"shop", 4}};
	struct span_trace_builder b = {0};
	struct span spans[N];
	struct span_select sel = {.metrics = true};
	struct span_error err = {0};
	struct span_query *q;
	struct span_trace t;
	char *text = malloc(len + 1);

	if (!text)
		abort();
	memcpy(text, p, len);
	text[len] = 0;
	sel.expression = text;
	if (span_query_compile(&q, &sel, &err) < 0) {
		if (q || !err.code || !err.msg[0] || err.pos > len)
			abort();
		free(text);
		return 0;
	}
	free(text);
	make_spans(spans, &process, attrs);
	for (size_t i = 0; i < N; i++)
		if (span_trace_builder_put(&b, &spans[i], &err) < 0)
			abort();
	if (span_trace_builder_build(&b, &t, &err) < 0)
		abort();
	ask(q, &t);
	span_trace_builder_release(&b);
	span_query_close(&q);
	return 0;
}
