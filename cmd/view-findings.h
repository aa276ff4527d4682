/* SPDX-License-Identifier: Apache-2.0 */
/* view-findings.h - trace-view --findings */
#ifndef VIEW_FINDINGS_H
#define VIEW_FINDINGS_H

#include "cmd.h"

/* --findings and its thresholds. */
extern const struct cmd_option view_findings_options[];

/* True when --findings was given; a threshold without it is wrong usage. */
bool view_findings_wanted(void);

/* Look through T, which LOOK says how to show. 0 or a negative code. */
SPAN_NODISCARD int view_findings_put(const struct span_trace *t,
				     const struct span_render_opts *look,
				     struct span_error *err);
/*
 * Append what was found: of one trace each finding, of several their groups.
 * Returns 1, 0 when there is none, or a negative code.
 */
SPAN_NODISCARD int view_findings_show(struct span_buf *b,
				      const struct span_render_opts *look,
				      bool json, struct span_error *err);
void view_findings_release(void);

#endif
