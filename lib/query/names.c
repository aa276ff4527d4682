/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Service and operation names.
 *
 * Globs and regexes remember their verdict by the text itself, since the same
 * few names come again and again, and since a pointer would not outlive its
 * frame. The cache has a fixed number of places, the newest text takes its
 * place: strange names cost time, never memory.
 */
#include "query/match.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#include "base/banned.h"

#define PLACES 256u
#define MAX_CACHED 56u

struct span__verdict {
	uint8_t len; /* of the text plus 1; 0: nothing here */
	bool match;
	char text[MAX_CACHED];
};

static int compile_name(struct span__name *name, const char *what,
			struct span_arena *arena, struct span_error *err)
{
	struct span_error why = {0};
	int rc;

	if (name->text.len && name->text.p[0] == '~') {
		struct span_str pattern = {name->text.p + 1,
					   name->text.len - 1};

		rc = span__regex_open(&name->regex, pattern, &why);
		if (rc < 0)
			return span_error_at(err, rc, why.pos + 1, "%s: %s",
					     what, why.msg);
	}
	if (!span_arena_str(arena, name->text, &name->text))
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	name->glob = !name->regex && span__glob_is(name->text);
	return 0;
}

int span__names_compile(struct span__names *names, const char *const *v,
			size_t n, const char *what, struct span_arena *arena,
			struct span_error *err)
{
	bool costly = false;

	names->v = span_arena_array(arena, n, sizeof(*names->v));
	if (!names->v)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	for (size_t i = 0; i < n; i++) {
		int rc;

		names->v[i] = (struct span__name){.text = span_str(v[i])};
		names->n = i + 1;
		rc = compile_name(&names->v[i], what, arena, err);
		if (rc < 0)
			return rc;
		costly = costly || names->v[i].regex || names->v[i].glob;
	}
	if (costly)
		names->cache = calloc(PLACES, sizeof(*names->cache));
	if (costly && !names->cache)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return 0;
}

static int match_all(const struct span__names *names, struct span_str text,
		     struct span_error *err)
{
	for (size_t i = 0; i < names->n; i++) {
		const struct span__name *name = &names->v[i];
		int rc = 0;

		if (name->regex)
			rc = span__regex_match(name->regex, text, err);
		else if (span_str_equal(name->text, text))
			rc = 1;
		else if (name->glob)
			rc = span__glob(name->text, text);
		if (rc)
			return rc;
	}
	return 0;
}

int span__names_match(const struct span__names *names, struct span_str text,
		      struct span_error *err)
{
	struct span__verdict *known;
	int rc;

	if (!names->n)
		return 1;
	if (!names->cache || text.len > MAX_CACHED)
		return match_all(names, text, err);
	known = &names->cache[XXH3_64bits(text.p, text.len) % PLACES];
	if (known->len == text.len + 1 &&
	    (!text.len || !memcmp(known->text, text.p, text.len)))
		return known->match;
	rc = match_all(names, text, err);
	if (rc < 0)
		return rc;
	known->len = (uint8_t)(text.len + 1);
	known->match = rc > 0;
	if (text.len)
		memcpy(known->text, text.p, text.len);
	return rc;
}

bool span__names_exact(const struct span__names *names)
{
	return names->n && !names->cache;
}

void span__names_release(struct span__names *names)
{
	for (size_t i = 0; i < names->n; i++)
		span__regex_close(&names->v[i].regex);
	free(names->cache);
	*names = (struct span__names){0};
}
