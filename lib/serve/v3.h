/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/v3.h - Jaeger's api_v3: handlers, and what they share
 */
#ifndef SERVE_V3_H
#define SERVE_V3_H

#include <span/text.h>
#include <span/trace.h>

#include "serve/cut.h"
#include "serve/serve.h"

span__serve_fn span__v3_services, span__v3_operations, span__v3_dependencies;
span__serve_fn span__v3_trace, span__v3_traces, span__v3_summaries;

/*
 * Append the resources of T, without what stands around their list, which is
 * OTLP's JSON, as CUT wants it. 1, or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__v3_resources(struct span_buf *out,
				      const struct span_trace *t,
				      struct span__serve_cut *cut,
				      struct span_error *err);

/*
 * Put together into *OUT, in B, what Jaeger makes of T before it is shown. 0,
 * SPAN_E_LIMIT, or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__v3_adjust(struct span_trace_builder *b,
				   const struct span_trace *t,
				   uint64_t max_skew_ns, struct span_trace *out,
				   struct span_error *err);

/* Append the summary of T, a JSON object. 1, or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__v3_summary(struct span_buf *out,
				    const struct span_trace *t,
				    struct span_error *err);

#endif
