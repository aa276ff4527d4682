/* SPDX-License-Identifier: Apache-2.0 */
/*
 * odd-spans - data that a format for usual traffic is not made for
 *
 * usage: odd-spans KIND N >stream
 *
 *   shapes      every trace has another tree
 *   tags        every tag has a key and a value of its own
 *   keys        ten keys of its own in each span
 *   giant       all spans are one trace
 *   single      every span is a trace
 *   sequential  ids count up
 *   short       trace ids of 64 bits
 *   long        2 KB a span: statements and stack traces
 *
 * About N spans, the same bytes for the same arguments.
 */
#include <span/span.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

#define SERVICES 12
#define OPERATIONS 20
#define START 1767225600000000000ull
#define TAGS 10

static const struct kind {
	const char *name;
	bool shapes, tags, keys, giant, single, sequential, narrow, wordy;
} kinds[] = {
	{.name = "shapes", .shapes = true},
	{.name = "tags", .tags = true},
	{.name = "keys", .keys = true},
	{.name = "giant", .giant = true},
	{.name = "single", .single = true},
	{.name = "sequential", .sequential = true},
	{.name = "short", .narrow = true},
	{.name = "long", .wordy = true},
};

static const struct kind *kind;
static struct span_process processes[SERVICES];
static char service_names[SERVICES][24], operation_names[OPERATIONS][32];
static uint64_t n_made;

/* splitmix64 (Steele, Lea, Flood) */
static uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static uint64_t draw(void)
{
	static uint64_t state = 1;

	return mix(state += 0x9e3779b97f4a7c15u);
}

static uint64_t below(uint64_t n)
{
	return draw() % n;
}

static void name_all(void)
{
	for (int i = 0; i < SERVICES; i++) {
		snprintf(service_names[i], sizeof(service_names[i]),
			 "service-%d", i);
		processes[i].service = span_str(service_names[i]);
		processes[i].serial = (uint64_t)i + 1;
	}
	for (int i = 0; i < OPERATIONS; i++)
		snprintf(operation_names[i], sizeof(operation_names[i]),
			 "/api/v1/thing%d/do", i);
}

static void put_id(uint8_t *p, uint64_t n)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(n >> (56 - 8 * i));
}

/* ---- Tags: text lies in a buffer that each span uses anew ---- */

static char texts[1 << 16];
static size_t used;
static struct span_attr attrs[TAGS];
static size_t n_attrs;

static struct span_str text(const char *fmt, ...) SPAN_PRINTF(1, 2);
static struct span_str text(const char *fmt, ...)
{
	char *p = texts + used;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(p, sizeof(texts) - used, fmt, ap);
	va_end(ap);
	used += (size_t)len + 1;
	return (struct span_str){p, (size_t)len};
}

static void tag_text(struct span_str key, struct span_str value)
{
	attrs[n_attrs++] =
		(struct span_attr){key, {.type = SPAN_STRING, .str = value}};
}

static void tag_int(const char *key, uint64_t n)
{
	attrs[n_attrs++] = (struct span_attr){
		span_str(key), {.type = SPAN_INT, .i = (int64_t)n}};
}

static struct span_str statement(void)
{
	static const char *const tables[] = {"orders", "customers", "stock",
					     "payments", "sessions"};
	struct span_str s = text("SELECT o.id, o.state, o.total, c.name, "
				 "c.address FROM %s o JOIN %s c ON c.id = "
				 "o.customer WHERE o.created > '2026-0%llu-"
				 "%02llu' AND c.mail = 'user%llu@example.com' "
				 "AND o.id IN (",
				 tables[below(5)], tables[below(5)],
				 (unsigned long long)below(9) + 1,
				 (unsigned long long)below(28) + 1,
				 (unsigned long long)below(1000000));
	size_t n = 20 + below(40);

	used--;
	for (size_t i = 0; i < n; i++) {
		s.len += text("%llu%s", (unsigned long long)below(100000000),
			      i + 1 < n ? ", " : ")")
				 .len;
		used--;
	}
	used++;
	return s;
}

