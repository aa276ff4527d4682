/* SPDX-License-Identifier: Apache-2.0 */
#include "view-find.h"

#include <span/text.h>

#include <strings.h>

#include "base/banned.h"

static bool holds(struct span_str s, struct span_str text)
{
	if (s.len < text.len)
		return false;
	for (size_t i = 0; i <= s.len - text.len; i++)
		if (!strncasecmp(s.p + i, text.p, text.len))
			return true;
	return false;
}

static bool attrs_hold(const struct span_attrs *a, struct span_str text,
		       struct span_buf *tmp)
{
	for (size_t i = 0; i < a->n; i++) {
		tmp->len = 0;
		span_text_value(tmp, &a->v[i].value);
		if (holds(a->v[i].key, text) ||
		    holds((struct span_str){tmp->p, tmp->len}, text))
			return true;
	}
	return false;
}

bool view_has_text(const struct span *s, struct span_str text,
		   struct span_buf *tmp)
{
	if (holds(s->name, text) || holds(s->process->service, text) ||
	    holds(s->status_message, text) ||
	    attrs_hold(&s->attrs, text, tmp) ||
	    attrs_hold(&s->process->attrs, text, tmp))
		return true;
	for (size_t i = 0; i < s->n_events; i++)
		if (holds(span_event_name(&s->events[i]), text) ||
		    attrs_hold(&s->events[i].attrs, text, tmp))
			return true;
	return false;
}

bool view_has_id(const struct span *s, struct span_str prefix)
{
	char id[SPAN_ID_TEXT];

	span_id_text(s->span_id, id);
	return prefix.len && prefix.len < sizeof(id) &&
	       !strncasecmp(id, prefix.p, prefix.len);
}
