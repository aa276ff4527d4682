/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/cut.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <span/adjust.h>

#include "base/banned.h"

/* S with the warning behind its attributes. */
static bool warn(struct span__serve_cut *c, struct span *s, size_t n)
{
	int len = snprintf(c->warning, sizeof(c->warning),
			   "trace has more than %zu spans, showing first %zu "
			   "spans only",
			   n, n);

	c->attrs = calloc(s->attrs.n + 1, sizeof(*c->attrs));
	if (!c->attrs)
		return false;
	if (s->attrs.n)
		memcpy(c->attrs, s->attrs.v, s->attrs.n * sizeof(*c->attrs));
	c->text = (struct span_value){.type = SPAN_STRING,
				      .str = {c->warning, (size_t)len}};
	c->attrs[s->attrs.n] =
		(struct span_attr){SPAN_STR(SPAN_WARNINGS),
				   {SPAN_ARRAY, {.array = {&c->text, 1}}}};
	s->attrs.v = c->attrs;
	s->attrs.n++;
	return true;
}

const struct span *span__serve_cut(struct span__serve_cut *c,
				   const struct span *v, size_t *n,
				   struct span_error *err)
{
	uint64_t parts = c->search ? span_search_cut(c->search) : 0;
	bool part = parts > c->parts;

	c->parts = parts;
	if (c->max && *n > c->max)
		*n = c->max;
	else if (!part)
		return v;
	free(c->spans);
	free(c->attrs);
	c->attrs = NULL;
	c->spans = calloc(*n, sizeof(*c->spans));
	if (c->spans) {
		memcpy(c->spans, v, *n * sizeof(*c->spans));
		if (warn(c, c->spans, *n))
			return c->spans;
	}
	span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return NULL;
}

void span__serve_cut_release(struct span__serve_cut *c)
{
	free(c->spans);
	free(c->attrs);
	*c = (struct span__serve_cut){0};
}
