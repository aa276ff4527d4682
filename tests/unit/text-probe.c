/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text-probe - what the text functions and encoders write, for other parsers
 *
 *   text-probe text FORM <names   each line a name in hex, and so the output
 *   text-probe sample FORMAT      a few spans made by hand
 *   text-probe random FORMAT N    N spans of random-span.h, one trace
 *   text-probe doubles N          the bits of a double and its text a line
 *
 * FORMAT is jsonl, csv, csv-raw, jaeger or dump; dump is a Python literal a
 * line, made without lib/text.
 */
#include <span/codec.h>
#include <span/text.h>

#include <inttypes.h>
#include <stdio.h>

#include "random-span.h"

#include "base/banned.h"

typedef void text_fn(struct span_buf *b, struct span_str s);

static void csv_safe(struct span_buf *b, struct span_str s)
{
	span_text_csv(b, s, true);
}

static void csv_raw(struct span_buf *b, struct span_str s)
{
	span_text_csv(b, s, false);
}

static void fit(struct span_buf *b, struct span_str s)
{
	span_text_fit(b, s, 20, true);
}

static const struct {
	const char *name;
	text_fn *fn;
} forms[] = {
	{"json", span_text_json},
	{"terminal", span_text_terminal},
	{"dot", span_text_dot},
	{"html", span_text_html},
	{"quoted", span_text_quoted},
	{"logfmt", span_text_logfmt},
	{"csv", csv_safe},
	{"csv-raw", csv_raw},
	{"fit", fit},
};

static int digit(int c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static int text(const char *form)
{
	struct span_buf in = {0}, out = {0};
	text_fn *fn = NULL;
	int c;

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
		if (!strcmp(forms[i].name, form))
			fn = forms[i].fn;
	while (fn && (c = getchar()) != EOF) {
		if (c != '\n') {
			span_buf_putc(&in,
				      (char)(digit(c) << 4 | digit(getchar())));
			continue;
		}
		out.len = 0;
		fn(&out, (struct span_str){in.p, in.len});
		for (size_t i = 0; i < out.len; i++)
			printf("%02x", (unsigned char)out.p[i]);
		putchar('\n');
		in.len = 0;
	}
	span_buf_release(&in);
	span_buf_release(&out);
	return fn ? 0 : 2;
}

/* ---- dump ---- */

static void dump_bytes(const void *p, size_t len)
{
	putchar('"');
	for (size_t i = 0; i < len; i++)
		printf("%02x", ((const unsigned char *)p)[i]);
	printf("\",");
}

static void dump_str(struct span_str s)
{
	dump_bytes(s.p, s.len);
}

static void dump_pairs(const struct span_attr *v, size_t n);

static void dump_value(const struct span_value *v)
{
	uint64_t bits;

	switch (v->type) {
	case SPAN_NULL:
		printf("(0,),");
		return;
	case SPAN_STRING:
	case SPAN_BYTES:
		printf("(%d,", v->type);
		dump_str(v->str);
		printf("),");
		return;
	case SPAN_BOOL:
		printf("(2,%d),", v->b);
		return;
	case SPAN_INT:
		printf("(3,%" PRId64 "),", v->i);
		return;
	case SPAN_DOUBLE:
		memcpy(&bits, &v->d, sizeof(bits));
		printf("(4,%" PRIu64 "),", bits);
		return;
	case SPAN_ARRAY:
		printf("(6,[");
		for (size_t i = 0; i < v->array.n; i++)
			dump_value(&v->array.v[i]);
		printf("]),");
		return;
	case SPAN_MAP:
		printf("(7,");
		dump_pairs(v->map.v, v->map.n);
		printf("),");
		return;
	}
}

static void dump_pairs(const struct span_attr *v, size_t n)
{
	putchar('[');
	for (size_t i = 0; i < n; i++) {
		putchar('(');
		dump_str(v[i].key);
		dump_value(&v[i].value);
		printf("),");
	}
	printf("],");
}

static void dump_attrs(const struct span_attrs *a)
{
	dump_pairs(a->v, a->n);
	printf("%" PRIu32 ",", a->dropped);
}

static void dump_lists(const struct span *s)
{
	putchar('[');
	for (size_t i = 0; i < s->n_events; i++) {
		printf("(%" PRIu64 ",", s->events[i].time_ns);
		dump_str(s->events[i].name);
		dump_attrs(&s->events[i].attrs);
		printf("),");
	}
	printf("],[");
	for (size_t i = 0; i < s->n_refs; i++) {
		const struct span_ref *r = &s->refs[i];

		putchar('(');
		dump_bytes(r->trace_id, 16);
		dump_bytes(r->span_id, 8);
		printf("%" PRId32 ",%" PRIu32 ",", r->type, r->flags);
		dump_str(r->trace_state);
		dump_attrs(&r->attrs);
		printf("),");
	}
	printf("],");
}

static void dump_scope(const struct span_scope *c)
{
	if (!c) {
		printf("None,");
		return;
	}
	putchar('(');
	dump_str(c->name);
	dump_str(c->version);
	dump_attrs(&c->attrs);
	dump_str(c->schema_url);
	printf("),");
}

static void dump(const struct span *s)
{
	putchar('(');
	dump_bytes(s->trace_id, 16);
	dump_bytes(s->span_id, 8);
	dump_bytes(s->parent_id, 8);
	dump_str(s->process->service);
	dump_str(s->name);
	printf("%d,%" PRIu64 ",%" PRIu64 ",%d,", s->kind, s->start_ns,
	       s->duration_ns, s->status);
	dump_str(s->status_message);
	printf("%" PRIu32 ",", s->flags);
	dump_str(s->trace_state);
	dump_attrs(&s->attrs);
	dump_attrs(&s->process->attrs);
	dump_str(s->process->schema_url);
	dump_lists(s);
	dump_scope(s->scope);
	printf("%" PRIu32 ",%" PRIu32 ",%d)\n", s->dropped_events,
	       s->dropped_refs, s->marks);
}

/* ---- spans ---- */

static int encode(const char *format, const struct span *spans, size_t n)
{
	struct span_buf b = {0};

	if (!strcmp(format, "jaeger"))
		span_encode_jaeger_json(&b, spans, n);
	if (!strncmp(format, "csv", 3))
		span_encode_csv_head(&b);
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(format, "jsonl"))
			span_encode_jsonl(&b, &spans[i]);
		else if (!strcmp(format, "csv"))
			span_encode_csv(&b, &spans[i], true);
		else if (!strcmp(format, "csv-raw"))
			span_encode_csv(&b, &spans[i], false);
		else if (!strcmp(format, "dump"))
			dump(&spans[i]);
	}
	if (b.len)
		fwrite(b.p, 1, b.len, stdout);
	span_buf_release(&b);
	return b.failed;
}

