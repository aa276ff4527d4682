/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/zipkin.h - handlers of Zipkin's API, version 2
 */
#ifndef SERVE_ZIPKIN_H
#define SERVE_ZIPKIN_H

#include "serve/select.h"

span__serve_fn span__zipkin_traces, span__zipkin_trace, span__zipkin_many;

/* A line of text with 400, where NAME is missing or WHY says what is wrong. */
int span__zipkin_missing(struct span__serve_answer *a, const char *name);
int span__zipkin_refuse(struct span__serve_answer *a, const char *name,
			const struct span_error *why);
/* How what has failed with RC is answered: what handlers return. */
int span__zipkin_failed(struct span__serve_answer *a, int rc,
			const struct span_error *err);

/*
 * From endTs - lookback, inclusive, to endTs, in milliseconds of the request.
 * 0; SPAN_E_INVALID with 400 answered; SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__zipkin_times(const struct span__serve *serve,
				      const struct span__serve_request *r,
				      uint64_t *since_ns, uint64_t *until_ns,
				      struct span__serve_answer *a);

#endif
