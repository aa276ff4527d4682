/* SPDX-License-Identifier: Apache-2.0 */
#include "gen-json.h"

#include <string.h>

#include "base/banned.h"

#define MAX_EXACT 9007199254740991.0 /* 2^53 - 1 */

static const struct {
	const char *name;
	int ref;
} builtins[] = {
	{"service", GEN_SERVICE}, {"instance", GEN_INSTANCE},
	{"host", GEN_HOST},	  {"ip", GEN_IP},
	{"peer", GEN_PEER},	  {"peer_host", GEN_PEER_HOST},
	{"peer_ip", GEN_PEER_IP},
};

/*
 * Named values are found by their place in the file: one that is being read
 * knows only those before it, so that none can be in a circle.
 */
static int named_ref(struct gen_json *j, const char *name, size_t len)
{
	for (size_t i = 0; i < j->t->n_named; i++) {
		struct span_str n = j->t->named[i].name;

		if (n.len == len && !memcmp(n.p, name, len))
			return (int)i;
	}
	gen_json_fail(j, "no value is called \"%.*s\"", (int)len, name);
	return 0;
}

static int placeholder(struct gen_json *j, const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
		if (strlen(builtins[i].name) == len &&
		    !memcmp(builtins[i].name, name, len))
			return builtins[i].ref;
	return named_ref(j, name, len);
}

/* Split at {name}; {{ is a brace. */
static void template_parts(struct gen_json *j, struct span_str s,
			   struct gen_value *out)
{
	struct gen_part *parts;
	const char *p = s.p, *end = s.p + s.len;
	size_t n = 1;

	for (size_t i = 0; i < s.len; i++)
		n += s.p[i] == '{' ? 2 : 0;
	parts = gen_json_alloc(j, n, sizeof(*parts));
	out->draw = GEN_TEMPLATE;
	out->parts = parts;
	while (p < end && j->rc >= 0) {
		struct gen_part *part = &parts[out->n_parts++];
		const char *brace = memchr(p, '{', (size_t)(end - p)), *close;

		part->ref = GEN_TEXT;
		if (brace != p) {
			part->text.p = p;
			part->text.len = (size_t)((brace ? brace : end) - p);
			p += part->text.len;
			continue;
		}
		if (p + 1 < end && p[1] == '{') {
			part->text = (struct span_str){p, 1};
			p += 2;
			continue;
		}
		close = memchr(p, '}', (size_t)(end - p));
		if (!close) {
			gen_json_fail(j, "'{' without '}' (write {{ for a "
					 "brace)");
			return;
		}
		part->ref = placeholder(j, p + 1, (size_t)(close - p - 1));
		p = close + 1;
	}
}

static void string_value(struct gen_json *j, const char *text,
			 struct gen_value *out)
{
	struct span_str s = gen_json_copy(j, text);

	if (j->rc < 0)
		return;
	out->value.type = SPAN_STRING;
	out->value.str = s;
	if (s.len && memchr(s.p, '{', s.len))
		template_parts(j, s, out);
}

static void number_value(double d, struct gen_value *out)
{
	if (d >= -MAX_EXACT && d <= MAX_EXACT && d == (double)(int64_t)d) {
		out->value.type = SPAN_INT;
		out->value.i = (int64_t)d;
	} else {
		out->value.type = SPAN_DOUBLE;
		out->value.d = d;
	}
}

/* [LO, HI] times SCALE, in whole numbers of at least MIN. */
static void limits(struct gen_json *j, const cJSON *item, double scale,
		   double min, struct gen_value *out)
{
	const cJSON *lo = cJSON_GetArrayItem(item, 0);
	const cJSON *hi = cJSON_GetArrayItem(item, 1);
	double max = MAX_EXACT / scale;

	if (cJSON_GetArraySize(item) != 2 || !cJSON_IsNumber(lo) ||
	    !cJSON_IsNumber(hi) ||
	    !(lo->valuedouble >= min && lo->valuedouble <= hi->valuedouble &&
	      hi->valuedouble <= max)) {
		gen_json_fail(j, "not [LO, HI] from %g to %g", min, max);
		return;
	}
	out->lo = (int64_t)(lo->valuedouble * scale);
	out->hi = (int64_t)(hi->valuedouble * scale);
}

static void skew_value(struct gen_json *j, const cJSON *item,
		       struct gen_value *out)
{
	out->draw = GEN_SKEW;
	limits(j, item, 1, 1, out);
	if (j->rc < 0)
		return;
	out->lo_log2 = gen_log2((uint64_t)out->lo);
	out->hi_log2 = gen_log2((uint64_t)out->hi + 1);
}

static void choice_value(struct gen_json *j, const cJSON *obj,
			 struct gen_value *out)
{
	const cJSON *list, *weights, *item;
	size_t n = gen_json_list(j, obj, "choice", &list);
	size_t n_weights = gen_json_list(j, obj, "weights", &weights), i = 0;
	struct gen_value *values;
	uint32_t *sums, sum = 0;

