/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make-spans - lines of JSON on standard input to a span stream, for tests
 *
 * So that a test can say which spans it means. A line is an object; what is
 * left out is empty:
 *
 *	t s p		ids of trace, span and parent, hex
 *	at ms		start in ms after 2026-11-22T10:00:00Z, duration in ms
 *	service name state
 *			texts; state is the trace state
 *	flags		a number
 *	kind status	as in the format jsonl of span-query
 *	tags process	objects; whole numbers are integers, others doubles;
 *			{"double":5}, {"int":"9007199254740993"} and
 *			{"bytes":"text"} are what they say
 *	events		an array of {"at":1,"name":"...","fields":{}}
 *
 * A line that begins with # is a comment.
 */
#include <span/stream.h>

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

#define BASE_NS 1795341600000000000u

static struct span_arena arena;

static _Noreturn void fail(const char *what, const char *line)
{
	fprintf(stderr, "make-spans: %s: %s\n", what, line);
	exit(2);
}

static void *get_memory(size_t len)
{
	void *p = span_arena_alloc(&arena, len);

	if (!p)
		fail("out of memory", "");
	return p;
}

static struct span_str text(const cJSON *o, const char *name)
{
	return span_str(cJSON_GetStringValue(cJSON_GetObjectItem(o, name)));
}

static uint32_t number(const cJSON *o, const char *name)
{
	const cJSON *item = cJSON_GetObjectItem(o, name);

	return item ? (uint32_t)item->valueint : 0;
}

static uint64_t ms(const cJSON *o, const char *name)
{
	const cJSON *item = cJSON_GetObjectItem(o, name);

	return item ? (uint64_t)(item->valuedouble * 1e6 + 0.5) : 0;
}

static struct span_value value(const cJSON *item)
{
	const cJSON *d = cJSON_GetObjectItem(item, "double");
	const char *i = cJSON_GetStringValue(cJSON_GetObjectItem(item, "int"));

	if (cJSON_IsString(item))
		return (struct span_value){SPAN_STRING,
					   {span_str(item->valuestring)}};
	if (cJSON_IsBool(item))
		return (struct span_value){SPAN_BOOL,
					   {.b = cJSON_IsTrue(item)}};
	if (d)
		return (struct span_value){SPAN_DOUBLE, {.d = d->valuedouble}};
	if (i)
		return (struct span_value){SPAN_INT,
					   {.i = strtoll(i, NULL, 10)}};
	if (cJSON_IsObject(item))
		return (struct span_value){SPAN_BYTES,
					   {.str = text(item, "bytes")}};
	if (!cJSON_IsNumber(item))
		return (struct span_value){0};
	if (item->valuedouble == (double)(int64_t)item->valuedouble)
		return (struct span_value){SPAN_INT,
					   {.i = (int64_t)item->valuedouble}};
	return (struct span_value){SPAN_DOUBLE, {.d = item->valuedouble}};
}

static struct span_attrs attrs(const cJSON *o, const char *name)
{
	const cJSON *list = cJSON_GetObjectItem(o, name), *item;
	size_t n = (size_t)cJSON_GetArraySize(list), i = 0;
	struct span_attr *v = get_memory(n * sizeof(*v));

	cJSON_ArrayForEach(item, list) v[i++] =
		(struct span_attr){span_str(item->string), value(item)};
	return (struct span_attrs){.v = v, .n = n};
}

static void set_events(struct span *s, const cJSON *o)
{
	const cJSON *list = cJSON_GetObjectItem(o, "events"), *item;
	size_t n = (size_t)cJSON_GetArraySize(list), i = 0;
	struct span_event *v = get_memory(n * sizeof(*v));

	cJSON_ArrayForEach(item, list) v[i++] =
		(struct span_event){BASE_NS + ms(item, "at"),
				    text(item, "name"), attrs(item, "fields")};
	s->events = v;
	s->n_events = n;
}

static struct span make_span(const cJSON *o, const char *line)
{
	struct span_process *process = get_memory(sizeof(*process));
	struct span s = {.process = process,
			 .name = text(o, "name"),
			 .start_ns = BASE_NS + ms(o, "at"),
			 .duration_ns = ms(o, "ms"),
			 .flags = number(o, "flags"),
			 .trace_state = text(o, "state"),
			 .attrs = attrs(o, "tags")};
	struct span_str kind = text(o, "kind"), status = text(o, "status");

	*process = (struct span_process){.service = text(o, "service"),
					 .attrs = attrs(o, "process")};
	if (span_trace_id_parse(text(o, "t"), s.trace_id) < 0 ||
	    span_id_parse(text(o, "s"), s.span_id) < 0 ||
	    (text(o, "p").len && span_id_parse(text(o, "p"), s.parent_id) < 0))
		fail("bad id", line);
	if (kind.len)
		s.kind = (uint8_t)span_kind_parse(kind);
	if (status.len)
		s.status = (uint8_t)span_status_parse(status);
	set_events(&s, o);
	span_derive(&s);
	return s;
}

int main(void)
{
	struct span_error err = {0};
	struct span_writer *w;
	char *line = NULL;
	size_t cap = 0;

	if (span_writer_open(&w, STDOUT_FILENO, &err) < 0)
		fail(err.msg, "");
	while (getline(&line, &cap, stdin) > 0) {
		cJSON *o = NULL;
		struct span s;

		if (line[0] == '#' || line[0] == '\n')
			continue;
		o = cJSON_Parse(line);
		if (!o)
			fail("no JSON", line);
		s = make_span(o, line);
		if (span_writer_put(w, &s, &err) < 0)
			fail(err.msg, line);
		cJSON_Delete(o);
		span_arena_reset(&arena);
	}
	if (span_writer_flush(w, &err) < 0)
		fail(err.msg, "");
	span_writer_close(&w);
	span_arena_release(&arena);
	free(line);
	return 0;
}
