/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture-report.h - what span-capture says about itself
 */
#ifndef CAPTURE_REPORT_H
#define CAPTURE_REPORT_H

#include <span/base.h>

#include "net/receiver.h"

/*
 * Say where it listens, who shares a port, and when the system allows less
 * than BUFFER bytes. INTERFACE may be NULL.
 */
void capture_report_start(const struct span__receiver *r, const char *interface,
			  uint64_t buffer);

/* Counts of now, in total and by port, on stderr. */
void capture_report_counts(struct span__receiver *r);

/*
 * The same with -v; a warning when anything was lost; the metrics file. What
 * came from a FILE is still there when it could not be written.
 */
void capture_report_end(struct span__receiver *r, bool is_file);

/* Append the metrics of now, and those that Jaeger's servers have. */
void capture_report_text(struct span__receiver *r, struct span_buf *out);

/* Rewrite the metrics file, when it is due or NOW. */
void capture_report_metrics(struct span__receiver *r, bool now);

#endif
