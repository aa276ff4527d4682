/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/jaeger_sample.h - the newest traces with a service, to count in them
 */
#ifndef SERVE_JAEGER_SAMPLE_H
#define SERVE_JAEGER_SAMPLE_H

#include <span/query.h>

#include "serve/serve.h"

#define SPAN__SERVE_SAMPLE 2000u /* traces, where nothing else is asked for */

/* A zeroed struct is closed. */
struct span__serve_sample {
	const struct span__serve *s;
	struct span_arena arena;
	struct span_store *store;
	struct span_query *query;
	struct span_search *search;
};

/*
 * Of the spans of SERVICE that start in [SINCE_NS, UNTIL_NS) the newest LIMIT
 * traces. 0, or what span__serve_take() and a search return; closed then.
 */
SPAN_NODISCARD int span__serve_sample_open(struct span__serve_sample *out,
					   const struct span__serve *s,
					   struct span_str service,
					   uint64_t since_ns, uint64_t until_ns,
					   uint64_t limit,
					   struct span_error *err);
void span__serve_sample_close(struct span__serve_sample *s);

/*
 * The parameter limit, SPAN__SERVE_SAMPLE where there is none: 0; with the
 * answer made SPAN_E_INVALID, or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__serve_sample_limit(const struct span__serve *s,
					    const struct span__serve_request *r,
					    uint64_t *limit,
					    struct span__serve_answer *a);

#endif
