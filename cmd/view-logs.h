/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view-logs.h - lines of logs as events of the spans that they name
 */
#ifndef VIEW_LOGS_H
#define VIEW_LOGS_H

#include "cmd.h"

/*
 * Read the lines of NAME that name a trace, at most 256 MiB of them, which are
 * kept. 0, SPAN_E_LIMIT, or a code of cmd_input_lines().
 */
SPAN_NODISCARD int view_logs_read(const char *name, struct span_error *err);

/*
 * Give spans of T the lines that name it: as events called "log", by time among
 * the others. A line that names no span of T is its root's; one without a time
 * is at the start of its span. *T then points to spans that are valid until the
 * next call. Time is O(n log n) of spans and lines. 0 or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int view_logs_add(struct span_trace *t, struct span_error *err);

/* Lines for which no trace was shown. */
uint64_t view_logs_left(void);
void view_logs_release(void);

#endif
