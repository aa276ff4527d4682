/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As in Jaeger: an unknown type is the default; operations can only be sampled
 * with a probability; those of the default strategy hold for every service,
 * too, whose own come first; a service without a type takes that of the
 * default.
 */
#include <span/strategies.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "sample/json_line.h"

#include "base/banned.h"

#define LIMIT_MAX 2147483647.0
#define PLACE_MAX 100

/* What is needed while a file is read. */
struct reading {
	struct span_strategies *s;
	const char *name, *text;
	size_t len;
	const cJSON *root;
	struct span_buf *warnings;
	struct span_error *err;
	const cJSON *usual_operations;
};

/* Count the objects before END, in the order of the text. */
static bool count_to(const cJSON *at, const cJSON *end, unsigned *n)
{
	for (; at; at = at->next) {
		if (at == end)
			return true;
		*n += cJSON_IsObject(at);
		if (count_to(at->child, end, n))
			return true;
	}
	return false;
}

/* Where the object O begins, or of what is none the one that begins before. */
static unsigned line_of(const struct reading *r, const cJSON *o)
{
	unsigned n = 0;

	count_to(r->root, o, &n);
	if (!cJSON_IsObject(o) && n)
		n--;
	return span__json_line(r->text, r->len, n);
}

#define FAIL(r, o, fmt, ...)                                                   \
	span_error_set((r)->err, SPAN_E_CORRUPT, "%s: line %u: " fmt,          \
		       (r)->name, line_of(r, o), __VA_ARGS__)

static void warn(struct reading *r, const char *place, const char *what)
{
	span_buf_printf(r->warnings, "%s: %s: %s\n", r->name, place, what);
}

static int no_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

/* 0, or an error when PARAM is not what S takes. */
static int read_param(struct reading *r, const cJSON *o, const char *place,
		      struct span_strategy *s)
{
	const cJSON *param = cJSON_GetObjectItemCaseSensitive(o, "param");

	if (!cJSON_IsNumber(param))
		return FAIL(r, o, "%s: 'param' is not a number", place);
	s->param = param->valuedouble;
	if (!s->limits && !(s->param >= 0 && s->param <= 1))
		return FAIL(r, o, "%s: a probability is 0 to 1", place);
	if (s->limits && (!(s->param >= 0 && s->param <= LIMIT_MAX) ||
			  s->param != floor(s->param)))
		return FAIL(r, o,
			    "%s: the limit is a whole number of traces a "
			    "second",
			    place);
	return 0;
}

/* 1 when O has a strategy; 0 when *S stays what it is. */
static int read_strategy(struct reading *r, const cJSON *o, const char *place,
			 struct span_strategy *s)
{
	const cJSON *type = cJSON_GetObjectItemCaseSensitive(o, "type");
	struct span_strategy own = *s;
	int rc;

	if (!type || (cJSON_IsString(type) && !*type->valuestring))
		return 0;
	if (!cJSON_IsString(type))
		return FAIL(r, o, "%s: 'type' is not a string", place);
	own.limits = !strcmp(type->valuestring, "ratelimiting");
	if (!own.limits && strcmp(type->valuestring, "probabilistic") != 0) {
		warn(r, place,
		     "unknown type, neither 'probabilistic' nor "
		     "'ratelimiting': the default is taken");
		return 0;
	}
	rc = read_param(r, o, place, &own);
	if (rc < 0)
		return rc;
	*s = own;
	return 1;
}

static const char *text_of(const cJSON *o, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	return cJSON_IsString(v) && *v->valuestring ? v->valuestring : NULL;
}

static bool is_there(const struct span_operation_strategy *v, size_t n,
		     const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (span_str_equal(v[i].name, span_str(name)))
			return true;
	return false;
}

/* Add the one that O says to the *N at V, unless it is there. */
static int read_operation(struct reading *r, const cJSON *o, const char *place,
			  struct span_operation_strategy *v, size_t *n)
{
	struct span_strategy s = {.param = SPAN_STRATEGY_PROBABILITY};
	const char *name = text_of(o, "operation");
	int rc;

	if (!cJSON_IsObject(o) || !name)
		return FAIL(r, o, "%s: there is no 'operation'", place);
	rc = read_strategy(r, o, place, &s);
	if (rc < 0)
		return rc;
	if (s.limits) {
		warn(r, place,
		     "operations cannot be 'ratelimiting': it is left out");
		return 0;
	}
	if (is_there(v, *n, name))
		return 0;
	if (!span_arena_str(&r->s->arena, span_str(name), &v[*n].name))
		return no_memory(r->err);
	v[(*n)++].p = s.param;
	return 0;
}

