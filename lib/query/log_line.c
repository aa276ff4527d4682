/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line is looked at twice: for the time and the id of the span by names that
 * may stand anywhere in it, whatever its form; and for its fields, if it is
 * JSON or logfmt as a whole.
 */
#include <span/log.h>

#include <string.h>

#include "codec/json.h"
#include "codec/lines.h"
#include "query/match.h"

#include "base/banned.h"

#define MAX_FIELDS 64u
#define MAX_TIME 40u /* bytes of a time as text */

static const char *const span_names[] = {"span_id", "spanid",	   "span-id",
					 "span.id", "x-b3-spanid", "otelspanid",
					 NULL};
static const char *const time_names[] = {"time",       "timestamp", "ts", "t",
					 "@timestamp", "asctime",   NULL};
static const char *const trace_names[] = {
	"trace_id",    "traceid", "trace-id",	   "trace.id",
	"traceparent", "b3",	  "uber-trace-id", "x-b3-traceid",
	"oteltraceid", NULL};
static const char *const text_names[] = {"message", "msg", "line",
					 "body",    "log", NULL};

static bool is_any(struct span_str key, const char *const *names)
{
	for (; *names; names++)
		if (key.len == strlen(*names) &&
		    !strncasecmp(key.p, *names, key.len))
			return true;
	return false;
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
	       c == '_' || c == '-' || c == '.';
}

/* ---- Times ---- */

/* Seconds, milli-, micro- or nanoseconds, by their digits. */
static bool read_epoch(struct span_str s, uint64_t *ns)
{
	uint64_t unit = 1000000000, v = 0, part = 0;
	size_t n = 0;

	for (; n < s.len && s.p[n] >= '0' && s.p[n] <= '9'; n++)
		if (n < 19)
			v = v * 10 + (uint64_t)(s.p[n] - '0');
	if (n != 10 && n != 13 && n != 16 && n != 19)
		return false;
	for (size_t digits = 10; digits < n; digits += 3)
		unit /= 1000;
	if (n < s.len && s.p[n] == '.')
		for (uint64_t at = unit;
		     ++n < s.len && s.p[n] >= '0' && s.p[n] <= '9' && at;) {
			at /= 10;
			part += at * (uint64_t)(s.p[n] - '0');
		}
	if (n < s.len && is_word(s.p[n]))
		return false;
	return !__builtin_mul_overflow(v, unit, ns) &&
	       !__builtin_add_overflow(*ns, part, ns);
}

static bool is_of_time(char c)
{
	return (c >= '0' && c <= '9') || (c && strchr("-+:.,TtZz", c));
}

/* RFC 3339 or the like at S, with a space for the T, and nothing behind. */
static bool read_date(struct span_str s, uint64_t *ns)
{
	size_t n = 0;

	while (n < s.len && n < MAX_TIME &&
	       (is_of_time(s.p[n]) || (n == 10 && s.p[n] == ' ')))
		n++;
	while (n && strchr("-+:.,", s.p[n - 1]))
		n--;
	return span__time_read((struct span_str){s.p, n}, ns);
}

static bool read_time(struct span_str s, uint64_t *ns)
{
	return read_date(s, ns) || read_epoch(s, ns);
}

/* ---- What stands behind names ---- */

static bool read_span_id(struct span_str s, uint8_t id[8])
{
	size_t n = 0;

	while (n < s.len && n < 17 && is_word(s.p[n]))
		n++;
	return n && n <= 16 && !span_id_parse((struct span_str){s.p, n}, id);
}

static const char *named(struct span_str s, const char *const *names,
			 struct span_str *value)
{
	for (; *names; names++)
		if (span__trace_text_named(s, *names, value))
			return *names;
	return NULL;
}

/* The first time and id of a span in LINE that can be read. */
static void look(struct span_log *out, struct span_str line)
{
	uint64_t *ns = &out->event.time_ns;

	for (size_t i = 0; i < line.len && !(*ns && out->has_span); i++) {
		struct span_str rest = {line.p + i, line.len - i}, v;

		if (i && is_word(line.p[i - 1]))
			continue;
		if (!*ns && *rest.p >= '0' && *rest.p <= '9')
			(void)(read_date(rest, ns) || (*ns = 0));
		if (!*ns && named(rest, time_names, &v))
			(void)(read_time(v, ns) || (*ns = 0));
		if (!out->has_span && named(rest, span_names, &v))
			out->has_span = read_span_id(v, out->span_id);
	}
}

