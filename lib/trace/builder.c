/* SPDX-License-Identifier: Apache-2.0 */
#include <span/trace.h>

#include <string.h>

#include "model/model.h"
#include "trace/assemble.h"

#include "base/banned.h"

/* The same process as one of the last spans, or NULL. */
static const struct span_process *
find_process(const struct span_trace_builder *b, const struct span_process *p)
{
	size_t n = b->n_processes < SPAN_TRACE_PROCESSES ? b->n_processes
							 : SPAN_TRACE_PROCESSES;

	for (size_t i = 0; i < n; i++)
		if (span__process_equal(b->processes[i], p))
			return b->processes[i];
	return NULL;
}

/* Copy without the process, which is there already. */
static int copy_rest(struct span *dst, const struct span *src,
		     const struct span_process *process,
		     struct span_arena *arena)
{
	static const struct span_process none;
	struct span bare = *src;
	int rc;

	bare.process = &none;
	rc = span_copy(dst, &bare, arena);
	dst->process = process;
	return rc;
}

int span_trace_builder_put(struct span_trace_builder *b, const struct span *s,
			   struct span_error *err)
{
	const struct span_process *process = find_process(b, s->process);
	size_t n = b->spans.len / sizeof(*s);
	struct span *to;
	int rc;

	if (n && memcmp(((struct span *)b->spans.p)->trace_id, s->trace_id,
			sizeof(s->trace_id)) != 0)
		return span_error_set(err, SPAN_E_INVALID,
				      "a span of another trace");
	if (n >= SPAN_TRACE_NONE - 1)
		return span_error_set(err, SPAN_E_LIMIT,
				      "too many spans in one trace");
	to = (struct span *)span_buf_reserve(&b->spans, sizeof(*s));
	if (!to)
		goto nomem;
	rc = process ? copy_rest(to, s, process, &b->arena)
		     : span_copy(to, s, &b->arena);
	if (rc < 0)
		goto nomem;
	if (!process)
		b->processes[b->n_processes++ % SPAN_TRACE_PROCESSES] =
			to->process;
	b->spans.len += sizeof(*s);
	return 0;
nomem:
	b->spans.failed = false;
	return span_error_set(err, SPAN_E_NOMEM,
			      "no memory for a trace of %zu spans", n);
}

int span_trace_builder_build(struct span_trace_builder *b,
			     struct span_trace *out, struct span_error *err)
{
	size_t n = b->spans.len / sizeof(struct span);
	size_t left;
	int rc;

	if (!n)
		return span_error_set(err, SPAN_E_INVALID,
				      "a trace without spans");
	b->scratch.len = 0;
	rc = span__assemble((struct span *)b->spans.p, n, b->keep_duplicates,
			    &b->scratch, out, &left);
	if (rc < 0) {
		b->scratch.failed = false;
		return span_error_set(err, rc,
				      "no memory for a trace of %zu spans", n);
	}
	b->spans.len = left * sizeof(struct span);
	b->n_duplicates += n - left;
	out->n_duplicates = b->n_duplicates;
	return 0;
}

void span_trace_builder_reset(struct span_trace_builder *b)
{
	span_arena_reset(&b->arena);
	b->spans.len = 0;
	b->scratch.len = 0;
	b->n_processes = 0;
	b->n_duplicates = 0;
}

void span_trace_builder_release(struct span_trace_builder *b)
{
	span_arena_release(&b->arena);
	span_buf_release(&b->spans);
	span_buf_release(&b->scratch);
	*b = (struct span_trace_builder){0};
}
