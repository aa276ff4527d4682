/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/metrics.h - what Jaeger's monitor asks for
 *
 * Segments know calls by the minute. So steps and windows are whole minutes,
 * rounded up, and the last point is at the last whole one of these.
 */
#ifndef SERVE_METRICS_H
#define SERVE_METRICS_H

#include "serve/serve.h"

#define SPAN__METRICS_MINUTE UINT64_C(60000000000)
#define SPAN__METRICS_POINTS 11000u /* of a series, as in Prometheus */

struct span__metrics_query {
	bool by_operation;
	unsigned kinds; /* bits 1 << enum span_kind */
	double quantile;
	uint64_t step_ns,
		rate_ns;   /* between points; before each, what counts */
	uint64_t width_ns; /* divides both, and all times */
	/* The first point, and the last one; before it: there is none. */
	uint64_t start_ns, end_ns;
	uint64_t asked_ns; /* the end that was asked for */
};

/*
 * Read a request; with QUANTILE that one, too. 0; SPAN_E_INVALID with 400
 * answered; SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__metrics_read(const struct span__serve *serve,
				      const struct span__serve_request *r,
				      bool quantile,
				      struct span__metrics_query *q,
				      struct span__serve_answer *a);

/* The time that R is about; zeros when it has no lookback. As above. */
SPAN_NODISCARD int span__metrics_time(const struct span__serve *serve,
				      const struct span__serve_request *r,
				      uint64_t *since_ns, uint64_t *until_ns,
				      struct span__serve_answer *a);

/* Is the service NAME asked for by R? */
bool span__metrics_wants(const struct span__serve_request *r,
			 struct span_str name);

#endif
