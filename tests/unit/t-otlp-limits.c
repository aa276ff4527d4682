/* SPDX-License-Identifier: Apache-2.0 */
/* What is above a limit of OTLP is cut and marked, and memory has a bound. */
#include "codec/proto_out.h"
#include "otlp_help.h"

#include "base/banned.h"

static struct span_decoder *decoder;

static void put_ids(struct span_buf *b)
{
	span__proto_put_bytes(b, 1, SPAN_STR("0123456789abcdef"));
	span__proto_put_bytes(b, 2, SPAN_STR("01234567"));
}

struct sizes {
	size_t n, n_attrs, n_events, n_links, n_process, n_scope, depth;
	size_t text_len, bytes_len;
	uint16_t marks;
	bool late; /* both schema URLs are there */
};

static size_t depth_of(const struct span_value *v)
{
	if (v->type == SPAN_ARRAY && v->array.n)
		return 1 + depth_of(&v->array.v[0]);
	if (v->type == SPAN_MAP && v->map.n)
		return 1 + depth_of(&v->map.v[0].value);
	return v->type == SPAN_ARRAY || v->type == SPAN_MAP;
}

static int measure(void *arg, const struct span *s, struct span_error *err)
{
	struct sizes *z = arg;

	(void)err;
	z->n++;
	z->n_attrs = s->attrs.n;
	z->n_events = s->n_events;
	z->n_links = s->n_refs;
	z->n_process = s->process->attrs.n;
	z->n_scope = s->scope->attrs.n;
	z->marks = s->marks;
	z->late = s->process->schema_url.len && s->scope->schema_url.len;
	if (s->attrs.n) {
		const struct span_value *v = &s->attrs.v[0].value;

		z->depth = depth_of(v);
		if (v->type == SPAN_STRING)
			z->text_len = v->str.len;
		if (v->type == SPAN_BYTES)
			z->bytes_len = v->str.len;
	}
	return 0;
}

static struct sizes sizes_of(int format, const struct span_buf *b)
{
	struct sizes z = {0};
	struct span_error err = {0};
	int rc = span_decoder_message(decoder, format, b->p, b->len, measure,
				      &z, &err);

	if (rc < 0)
		diag("%d: %s at %zu", rc, err.msg, (size_t)err.pos);
	return z;
}

/* Both forms of a span are decoded; what they say is the same. */
static struct sizes both(const struct span *s)
{
	static const struct span_scope none;
	static const int formats[] = {SPAN_FORMAT_OTLP_PROTO,
				      SPAN_FORMAT_OTLP_JSON};
	struct span copy = *s;
	struct span_buf b = {0};
	struct sizes z[2];

	if (!copy.scope)
		copy.scope = &none;
	for (int i = 0; i < 2; i++) {
		b.len = 0;
		if (span_encode_message(&b, formats[i], &copy, 1, NULL) < 0)
			abort();
		memset(&z[i], 0, sizeof(z[i]));
		z[i] = sizes_of(formats[i], &b);
	}
	ok(z[0].n == 1 && z[1].n == 1 && z[0].n_attrs == z[1].n_attrs &&
		   z[0].n_events == z[1].n_events &&
		   z[0].n_links == z[1].n_links &&
		   z[0].n_process == z[1].n_process &&
		   z[0].n_scope == z[1].n_scope && z[0].depth == z[1].depth &&
		   z[0].text_len == z[1].text_len &&
		   z[0].bytes_len == z[1].bytes_len && z[0].marks == z[1].marks,
	   "protobuf and JSON are cut alike");
	span_buf_release(&b);
	return z[0];
}

static void test_texts(void)
{
	static char text[SPAN_MAX_STRING + 2];
	static const struct span_process p = {.service = {"s", 1}};
	struct span_attr a = {SPAN_STR("k"), {.type = SPAN_STRING}};
	struct span s = {.trace_id = {1},
			 .span_id = {1},
			 .name = SPAN_STR("n"),
			 .process = &p,
			 .attrs = {.v = &a, .n = 1}};
	struct sizes z;

	memset(text, 'x', sizeof(text));
	memcpy(text + SPAN_MAX_STRING - 1, "\xe2\x82\xac", 3);
	a.value.str = (struct span_str){text, SPAN_MAX_STRING - 1};
	z = both(&s);
	ok(z.text_len == SPAN_MAX_STRING - 1 && !z.marks, "64 KiB fit");
	a.value.str.len = sizeof(text);
	z = both(&s);
	ok(z.text_len == SPAN_MAX_STRING - 1 && z.marks == SPAN_MARK_CUT,
	   "a text is cut before a character, and marked");
	a.value.type = SPAN_BYTES;
	z = both(&s);
	ok(z.bytes_len == SPAN_MAX_STRING && z.marks == SPAN_MARK_CUT,
	   "bytes anywhere");
}

