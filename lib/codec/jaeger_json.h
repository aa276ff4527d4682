/* SPDX-License-Identifier: Apache-2.0 */
/* jaeger_json.h - what the two halves of the reader of Jaeger's JSON share */
#ifndef SPAN__JAEGER_JSON_H
#define SPAN__JAEGER_JSON_H

#include "codec/jaeger_model.h"
#include "codec/json.h"

CURSOR_INLINE bool named(struct span_str s, const char *name)
{
	return s.len == strlen(name) && !memcmp(s.p, name, s.len);
}

/* True in an array; a null is passed over. */
bool span__jaeger_json_array(struct span__json *j);

/* A text, or anything else as it is written; "" for null. */
struct span_str span__jaeger_json_text(struct span__message *m,
				       struct span__json *j);

/* An array of tags, to the end of LIST; memory is the arena's of J. */
void span__jaeger_json_tags(struct span__message *m, struct span__json *j,
			    struct span__list *list);

#endif
