/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that can be said of a trace is an item, counted once a trace.
 * Tables are open addressed and never grow: what they have no room for is
 * counted as left out.
 */
#include <span/findings.h>
#include <span/text.h>

#include <stdlib.h>

#include "trace/patterns_state.h"

#include "base/banned.h"

int span_patterns_open(struct span_patterns **out,
		       const struct span_patterns_opts *o,
		       struct span_error *err)
{
	static const struct span_patterns_opts defaults =
		SPAN_PATTERNS_DEFAULTS;
	struct span_patterns *s = calloc(1, sizeof(*s));
	int rc;

	*out = NULL;
	if (!s)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	s->o = o ? *o : defaults;
	rc = span__key_init(&s->secret, err);
	if (rc < 0)
		span_patterns_close(&s);
	*out = s;
	return rc;
}

static uint64_t hash_of(const struct span_patterns *s, uint64_t a,
			struct span_str text)
{
	uint64_t of[2] = {a, span__hash_str(&s->secret, text)};

	return span__hash(&s->secret, of, sizeof(of));
}

/* *OUT is NULL when there is no room for one more. */
static int find_key(struct span_patterns *s, struct span_str service,
		    struct span_str key, struct pattern_key **out)
{
	uint64_t hash = hash_of(s, span__hash_str(&s->secret, service), key);
	size_t at = hash % (2 * PATTERN_KEYS);
	struct pattern_key *k;

	for (; (k = s->keys[at]); at = (at + 1) % (2 * PATTERN_KEYS))
		if (k->hash == hash && span_str_equal(k->key, key) &&
		    span_str_equal(k->service, service))
			break;
	*out = k;
	if (k || s->n_keys == PATTERN_KEYS)
		return 0;
	k = span_arena_alloc(&s->arena, sizeof(*k));
	if (!k)
		return SPAN_E_NOMEM;
	*k = (struct pattern_key){.hash = hash};
	if (!span_arena_str(&s->arena, service, &k->service) ||
	    !span_arena_str(&s->arena, key, &k->key))
		return SPAN_E_NOMEM;
	s->n_keys++;
	*out = s->keys[at] = k;
	return 0;
}

static int add_item(struct span_patterns *s, struct pattern_key *key,
		    struct span_str value, struct pattern_item **out)
{
	struct pattern_item *p;

	*out = NULL;
	if (++key->n_values > SPAN_PATTERN_VALUES)
		return 0;
	if (s->n_items == SPAN_PATTERN_ITEMS) {
		s->left_out++;
		return 0;
	}
	p = span_arena_alloc(&s->arena, sizeof(*p));
	if (!p)
		return SPAN_E_NOMEM;
	*p = (struct pattern_item){.key = key};
	if (!span_arena_str(&s->arena, value, &p->value))
		return SPAN_E_NOMEM;
	s->n_items++;
	*out = p;
	return 0;
}

/* Of an identifier no value is looked for any more. */
static int find_item(struct span_patterns *s, struct pattern_key *key,
		     struct span_str value, struct pattern_item **out)
{
	uint64_t hash = hash_of(s, key->hash, value);
	size_t at = hash % (2 * SPAN_PATTERN_ITEMS);
	struct pattern_item *p;
	int rc;

	*out = NULL;
	if (key->n_values > SPAN_PATTERN_VALUES)
		return 0;
	for (; (p = s->items[at]); at = (at + 1) % (2 * SPAN_PATTERN_ITEMS))
		if (p->hash == hash && p->key == key &&
		    span_str_equal(p->value, value))
			break;
	*out = p;
	if (p)
		return 0;
	rc = add_item(s, key, value, out);
	if (*out) {
		(*out)->hash = hash;
		s->items[at] = *out;
	}
	return rc;
}

/* The trace, number N, says VALUE of KEY. */
static int count(struct span_patterns *s, struct span_str service,
		 struct span_str key, struct span_str value, bool fails)
{
	uint64_t n = s->failing + s->rest;
	struct pattern_key *k;
	struct pattern_item *p = NULL;
	int rc = find_key(s, service, key, &k);

	if (!rc && k)
		rc = find_item(s, k, value, &p);
	else if (!rc)
		s->left_out++;
	if (!p || p->last_trace == n)
		return rc;
	p->last_trace = n;
	p->failing += fails;
	p->rest += !fails;
	p->traces += span__hash(&s->secret, &n, sizeof(n));
	return 0;
}

/* What says that it failed is no reason why. */
static bool is_outcome(struct span_str key)
{
	return span_str_equal(key, SPAN_STR("error")) ||
	       span_str_equal(key, SPAN_STR("otel.status_code")) ||
	       span_str_equal(key, SPAN_STR("otel.status_description"));
}

static int count_attrs(struct span_patterns *s, struct span_str service,
		       const struct span_attrs *a, bool fails)
{
	int rc = 0;

	for (size_t i = 0; i < a->n && !rc; i++) {
		const struct span_attr *attr = &a->v[i];

		if (!attr->key.len || attr->key.len > SPAN_PATTERN_VALUE_MAX ||
		    is_outcome(attr->key))
			continue;
		if (attr->value.type == SPAN_STRING &&
		    attr->value.str.len > SPAN_PATTERN_VALUE_MAX)
			continue;
		s->text.len = 0;
		span_text_value(&s->text, &attr->value);
		if (s->text.failed)
			return SPAN_E_NOMEM;
		if (s->text.len <= SPAN_PATTERN_VALUE_MAX)
			rc = count(s, service, attr->key,
				   (struct span_str){s->text.p, s->text.len},
				   fails);
	}
	return rc;
}

static int count_span(struct span_patterns *s, const struct span *of,
		      bool fails)
{
	int rc;

	s->text.len = 0;
	span_template_put(&s->text, of->name);
	if (s->text.failed)
		return SPAN_E_NOMEM;
	rc = count(s, of->process->service, SPAN_STR(""),
		   (struct span_str){s->text.p, s->text.len}, fails);
	return rc ? rc
		  : count_attrs(s, of->process->service, &of->attrs, fails);
}

int span_patterns_put(struct span_patterns *s, const struct span_trace *t,
		      struct span_error *err)
{
	const struct span_process *seen = NULL;
	bool fails = t->n_errors;
	int rc = 0;

	s->failing += fails;
	s->rest += !fails;
	for (size_t i = 0; i < t->n && !rc; i++) {
		const struct span *of = &t->spans[i];

		rc = count_span(s, of, fails);
		if (!rc && of->process != seen)
			rc = count_attrs(s, of->process->service,
					 &of->process->attrs, fails);
		seen = of->process;
	}
	if (!rc)
		rc = span__clusters_put(s, t);
	return rc ? span_error_set(err, rc, "out of memory") : 0;
}

void span_patterns_close(struct span_patterns **sp)
{
	struct span_patterns *s = *sp;

	*sp = NULL;
	if (!s)
		return;
	for (size_t i = 0; i < 2 * SPAN_PATTERN_CALLS; i++) {
		if (!s->calls[i])
			continue;
		span_buf_release(&s->calls[i]->failures);
		span_sketch_release(&s->calls[i]->rest);
	}
	span_arena_release(&s->arena);
	span_buf_release(&s->text);
	span_buf_release(&s->below);
	free(s->patterns);
	free(s->clusters);
	free(s);
}
