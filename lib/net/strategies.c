/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answers are made when the file is read. An answer is a type, which the
 * two dialects write differently, and the rest of the object as text.
 *
 * As in Jaeger: an unknown type is the default; operations can only be sampled
 * with a probability; those of the default strategy hold for every service,
 * too, whose own come first; a service without a type takes that of the
 * default.
 */
#include "net/strategies.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <span/text.h>

#include "base/banned.h"

#define PROBABILITY 0.001 /* where nobody says anything */
#define LIMIT_MAX 2147483647.0
#define PLACE_MAX 100

enum type { PROBABILISTIC, RATE_LIMITING };

struct strategy {
	enum type type;
	double param;
};

struct answer {
	struct span_str service;
	enum type type;
	struct span_str rest; /* after strategyType, to the end */
};

struct span__strategies {
	struct span_arena arena;
	struct answer usual;
	struct answer *services; /* in order */
	size_t n;
	struct span_str baggage;
	bool has_baggage;
};

/* What is needed while a file is read. */
struct reading {
	struct span__strategies *s;
	const char *name;
	struct span_buf *warnings;
	struct span_error *err;
	struct strategy usual;
	const cJSON *usual_operations;
	struct span_buf text;
};

#define FAIL(r, ...) span_error_set((r)->err, SPAN_E_CORRUPT, __VA_ARGS__)

static void warn(struct reading *r, const char *place, const char *what)
{
	span_buf_printf(r->warnings, "%s: %s: %s\n", r->name, place, what);
}

static int no_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

/* 0, or an error when PARAM is not what TYPE takes. */
static int read_param(struct reading *r, const cJSON *o, const char *place,
		      struct strategy *s)
{
	const cJSON *param = cJSON_GetObjectItemCaseSensitive(o, "param");

	if (!cJSON_IsNumber(param))
		return FAIL(r, "%s: %s: 'param' is not a number", r->name,
			    place);
	s->param = param->valuedouble;
	if (s->type == PROBABILISTIC && !(s->param >= 0 && s->param <= 1))
		return FAIL(r, "%s: %s: a probability is 0 to 1", r->name,
			    place);
	if (s->type == RATE_LIMITING &&
	    (!(s->param >= 0 && s->param <= LIMIT_MAX) ||
	     s->param != floor(s->param)))
		return FAIL(r,
			    "%s: %s: the limit is a whole number of traces a "
			    "second",
			    r->name, place);
	return 0;
}

/* 1 when O has a strategy; 0 when *S stays what it is. */
static int read_strategy(struct reading *r, const cJSON *o, const char *place,
			 struct strategy *s)
{
	const cJSON *type = cJSON_GetObjectItemCaseSensitive(o, "type");
	struct strategy own = {PROBABILISTIC, 0};
	int rc;