static void test_lists(void)
{
	static struct span_attr v[SPAN_MAX_ATTRS + 1];
	static struct span_event e[SPAN_MAX_EVENTS + 1];
	static struct span_ref r[SPAN_MAX_REFS + 1];
	struct span_process p = {.service = SPAN_STR("s"),
				 .attrs = {.v = v, .n = SPAN_MAX_ATTRS - 1}};
	struct span_scope c = {.attrs = {.v = v, .n = SPAN_MAX_ATTRS}};
	struct span s = {.trace_id = {1},
			 .span_id = {1},
			 .name = SPAN_STR("n"),
			 .process = &p,
			 .scope = &c,
			 .attrs = {.v = v, .n = SPAN_MAX_ATTRS},
			 .events = e,
			 .n_events = SPAN_MAX_EVENTS,
			 .refs = r,
			 .n_refs = SPAN_MAX_REFS};
	struct sizes z = both(&s);
	size_t *const lists[] = {&s.attrs.n, &s.n_events, &s.n_refs,
				 &p.attrs.n, &c.attrs.n,  &e[0].attrs.n};

	for (size_t i = 0; i <= SPAN_MAX_REFS; i++)
		r[i].type = SPAN_REF_LINK;
	e[0].attrs = s.attrs;
	z = both(&s);
	ok(z.n_attrs == SPAN_MAX_ATTRS && z.n_events == SPAN_MAX_EVENTS &&
		   z.n_links == SPAN_MAX_REFS && z.n_scope == SPAN_MAX_ATTRS &&
		   z.n_process == SPAN_MAX_ATTRS - 1 && !z.marks,
	   "lists of 1,024 are not cut");
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		++*lists[i];
		z = both(&s);
		ok(z.n_attrs == SPAN_MAX_ATTRS &&
			   z.n_events == SPAN_MAX_EVENTS &&
			   z.n_links == SPAN_MAX_REFS &&
			   z.n_scope == SPAN_MAX_ATTRS &&
			   z.n_process == SPAN_MAX_ATTRS - 1 &&
			   z.marks == SPAN_MARK_CUT,
		   "a longer list (%zu) is, and the span is marked", i);
		--*lists[i];
	}
	s.start_ns = 5;
	s.duration_ns = 0;
	s.marks = SPAN_MARK_CLAMPED;
	v[SPAN_MAX_ATTRS] =
		(struct span_attr){SPAN_STR("spantools.original_end_ns"),
				   {.type = SPAN_INT, .i = 4}};
	s.attrs.n++;
	z = both(&s);
	ok(z.n_attrs == SPAN_MAX_ATTRS &&
		   z.marks == (SPAN_MARK_CUT | SPAN_MARK_CLAMPED),
	   "an original end takes the place of the last attribute");
}

static void test_depth(void)
{
	static struct span_value v[SPAN_MAX_DEPTH + 2];
	static struct span_attr pairs[SPAN_MAX_DEPTH + 2];
	static const struct span_process p = {.service = {"s", 1}};
	struct span_attr a = {SPAN_STR("k"), {0}};
	struct span s = {.trace_id = {1},
			 .span_id = {1},
			 .name = SPAN_STR("n"),
			 .process = &p,
			 .attrs = {.v = &a, .n = 1}};

	for (int map = 0; map < 2; map++) {
		struct sizes z;

		for (size_t i = 0; i < SPAN_MAX_DEPTH + 2; i++) {
			v[i] = (struct span_value){.type = map ? SPAN_MAP
							       : SPAN_ARRAY};
			if (map && i) {
				pairs[i - 1].value = v[i - 1];
				v[i].map.v = &pairs[i - 1];
				v[i].map.n = 1;
			} else if (i) {
				v[i].array.v = &v[i - 1];
				v[i].array.n = 1;
			}
		}
		a.value = v[SPAN_MAX_DEPTH - 1];
		z = both(&s);
		ok(z.depth == SPAN_MAX_DEPTH && !z.marks, "%s nest %u deep",
		   map ? "maps" : "arrays", SPAN_MAX_DEPTH);
		a.value = v[SPAN_MAX_DEPTH];
		z = both(&s);
		ok(z.depth == SPAN_MAX_DEPTH && z.marks == SPAN_MARK_CUT,
		   "deeper ones are cut, and the span is marked");
	}
}