static int read_list(struct reading *r, const cJSON *list, const char *where,
		     struct span_operation_strategy *v, size_t *n)
{
	const cJSON *o;
	int i = 0, rc;

	cJSON_ArrayForEach(o, list)
	{
		char place[PLACE_MAX];

		snprintf(place, sizeof(place), "%s.operation_strategies[%d]",
			 where, i++);
		rc = read_operation(r, o, place, v, n);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The operations OWN of S, which may be NULL, and those of the default. */
static int read_operations(struct reading *r, const cJSON *own,
			   const char *where, struct span_strategy *s)
{
	const struct span_strategy *usual = &r->s->usual;
	size_t n_own = (size_t)cJSON_GetArraySize(own), n = 0;
	struct span_operation_strategy *v = span_arena_array(
		&r->s->arena, n_own + usual->n_operations, sizeof(*v));
	int rc;

	if (!v)
		return no_memory(r->err);
	s->has_operations = n_own || r->usual_operations;
	/* Who takes the list of the default takes its probability, too. */
	if (!s->limits)
		s->other = s->param;
	else if (!n_own && !usual->limits)
		s->other = usual->param;
	else
		s->other = SPAN_STRATEGY_PROBABILITY;
	rc = read_list(r, own, where, v, &n);
	for (size_t i = 0; i < usual->n_operations && s != usual; i++) {
		bool found = false;

		for (size_t j = 0; j < n && !found; j++)
			found = span_str_equal(v[j].name,
					       usual->operations[i].name);
		if (!found)
			v[n++] = usual->operations[i];
	}
	s->operations = v;
	s->n_operations = n;
	return rc;
}

/* The list KEY of O, or NULL in *LIST. */
static int get_list(struct reading *r, const cJSON *o, const char *place,
		    const char *key, const cJSON **list)
{
	*list = cJSON_GetObjectItemCaseSensitive(o, key);
	if (cJSON_IsNull(*list))
		*list = NULL;
	if (*list && !cJSON_IsArray(*list))
		return FAIL(r, o, "%s%s%s is not a list", place,
			    *place ? "." : "", key);
	return 0;
}

static int read_default(struct reading *r)
{
	static const char place[] = "default_strategy";
	const cJSON *o = cJSON_GetObjectItemCaseSensitive(r->root, place);
	const cJSON *list = NULL;
	int rc;

	r->s->usual.param = SPAN_STRATEGY_PROBABILITY;
	if (o && !cJSON_IsObject(o) && !cJSON_IsNull(o))
		return FAIL(r, o, "%s is not an object", place);
	rc = read_strategy(r, o, place, &r->s->usual);
	if (rc >= 0)
		rc = get_list(r, o, place, "operation_strategies", &list);
	if (rc >= 0 && cJSON_GetArraySize(list))
		r->usual_operations = list;
	return rc < 0 ? rc : read_operations(r, list, place, &r->s->usual);
}

static int read_service(struct reading *r, const cJSON *o, int i)
{
	struct span_strategy *s = &r->s->services[r->s->n];
	const char *name = text_of(o, "service");
	const cJSON *own;
	char place[PLACE_MAX];
	int rc;

	*s = (struct span_strategy){.limits = r->s->usual.limits,
				    .param = r->s->usual.param};
	snprintf(place, sizeof(place), "service_strategies[%d]", i);
	if (!cJSON_IsObject(o) || !name)
		return FAIL(r, o, "%s: there is no 'service'", place);
	rc = read_strategy(r, o, place, s);
	if (rc >= 0)
		rc = get_list(r, o, place, "operation_strategies", &own);
	if (rc >= 0)
		rc = read_operations(r, own, place, s);
	if (rc < 0)
		return rc;
	if (!span_arena_str(&r->s->arena, span_str(name), &s->service))
		return no_memory(r->err);
	r->s->n++;
	return 0;
}

static int by_service(const void *a, const void *b)
{
	const struct span_strategy *x = a, *y = b;

	return span_str_compare(x->service, y->service);
}

static int check_twice(struct reading *r, const cJSON *list)
{
	const struct span_strategy *s = r->s->services;

	for (size_t i = 1; i < r->s->n; i++)
		if (span_str_equal(s[i - 1].service, s[i].service))
			return FAIL(r, list,
				    "service_strategies names a service "
				    "twice: '%.*s'",
				    (int)s[i].service.len, s[i].service.p);
	return 0;
}

static int read_services(struct reading *r)
{
	const cJSON *list, *o;
	int i = 0, rc;

	rc = get_list(r, r->root, "", "service_strategies", &list);
	if (rc < 0)
		return rc;
	r->s->services =
		span_arena_array(&r->s->arena, (size_t)cJSON_GetArraySize(list),
				 sizeof(*r->s->services));
	if (!r->s->services)
		return no_memory(r->err);
	cJSON_ArrayForEach(o, list)
	{
		rc = read_service(r, o, i++);
		if (rc < 0)
			return rc;
	}
	if (r->s->n)
		qsort(r->s->services, r->s->n, sizeof(*r->s->services),
		      by_service);
	return check_twice(r, list);
}

static int read_baggage(struct reading *r)
{
	const cJSON *list, *o;
	int i = 0, rc;

	rc = get_list(r, r->root, "", "baggage_restrictions", &list);
	if (rc < 0 || !list)
		return rc;
	r->s->has_baggage = true;
	r->s->baggage =
		span_arena_array(&r->s->arena, (size_t)cJSON_GetArraySize(list),
				 sizeof(*r->s->baggage));
	if (!r->s->baggage)
		return no_memory(r->err);
	cJSON_ArrayForEach(o, list)
	{
		struct span_baggage *b = &r->s->baggage[r->s->n_baggage++];
		const char *key = text_of(o, "baggageKey");
		const cJSON *max =
			cJSON_GetObjectItemCaseSensitive(o, "maxValueLength");

		if (!cJSON_IsObject(o) || !key || !cJSON_IsNumber(max) ||
		    !(max->valuedouble >= 0 && max->valuedouble <= LIMIT_MAX))
			return FAIL(r, o,
				    "baggage_restrictions[%d] has not "
				    "'baggageKey' and 'maxValueLength'",
				    i);
		i++;
		b->max = (uint32_t)max->valuedouble;
		if (!span_arena_str(&r->s->arena, span_str(key), &b->key))
			return no_memory(r->err);
	}
	return 0;
}

/* What is no JSON, with its line. */
static int no_json(struct reading *r, const char *end)
{
	const char *text = r->text;
	unsigned line = 1, column = 1;

	for (; text && text < end; text++) {
		column = *text == '\n' ? 1 : column + 1;
		line += *text == '\n';
	}
	return span_error_set(r->err, SPAN_E_CORRUPT,
			      "%s: no JSON at line %u, column %u", r->name,
			      line, column);
}

static bool only_space(const char *p, const char *end)
{
	while (p < end && strchr(" \t\r\n", *p))
		p++;
	return p == end;
}

int span_strategies_parse(struct span_strategies **out, const char *name,
			  const void *text, size_t len,
			  struct span_buf *warnings, struct span_error *err)
{
	struct reading r = {.name = name,
			    .text = text,
			    .len = len,
			    .warnings = warnings,
			    .err = err};
	const char *end = text;
	cJSON *root = cJSON_ParseWithLengthOpts(text, len, &end, 0);
	int rc;

	r.root = root;
	r.s = calloc(1, sizeof(*r.s));
	if (!r.s)
		rc = no_memory(err);
	else if (!root || !only_space(end, r.text + len))
		rc = no_json(&r, end);
	else if (!cJSON_IsObject(root))
		rc = span_error_set(err, SPAN_E_CORRUPT,
				    "%s: it is not an object", name);
	else if ((rc = read_default(&r)) >= 0 && (rc = read_services(&r)) >= 0)
		rc = read_baggage(&r);
	cJSON_Delete(root);
	if (rc < 0)
		span_strategies_close(&r.s);
	*out = r.s;
	return rc;
}

const struct span_strategy *
span_strategies_find(const struct span_strategies *s, struct span_str service)
{
	const struct span_strategy key = {.service = service};
	const struct span_strategy *found = NULL;

	if (s->n)
		found = bsearch(&key, s->services, s->n, sizeof(key),
				by_service);
	return found ? found : &s->usual;
}

double span_strategy_p(const struct span_strategy *s, struct span_str operation)
{
	for (size_t i = 0; i < s->n_operations; i++)
		if (span_str_equal(s->operations[i].name, operation))
			return s->operations[i].p;
	return s->has_operations ? s->other : s->param;
}

void span_strategies_close(struct span_strategies **s)
{
	if (!*s)
		return;
	span_arena_release(&(*s)->arena);
	free(*s);
	*s = NULL;
}
