/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that make no sense, for each route that there is: each is answered,
 * with a 4xx where something is wrong, in the form that clients of the family
 * read. What is asked is drawn at random, and the same each time.
 */
#include "serve-spans.h"

#include <cjson/cJSON.h>

#define REQUESTS 30000u
#define N(v) (sizeof(v) / sizeof(*(v)))

static const char *const names[] = {
	"q",
	"service",
	"operation",
	"tag",
	"tags",
	"not-tag",
	"has-tag",
	"kind",
	"status",
	"error",
	"root",
	"matchers",
	"trace-id",
	"traceID",
	"min-duration",
	"max-duration",
	"minDuration",
	"maxDuration",
	"since",
	"until",
	"sort",
	"limit",
	"format",
	"traces",
	"start",
	"end",
	"raw",
	"endTs",
	"lookback",
	"step",
	"ratePer",
	"quantile",
	"spanKind",
	"groupByOperation",
	"hours",
	"silence",
	"free",
	"scope",
	"spss",
	"serviceName",
	"spanName",
	"remoteServiceName",
	"annotationQuery",
	"traceIds",
	"key",
	"startTime",
	"endTime",
	"rawTraces",
	"query.filter",
	"query.attributes",
	"query.startTimeMin",
	"query.searchDepth",
	"query.startTimeMax",
	"query.durationMin",
	"query.serviceName",
	"prettyPrint",
};

static const char *const values[] = {
	"",
	"0",
	"-1",
	"1",
	"3",
	"shop",
	"cart",
	"true",
	"server",
	"json",
	"csv",
	"spans",
	"errors",
	"9223372036854775807",
	"-9223372036854775809",
	"18446744073709551616",
	"4294967296",
	"99999999999999999999999999999999999999999",
	"NaN",
	"-Inf",
	"1e308",
	"1e-400",
	"0x10",
	"1.5",
	"1.5h",
	"9223372036854775807ns",
	"2562048h",
	"-5m",
	"%FF%FE",
	"%C3",
	"%ED%A0%80",
	"%00",
	"a%00b",
	"%E2%80%AE",
	"%0D%0AX:1",
	"..%2F..%2Fetc",
	"((((((((",
	"%5B%5B%5B",
	"{",
	"{}",
	"{\"a\":1}",
	"{\"a\":\"b\"}",
	"{\"op\":\"eq\"}",
	"[]",
	"null",
	"9999-12-31T23:59:59Z",
	"2026-11-22T00:00:00Z",
	"now",
	"@1",
	"{ status = error }",
	"{} | rate()",
	"{ .a =~ \"(a%2B)%2B$\" }",
	"{ .a =~ \"(\" }",
	"{ name = \"x\" } >> {}",
	"a:b",
	"a=b",
	"=",
	"\"",
	"\\",
	"~(",
	"*",
	"aa",
	"1,2,x",
	"gggggggggggggggg",
	"%zz",
	"%",
	"000000000000000000000000000000000",
	"x=y&q=z",
	"+"};

/* What makes requests of a family go on to what comes after their times. */
static const char valid[] =
	"query.startTimeMin=2026-11-22T00:00:00Z&"
	"query.startTimeMax=2026-11-23T00:00:00Z&service=shop&quantile=0.5";

static uint32_t draw(uint32_t *x, size_t n)
{
	*x = *x * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)(*x >> 8) * n) >> 24);
}

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* The path of ROUTE with something for its stars. */
static void put_path(struct span_buf *b, const char *pattern, uint32_t *x)
{
	const char *blank = strchr(pattern, ' ');

	for (const char *p = blank ? blank + 1 : pattern; *p; p++) {
		const char *v = values[draw(x, N(values))];

		if (*p != '*')
			span_buf_putc(b, *p);
		else if (!*v || strpbrk(v, "&/?"))
			span_buf_putc(b, '1');
		else
			span_buf_puts(b, v);
	}
}

