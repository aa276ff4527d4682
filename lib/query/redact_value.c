/* SPDX-License-Identifier: Apache-2.0 */
/* Values and attributes under the rules. */
#include "query/redact_walk.h"

#include <stdio.h>
#include <string.h>

#include "base/banned.h"

/* Smaller numbers have too few digits for any detector. */
#define SMALLEST 100000000.0
#define LARGEST 9.2e18 /* doubles that are written as whole numbers */

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "memory is out");
}

static int redact_value(struct span_redact *r, const struct span__redact_key *k,
			struct span_str key, const struct span_value *v,
			struct span_value *out, struct span_error *err);

/* The text of a number or of true and false; its length. */
static size_t text_of(const struct span_value *v, char *text, size_t size)
{
	int n = 0;

	if (v->type == SPAN_INT)
		n = snprintf(text, size, "%lld", (long long)v->i);
	else if (v->type == SPAN_DOUBLE && v->d > -LARGEST && v->d < LARGEST &&
		 v->d == (double)(int64_t)v->d)
		n = snprintf(text, size, "%.0f", v->d);
	else if (v->type == SPAN_DOUBLE)
		n = snprintf(text, size, "%.17g", v->d);
	else if (v->type == SPAN_BOOL)
		n = snprintf(text, size, "%s", v->b ? "true" : "false");
	return n > 0 ? (size_t)n : 0;
}

/* Could a detector find something in it? */
static bool is_long_number(const struct span_value *v)
{
	double d = v->type == SPAN_INT ? (double)v->i : v->d;

	return (v->type == SPAN_INT || v->type == SPAN_DOUBLE) &&
	       (d >= SMALLEST || d <= -SMALLEST);
}

/* What is no text becomes one when it changes. */
static int redact_scalar(struct span_redact *r,
			 const struct span__redact_key *k, struct span_str key,
			 const struct span_value *v, struct span_value *out,
			 struct span_error *err)
{
	char text[64];
	int rc;

	if (!k->list->has_other && !is_long_number(v))
		return REDACT_SAME;
	/* TEXT is at the same place each time, with another number in it. */
	rc = span__redact_fresh(
		r, k, key,
		(struct span_str){text, text_of(v, text, sizeof(text))},
		&out->str, err);
	if (rc == REDACT_CHANGED)
		out->type = SPAN_STRING;
	return rc;
}

/* The first rule for the whole of what a key has, or NULL. */
static struct span__redact_rule *whole_rule(struct span_redact *r,
					    const struct span__redact_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct span__redact_rule *rule = &r->rules[l->rules[i]];

		if (rule->secret < 0 && !rule->regex &&
		    rule->action != REDACT_TRUNCATE)
			return rule;
	}
	return NULL;
}

static int redact_array(struct span_redact *r, enum span__redact_place place,
			struct span_str key, const struct span_value *v,
			struct span_value *out, struct span_error *err)
{
	struct span_value *copy = NULL, member;
	size_t n = 0;

	for (size_t i = 0; i < v->array.n; i++) {
		/* A member may have keys that take the place of this one. */
		struct span__redact_key *k = span__redact_key(r, place, key);
		int rc = k ? redact_value(r, k, key, &v->array.v[i], &member,
					  err)
			   : out_of_memory(err);

		if (rc < 0)
			return rc;
		if (rc != REDACT_SAME && !copy) {
			copy = span_arena_array(r->into, v->array.n,
						sizeof(*copy));
			if (!copy)
				return out_of_memory(err);
			memcpy(copy, v->array.v, i * sizeof(*copy));
			n = i;
		}
		if (copy && rc != REDACT_DROPPED)
			copy[n++] = rc == REDACT_SAME ? v->array.v[i] : member;
	}
	if (!copy)
		return REDACT_SAME;
	*out = *v;
	out->array.v = copy;
	out->array.n = n;
	return REDACT_CHANGED;
}

static int redact_map(struct span_redact *r, enum span__redact_place place,
		      const struct span_value *v, struct span_value *out,
		      struct span_error *err)
{
	struct span_attrs in = {v->map.v, v->map.n, 0}, copy;
	int rc = span__redact_attrs(r, place, &in, &copy, err);

	if (rc <= 0)
		return rc < 0 ? rc : REDACT_SAME;
	*out = *v;
	out->map.v = copy.v;
	out->map.n = copy.n;
	return REDACT_CHANGED;
}

/* A rule for the whole of it, else its members one by one. */
static int redact_nested(struct span_redact *r,
			 const struct span__redact_key *k, struct span_str key,
			 const struct span_value *v, struct span_value *out,
			 struct span_error *err)
{
	struct span__redact_rule *rule = whole_rule(r, k->list);
	const struct span_str text = SPAN_STR("[nested]");
	int rc;

