/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/json_map.h"

#include <string.h>

#include <cjson/cJSON.h>

#include "base/banned.h"

static const char *type_of(const cJSON *j)
{
	if (cJSON_IsNumber(j))
		return "number";
	if (cJSON_IsBool(j))
		return "bool";
	if (cJSON_IsArray(j))
		return "array";
	return cJSON_IsObject(j) ? "object" : "string";
}

static int wrong_type(struct span_error *err, const cJSON *j, const char *want)
{
	return span_error_set(err, SPAN_E_INVALID,
			      "json: cannot unmarshal %s into Go value of type "
			      "%s",
			      type_of(j), want);
}

static int hand_out(const cJSON *object, span__json_map_fn *fn, void *arg,
		    struct span_error *err)
{
	const cJSON *j;
	unsigned n = 0;
	int rc = 0;

	cJSON_ArrayForEach(j, object)
	{
		if (!cJSON_IsString(j) && !cJSON_IsNull(j))
			return wrong_type(err, j, "string");
		if (++n > SPAN__JSON_MAP_MAX)
			return span_error_set(err, SPAN_E_LIMIT,
					      "more than %u members",
					      SPAN__JSON_MAP_MAX);
		rc = fn(arg, span_str(j->string), span_str(j->valuestring));
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* cJSON would cut a text at a zero byte. */
static bool has_zero(struct span_str json)
{
	for (size_t i = 0; i + 6 <= json.len; i++)
		if (!memcmp(json.p + i, "\\u0000", 6))
			return true;
	return json.len && memchr(json.p, 0, json.len);
}

/* JSON, or what Go would say is wrong with it. */
static cJSON *parse(struct span_str json, struct span_error *err)
{
	const char *at = json.p, *end = json.p + json.len;
	cJSON *root = NULL;

	if (json.len)
		root = cJSON_ParseWithLengthOpts(json.p, json.len, &at, 0);
	if (!root && (!json.len || at >= end - 1)) {
		span_error_set(err, SPAN_E_INVALID,
			       "unexpected end of JSON input");
		return NULL;
	}
	while (root && at < end && strchr(" \t\r\n", *at))
		at++;
	if (root && at == end)
		return root;
	span_error_set(err, SPAN_E_INVALID, "invalid character '%c' %s",
		       *at >= ' ' && *at <= '~' ? *at : '?',
		       root ? "after top-level value"
			    : "looking for beginning of value");
	cJSON_Delete(root);
	return NULL;
}

int span__json_map(struct span_str json, span__json_map_fn *fn, void *arg,
		   struct span_error *err)
{
	cJSON *root;
	int rc = 0;

	if (has_zero(json))
		return span_error_set(err, SPAN_E_INVALID,
				      "a text with a zero byte");
	root = parse(json, err);
	if (!root)
		return SPAN_E_INVALID;
	if (cJSON_IsObject(root))
		rc = hand_out(root, fn, arg, err);
	else if (!cJSON_IsNull(root))
		rc = wrong_type(err, root, "map[string]string");
	cJSON_Delete(root);
	return rc;
}
