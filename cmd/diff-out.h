/* SPDX-License-Identifier: Apache-2.0 */
/* diff-out.h - what trace-diff writes */
#ifndef DIFF_OUT_H
#define DIFF_OUT_H

#include "cmd.h"

struct diff_out_opts {
	struct span_render_opts look;
	const char *names[2]; /* of both sides, as they were typed */
	bool all;	      /* paths that are the same, too */
};

void diff_out_text(struct span_buf *b, const struct diff_out_opts *o,
		   const struct span_diff_view *v);
void diff_out_json(struct span_buf *b, const struct diff_out_opts *o,
		   const struct span_diff_view *v);

#endif
