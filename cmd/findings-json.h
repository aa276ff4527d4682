/* SPDX-License-Identifier: Apache-2.0 */
/* findings-json.h - findings as JSON, as trace-view(1) describes it */
#ifndef FINDINGS_JSON_H
#define FINDINGS_JSON_H

#include <span/findings.h>

/* An object and a newline: what was found in T; over many traces. */
void findings_json_put(struct span_buf *b, const struct span_trace *t,
		       const struct span_findings *f);
void findings_json_put_groups(struct span_buf *b,
			      const struct span_findings_view *v);

#endif