/* Arrays count, too: the stream holds no span above 1 MiB. */
static void test_long_value(void)
{
	static struct span_value items[400000];
	static const struct span_process p = {.service = {"s", 1}};
	struct span_attr v[2] = {{SPAN_STR("a"), {0}},
				 {SPAN_STR("b"), {.type = SPAN_ARRAY}}};
	struct span s = {.trace_id = {1},
			 .span_id = {1},
			 .name = SPAN_STR("n"),
			 .process = &p,
			 .attrs = {.v = v, .n = 2}};
	struct sizes z;

	for (size_t i = 0; i < 400000; i++)
		items[i] =
			(struct span_value){.type = SPAN_INT, .i = INT64_MAX};
	v[1].value.array.v = items;
	v[1].value.array.n = 4000;
	z = both(&s);
	ok(z.n_attrs == 2 && !z.marks, "an array of 4,000 numbers is kept");
	v[1].value.array.n = 400000;
	z = both(&s);
	ok(z.n_attrs == 1 && z.marks == SPAN_MARK_CUT,
	   "one that makes the span longer than 1 MiB is left out");
}

/* The arena of a decoder keeps what it has: each check has one of its own. */
static void reopen(void)
{
	span_decoder_close(&decoder);
	if (span_decoder_open(&decoder, NULL, NULL) < 0)
		abort();
}

static size_t most_memory;

static int watch(void *arg, const struct span *s, struct span_error *err)
{
	size_t size = span_arena_size(&decoder->arena) +
		      span_arena_size(&decoder->keep);

	(void)arg;
	(void)s;
	(void)err;
	if (size > most_memory)
		most_memory = size;
	return 0;
}

/*
 * A message of nearly 1 MiB: spans of N times ELEMENT, in as many resources as
 * spans or in one.
 */
static void check_memory(const char *name, int format, const char *head,
			 const char *before, const char *element, size_t n,
			 const char *after, const char *tail)
{
	struct span_buf b = {0};
	size_t spans = 0;

	span_buf_puts(&b, head);
	while (b.len < 1000000) {
		if (spans++)
			span_buf_putc(&b, ',');
		span_buf_puts(&b, before);
		for (size_t i = 0; i < n; i++) {
			if (i)
				span_buf_putc(&b, ',');
			span_buf_puts(&b, element);
		}
		span_buf_puts(&b, after);
	}
	span_buf_puts(&b, tail);
	most_memory = 0;
	reopen();
	is_int(span_decoder_message(decoder, format, b.p, b.len, watch, NULL,
				    NULL),
	       (int)spans, "JSON: %s are decoded", name);
	ok(b.len <= SPAN__COLLECT_MAX && most_memory <= 48 * b.len,
	   "in %zu KiB for %zu", most_memory >> 10, b.len >> 10);
	span_buf_release(&b);
}

#define IDS                                                                    \
	"\"traceId\":\"000102030405060708090a0b0c0d0e0f\","                    \
	"\"spanId\":\"0102030405060708\""
#define END "]}]}]}"
#define HEAD "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":["

static void test_json_memory(void)
{
	check_memory("spans", SPAN_FORMAT_OTLP_JSON, HEAD, "{" IDS, "", 0, "}",
		     END);
	check_memory("attributes", SPAN_FORMAT_OTLP_JSON, HEAD,
		     "{" IDS ",\"attributes\":[", "{}", 1024, "]}", END);
	check_memory("events", SPAN_FORMAT_OTLP_JSON, HEAD,
		     "{" IDS ",\"events\":[", "{}", 1024, "]}", END);
	check_memory("values", SPAN_FORMAT_OTLP_JSON, HEAD,
		     "{" IDS ",\"attributes\":[{\"value\":{\"arrayValue\":"
		     "{\"values\":[",
		     "{}", 5000, "]}}}]}", END);
	check_memory("pairs", SPAN_FORMAT_OTLP_JSON, HEAD,
		     "{" IDS ",\"attributes\":[{\"value\":{\"kvlistValue\":"
		     "{\"values\":[",
		     "{}", 5000, "]}}}]}", END);
	check_memory("texts with escapes", SPAN_FORMAT_OTLP_JSON, HEAD,
		     "{" IDS ",\"\":[", "\"\\n\"", 1024, "]}", END);
	check_memory(
		"resources", SPAN_FORMAT_OTLP_JSON, "{\"resourceSpans\":[{},",
		"{\"scopeSpans\":[{\"spans\":[{" IDS, "", 0, "}]}]}", "]}");
}