	if (!n || (n_weights && n_weights != n)) {
		gen_json_fail(j, n ? "as many weights as choices are needed"
				   : "nothing to choose from");
		return;
	}
	values = gen_json_alloc(j, n, sizeof(*values));
	sums = gen_json_alloc(j, n, sizeof(*sums));
	for (item = list; item && j->rc >= 0; item = item->next, i++) {
		size_t mark = gen_json_enter(j, "choice");
		size_t at = gen_json_enter_index(j, i);
		double weight = weights ? weights->valuedouble : 1;

		if (cJSON_IsObject(item))
			gen_json_fail(j, "not a text or number");
		gen_json_value(j, item, &values[i]);
		if ((weights && !cJSON_IsNumber(weights)) ||
		    !(weight >= 1 && weight <= 1e6))
			gen_json_fail(j, "its weight is not from 1 to 1e6");
		sum += j->rc < 0 ? 0 : (uint32_t)weight;
		sums[i] = sum;
		weights = weights ? weights->next : NULL;
		gen_json_leave(j, at);
		gen_json_leave(j, mark);
	}
	out->draw = GEN_CHOICE;
	out->values = values;
	out->weights = sums;
	out->n_values = n;
}

static void object_value(struct gen_json *j, const cJSON *obj,
			 struct gen_value *out)
{
	static const char *const keys[] = {
		"int",	   "skew",  "double", "hex", "uuid",	 "choice",
		"weights", "value", "chance", "per", "constant", NULL};
	const cJSON *item;

	if (!gen_json_object(j, obj, keys))
		return;
	if ((item = gen_json_get(obj, "int"))) {
		out->draw = GEN_INT;
		limits(j, item, 1, -MAX_EXACT, out);
	} else if ((item = gen_json_get(obj, "skew"))) {
		skew_value(j, item, out);
	} else if ((item = gen_json_get(obj, "double"))) {
		out->draw = GEN_DOUBLE;
		limits(j, item, 1000, -MAX_EXACT / 1000, out);
	} else if (gen_json_get(obj, "hex")) {
		out->draw = GEN_HEX;
		out->hi = (int64_t)gen_json_int(j, obj, "hex", 16, 4096);
	} else if (gen_json_get(obj, "uuid")) {
		out->draw = GEN_UUID;
	} else if (gen_json_get(obj, "choice")) {
		choice_value(j, obj, out);
	} else if ((item = gen_json_get(obj, "value"))) {
		struct span_str name = gen_json_text(j, obj, "value");

		out->draw = GEN_REF;
		if (j->rc >= 0)
			out->lo = named_ref(j, name.p, name.len);
	} else if ((item = gen_json_get(obj, "constant")) &&
		   !cJSON_IsObject(item)) {
		gen_json_value(j, item, out);
	} else {
		gen_json_fail(j, "one of int, skew, double, hex, uuid, choice, "
				 "value, constant is needed");
	}
}

void gen_json_value(struct gen_json *j, const cJSON *item,
		    struct gen_value *out)
{
	if (cJSON_IsString(item)) {
		string_value(j, item->valuestring, out);
	} else if (cJSON_IsNumber(item)) {
		number_value(item->valuedouble, out);
	} else if (cJSON_IsBool(item)) {
		out->value.type = SPAN_BOOL;
		out->value.b = cJSON_IsTrue(item);
	} else if (cJSON_IsObject(item)) {
		object_value(j, item, out);
	} else {
		gen_json_fail(j, "not a value");
	}
}

static size_t put_tags(struct gen_json *j, const cJSON *obj,
		       struct gen_tag *tags)
{
	const cJSON *item;
	size_t n = 0;

	cJSON_ArrayForEach(item, obj)
	{
		size_t mark = gen_json_enter(j, item->string);
		struct gen_tag *tag = &tags[n++];

		tag->key = gen_json_copy(j, item->string);
		tag->chance = GEN_ALWAYS;
		gen_json_value(j, item, &tag->value);
		if (cJSON_IsObject(item))
			tag->chance = gen_probability(
				gen_json_double(j, item, "chance", 1, 1));
		gen_json_leave(j, mark);
		if (j->rc < 0)
			break;
	}
	return n;
}

static const cJSON *tag_set(struct gen_json *j, const cJSON *name)
{
	const cJSON *set = NULL;

	if (cJSON_IsString(name))
		set = gen_json_get(j->tag_sets, name->valuestring);
	if (!set)
		gen_json_fail(j, "not the name of a tag set");
	else if (!cJSON_IsObject(set))
		gen_json_fail(j, "the tag set is not an object");
	return set;
}

void gen_json_tags(struct gen_json *j, const cJSON *obj, struct gen_tags *out)
{
	const cJSON *own = gen_json_get(obj, "tags"), *use;
	size_t n = 0, mark;
	struct gen_tag *tags;

	gen_json_list(j, obj, "use", &use);
	mark = gen_json_enter(j, "use");
	for (const cJSON *s = use; s && j->rc >= 0; s = s->next)
		n += (size_t)cJSON_GetArraySize(tag_set(j, s));
	gen_json_leave(j, mark);
	mark = gen_json_enter(j, "tags");
	if (own && !cJSON_IsObject(own))
		gen_json_fail(j, "not an object");
	n += own ? (size_t)cJSON_GetArraySize(own) : 0;
	if (n > GEN_MAX_LIST)
		gen_json_fail(j, "more than %u tags", GEN_MAX_LIST);
	tags = j->rc < 0 ? NULL : gen_json_alloc(j, n, sizeof(*tags));
	n = 0;
	for (const cJSON *s = use; s && j->rc >= 0; s = s->next)
		n += put_tags(j, tag_set(j, s), tags + n);
	if (j->rc >= 0 && own)
		n += put_tags(j, own, tags + n);
	gen_json_leave(j, mark);
	out->v = tags;
	out->n = j->rc < 0 ? 0 : n;
}