	if (!type || (cJSON_IsString(type) && !*type->valuestring))
		return 0;
	if (!cJSON_IsString(type))
		return FAIL(r, "%s: %s: 'type' is not a string", r->name,
			    place);
	if (!strcmp(type->valuestring, "ratelimiting")) {
		own.type = RATE_LIMITING;
	} else if (strcmp(type->valuestring, "probabilistic") != 0) {
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

static void put_number(struct span_buf *b, double d)
{
	/* Whole numbers without the point that the text form of doubles has. */
	if (d == floor(d) && fabs(d) <= LIMIT_MAX)
		span_text_int(b, (int64_t)d);
	else
		span_text_double(b, d);
}

static const char *text_of(const cJSON *o, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	return cJSON_IsString(v) && *v->valuestring ? v->valuestring : NULL;
}

/* Is NAME in LIST before END? Those that are left out do not count. */
static bool is_listed(const cJSON *list, const cJSON *end, const char *name)
{
	const cJSON *o;

	cJSON_ArrayForEach(o, list)
	{
		const char *other = text_of(o, "operation");
		const char *type = text_of(o, "type");

		if (o == end)
			return false;
		if (other && !strcmp(other, name) &&
		    !(type && !strcmp(type, "ratelimiting")))
			return true;
	}
	return false;
}

/* One of LIST; BEFORE has those that were written already. */
static int put_operation(struct reading *r, const cJSON *o, const char *place,
			 const cJSON *list, const cJSON *before)
{
	struct strategy s = {PROBABILISTIC, PROBABILITY};
	const char *name = text_of(o, "operation");
	int rc;

	if (!cJSON_IsObject(o) || !name)
		return FAIL(r, "%s: %s: there is no 'operation'", r->name,
			    place);
	rc = read_strategy(r, o, place, &s);
	if (rc < 0)
		return rc;
	if (s.type == RATE_LIMITING) {
		warn(r, place,
		     "operations cannot be 'ratelimiting': it is left out");
		return 0;
	}
	if (is_listed(before, NULL, name) || is_listed(list, o, name))
		return 0;
	if (r->text.p[r->text.len - 1] == '}')
		span_buf_putc(&r->text, ',');
	span_buf_puts(&r->text, "{\"operation\":");
	span_text_json(&r->text, span_str(name));
	span_buf_puts(&r->text,
		      ",\"probabilisticSampling\":{\"samplingRate\":");
	put_number(&r->text, s.param);
	span_buf_puts(&r->text, "}}");
	return 0;
}

static int put_list(struct reading *r, const cJSON *list, const char *where,
		    const cJSON *before)
{
	const cJSON *o;
	int i = 0, rc;

	cJSON_ArrayForEach(o, list)
	{
		char place[PLACE_MAX];

		snprintf(place, sizeof(place), "%s.operation_strategies[%d]",
			 where, i++);
		if (r->text.failed)
			return no_memory(r->err);
		rc = put_operation(r, o, place, list, before);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int put_operations(struct reading *r, const cJSON *own,
			  const char *where, const struct strategy *s)
{
	bool is_usual = own == r->usual_operations;
	int rc;

	/* Who takes the list of the default takes its probability, too. */
	if (s->type != PROBABILISTIC && !cJSON_GetArraySize(own))
		s = &r->usual;

	span_buf_puts(
		&r->text,
		",\"operationSampling\":{\"defaultSamplingProbability\":");
	put_number(&r->text, s->type == PROBABILISTIC ? s->param : PROBABILITY);
	span_buf_puts(&r->text, ",\"defaultLowerBoundTracesPerSecond\":0,"
				"\"perOperationStrategies\":[");
	rc = put_list(r, own, where, NULL);
	if (rc >= 0 && !is_usual)
		rc = put_list(r, r->usual_operations, "default_strategy", own);
	span_buf_puts(&r->text, "],\"defaultUpperBoundTracesPerSecond\":0}");
	return rc;
}

static int keep_text(struct reading *r, struct span_str *out)
{
	if (r->text.failed ||
	    !span_arena_str(&r->s->arena,
			    (struct span_str){r->text.p, r->text.len}, out))
		return no_memory(r->err);
	return 0;
}

/* The answer for S with the operations OWN, which may be NULL. */
static int make_answer(struct reading *r, const struct strategy *s,
		       const cJSON *own, const char *where, struct answer *a)
{
	int rc = 0;

	a->type = s->type;
	r->text.len = 0;
	span_buf_puts(&r->text,
		      s->type == PROBABILISTIC
			      ? ",\"probabilisticSampling\":{\"samplingRate\":"
			      : ",\"rateLimitingSampling\":"
				"{\"maxTracesPerSecond\":");
	put_number(&r->text, s->param);
	span_buf_putc(&r->text, '}');
	if (cJSON_GetArraySize(own) || cJSON_GetArraySize(r->usual_operations))
		rc = put_operations(r, own, where, s);
	span_buf_putc(&r->text, '}');
	return rc < 0 ? rc : keep_text(r, &a->rest);
}

/* The list KEY of O, or NULL in *LIST. */
static int get_list(struct reading *r, const cJSON *o, const char *place,
		    const char *key, const cJSON **list)
{
	*list = cJSON_GetObjectItemCaseSensitive(o, key);
	if (cJSON_IsNull(*list))
		*list = NULL;
	if (*list && !cJSON_IsArray(*list))
		return FAIL(r, "%s: %s%s%s is not a list", r->name, place,
			    *place ? "." : "", key);
	return 0;
}

static int read_default(struct reading *r, const cJSON *root)
{
	static const char place[] = "default_strategy";
	const cJSON *o = cJSON_GetObjectItemCaseSensitive(root, place);
	int rc;

	r->usual = (struct strategy){PROBABILISTIC, PROBABILITY};
	if (o && !cJSON_IsObject(o) && !cJSON_IsNull(o))
		return FAIL(r, "%s: %s is not an object", r->name, place);
	rc = read_strategy(r, o, place, &r->usual);
	if (rc >= 0)
		rc = get_list(r, o, place, "operation_strategies",
			      &r->usual_operations);
	if (rc >= 0)
		rc = make_answer(r, &r->usual, r->usual_operations, place,
				 &r->s->usual);
	return rc;
}

static int read_service(struct reading *r, const cJSON *o, int i)
{
	struct answer *a = &r->s->services[r->s->n];
	struct strategy s = r->usual;
	const char *name = text_of(o, "service");
	const cJSON *own;
	char place[PLACE_MAX];
	int rc;

	snprintf(place, sizeof(place), "service_strategies[%d]", i);
	if (!cJSON_IsObject(o) || !name)
		return FAIL(r, "%s: %s: there is no 'service'", r->name, place);
	rc = read_strategy(r, o, place, &s);
	if (rc >= 0)
		rc = get_list(r, o, place, "operation_strategies", &own);
	if (rc >= 0)
		rc = make_answer(r, &s, own, place, a);
	if (rc < 0)
		return rc;
	if (!span_arena_str(&r->s->arena, span_str(name), &a->service))
		return no_memory(r->err);
	r->s->n++;
	return 0;
}

static int by_service(const void *a, const void *b)
{
	const struct answer *x = a, *y = b;

	return span_str_compare(x->service, y->service);
}

static int check_twice(struct reading *r)
{
	const struct answer *a = r->s->services;

	for (size_t i = 1; i < r->s->n; i++)
		if (span_str_equal(a[i - 1].service, a[i].service))
			return FAIL(r,
				    "%s: service_strategies names a service "
				    "twice: '%.*s'",
				    r->name, (int)a[i].service.len,
				    a[i].service.p);
	return 0;
}

static int read_services(struct reading *r, const cJSON *root)
{
	const cJSON *list, *o;
	int i = 0, rc;

	rc = get_list(r, root, "", "service_strategies", &list);
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
	return check_twice(r);
}

static int read_baggage(struct reading *r, const cJSON *root)
{
	const cJSON *list, *o;
	int i = 0, rc;

	rc = get_list(r, root, "", "baggage_restrictions", &list);
	if (rc < 0 || !list)
		return rc;
	r->text.len = 0;
	span_buf_putc(&r->text, '[');
	cJSON_ArrayForEach(o, list)
	{
		const char *key = text_of(o, "baggageKey");
		const cJSON *max =
			cJSON_GetObjectItemCaseSensitive(o, "maxValueLength");

		if (!cJSON_IsObject(o) || !key || !cJSON_IsNumber(max) ||
		    !(max->valuedouble >= 0 && max->valuedouble <= LIMIT_MAX))
			return FAIL(r,
				    "%s: baggage_restrictions[%d] has not "
				    "'baggageKey' and 'maxValueLength'",
				    r->name, i);
		span_buf_puts(&r->text, i++ ? ",{" : "{");
		span_buf_puts(&r->text, "\"baggageKey\":");
		span_text_json(&r->text, span_str(key));
		span_buf_puts(&r->text, ",\"maxValueLength\":");
		span_text_int(&r->text, (int64_t)max->valuedouble);
		span_buf_putc(&r->text, '}');
	}
	span_buf_putc(&r->text, ']');
	r->s->has_baggage = true;
	return keep_text(r, &r->s->baggage);
}

/* What is no JSON, with its line. */
static int no_json(struct reading *r, const char *text, const char *end)
{
	unsigned line = 1, column = 1;

	for (; text && text < end; text++) {
		column = *text == '\n' ? 1 : column + 1;
		line += *text == '\n';
	}
	return FAIL(r, "%s: no JSON at line %u, column %u", r->name, line,
		    column);
}

static bool only_space(const char *p, const char *end)
{
	while (p < end && strchr(" \t\r\n", *p))
		p++;
	return p == end;
}

int span__strategies_parse(struct span__strategies **out, const char *name,
			   const void *text, size_t len,
			   struct span_buf *warnings, struct span_error *err)
{
	struct reading r = {.name = name, .warnings = warnings, .err = err};
	const char *end = text;
	cJSON *root = cJSON_ParseWithLengthOpts(text, len, &end, 0);
	int rc;

	r.s = calloc(1, sizeof(*r.s));
	if (!r.s)
		rc = no_memory(err);
	else if (!root || !only_space(end, (const char *)text + len))
		rc = no_json(&r, text, end);
	else if (!cJSON_IsObject(root))
		rc = FAIL(&r, "%s: it is not an object", name);
	else if ((rc = read_default(&r, root)) >= 0 &&
		 (rc = read_services(&r, root)) >= 0)
		rc = read_baggage(&r, root);
	cJSON_Delete(root);
	span_buf_release(&r.text);
	if (rc < 0)
		span__strategies_close(&r.s);
	*out = r.s;
	return rc;
}

static const struct answer *find(const struct span__strategies *s,
				 struct span_str service)
{
	const struct answer key = {.service = service};
	const struct answer *a = NULL;

	if (s->n)
		a = bsearch(&key, s->services, s->n, sizeof(key), by_service);
	return a ? a : &s->usual;
}

void span__strategies_answer(const struct span__strategies *s,
			     struct span_str service, bool numeric,
			     struct span_buf *out)
{
	static const char rest[] =
		",\"probabilisticSampling\":{\"samplingRate\":0.001}}";
	static const struct answer usual = {.type = PROBABILISTIC,
					    .rest = {rest, sizeof(rest) - 1}};
	const struct answer *a = s ? find(s, service) : &usual;
	bool limits = a->type == RATE_LIMITING;

	span_buf_puts(out, "{\"strategyType\":");
	if (numeric)
		span_buf_putc(out, limits ? '1' : '0');
	else
		span_buf_puts(out, limits ? "\"RATE_LIMITING\""
					  : "\"PROBABILISTIC\"");
	span_buf_str(out, a->rest);
}

bool span__strategies_baggage(const struct span__strategies *s,
			      struct span_buf *out)
{
	if (!s || !s->has_baggage)
		return false;
	span_buf_str(out, s->baggage);
	return true;
}

size_t span__strategies_n(const struct span__strategies *s)
{
	return s->n;
}

void span__strategies_close(struct span__strategies **s)
{
	if (!*s)
		return;
	span_arena_release(&(*s)->arena);
	free(*s);
	*s = NULL;
}
