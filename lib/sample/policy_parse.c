/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of policies. Its objects are read in the order in which they begin
 * in the text, and so each is known by its number.
 */
#include "sample/policy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "sample/json_line.h"

#include "base/banned.h"

#define RATE_MAX 1e9
#define COUNT_MAX 1e15
#define MS_MAX 9e12	    /* of latency, in ns within 64 bits */
#define INITIAL_SHARE 0.001 /* as Jaeger's */
#define MIN_SHARE 1e-5
#define NAME_MAX_BYTES 100u
#define NAME_CHARS                                                             \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-./"

struct reading {
	struct span__policies *p;
	const char *name, *text;
	size_t len;
	unsigned objects; /* read so far */
	unsigned here;	  /* the one that is read */
	struct span_error *err;
};

struct form {
	const char *name;
	enum span__policy_type type;
	const char *keys; /* beside name, type and share; blanks around each */
};

static const struct form forms[] = {
	{"always", SPAN__POLICY_ALWAYS, " "},
	{"error", SPAN__POLICY_ERROR, " "},
	{"status", SPAN__POLICY_STATUS, " status "},
	{"latency", SPAN__POLICY_LATENCY, " min_ms max_ms "},
	{"traceql", SPAN__POLICY_TRACEQL, " expression "},
	{"ratio", SPAN__POLICY_RATIO, " ratio "},
	{"rate", SPAN__POLICY_RATE, " rate burst per "},
	{"rare", SPAN__POLICY_RARE, " rate burst "},
	{"first", SPAN__POLICY_FIRST, " count per "},
	{"strategies", SPAN__POLICY_STRATEGIES, " "},
	{"adaptive", SPAN__POLICY_ADAPTIVE, " target initial min interval_s "},
	{"bands", SPAN__POLICY_ADAPTIVE, " bands interval_s "},
	{"and", SPAN__POLICY_AND, " policies "},
	{"or", SPAN__POLICY_OR, " policies "},
	{"not", SPAN__POLICY_NOT, " policies "},
	/* An OR, each of which is an AND with a share of the rate. */
	{"composite", SPAN__POLICY_OR, " rate policies "},
};

#define FAIL(r, fmt, ...)                                                      \
	span_error_set(                                                        \
		(r)->err, SPAN_E_INVALID, "%s: line %u: " fmt, (r)->name,      \
		span__json_line((r)->text, (r)->len, (r)->here), __VA_ARGS__)

static int no_memory(struct reading *r)
{
	return span_error_set(r->err, SPAN_E_NOMEM, "memory is out");
}

static const cJSON *member(const cJSON *o, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(o, key);
}

static bool is_word_of(const char *words, const char *key)
{
	size_t n = strlen(key);
	const char *at = n && !strchr(key, ' ') ? words : NULL;

	while (at && (at = strstr(at, key))) {
		if (at > words && at[-1] == ' ' && at[n] == ' ')
			return true;
		at++;
	}
	return false;
}

static int check_keys(struct reading *r, const cJSON *o, const char *keys,
		      bool in_composite)
{
	const cJSON *i, *other;

	cJSON_ArrayForEach(i, o)
	{
		if (!is_word_of(keys, i->string) &&
		    !is_word_of(" name type ", i->string) &&
		    !(in_composite && !strcmp(i->string, "share")))
			return FAIL(r, "'%.40s' is not known here", i->string);
		for (other = i->next; other; other = other->next)
			if (!strcmp(i->string, other->string))
				return FAIL(r, "'%.40s' is there twice",
					    i->string);
	}
	return 0;
}

/* A number of O from MIN to MAX; *OUT stays when it is not there. */
static int get_number(struct reading *r, const cJSON *o, const char *key,
		      double min, double max, double *out)
{
	const cJSON *v = member(o, key);

	if (!v)
		return 0;
	if (!cJSON_IsNumber(v) ||
	    !(v->valuedouble >= min && v->valuedouble <= max))
		return FAIL(r, "'%s' is no number from %g to %g", key, min,
			    max);
	*out = v->valuedouble;
	return 0;
}

static int get_rate(struct reading *r, const cJSON *o, double *rate)
{
	const cJSON *v = member(o, "rate");

	if (!cJSON_IsString(v) || span_rate_parse(v->valuestring, rate) < 0)
		return FAIL(r, "%s",
			    "'rate' is not like \"5/s\", \"10/m\" or "
			    "\"100/h\"");
	return 0;
}

