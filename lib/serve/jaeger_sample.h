/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/jaeger_sample.h - the newest traces with a service, to count in them
 */
#ifndef SERVE_JAEGER_SAMPLE_H
#define SERVE_JAEGER_SAMPLE_H

#include "serve/select.h"

#define SPAN__SERVE_SAMPLE 2000u /* traces, where nothing else is asked for */

/*
 * Look for the spans of SERVICE that start in [SINCE_NS, UNTIL_NS), in the
 * newest LIMIT traces. As span__found_open(); close it also after an error.
 */
SPAN_NODISCARD int span__serve_sample_open(struct span__found *f,
					   const struct span__serve *s,
					   struct span_str service,
					   uint64_t since_ns, uint64_t until_ns,
					   uint64_t limit,
					   struct span_error *err);

/*
 * The parameter limit, SPAN__SERVE_SAMPLE where there is none: 0; with the
 * answer made SPAN_E_INVALID, or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__serve_sample_limit(const struct span__serve *s,
					    const struct span__serve_request *r,
					    uint64_t *limit,
					    struct span__serve_answer *a);

/* What handlers return when counting in a sample has failed. */
int span__serve_sample_failed(struct span__serve_answer *a, int rc,
			      const struct span_error *err);

#endif