static void put_target(struct span_buf *b, const char *pattern, uint32_t *x)
{
	put_path(b, pattern, x);
	span_buf_putc(b, '?');
	for (uint32_t n = 1 + draw(x, 3); n; n--)
		span_buf_printf(b, "%s=%s&", names[draw(x, N(names))],
				values[draw(x, N(values))]);
	if (draw(x, 2))
		span_buf_puts(b, valid);
	span_buf_putc(b, 0);
}

static bool has_number(const cJSON *parent, const char *name, unsigned want)
{
	return cJSON_GetNumberValue(cJSON_GetObjectItem(parent, name)) == want;
}

/* Is it what clients that ask for such paths expect of an error? */
static bool is_error(const char *path, const struct serve_reply *r)
{
	cJSON *json;
	bool good;

	if (begins(path, "/api/v2/") || begins(path, "/api/search") ||
	    begins(path, "/api/metrics/query"))
		return begins(r->type, "text/plain") && r->body.len > 1 &&
		       r->body.p[r->body.len - 1] == '\n';
	json = cJSON_Parse(r->body.p);
	if (begins(path, "/api/v3/"))
		good = has_number(cJSON_GetObjectItem(json, "error"),
				  "httpCode", r->status);
	else if (begins(path, "/api/spans"))
		good = cJSON_GetObjectItem(json, "error") != NULL;
	else
		good = has_number(
			cJSON_GetArrayItem(cJSON_GetObjectItem(json, "errors"),
					   0),
			"code", r->status);
	cJSON_Delete(json);
	return good;
}

static bool is_utf8(const struct span_buf *b)
{
	struct span_buf shown = {0};
	bool good;

	/* JSON has U+FFFD for what is none. */
	span_text_json(&shown, (struct span_str){b->p, b->len});
	good = !memmem(shown.p, shown.len, "\xef\xbf\xbd", 3) ||
	       memmem(b->p, b->len, "\xef\xbf\xbd", 3);
	span_buf_release(&shown);
	return good;
}

/* Is what was answered to TARGET as it should be? */
static bool is_good(const char *target, const struct serve_reply *r)
{
	if (r->status < 400)
		return r->status == 200;
	if (begins(target, "/healthz") && r->status == 503)
		return true;
	/* Jaeger's own status, where there is no archive. */
	if (r->status >= 500 && r->status != 501 &&
	    !begins(target, "/api/archive/"))
		return false;
	return is_error(target, r) && is_utf8(&r->body);
}

static size_t count_routes(void)
{
	size_t n = 0;

	while (span__serve_route_at(n))
		n++;
	return n;
}

/* Neither the page nor what Prometheus reads: they take no parameters. */
static bool is_api(const struct span__serve_route *r)
{
	const char *path = strchr(r->pattern, '/');

	return !strcmp(r->method, "GET") &&
	       (begins(path, "/api/") || begins(path, "/analytics/") ||
		begins(path, "/healthz"));
}

int main(void)
{
	size_t n_routes = count_routes();
	unsigned bad = 0, refused = 0;
	struct serve_spans spans;
	struct serve_test t;
	uint32_t x = 8;

	serve_spans_open(&t, &spans);
	for (unsigned i = 0; i < REQUESTS; i++) {
		const struct span__serve_route *route =
			span__serve_route_at(draw(&x, n_routes));
		struct span_buf target = {0};
		struct serve_reply r;

		if (!is_api(route))
			continue;
		put_target(&target, route->pattern, &x);
		serve_test_must(!target.failed, "memory", NULL);
		serve_test_get(&t, target.p, &r);
		refused += r.status >= 400;
		if (!is_good(target.p, &r) && ++bad < 10)
			diag("%s: %u %s", target.p, r.status, r.body.p);
		serve_reply_release(&r);
		span_buf_release(&target);
	}
	is_uint(bad, 0, "each request is answered as its family expects");
	ok(refused > REQUESTS / 4, "%u of them with an error", refused);
	serve_test_close(&t);
	return done_testing();
}