static int get_per(struct reading *r, const cJSON *o, enum span__per *per)
{
	static const char *const names[] = {"all", "service", "operation"};
	const cJSON *v = member(o, "per");

	for (unsigned i = 0; v && i < 3; i++)
		if (cJSON_IsString(v) && !strcmp(v->valuestring, names[i])) {
			*per = (enum span__per)i;
			return 0;
		}
	return v ? FAIL(r, "%s", "'per' is none of all, service and operation")
		 : 0;
}

static int set_rate(struct reading *r, double rate, double burst,
		    struct span__policy *p)
{
	p->remembers = true;
	return span__limit_init(&p->limit, rate, burst, r->err);
}

static int read_rate(struct reading *r, const cJSON *o, struct span__policy *p)
{
	double rate = 0, burst;
	int rc = get_rate(r, o, &rate);

	burst = rate > 1 ? rate : 1;
	if (!rc)
		rc = get_number(r, o, "burst", 1, RATE_MAX, &burst);
	if (!rc)
		rc = get_per(r, o, &p->per);
	if (p->type == SPAN__POLICY_RARE)
		p->per = SPAN__PER_OPERATION;
	return rc < 0 ? rc : set_rate(r, rate, burst, p);
}

static int read_first(struct reading *r, const cJSON *o, struct span__policy *p)
{
	double count = 0;
	int rc = get_number(r, o, "count", 1, COUNT_MAX, &count);

	if (!rc && (!count || count != floor(count)))
		rc = FAIL(r, "%s", "'count' is no whole number");
	if (!rc)
		rc = get_per(r, o, &p->per);
	return rc < 0 ? rc : set_rate(r, 0, count, p);
}

static int read_adaptive(struct reading *r, const cJSON *o,
			 struct span__policy *p)
{
	struct span__adaptive *a = &r->p->adaptive;
	const char *bands = cJSON_GetStringValue(member(o, "bands"));
	const char *target = cJSON_GetStringValue(member(o, "target"));
	const char *why = span__adaptive_rules(a, target, bands);
	double seconds = bands ? 10 : 60;
	int rc;

	if (r->p->adapts)
		return FAIL(r, "%s", "one policy can be adaptive, not two");
	if (why)
		return FAIL(r, "%s", why);
	p->remembers = true;
	a->initial = INITIAL_SHARE;
	a->min = MIN_SHARE;
	rc = get_number(r, o, "initial", MIN_SHARE, 1, &a->initial);
	if (!rc)
		rc = get_number(r, o, "min", 0, 1, &a->min);
	if (!rc)
		rc = get_number(r, o, "interval_s", 1, 86400, &seconds);
	if (rc < 0)
		return rc;
	a->interval_ns = (uint64_t)(seconds * 1e9);
	r->p->adapts = true;
	return span__adaptive_init(a, r->err);
}

static int read_latency(struct reading *r, const cJSON *o,
			struct span__policy *p)
{
	double min = 0, max = 0;
	int rc = get_number(r, o, "min_ms", 0, MS_MAX, &min);

	if (!rc)
		rc = get_number(r, o, "max_ms", 0, MS_MAX, &max);
	if (rc < 0)
		return rc;
	if (!member(o, "min_ms") && !member(o, "max_ms"))
		return FAIL(r, "%s", "'min_ms' or 'max_ms' is needed");
	if (member(o, "max_ms") && max < min)
		return FAIL(r, "%s", "'max_ms' is below 'min_ms'");
	p->min_ns = (uint64_t)(min * 1e6);
	p->max_ns = member(o, "max_ms") ? (uint64_t)(max * 1e6) : UINT64_MAX;
	return 0;
}

static int read_traceql(struct reading *r, const cJSON *o,
			struct span__policy *p)
{
	struct span_select sel = {
		.expression = cJSON_GetStringValue(member(o, "expression"))};
	struct span_error why = {0};
	int rc;

	if (!sel.expression)
		return FAIL(r, "%s", "'expression' is needed, a text");
	rc = span_query_compile(&p->query, &sel, &why);
	if (rc == SPAN_E_NOMEM)
		return no_memory(r);
	return rc < 0 ? FAIL(r, "%s", why.msg) : 0;
}

