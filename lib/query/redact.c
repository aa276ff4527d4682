/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A span under the rules of redaction. Nothing is copied of what stays as it
 * is; a list of attributes is when one of them changes.
 */
#include "query/redact.h"

#include "base/le.h"
#include "base/siphash.h"
#include "query/redact_cache.h"
#include "query/redact_walk.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

void span_redact_key(const void *p, size_t len, uint8_t key[SPAN_REDACT_KEY])
{
	uint8_t fixed[SIPHASH_KEY] = "spantools redact";

	span__put64(key, span__siphash(fixed, p, len));
	fixed[0]++;
	span__put64(key + 8, span__siphash(fixed, p, len));
}

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "memory is out");
}

int span_redact_open(struct span_redact **out, const struct span_redact_opts *o,
		     struct span_error *err)
{
	struct span_redact *r = calloc(1, sizeof(*r));
	int rc;

	*out = r;
	if (!r)
		return out_of_memory(err);
	rc = span__redact_cache_open(&r->cache, err);
	if (!rc)
		rc = span__serial_init(&r->serial, err);
	r->generation = 1;
	if (rc < 0) {
		span_redact_close(out);
		return rc;
	}
	if (o && o->key) {
		memcpy(r->key, o->key, sizeof(r->key));
		r->has_key = true;
	}
	if (o && o->anonymize) {
		if (!r->has_key) {
			span_redact_close(out);
			return span_error_set(err, SPAN_E_INVALID,
					      "to anonymize needs a key");
		}
		r->anonymize = true;
		span__redact_anonymous_init(r);
	}
	if (o) {
		r->found = o->found;
		r->arg = o->arg;
	}
	return 0;
}

static int add_rule(struct span_redact *r, const struct span__redact_rule *rule,
		    struct span_error *err)
{
	struct span__redact_rule *all;

	if (r->n_rules == SPAN_REDACT_RULES)
		return span_error_set(err, SPAN_E_LIMIT, "more than %u rules",
				      SPAN_REDACT_RULES);
	all = realloc(r->rules, (r->n_rules + 1) * sizeof(*all));
	if (!all)
		return out_of_memory(err);
	r->rules = all;
	r->rules[r->n_rules++] = *rule;
	span__redact_cache_clear(r->cache);
	span__redact_forget(r);
	return 0;
}

/* A rule "hash ..." becomes "mask ...", and says so where it is shown. */
static int mask_instead(struct span_redact *r, struct span__redact_rule *rule,
			struct span_error *err)
{
	size_t len = strlen(rule->text) + 1;
	char *text = span_arena_alloc(&r->texts, len);

	if (!text)
		return out_of_memory(err);
	memcpy(text, rule->text, len);
	memcpy(text, "mask", 4);
	rule->text = text;
	rule->action = REDACT_MASK;
	return 1;
}

/* A rule that hashes is refused without a key, or masks. */
static int put_rule(struct span_redact *r, struct span_str line, bool masks,
		    struct span_error *err)
{
	struct span__redact_rule rule;
	int rc = span__redact_parse(&rule, line, &r->texts, err);

	if (rc > 0 && rule.hashes && !r->has_key && !masks)
		rc = span_error_at(err, SPAN_E_INVALID, 0,
				   "a hash needs a key");
	if (rc > 0 && rule.hashes && !r->has_key)
		rc = mask_instead(r, &rule, err);
	if (rc > 0)
		rc = add_rule(r, &rule, err);
	if (rc < 0)
		span__redact_rule_release(&rule);
	return rc < 0 ? rc : 0;
}

int span_redact_rule(struct span_redact *r, struct span_str line,
		     struct span_error *err)
{
	return put_rule(r, line, false, err);
}

int span_redact_defaults(struct span_redact *r, struct span_error *err)
{
	const char *p = span__redact_default_rules(r->anonymize);
	int rc = 0;

	while (*p && rc >= 0) {
		size_t n = strcspn(p, "\n");

		rc = put_rule(r, (struct span_str){p, n}, true, err);
		p += n + (p[n] == '\n');
	}
	return rc;
}

const char *span_redact_count(const struct span_redact *r, size_t i,
			      uint64_t *n)
{
	if (i >= r->n_rules)
		return NULL;
	*n = r->rules[i].applied;
	return r->rules[i].text;
}

uint64_t span_redact_values(const struct span_redact *r)
{
	return r->values;
}

void span_redact_close(struct span_redact **r)
{
	if (!*r)
		return;
	for (size_t i = 0; i < (*r)->n_rules; i++)
		span__redact_rule_release(&(*r)->rules[i]);
	free((*r)->rules);
	span__redact_cache_close(&(*r)->cache);
	span__redact_table_close(&(*r)->table);
	span_arena_release(&(*r)->texts);
	span_arena_release(&(*r)->frame);
	span_arena_release(&(*r)->span);
	span_arena_release(&(*r)->kept);
	span_buf_release(&(*r)->noted);
	for (size_t i = 0; i < 2; i++)
		span_buf_release(&(*r)->work[i]);
	free(*r);
	*r = NULL;
}
