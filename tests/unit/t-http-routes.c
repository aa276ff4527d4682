/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_routes.h"

#include "tests/unit/tap.h"

static const struct {
	const char *text, *type, *why;
} types[] = {
	{"application/json", "application/json", NULL},
	{"Application/JSON", "application/json", NULL},
	{" application/json ", "application/json", NULL},
	{"application/json;charset=utf-8", "application/json", NULL},
	{"application/json ; charset = x", "application/json",
	 "mime: invalid media parameter"},
	{"application/json; a=b; c=\"d;\\\"e\"", "application/json", NULL},
	{"application/json;", "application/json", NULL},
	{"application/json; ;a=b", "application/json", NULL},
	{"application/vnd.apache.thrift.binary",
	 "application/vnd.apache.thrift.binary", NULL},
	{NULL, "", "mime: no media type"},
	{"", "", "mime: no media type"},
	{";a=b", "", "mime: no media type"},
	{"json", "", "mime: expected slash after first token"},
	{"a b/c", "", "mime: expected slash after first token"},
	{"a/", "", "mime: expected token after slash"},
	{"a/;b=c", "", "mime: expected token after slash"},
	{"a/b c", "", "mime: unexpected content after media subtype"},
	{"a/b, a/c", "", "mime: unexpected content after media subtype"},
	{"a/b; c", "", "mime: invalid media parameter"},
	{"a/b; c=", "", "mime: invalid media parameter"},
	{"a/b; =c", "", "mime: invalid media parameter"},
	{"a/b; c=\"d", "", "mime: invalid media parameter"},
	{"a/b; c=\"d\\", "", "mime: invalid media parameter"},
};

static void test_types(void)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		char type[SPAN__MEDIA_TYPE];
		const char *why = span__media_type(types[i].text, type);
		const char *name = types[i].text ? types[i].text : "(none)";

		is_str(why, types[i].why, "'%s': what is wrong", name);
		if (!why)
			is_str(type, types[i].type, "'%s': the type", name);
	}
}

/* A long one is cut, and so none that anybody takes. */
static void test_long_type(void)
{
	char text[1000], type[SPAN__MEDIA_TYPE];

	memset(text, 'a', sizeof(text));
	memcpy(text + 10, "/", 1);
	text[sizeof(text) - 1] = '\0';
	ok(!span__media_type(text, type), "a long type is read");
	is_uint(strlen(type), SPAN__MEDIA_TYPE - 1, "and cut");
}

static void test_routes(void)
{
	const struct span__http_route *r;

	r = span__http_route(SPAN__HTTP_OTLP, "/v1/traces");
	ok(r && r->is_post && r->action == SPAN__HTTP_POST_OTLP, "OTLP");
	ok(!span__http_route(SPAN__HTTP_OTLP, "/v1/traces/"), "no slash more");
	ok(!span__http_route(SPAN__HTTP_OTLP, "/api/v2/spans"),
	   "no path of another port");
	ok(!span__http_route(SPAN__HTTP_OTLP, ""), "no empty path");
	r = span__http_route(SPAN__HTTP_SAMPLING, "/");
	ok(r && !r->is_post && r->action == SPAN__HTTP_GET_SAMPLING_NUMERIC,
	   "the agent's oldest path");
	r = span__http_route(SPAN__HTTP_ADMIN, "/");
	ok(r && r->action == SPAN__HTTP_GET_HEALTH, "health");
}

int main(void)
{
	test_types();
	test_long_type();
	test_routes();
	return done_testing();
}