static int read_status(struct reading *r, const cJSON *o,
		       struct span__policy *p)
{
	const char *text = cJSON_GetStringValue(member(o, "status"));
	int status = text ? span_status_parse(span_str(text)) : -1;

	if (status < 0)
		return FAIL(r, "%s", "'status' is none of unset, ok and error");
	p->status = (uint8_t)status;
	return 0;
}

static int read_ratio(struct reading *r, const cJSON *o, struct span__policy *p)
{
	if (!member(o, "ratio"))
		return FAIL(r, "%s", "'ratio' is needed");
	return get_number(r, o, "ratio", 0, 1, &p->ratio);
}

static int read_policy(struct reading *r, const cJSON *o,
		       struct span__policy *p, bool in_composite, int depth);

/* The list "policies" of O, into the children of P. */
static int read_list(struct reading *r, const cJSON *o, struct span__policy *p,
		     bool in_composite, int depth)
{
	const cJSON *list = member(o, "policies"), *i;
	int rc = 0;

	p->n = (size_t)cJSON_GetArraySize(list);
	if (!cJSON_IsArray(list) || !p->n ||
	    (p->type == SPAN__POLICY_NOT && p->n != 1)) {
		p->n = 0;
		return FAIL(r, "%s",
			    p->type == SPAN__POLICY_NOT
				    ? "'policies' is no list of one"
				    : "'policies' is no list of some");
	}
	if (depth > SPAN__POLICY_DEPTH || r->objects + p->n > SPAN__POLICY_MAX)
		rc = FAIL(r, "%s", "more policies than can be");
	p->v = rc ? NULL : span_arena_array(&r->p->arena, p->n, sizeof(*p->v));
	if (!p->v) {
		p->n = 0;
		return rc ? rc : no_memory(r);
	}
	memset(p->v, 0, p->n * sizeof(*p->v));
	p->n = 0;
	cJSON_ArrayForEach(i, list)
	{
		rc = read_policy(r, i, &p->v[p->n++], in_composite, depth + 1);
		if (rc < 0)
			return rc;
		p->remembers |= p->v[p->n - 1].remembers;
	}
	return 0;
}

/* P becomes: P, and one of RATE * SHARE traces a second. */
static int allot(struct reading *r, double rate, double share,
		 struct span__policy *p)
{
	struct span__policy *v = span_arena_array(&r->p->arena, 2, sizeof(*v));

	if (!v)
		return no_memory(r);
	v[0] = *p;
	v[1] = (struct span__policy){.type = SPAN__POLICY_RATE};
	*p = (struct span__policy){
		.type = SPAN__POLICY_AND, .remembers = true, .v = v, .n = 2};
	rate *= share;
	return set_rate(r, rate, rate > 1 ? rate : 1, &v[1]);
}

static int read_composite(struct reading *r, const cJSON *o,
			  struct span__policy *p, int depth)
{
	unsigned here = r->here;
	double rate = 0, sum = 0;
	const cJSON *i;
	size_t n = 0;
	int rc = get_rate(r, o, &rate);

	if (!rc)
		rc = read_list(r, o, p, true, depth);
	r->here = here;
	cJSON_ArrayForEach(i, member(o, "policies"))
	{
		const cJSON *share = member(i, "share");

		if (rc < 0)
			return rc;
		if (!cJSON_IsNumber(share) || !(share->valuedouble > 0))
			return FAIL(r,
				    "policy %zu of it has no 'share' of the "
				    "rate above 0",
				    n + 1);
		sum += share->valuedouble;
		rc = allot(r, rate, share->valuedouble, &p->v[n++]);
	}
	p->remembers = true;
	if (rc >= 0 && sum > 1.000001)
		rc = FAIL(r, "the shares are %g, more than 1, together", sum);
	return rc;
}

static int read_parts(struct reading *r, const cJSON *o, const struct form *f,
		      struct span__policy *p, int depth)
{
	switch (f->type) {
	case SPAN__POLICY_STATUS:
		return read_status(r, o, p);
	case SPAN__POLICY_LATENCY:
		return read_latency(r, o, p);
	case SPAN__POLICY_TRACEQL:
		return read_traceql(r, o, p);
	case SPAN__POLICY_RATIO:
		return read_ratio(r, o, p);
	case SPAN__POLICY_RATE:
	case SPAN__POLICY_RARE:
		return read_rate(r, o, p);
	case SPAN__POLICY_STRATEGIES:
		return span__policy_strategies(p, r->p->strategies,
					       &r->p->arena, r->err);
	case SPAN__POLICY_ADAPTIVE:
		return read_adaptive(r, o, p);
	case SPAN__POLICY_FIRST:
		return read_first(r, o, p);
	case SPAN__POLICY_OR:
		if (is_word_of(f->keys, "rate"))
			return read_composite(r, o, p, depth);
		return read_list(r, o, p, false, depth);
	case SPAN__POLICY_AND:
	case SPAN__POLICY_NOT:
		return read_list(r, o, p, false, depth);
	default:
		return 0;
	}
}