static struct span_str stack_trace(void)
{
	struct span_str s = text("java.lang.IllegalStateException: order %llu "
				 "is gone\n",
				 (unsigned long long)below(10000000));
	size_t n = 12 + below(10);

	used--;
	for (size_t i = 0; i < n; i++) {
		s.len += text("\tat com.example.shop.module%llu.Handler%llu"
			      ".handle(Handler%llu.java:%llu)\n",
			      (unsigned long long)below(30),
			      (unsigned long long)below(60),
			      (unsigned long long)below(60),
			      (unsigned long long)below(900))
				 .len;
		used--;
	}
	used++;
	return s;
}

static void put_tags(void)
{
	used = n_attrs = 0;
	if (kind->tags) {
		for (int i = 0; i < 4; i++)
			tag_text(text("key.%llx", (unsigned long long)draw()),
				 text("%llx", (unsigned long long)draw()));
		return;
	}
	if (kind->keys) {
		for (int i = 0; i < TAGS; i++)
			tag_text(text("key.%llu.%d", (unsigned long long)n_made,
				      i),
				 text("%llx", (unsigned long long)draw()));
		return;
	}
	tag_int("http.status_code", below(50) ? 200 : 500);
	tag_text(span_str("http.method"), span_str("GET"));
	tag_int("user.id", below(100000));
	if (!kind->wordy)
		return;
	tag_text(span_str("db.statement"), statement());
	tag_text(span_str("stack"), stack_trace());
}

/* ---- Traces ---- */

static size_t trace_size(uint64_t n)
{
	if (kind->giant)
		return n;
	if (kind->single)
		return 1;
	return kind->shapes ? 2 + below(40) : 12;
}

/* The id of span I of a trace whose first has FIRST. */
static uint64_t span_id(uint64_t first, uint64_t i)
{
	return kind->sequential ? first + i : mix(first + i);
}

/* Which service and operation span I of a trace calls, and for whom. */
static void place(struct span *s, uint64_t i, uint64_t first_id)
{
	uint64_t who = kind->shapes ? draw() : i * 7;
	uint64_t up = !i ? 0 : kind->shapes ? below(i) : (i - 1) / 3;

	s->process = &processes[who % SERVICES];
	s->name = span_str(operation_names[who / SERVICES % OPERATIONS]);
	if (i)
		put_id(s->parent_id, span_id(first_id, up));
}

static int put_trace(struct span_writer *w, uint64_t n, struct span_error *err)
{
	static uint64_t traces;
	uint64_t start = START + ++traces * 10000000;
	uint64_t first_id = kind->sequential ? n_made + 1 : draw();
	uint64_t high = draw(), low = draw();
	int rc = 0;

	if (kind->sequential || kind->narrow)
		high = 0;
	if (kind->sequential)
		low = traces;
	for (uint64_t i = 0; i < n && !rc; i++) {
		struct span s = {.kind = SPAN_KIND_SERVER};

		put_id(s.trace_id, high);
		put_id(s.trace_id + 8, low);
		put_id(s.span_id, span_id(first_id, i));
		place(&s, i, first_id);
		s.start_ns = start + i * 1000 * (1 + below(50));
		s.duration_ns = 1000 * (1 + below(1u << below(20)));
		put_tags();
		s.attrs = (struct span_attrs){attrs, n_attrs, 0};
		rc = span_writer_put(w, &s, err);
		n_made++;
	}
	return rc;
}

int main(int argc, char **argv)
{
	struct span_error err = {0};
	struct span_writer *w = NULL;
	uint64_t n = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
	int rc;

	for (size_t i = 0; argc == 3 && i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(argv[1], kinds[i].name))
			kind = &kinds[i];
	if (!kind || !n) {
		fprintf(stderr, "usage: odd-spans KIND N\n");
		return 2;
	}
	name_all();
	rc = span_writer_open(&w, STDOUT_FILENO, &err);
	while (!rc && n_made < n)
		rc = put_trace(w, trace_size(n), &err);
	if (!rc)
		rc = span_writer_flush(w, &err);
	span_writer_close(&w);
	if (rc < 0)
		fprintf(stderr, "odd-spans: %s\n", err.msg);
	return rc < 0;
}