static int random_spans(const char *format, size_t n)
{
	struct span_arena arena = {0};
	struct rnd r = {1, &arena};
	struct span *spans = rnd_alloc(&r, n * sizeof(*spans));
	const struct span_process *process[4];
	int rc;

	for (size_t i = 0; i < 4; i++)
		process[i] = rnd_process(&r);
	for (size_t i = 0; i < n; i++) {
		spans[i] = rnd_span(&r, rnd_below(&r, 10)
						? process[rnd_below(&r, 4)]
						: rnd_process(&r));
		memset(spans[i].trace_id, 7, 16);
		/* Parents and what the attributes say do meet now and then. */
		if (spans[i].n_refs && rnd_below(&r, 2))
			memcpy(spans[i].parent_id, spans[i].refs[0].span_id, 8);
		if (rnd_below(&r, 2)) {
			spans[i].kind = 0;
			spans[i].status = 0;
			span_derive(&spans[i]);
		}
	}
	rc = encode(format, spans, n);
	span_arena_release(&arena);
	return rc;
}

#define S(lit)                                                                 \
	{                                                                      \
		(lit), sizeof(lit) - 1                                         \
	}
#define STR(s)                                                                 \
	{                                                                      \
		.type = SPAN_STRING, .str = S(s)                               \
	}
#define INT(n)                                                                 \
	{                                                                      \
		.type = SPAN_INT, .i = (n)                                     \
	}
#define ATTRS(a)                                                               \
	{                                                                      \
		(a), sizeof(a) / sizeof(*(a)), 0                               \
	}

#define TRACE                                                                  \
	{                                                                      \
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xab              \
	}
#define WIDE_TRACE                                                             \
	{                                                                      \
		0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce,    \
			0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36                     \
	}
#define ID(n)                                                                  \
	{                                                                      \
		0, 0, 0, 0, 0, 0, 0, n                                         \
	}

/* The example of Jaeger's API, then what only OpenTelemetry can say. */
static const struct span_attr cart_tags[] = {{S("ip"), STR("10.0.0.1")}};
static const struct span_process cart = {.service = S("cart"),
					 .attrs = ATTRS(cart_tags)};
static const struct span_process db = {.service = S("db")};
static const struct span_process db_again = {.service = S("db")};

