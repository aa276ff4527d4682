/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/metrics_counts.h - calls that several requests want to have counted
 *
 * A monitor asks at once for rates, for errors and for each quantile of the
 * same calls. Who asks first counts; the others wait for that, and for a few
 * seconds it is kept. Any thread. Where C is NULL nothing is shared.
 */
#ifndef SERVE_METRICS_COUNTS_H
#define SERVE_METRICS_COUNTS_H

#include <span/stats.h>

#include "serve/serve.h"

#define SPAN__COUNTS_AGE_NS UINT64_C(5000000000)
#define SPAN__COUNTS_KEPT 4u	     /* at most */
#define SPAN__COUNTS_ROWS_MAX 16384u /* of one that is kept */

struct span__metrics_counts;

/* Sorted, and not to be changed any more. */
struct span__metrics_count {
	struct span_stats *stats;
};

SPAN_NODISCARD int span__metrics_counts_open(struct span__metrics_counts **out,
					     struct span_error *err);
/* All that was taken must have been released. */
void span__metrics_counts_close(struct span__metrics_counts **c);

/*
 * What was counted for KEY: 1 with *OUT. 0: it is to be counted by the caller,
 * into (*OUT)->stats, who says so by span__metrics_counts_done(). *OUT is to be
 * released. Waits while another one counts, unless nobody waits for R:
 * SPAN_E_PIPE then. SPAN_E_NOMEM.
 */
SPAN_NODISCARD int
span__metrics_counts_take(struct span__metrics_counts *c, struct span_str key,
			  const struct span__serve_request *r,
			  struct span__metrics_count **out,
			  struct span_error *err);
/* GOOD: others may have it. Else the next one of them counts. */
void span__metrics_counts_done(struct span__metrics_counts *c,
			       struct span__metrics_count *m, bool good);
void span__metrics_counts_release(struct span__metrics_counts *c,
				  struct span__metrics_count **m);

#endif