	if (!rule)
		return v->type == SPAN_ARRAY
			       ? redact_array(r,
					      (enum span__redact_place)k->place,
					      key, v, out, err)
			       : redact_map(r,
					    (enum span__redact_place)k->place,
					    v, out, err);
	if (rule->action == REDACT_KEEP)
		return REDACT_SAME;
	/* What a text in its place becomes; never what it was. */
	*out = (struct span_value){SPAN_STRING, {.str = text}};
	rc = span__redact_string(r, k, key, text, &out->str, err);
	return rc == REDACT_SAME ? REDACT_CHANGED : rc;
}

static int redact_value(struct span_redact *r, const struct span__redact_key *k,
			struct span_str key, const struct span_value *v,
			struct span_value *out, struct span_error *err)
{
	switch (v->type) {
	case SPAN_STRING:
	case SPAN_BYTES:
		out->type = v->type;
		return span__redact_string(r, k, key, v->str, &out->str, err);
	case SPAN_BOOL:
	case SPAN_INT:
	case SPAN_DOUBLE:
		return redact_scalar(r, k, key, v, out, err);
	case SPAN_ARRAY:
	case SPAN_MAP:
		return redact_nested(r, k, key, v, out, err);
	case SPAN_NULL:
		break;
	}
	return REDACT_SAME;
}

int span__redact_value(struct span_redact *r, enum span__redact_place place,
		       const struct span__redact_list *list,
		       struct span_str key, const struct span_value *v,
		       struct span_str *text, struct span_error *err)
{
	const struct span__redact_key k = {.place = place, .list = list};
	struct span_value out;
	int rc = redact_value(r, &k, key, v, &out, err);

	if (rc == REDACT_CHANGED && out.type == SPAN_STRING)
		*text = out.str;
	else if (rc > 0)
		rc = SPAN_E_LIMIT;
	return rc;
}

/* The key of an attribute in PLACE; *OUT is only there when it changed. */
static int redact_key(struct span_redact *r, enum span__redact_place place,
		      struct span_str key, struct span_str *out,
		      struct span_error *err)
{
	const struct span_str name = SPAN_STR("key");
	struct span__redact_key *k = span__redact_key(r, REDACT_FIELD, name);
	int rc;

	if (!k)
		return out_of_memory(err);
	rc = span__redact_string(r, k, name, key, out, err);
	if (rc != REDACT_SAME)
		return rc;
	k = span__redact_key(r, place, key);
	if (!k)
		return out_of_memory(err);
	k->stays = true;
	return rc;
}

/* The key and the value of one attribute; *OUT is only there when it changed.
 */
static int redact_attr(struct span_redact *r, enum span__redact_place place,
		       const struct span_attr *in, struct span_attr *out,
		       struct span_error *err)
{
	struct span__redact_key *k = span__redact_key(r, place, in->key);
	struct span_str key = in->key;
	int named = REDACT_SAME, rc;
	bool stays;

	if (!k)
		return out_of_memory(err);
	stays = k->stays; /* members may have keys that take the place of K */
	rc = redact_value(r, k, in->key, &in->value, &out->value, err);
	if (rc < 0 || rc == REDACT_DROPPED)
		return rc;
	if (!stays)
		named = redact_key(r, place, in->key, &key, err);
	if (named < 0 || named == REDACT_DROPPED)
		return named;
	if (rc == REDACT_SAME && named == REDACT_SAME)
		return REDACT_SAME;
	if (rc == REDACT_SAME)
		out->value = in->value;
	out->key = key;
	return REDACT_CHANGED;
}

/* Is it known, without a call, that the attribute stays as it is? */
static inline bool is_same(struct span_redact *r, enum span__redact_place place,
			   const struct span_attr *a)
{
	const struct span__redact_key *k = span__redact_key(r, place, a->key);

	if (!k || !k->stays)
		return false;
	if (a->value.type == SPAN_STRING)
		return span__redact_is_same(r, k->list, a->value.str);
	return a->value.type < SPAN_BYTES && !k->list->has_other &&
	       !is_long_number(&a->value);
}

int span__redact_attrs(struct span_redact *r, enum span__redact_place place,
		       const struct span_attrs *in, struct span_attrs *out,
		       struct span_error *err)
{
	struct span_attr *copy = NULL, attr;
	size_t n = 0;

	for (size_t i = 0; i < in->n; i++) {
		int rc = REDACT_SAME;

		if (!is_same(r, place, &in->v[i]))
			rc = redact_attr(r, place, &in->v[i], &attr, err);
		if (rc < 0)
			return rc;
		if (rc != REDACT_SAME && !copy) {
			copy = span_arena_array(r->into, in->n, sizeof(*copy));
			if (!copy)
				return out_of_memory(err);
			memcpy(copy, in->v, i * sizeof(*copy));
			n = i;
		}
		if (copy && rc != REDACT_DROPPED)
			copy[n++] = rc == REDACT_SAME ? in->v[i] : attr;
	}
	if (!copy)
		return 0;
	*out = *in;
	out->v = copy;
	out->n = n;
	return 1;
}