static const struct span_attr jaeger_tags[] = {
	{S("span.kind"), STR("server")},
	{S("http.status_code"), INT(500)},
	{S("error"), {.type = SPAN_BOOL, .b = true}},
	{S("load"), {.type = SPAN_DOUBLE, .d = 0.5}},
	{S("blob"), {.type = SPAN_BYTES, .str = S("\0\xff")}},
};
static const struct span_attr retry[] = {{S("event"), STR("retry")}};
static const struct span_event jaeger_logs[] = {
	{1700000000001000000, {0}, ATTRS(retry)}};
static const struct span_ref to_parent[] = {
	{TRACE, ID(1), SPAN_REF_CHILD_OF, 0, {0}, {0}}};

static const struct span_value list[] = {STR("a"), INT(1)};
static const struct span_attr twice[] = {{S("k"), INT(1)}, {S("k"), INT(2)}};
static const struct span_attr otel_tags[] = {
	{S("big"), INT(INT64_MAX)},
	{S("whole"), {.type = SPAN_DOUBLE, .d = 5}},
	{S("nan"), {.type = SPAN_DOUBLE, .d = NAN}},
	{S("list"), {.type = SPAN_ARRAY, .array = {list, 2}}},
	{S("map"), {.type = SPAN_MAP, .map = {twice, 2}}},
	{S("unset"), {.type = SPAN_NULL}},
	{S("k=\"v\""), STR("=cmd|' /C calc'!A0\n\x1b[31m")},
	{S("big"), STR("again")},
};
static const struct span_attr took[] = {{S("ms"), INT(3)}};
static const struct span_event otel_events[] = {
	{1700000000002500000, S("flushed"), ATTRS(took)},
	{1700000000002600000, {0}, {NULL, 0, 4}},
};
static const struct span_ref otel_links[] = {
	{WIDE_TRACE, ID(9), SPAN_REF_LINK, 1, S("a=b"), ATTRS(took)}};
static const struct span_scope scope = {.name = S("lib"), .version = S("1.2")};

static const struct span samples[] = {
	{.trace_id = TRACE,
	 .span_id = ID(1),
	 .start_ns = 1700000000000000000,
	 .duration_ns = 12000000,
	 .name = S("GET /cart"),
	 .process = &cart,
	 .kind = SPAN_KIND_SERVER,
	 .status = SPAN_STATUS_ERROR,
	 .flags = 1,
	 .attrs = ATTRS(jaeger_tags),
	 .events = jaeger_logs,
	 .n_events = 1},
	{.trace_id = TRACE,
	 .span_id = ID(2),
	 .parent_id = ID(1),
	 .start_ns = 1700000000002000000,
	 .duration_ns = 3000000,
	 .name = S("SELECT"),
	 .process = &db,
	 .refs = to_parent,
	 .n_refs = 1},
	{.trace_id = TRACE,
	 .span_id = ID(3),
	 .parent_id = ID(1),
	 .start_ns = 1700000000002000999,
	 .duration_ns = 3000001,
	 .name = S("caf\xc3\xa9 \xe4\xb8\xad \xff"),
	 .process = &db_again,
	 .scope = &scope,
	 .kind = SPAN_KIND_CLIENT,
	 .status = SPAN_STATUS_ERROR,
	 .marks = SPAN_MARK_CUT | SPAN_MARK_RENAMED,
	 .status_message = S("no, \"thanks\""),
	 .trace_state = S("v=1"),
	 .attrs = ATTRS(otel_tags),
	 .events = otel_events,
	 .n_events = 2,
	 .refs = otel_links,
	 .n_refs = 1,
	 .dropped_events = 2},
};

static void print_double(uint64_t bits)
{
	struct span_buf b = {0};
	double d;

	memcpy(&d, &bits, sizeof(d));
	span_text_double(&b, d);
	printf("%" PRIu64 " %.*s\n", bits, (int)b.len, b.p);
	span_buf_release(&b);
}

/* Every power of two and its neighbours, then N of any bits. */
static int doubles(size_t n)
{
	struct rnd r = {1, NULL};

	for (uint64_t e = 0; e < 0x7ff; e++) {
		print_double(e << 52);
		print_double((e << 52) + 1);
		print_double((e << 52) - (e != 0));
	}
	for (size_t i = 0; i < n; i++)
		print_double(rnd_next(&r));
	for (size_t i = 0; i < n; i++) {
		double d = (double)rnd_below(&r, 10000000) / 1000;
		uint64_t bits;

		memcpy(&bits, &d, sizeof(bits));
		print_double(bits);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "doubles"))
		return doubles(strtoul(argv[2], NULL, 10));
	if (argc == 3 && !strcmp(argv[1], "text"))
		return text(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "sample"))
		return encode(argv[2], samples, 3);
	if (argc == 4 && !strcmp(argv[1], "random"))
		return random_spans(argv[2], strtoul(argv[3], NULL, 10));
	return 2;
}
