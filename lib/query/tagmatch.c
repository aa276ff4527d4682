/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tag conditions on a span: one holds when one value of its key fits; a
 * negated one when none does, which includes that there is none.
 */
#include "query/match.h"

#include <stdlib.h>

#include "base/banned.h"

/* What one condition is asked about, and what one call shares. */
struct asked {
	const struct span__tag *tag;
	struct span_buf *text;
	struct span_error *err;
};

static int value_fits(void *arg, const struct span_value *v)
{
	const struct asked *a = arg;
	int rc;

	if (!a->tag->regex) {
		rc = span__tag_eq_value(&a->tag->eq, v, a->text);
		if (rc < 0)
			span_error_set(a->err, rc, "memory is out");
		return rc;
	}
	if (v->type == SPAN_STRING)
		return span__regex_match(a->tag->regex, v->str, a->err);
	a->text->len = 0;
	span_text_value(a->text, v);
	if (a->text->failed)
		return span_error_set(a->err, SPAN_E_NOMEM, "memory is out");
	return span__regex_match(a->tag->regex,
				 (struct span_str){a->text->p, a->text->len},
				 a->err);
}

int span__tags_init(struct span__tags *tags, struct span_error *err)
{
	tags->text = calloc(1, sizeof(*tags->text));
	if (!tags->text)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return 0;
}

int span__tags_match(const struct span__tags *tags, const struct span *s,
		     struct span_error *err)
{
	for (size_t i = 0; i < tags->n; i++) {
		const struct span__tag *tag = &tags->v[i];
		struct asked a = {tag, tags->text, err};
		int rc = span__tag_values(s, tag->eq.key, tag->eq.derived,
					  value_fits, &a);

		if (rc < 0)
			return rc;
		if ((rc > 0) == tag->negate)
			return 0;
	}
	return 1;
}

void span__tags_release(struct span__tags *tags)
{
	for (size_t i = 0; i < tags->n; i++)
		span__regex_close(&tags->v[i].regex);
	if (tags->text)
		span_buf_release(tags->text);
	free(tags->text);
	*tags = (struct span__tags){0};
}
