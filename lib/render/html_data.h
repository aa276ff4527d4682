/* SPDX-License-Identifier: Apache-2.0 */
/*
 * html_data.h - tables of what a page refers to by number; for lib/render only
 *
 * Text, processes and scopes of a trace are written once.
 */
#ifndef SPAN_RENDER_HTML_DATA_H
#define SPAN_RENDER_HTML_DATA_H

#include <span/render.h>

#include "stream/strings.h"

#define SPAN__HTML_RECENT 64u

struct span__html_data {
	struct span__strings texts;	/* as they are */
	struct span__strings processes; /* as JSON, to be told apart */
	struct span__strings scopes;
	/* Where they were found last, by address. */
	struct {
		const struct span_process *process;
		uint32_t number;
	} recent[SPAN__HTML_RECENT];
	struct span_buf text, json; /* for one at a time */
	bool failed;
};

/* 0 or a negative code; release it in any case. */
SPAN_NODISCARD int span__html_data_init(struct span__html_data *d,
					struct span_error *err);
void span__html_data_release(struct span__html_data *d);

/*
 * Append the number of a text, cut at SPAN_MAX_STRING bytes; of a process, of
 * a scope; and attributes as a list of numbers, key and value in turn. Out of
 * memory sets d->failed.
 */
void span__html_text(struct span__html_data *d, struct span_buf *b,
		     struct span_str s);
void span__html_process(struct span__html_data *d, struct span_buf *b,
			const struct span_process *p);
void span__html_scope(struct span__html_data *d, struct span_buf *b,
		      const struct span_scope *s);
void span__html_attrs(struct span__html_data *d, struct span_buf *b,
		      const struct span_attrs *a);

/* Append "processes":[...],"scopes":[...],"strings":[...]. */
void span__html_tables(struct span__html_data *d, struct span_buf *b);

#endif
