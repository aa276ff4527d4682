/* SPDX-License-Identifier: Apache-2.0 */
#include "gen-json.h"

#include <stdio.h>
#include <string.h>

#include "base/banned.h"

#define MAX_DURATION_LOG2 45 /* about ten hours */

void gen_json_fail(struct gen_json *j, const char *fmt, ...)
{
	char text[160];
	va_list ap;

	if (j->rc < 0)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	j->rc = span_error_set(j->err, SPAN_E_INVALID, "%s: %s: %s", j->name,
			       j->path_len ? j->path : ".", text);
}

static size_t step(struct gen_json *j, const char *fmt, const char *key,
		   size_t i)
{
	size_t mark = j->path_len, room = sizeof(j->path) - mark;
	int n = key ? snprintf(j->path + mark, room, fmt, key)
		    : snprintf(j->path + mark, room, "[%zu]", i);

	if (n > 0 && (size_t)n < room)
		j->path_len += (size_t)n;
	j->path[j->path_len] = '\0';
	return mark;
}

size_t gen_json_enter(struct gen_json *j, const char *key)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz_"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	bool is_plain = *key && key[strspn(key, plain)] == '\0';

	return step(j, is_plain ? ".%s" : "[\"%s\"]", key, 0);
}

size_t gen_json_enter_index(struct gen_json *j, size_t i)
{
	return step(j, NULL, NULL, i);
}

void gen_json_leave(struct gen_json *j, size_t mark)
{
	j->path_len = mark;
	j->path[mark] = '\0';
}

void *gen_json_alloc(struct gen_json *j, size_t n, size_t size)
{
	void *p = span_arena_array(&j->t->arena, n, size);

	if (p)
		return memset(p, 0, n * size);
	if (j->rc >= 0)
		j->rc = span_error_set(j->err, SPAN_E_NOMEM, "out of memory");
	return NULL;
}

struct span_str gen_json_copy(struct gen_json *j, const char *text)
{
	struct span_str copy = {NULL, 0};

	if (strlen(text) > SPAN_MAX_STRING)
		gen_json_fail(j, "text of more than %u bytes", SPAN_MAX_STRING);
	else if (!span_arena_str(&j->t->arena, span_str(text), &copy))
		j->rc = span_error_set(j->err, SPAN_E_NOMEM, "out of memory");
	return copy;
}

bool gen_json_object(struct gen_json *j, const cJSON *item,
		     const char *const *keys)
{
	const cJSON *member;

	if (!cJSON_IsObject(item)) {
		gen_json_fail(j, "not an object");
		return false;
	}
	cJSON_ArrayForEach(member, item)
	{
		const char *const *key = keys;

		while (*key && strcmp(*key, member->string) != 0)
			key++;
		if (!*key) {
			gen_json_fail(j, "unknown member \"%s\"",
				      member->string);
			return false;
		}
	}
	return j->rc >= 0;
}

const cJSON *gen_json_get(const cJSON *obj, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(obj, key);
}

struct span_str gen_json_text(struct gen_json *j, const cJSON *obj,
			      const char *key)
{
	const cJSON *item = gen_json_get(obj, key);
	struct span_str text = {NULL, 0};
	size_t mark;

	if (!item)
		return text;
	mark = gen_json_enter(j, key);
	if (cJSON_IsString(item))
		text = gen_json_copy(j, item->valuestring);
	else
		gen_json_fail(j, "not a string");
	gen_json_leave(j, mark);
	return text;
}

bool gen_json_bool(struct gen_json *j, const cJSON *obj, const char *key)
{
	const cJSON *item = gen_json_get(obj, key);
	size_t mark;

	if (!item)
		return false;
	mark = gen_json_enter(j, key);
	if (!cJSON_IsBool(item))
		gen_json_fail(j, "not true or false");
	gen_json_leave(j, mark);
	return cJSON_IsTrue(item);
}

double gen_json_double(struct gen_json *j, const cJSON *obj, const char *key,
		       double otherwise, double max)
{
	const cJSON *item = gen_json_get(obj, key);
	double d = otherwise;
	size_t mark;

	if (!item)
		return otherwise;
	mark = gen_json_enter(j, key);
	if (!cJSON_IsNumber(item))
		gen_json_fail(j, "not a number");
	else if (!(item->valuedouble >= 0 && item->valuedouble <= max))
		gen_json_fail(j, "not a number from 0 to %g", max);
	else
		d = item->valuedouble;
	gen_json_leave(j, mark);
	return d;
}

uint64_t gen_json_int(struct gen_json *j, const cJSON *obj, const char *key,
		      uint64_t otherwise, uint64_t max)
{
	double d = gen_json_double(j, obj, key, (double)otherwise, (double)max);
	uint64_t n = (uint64_t)d;
	size_t mark = gen_json_enter(j, key);

	if ((double)n < d)
		gen_json_fail(j, "not a whole number");
	gen_json_leave(j, mark);
	return n;
}

uint64_t gen_json_duration_log2(struct gen_json *j, const cJSON *obj,
				const char *key, uint64_t otherwise)
{
	struct span_error err = {0};
	const cJSON *item = gen_json_get(obj, key);
	uint64_t ns = 0, log2 = otherwise;
	size_t mark;

	if (!item)
		return otherwise;
	mark = gen_json_enter(j, key);
	if (!cJSON_IsString(item))
		gen_json_fail(j, "not a duration like \"5ms\"");
	else if (cmd_parse_duration(item->valuestring, &ns, &err) < 0)
		gen_json_fail(j, "%s", err.msg);
	else if (!ns || ns >> MAX_DURATION_LOG2)
		gen_json_fail(j, "not a duration from 1ns to 9h");
	else
		log2 = gen_log2(ns);
	gen_json_leave(j, mark);
	return log2;
}

void gen_json_range(struct gen_json *j, const cJSON *obj, const char *key,
		    uint64_t *lo, uint64_t *hi, uint64_t max)
{
	const cJSON *item = gen_json_get(obj, key);
	const cJSON *a = item, *b = item;
	size_t mark;

	if (!item)
		return;
	mark = gen_json_enter(j, key);
	if (cJSON_IsArray(item) && cJSON_GetArraySize(item) == 2) {
		a = cJSON_GetArrayItem(item, 0);
		b = cJSON_GetArrayItem(item, 1);
	}
	if (!cJSON_IsNumber(a) || !cJSON_IsNumber(b) ||
	    !(a->valuedouble >= 1 && a->valuedouble <= b->valuedouble &&
	      b->valuedouble <= (double)max)) {
		gen_json_fail(j, "not a number or [LO, HI] from 1 to %llu",
			      (unsigned long long)max);
	} else {
		*lo = (uint64_t)a->valuedouble;
		*hi = (uint64_t)b->valuedouble;
	}
	gen_json_leave(j, mark);
}

size_t gen_json_list(struct gen_json *j, const cJSON *obj, const char *key,
		     const cJSON **list)
{
	const cJSON *item = gen_json_get(obj, key);
	size_t n = 0, mark = gen_json_enter(j, key);

	*list = NULL;
	if (item && !cJSON_IsArray(item))
		gen_json_fail(j, "not a list");
	else if (item)
		n = (size_t)cJSON_GetArraySize(item);
	if (n > GEN_MAX_LIST) {
		gen_json_fail(j, "more than %u elements", GEN_MAX_LIST);
		n = 0;
	}
	if (n)
		*list = item->child;
	gen_json_leave(j, mark);
	return n;
}
