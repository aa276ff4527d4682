/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tags of a search, in two forms: tag=key:value, repeated, and
 * tags={"key":"value"}. Later ones take the place of earlier ones.
 */
#include <string.h>

#include <span/text.h>

#include "serve/answers.h"
#include "serve/jaeger_params.h"
#include "serve/json_map.h"
#include "serve/params.h"

#include "base/banned.h"

#define MAX_TAGS 1000u

struct pairs {
	struct span_arena *arena;
	struct pair {
		struct span_str key, value;
	} v[MAX_TAGS];
	size_t n;
};

static int put_pair(void *arg, struct span_str key, struct span_str value)
{
	struct pairs *p = arg;
	struct pair copy;
	size_t i = 0;

	if (!span_arena_str(p->arena, key, &copy.key) ||
	    !span_arena_str(p->arena, value, &copy.value))
		return SPAN_E_NOMEM;
	while (i < p->n && !span_str_equal(p->v[i].key, key))
		i++;
	if (i == MAX_TAGS)
		return SPAN_E_LIMIT;
	p->v[i] = copy;
	p->n += i == p->n;
	return 0;
}

/* What became of one of them: RC, or SPAN_E_INVALID with the answer made. */
static int said(int rc, struct span__serve_answer *a)
{
	if (rc == SPAN_E_LIMIT)
		rc = span__serve_error(a, 400, "more than %u tags", MAX_TAGS);
	else
		return rc;
	return rc < 0 ? rc : SPAN_E_INVALID;
}

static int read_tag(struct pairs *p, struct span_str text,
		    struct span__serve_answer *a)
{
	const char *colon = text.len ? memchr(text.p, ':', text.len) : NULL;
	size_t at;
	int rc;

	if (!colon) {
		rc = span__serve_error(a, 400,
				       "malformed 'tag' parameter, expecting "
				       "key:value, received: %.*s",
				       (int)span_text_cut(text, 500),
				       text.len ? text.p : "");
		return rc < 0 ? rc : SPAN_E_INVALID;
	}
	at = (size_t)(colon - text.p);
	return said(put_pair(p, (struct span_str){text.p, at},
			     (struct span_str){colon + 1, text.len - at - 1}),
		    a);
}

static int read_json(struct pairs *p, struct span_str text,
		     struct span__serve_answer *a)
{
	struct span_error why = {0};
	int rc = span__json_map(text, put_pair, p, &why);

	if (rc != SPAN_E_INVALID)
		return said(rc, a);
	rc = span__serve_error(a, 400,
			       "malformed 'tags' parameter, cannot unmarshal "
			       "JSON: %s",
			       why.msg);
	return rc < 0 ? rc : SPAN_E_INVALID;
}

int span__serve_read_tags(const struct span__serve_request *r,
			  struct span__serve_search *s,
			  struct span__serve_answer *a, struct span_error *err)
{
	struct pairs *p = span_arena_alloc(&s->arena, sizeof(*p));
	const struct span_str *text;
	size_t at = 0;
	int rc = p ? 0 : SPAN_E_NOMEM;

	if (p) {
		p->arena = &s->arena;
		p->n = 0;
	}
	while (!rc && (text = span__serve_next(r, "tag", &at)))
		rc = read_tag(p, *text, a);
	at = 0;
	while (!rc && (text = span__serve_next(r, "tags", &at)))
		rc = read_json(p, *text, a);
	for (size_t i = 0; !rc && i < p->n; i++)
		span__select_jaeger_tag(&s->select, p->v[i].key, p->v[i].value);
	return rc == SPAN_E_NOMEM ? span_error_set(err, rc, "out of memory")
				  : rc;
}