struct beside {
	const uint8_t *trace_id;
	struct span_log *out;
};

/* "00-TRACE-SPAN-01", "TRACE:SPAN:0:1", "TRACE-SPAN" */
static void look_beside(void *arg, const uint8_t id[16], struct span_str v)
{
	struct beside *b = arg;
	size_t at = 0;

	if (b->out->has_span || memcmp(id, b->trace_id, 16) != 0)
		return;
	if (v.len > 3 && v.p[2] == '-')
		at = 3;
	while (at < v.len && v.p[at] != '-' && v.p[at] != ':')
		at++;
	if (at < v.len)
		at++;
	v = (struct span_str){v.p + at, v.len - at};
	for (at = 0; at < v.len && v.p[at] != '-' && v.p[at] != ':';)
		at++;
	if (at && at <= 16)
		b->out->has_span = !span_id_parse((struct span_str){v.p, at},
						  b->out->span_id);
}

/* ---- Fields ---- */

struct fields {
	struct span_attr *v;
	size_t n;
	struct span_arena *arena;
	struct span_str line; /* of a line of Loki's tools */
	bool labels;
};

static void put_field(struct fields *f, struct span_str key,
		      struct span_str value)
{
	if (f->n == MAX_FIELDS || is_any(key, trace_names) ||
	    is_any(key, span_names) || is_any(key, time_names))
		return;
	if (is_any(key, text_names))
		key = SPAN_STR("message");
	f->v[f->n++] = (struct span_attr){
		.key = key, .value = {.type = SPAN_STRING, .str = value}};
}

static void read_member(struct fields *f, struct span__json *j,
			struct span_str key)
{
	enum json_type type = span__json_peek(j);
	struct span_str value;

	if (type == JSON_STRING) {
		value = span__json_string(j);
		if (span_str_equal(key, SPAN_STR("line")))
			f->line = value;
		put_field(f, key, value);
		return;
	}
	if (span_str_equal(key, SPAN_STR("labels")) && type == JSON_OBJECT)
		f->labels = true;
	value = span__json_raw(j);
	if (type != JSON_NULL)
		put_field(f, key, value);
}

/* True when all of the line is an object of JSON. */
static bool read_json(struct fields *f, struct span_str line)
{
	struct span__cursor in;
	struct span__json j;
	struct span_str key;

	f->n = 0;
	cursor_init(&in, line.p, line.len);
	span__json_init(&j, &in, f->arena);
	if (!span__json_object(&j))
		return false;
	while (span__json_member(&j, &key))
		read_member(f, &j, key);
	span__json_end(&j);
	return !in.failed;
}

/* True when the line is fields, each with a value, and nothing else. */
static bool read_logfmt(struct fields *f, struct span_str line)
{
	struct span_str key, value, before = line;
	size_t n = 0;

	f->n = 0;
	for (; line.len; before = line, n++) {
		if (!span__logfmt_next(f->arena, &line, &key, &value))
			return false;
		if (!key.len && !line.len)
			break;
		/* A key alone, which is true, is more likely a word of text. */
		if (!memchr(before.p, '=', before.len - line.len))
			return false;
		put_field(f, key, value);
	}
	return n > 1;
}

static void read_fields(struct fields *f, struct span_str line)
{
	if (line.len && *line.p == '{' && read_json(f, line)) {
		struct span_str inner = f->line;

		if (!f->labels || !inner.len)
			return;
		f->line = (struct span_str){NULL, 0};
		f->labels = false;
		line = inner;
		if (*line.p == '{' && read_json(f, line))
			return;
	}
	if (read_logfmt(f, line))
		return;
	f->n = 0;
	put_field(f, SPAN_STR("message"), line);
}

int span_log_read(struct span_log *out, struct span_str line,
		  const uint8_t trace_id[16], struct span_arena *arena,
		  struct span_error *err)
{
	struct beside b = {.trace_id = trace_id, .out = out};
	struct fields f = {.arena = arena};

	*out = (struct span_log){.event = {.name = {"log", 3}}};
	f.v = span_arena_array(arena, MAX_FIELDS, sizeof(*f.v));
	if (!f.v)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	look(out, line);
	if (!out->has_span)
		span_log_ids(line, look_beside, &b);
	read_fields(&f, line);
	out->event.attrs = (struct span_attrs){.v = f.v, .n = f.n};
	return 0;
}
