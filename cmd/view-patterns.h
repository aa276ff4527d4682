/* SPDX-License-Identifier: Apache-2.0 */
/* view-patterns.h - trace-view --error-patterns */
#ifndef VIEW_PATTERNS_H
#define VIEW_PATTERNS_H

#include "cmd.h"

/* --error-patterns and its thresholds. */
extern const struct cmd_option view_patterns_options[];

/* True when it was given; a threshold without it is wrong usage. */
bool view_patterns_wanted(void);

/* Count T. 0 or a negative code. */
SPAN_NODISCARD int view_patterns_put(const struct span_trace *t,
				     struct span_error *err);
/* Append what was found. 1, 0 when there is nothing, or a negative code. */
SPAN_NODISCARD int view_patterns_show(struct span_buf *b,
				      const struct span_render_opts *look,
				      bool json, struct span_error *err);
void view_patterns_release(void);

#endif
