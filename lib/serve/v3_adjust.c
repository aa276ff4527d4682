/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace as Jaeger 2 shows it, with its adjusters in its order: those that
 * make sense of OTLP. What they have to say is in "@jaeger@warnings".
 */
#include "serve/v3.h"

#include <span/adjust.h>

#include "base/banned.h"

int span__v3_adjust(struct span_trace_builder *b, const struct span_trace *t,
		    uint64_t max_skew_ns, struct span_trace *out,
		    struct span_error *err)
{
	int rc = 0;

	span_trace_builder_reset(b);
	for (size_t i = 0; i < t->n && !rc; i++)
		rc = span_trace_builder_put(b, &t->spans[i], err);
	if (!rc)
		rc = span_trace_builder_build(b, out, err);
	return rc ? rc
		  : span_adjust_all(b, SPAN_ADJUST_OTLP, max_skew_ns, out, err);
}
