/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON reader beside cJSON: both take a text, and find the same in it, or
 * both refuse it. Where they differ, and why:
 *
 * - cJSON takes control characters in strings and for spaces, a byte order
 *   mark, numbers like 01 and 1. and -.5, and \u with other than hex digits.
 * - It refuses half a surrogate pair, which becomes U+FFFD here, numbers of
 *   more than 63 characters, and never nests as deep.
 * - Its texts end at a NUL character.
 */
#include "codec/json.h"

#include <stdlib.h>

#include <cjson/cJSON.h>

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static struct span_arena arena;

static void check(bool good)
{
	if (!good)
		abort();
}

static void same_text(struct span_str ours, const char *theirs)
{
	size_t len = strlen(theirs);

	check(len <= ours.len && (!len || !memcmp(ours.p, theirs, len)));
	check(len == ours.len || !ours.p[len]);
}

static void same_number(struct span_str s, double theirs)
{
	uint64_t a, b;
	int64_t i;
	double d;

	check(span__json_is_number(s) && span__json_double_of(s, &d));
	memcpy(&a, &d, sizeof(a));
	memcpy(&b, &theirs, sizeof(b));
	check(a == b);
	if (span__json_int_of(s, &i))
		check((double)i == d);
}

static void same(struct span__json *j, const cJSON *c)
{
	const cJSON *child = c->child;
	struct span_str key;

	switch (span__json_peek(j)) {
	case JSON_OBJECT:
		check(cJSON_IsObject(c) && span__json_object(j));
		for (; span__json_member(j, &key); child = child->next) {
			check(child);
			same_text(key, child->string);
			same(j, child);
		}
		check(!child);
		break;
	case JSON_ARRAY:
		check(cJSON_IsArray(c) && span__json_array(j));
		for (; span__json_item(j); child = child->next) {
			check(child);
			same(j, child);
		}
		check(!child);
		break;
	case JSON_STRING:
		check(cJSON_IsString(c));
		same_text(span__json_string(j), c->valuestring);
		break;
	case JSON_NUMBER:
		check(cJSON_IsNumber(c));
		same_number(span__json_number(j), c->valuedouble);
		break;
	case JSON_BOOL:
		check(cJSON_IsBool(c) && span__json_bool(j) == cJSON_IsTrue(c));
		break;
	case JSON_NULL:
		check(cJSON_IsNull(c) && span__json_null(j));
		break;
	default:
		check(false);
	}
	check(!j->in->failed);
}

/* cJSON took what we refuse. */
static bool is_lax(const struct span__cursor *in)
{
	unsigned char c =
		in->begin + in->pos < in->end ? in->begin[in->pos] : 0;

	if (in->code == SPAN_E_LIMIT)
		return true;
	if (c < 0x20)
		return true; /* in a string, or for a space */
	if (c == '\\')
		return in->begin[in->pos + 1] == 'u';
	if (!in->pos)
		return c == 0xef;
	if (!strcmp(in->what, "a number should be here"))
		return true;
	/* Behind a number that is over for us. */
	return strchr("0123456789", in->begin[in->pos - 1]) &&
	       strchr("0123456789+-.eE", c);
}

/* We took what cJSON refuses. */
static bool is_strict(const uint8_t *p, size_t len)
{
	size_t run = 0;

	for (size_t i = 0; i < len; i++) {
		run = strchr("0123456789+-.eE", p[i]) && p[i] ? run + 1 : 0;
		if (run > 62)
			return true;
		if (p[i] == '\\' && i + 2 < len && p[i + 1] == 'u' &&
		    (p[i + 2] == 'd' || p[i + 2] == 'D'))
			return true;
	}
	return false;
}

static void whole(const uint8_t *p, size_t len, struct span__cursor *in)
{
	struct span__json j;

	cursor_init(in, p, len);
	span__json_init(&j, in, &arena);
	span__json_skip(&j);
	span__json_end(&j);
	check(!in->failed ||
	      (in->pos <= len && in->what[0] &&
	       (in->code != SPAN_E_TRUNCATED || in->pos == len)));
	check(span_arena_size(&arena) <= 4 * len + (64u << 10));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	char *text = malloc(len + 1);
	struct span__cursor in;
	struct span__json j;
	cJSON *c;

	check(text);
	if (len)
		memcpy(text, p, len);
	text[len] = '\0';
	whole(p, len, &in);
	c = cJSON_ParseWithLengthOpts(text, len + 1, NULL, true);
	if (in.failed) {
		check(!c || is_lax(&in));
	} else if (!c) {
		check(is_strict(p, len));
	} else {
		cursor_init(&in, p, len);
		span__json_init(&j, &in, &arena);
		same(&j, c);
	}
	cJSON_Delete(c);
	free(text);
	span_arena_release(&arena);
	return 0;
}
