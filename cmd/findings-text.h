/* SPDX-License-Identifier: Apache-2.0 */
/* findings-text.h - findings for people */
#ifndef FINDINGS_TEXT_H
#define FINDINGS_TEXT_H

#include <span/findings.h>
#include <span/render.h>

/* What was found in T; over many traces. */
void findings_text_put(struct span_buf *b, const struct span_render_opts *look,
		       const struct span_trace *t,
		       const struct span_findings *found);
void findings_text_put_groups(struct span_buf *b,
			      const struct span_render_opts *look,
			      const struct span_findings_view *v);

#endif