static int read_name(struct reading *r, const cJSON *o, const char *type,
		     struct span__policy *p)
{
	const cJSON *v = member(o, "name");
	const char *name = v ? cJSON_GetStringValue(v) : type;

	if (!name || !*name || strlen(name) > NAME_MAX_BYTES ||
	    name[strspn(name, NAME_CHARS)])
		return FAIL(r, "%s",
			    "'name' is no text of letters, digits, "
			    "blanks, _, -, . and /");
	return span_arena_str(&r->p->arena, span_str(name), &p->name)
		       ? 0
		       : no_memory(r);
}

static int read_policy(struct reading *r, const cJSON *o,
		       struct span__policy *p, bool in_composite, int depth)
{
	const char *type = cJSON_GetStringValue(member(o, "type"));
	const struct form *f = forms;
	const struct form *end = forms + sizeof(forms) / sizeof(*forms);
	int rc;

	if (!cJSON_IsObject(o))
		return FAIL(r, "%s", "a policy is no object");
	r->here = r->objects++;
	if (!type)
		return FAIL(r, "%s", "'type' is needed, a text");
	while (f < end && strcmp(f->name, type) != 0)
		f++;
	if (f == end ||
	    (f->type == SPAN__POLICY_STRATEGIES && !r->p->strategies))
		return FAIL(r, "'%.40s' is no type of a policy", type);
	p->type = f->type;
	rc = check_keys(r, o, f->keys, in_composite);
	if (!rc)
		rc = read_name(r, o, type, p);
	return rc < 0 ? rc : read_parts(r, o, f, p, depth);
}

/* Those of the file itself are counted by their names. */
static int number(struct reading *r)
{
	struct span__policies *p = r->p;
	size_t n = p->root.n;

	p->numbered = span_arena_array(&p->arena, n, sizeof(*p->numbered));
	if (!p->numbered)
		return no_memory(r);
	for (size_t i = 0; i < n; i++) {
		p->root.v[i].number = SPAN_POLICY_FIRST + p->n;
		p->numbered[p->n++] = &p->root.v[i];
		for (size_t j = 0; j < i; j++)
			if (span_str_equal(p->root.v[i].name,
					   p->root.v[j].name))
				return span_error_set(
					r->err, SPAN_E_INVALID,
					"%s: two policies have the name "
					"'%.*s': give them a 'name'",
					r->name, (int)p->root.v[i].name.len,
					p->root.v[i].name.p);
	}
	return 0;
}

static int read_root(struct reading *r, const cJSON *root)
{
	int rc;

	if (!cJSON_IsObject(root))
		return FAIL(r, "%s", "the file is no object");
	r->here = r->objects++;
	r->p->root.type = SPAN__POLICY_OR;
	rc = check_keys(r, root, " policies ", false);
	if (!rc)
		rc = read_list(r, root, &r->p->root, false, 0);
	return rc < 0 ? rc : number(r);
}

static int no_json(struct reading *r, const char *end)
{
	unsigned line = 1;

	for (const char *p = r->text; p && p < end; p++)
		line += *p == '\n';
	return span_error_set(r->err, SPAN_E_INVALID, "%s: line %u: no JSON",
			      r->name, line);
}

int span__policies_parse(struct span__policies *p, const char *name,
			 const void *text, size_t len, struct span_error *err)
{
	struct reading r = {
		.p = p, .name = name, .text = text, .len = len, .err = err};
	const char *end = text, *stop = r.text + len;
	cJSON *root = cJSON_ParseWithLengthOpts(text, len, &end, 0);
	int rc;

	while (root && end < stop && strchr(" \t\r\n", *end) && *end)
		end++;
	rc = root && end == stop ? read_root(&r, root) : no_json(&r, end);
	cJSON_Delete(root);
	return rc;
}