/* The same in protobuf: FIELD N times in each span, or a list in a value. */
static void check_proto(const char *name, unsigned field, size_t n,
			unsigned list, bool owners)
{
	struct span_buf b = {0};
	size_t spans = 0, resource = 0, scope = 0;

	while (b.len < 1000000) {
		size_t mark, attr = 0, value = 0, values = 0;

		if (owners || !spans) {
			resource = span__proto_open(&b, 1);
			scope = span__proto_open(&b, 2);
		}
		mark = span__proto_open(&b, 2);
		put_ids(&b);
		if (list) {
			attr = span__proto_open(&b, 9);
			value = span__proto_open(&b, 2);
			values = span__proto_open(&b, list);
		}
		for (size_t i = 0; i < n; i++)
			span__proto_put_bytes(&b, field, SPAN_STR(""));
		if (list) {
			span__proto_close(&b, values);
			span__proto_close(&b, value);
			span__proto_close(&b, attr);
		}
		span__proto_close(&b, mark);
		spans++;
		if (owners) {
			span__proto_close(&b, scope);
			span__proto_close(&b, resource);
		}
	}
	if (!owners) {
		span__proto_close(&b, scope);
		span__proto_close(&b, resource);
	}
	most_memory = 0;
	reopen();
	is_int(span_decoder_message(decoder, SPAN_FORMAT_OTLP_PROTO, b.p, b.len,
				    watch, NULL, NULL),
	       (int)spans, "protobuf: %s are decoded", name);
	ok(b.len <= SPAN__COLLECT_MAX && most_memory <= 48 * b.len,
	   "in %zu KiB for %zu", most_memory >> 10, b.len >> 10);
	span_buf_release(&b);
}

static void test_proto_memory(void)
{
	check_proto("spans", 0, 0, 0, false);
	check_proto("resources", 0, 0, 0, true);
	check_proto("attributes", 9, 1024, 0, false);
	check_proto("events", 11, 1024, 0, false);
	check_proto("links", 13, 1024, 0, false);
	check_proto("values", 1, 5000, 5, false);
	check_proto("pairs", 1, 5000, 6, false);
	check_proto("pairs of a long map", 1, 505000, 6, false);
}

/* Two passes and one give the same, owners behind their spans or not. */
static void test_long(void)
{
	static const char tail[] =
		"],\"schemaUrl\":\"su\",\"scope\":{\"attributes\":[{}]}}],"
		"\"schemaUrl\":\"ru\",\"resource\":{\"attributes\":[{},{}]}}]}";
	struct span_buf b = {0};
	struct sizes z;
	size_t n = 0;

	reopen();
	span_buf_puts(&b, HEAD);
	while (b.len <= SPAN__COLLECT_MAX) {
		if (n++)
			span_buf_putc(&b, ',');
		span_buf_puts(&b, "{" IDS ",\"attributes\":[{\"key\":"
				  "\"\\u0061\"}]}");
	}
	span_buf_puts(&b, tail);
	z = sizes_of(SPAN_FORMAT_OTLP_JSON, &b);
	ok(z.n == n && z.late && z.n_process == 2 && z.n_scope == 1 &&
		   z.marks == SPAN_MARK_RENAMED,
	   "a long message has the owners that stand behind the spans");
	ok(span_arena_size(&decoder->arena) < 64 << 10,
	   "within the memory of one span");
	b.p[b.len - 1] = 'x';
	ok(!sizes_of(SPAN_FORMAT_OTLP_JSON, &b).n,
	   "damage at its end: nothing is handed out");
	span_buf_release(&b);
}

static void test_long_proto(void)
{
	struct span_buf b = {0};
	size_t n = 0, resource, scope, span;
	struct sizes z;

	reopen();
	resource = span__proto_open(&b, 1);
	scope = span__proto_open(&b, 2);
	while (b.len <= SPAN__COLLECT_MAX) {
		span = span__proto_open(&b, 2);
		put_ids(&b);
		span__proto_close(&b, span);
		n++;
	}
	span__proto_put_bytes(&b, 3, SPAN_STR("su"));
	span__proto_close(&b, scope);
	span__proto_put_bytes(&b, 3, SPAN_STR("ru"));
	span__proto_put_bytes(&b, 1, ((struct span_str){"\x0a\0\x0a\0", 4}));
	span__proto_close(&b, resource);
	z = sizes_of(SPAN_FORMAT_OTLP_PROTO, &b);
	ok(z.n == n && z.late && z.n_process == 2,
	   "so it is in protobuf (%zu spans)", n);
	ok(span_arena_size(&decoder->arena) < 64 << 10,
	   "within the memory of one span");
	b.len--;
	ok(!sizes_of(SPAN_FORMAT_OTLP_PROTO, &b).n,
	   "a message that is cut: nothing is handed out");
	span_buf_release(&b);
}

int main(void)
{
	if (!ok(!span_decoder_open(&decoder, NULL, NULL), "open"))
		return done_testing();
	test_texts();
	test_lists();
	test_depth();
	test_long_value();
	test_json_memory();
	test_proto_memory();
	test_long();
	test_long_proto();
	span_decoder_close(&decoder);
	return done_testing();
}
