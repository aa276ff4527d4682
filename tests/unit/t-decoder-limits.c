/* SPDX-License-Identifier: Apache-2.0 */
/* What is above a limit is cut and marked, and memory has a bound. */
#include "decode_help.h"

#include "codec/proto_out.h"

#include "base/banned.h"

static void test_cut_text(void)
{
	static char text[SPAN_MAX_STRING + 2];
	struct span_process p = {.service = SPAN_STR("s")};
	struct span_attr v[2] = {
		attr_text("t", (struct span_str){text, SPAN_MAX_STRING}),
		{SPAN_STR("b"),
		 {.type = SPAN_BYTES, .str = {text, SPAN_MAX_STRING}}},
	};
	struct span s = {.process = &p,
			 .name = SPAN_STR("o"),
			 .attrs = {.v = v, .n = 2}};
	struct seen seen;

	memset(text, 'x', sizeof(text));
	memcpy(text + SPAN_MAX_STRING - 1, "\xe2\x82\xac", 3);
	see(&s, &seen);
	is_uint(seen.text_len, SPAN_MAX_STRING, "64 KiB are not cut");
	is_int(seen.marks, 0, "and not marked");
	v[0].value.str.len = v[1].value.str.len = sizeof(text);
	see(&s, &seen);
	is_uint(seen.text_len, SPAN_MAX_STRING - 1,
		"a text is cut before a character that does not fit");
	is_uint(seen.bytes_len, SPAN_MAX_STRING, "bytes are cut anywhere");
	is_int(seen.marks, SPAN_MARK_CUT, "and the span is marked");
}

static void test_cut_lists(void)
{
	static struct span_attr v[SPAN_MAX_ATTRS + 2];
	static struct span_event e[SPAN_MAX_EVENTS + 1];
	static struct span_ref r[SPAN_MAX_REFS + 1];
	struct span_process p = {.service = SPAN_STR("s")};
	struct span s = {.process = &p, .name = SPAN_STR("o")};
	struct span_decode_stats before = *span_decoder_stats(decoder);
	struct seen seen;

	for (size_t i = 0; i < SPAN_MAX_ATTRS + 2; i++)
		v[i] = attr_int("k", (int64_t)i);
	p.attrs = s.attrs = e[0].attrs =
		(struct span_attrs){.v = v, .n = SPAN_MAX_ATTRS};
	s.events = e;
	s.n_events = SPAN_MAX_EVENTS;
	s.refs = r;
	s.n_refs = SPAN_MAX_REFS;
	see(&s, &seen);
	is_uint(seen.n_attrs, SPAN_MAX_ATTRS, "1,024 tags");
	is_uint(seen.n_events, SPAN_MAX_EVENTS, "1,024 logs");
	is_uint(seen.n_refs, SPAN_MAX_REFS, "1,024 references");
	is_int(seen.marks, 0, "are not cut");
	for (int i = 0; i < 5; i++) {
		struct span more = s;
		struct span_process more_p = p;

		more.process = &more_p;
		if (i == 0)
			more.attrs.n += 2;
		else if (i == 1)
			more.n_events++;
		else if (i == 2)
			more.n_refs++;
		else if (i == 3)
			e[0].attrs.n++;
		else
			more_p.attrs.n++;
		see(&more, &seen);
		e[0].attrs.n = SPAN_MAX_ATTRS;
		ok(seen.marks == SPAN_MARK_CUT &&
			   seen.n_attrs == SPAN_MAX_ATTRS &&
			   seen.n_events == SPAN_MAX_EVENTS &&
			   seen.n_refs == SPAN_MAX_REFS &&
			   seen.n_process == SPAN_MAX_ATTRS &&
			   seen.n_fields == SPAN_MAX_ATTRS,
		   "a longer list is cut and the span marked (%d)", i);
	}
	is_uint(span_decoder_stats(decoder)->cut - before.cut, 5,
		"and each is counted");
}

/* Two passes and one give the same. */
static void test_long(void)
{
	static struct span spans[20000];
	struct span_process p = {.service = SPAN_STR("s")};
	struct span_attr v[] = {
		attr_text("key", SPAN_STR("a value, not a short one")),
		attr_int("i", 1u << 20),
	};
	struct span_buf b = {0}, text = {0}, want = {0};
	struct span_decoder *d = NULL;

	for (size_t i = 0; i < 20000; i++)
		spans[i] = (struct span){.process = &p,
					 .name = SPAN_STR("o"),
					 .span_id = {1, (uint8_t)i},
					 .attrs = {.v = v, .n = 2},
					 .start_ns = i * 1000};
	for (size_t i = 0; i < 20000; i++)
		put_span(&want, &spans[i]);
	span_buf_putc(&want, 0);
	for (int format = 1; format <= 2; format++) {
		b.len = 0;
		is_int(span_encode_jaeger(&b, format, spans, 20000, 1, NULL), 0,
		       "encode a batch of 20,000 spans");
		ok(b.len > SPAN__COLLECT_MAX, "it is long");
		if (span_decoder_open(&d, NULL, NULL) < 0)
			break;
		ok(!strcmp(decode(d, &b, &text), want.p),
		   "a long message gives every span");
		ok(span_arena_size(&d->arena) < 64 << 10,
		   "within the memory of one span");
		b.p[b.len - 2] = 0x7f;
		ok(decode(d, &b, &text)[0] == '-',
		   "damage at its end: nothing is handed out");
		is_uint(span_decoder_stats(d)->spans, 20000, "nor counted");
		is_uint(span_decoder_stats(d)->bad_messages, 1, "one is bad");
		span_decoder_close(&d);
	}
	span_buf_release(&b);
	span_buf_release(&want);
	span_buf_release(&text);
}

/* Spans of 40 tags of 30 KiB, in a process with as many. */
static void test_long_span(void)
{
	static char text[30 << 10];
	static struct span_attr v[40];
	struct span_process p = {.service = SPAN_STR("s"),
				 .attrs = {.v = v, .n = 40}};
	struct span_ref ref = {.type = 1};
	struct span_event e = {.attrs = {.v = v, .n = 1}};
	struct span s = {.process = &p,
			 .name = SPAN_STR("o"),
			 .attrs = {.v = v, .n = 40},
			 .refs = &ref,
			 .n_refs = 1,
			 .events = &e,
			 .n_events = 1};
	struct seen seen;

	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < 40; i++)
		v[i] = attr_text("k", (struct span_str){text, sizeof(text)});
	see(&s, &seen);
	is_uint(seen.n_attrs, 34, "of a span above 1 MiB tags are left out");
	is_uint(seen.n_process, 34, "of its process too");
	is_uint(seen.n_refs, 1, "a reference still fits");
	is_uint(seen.n_events, 0, "a log does not");
	is_int(seen.marks, SPAN_MARK_CUT, "the span is marked");
	s.attrs.n = p.attrs.n = 33;
	see(&s, &seen);
	ok(seen.n_attrs == 33 && seen.n_process == 33 && seen.n_events == 1 &&
		   !seen.marks,
	   "below 1 MiB all is kept");
}

static size_t most_memory;

static int see_memory(void *arg, const struct span *s, struct span_error *err)
{
	size_t size = span_arena_size(&decoder->arena) +
		      span_arena_size(&decoder->keep) + decoder->spans.len;

	(void)arg;
	(void)s;
	(void)err;
	if (size > most_memory)
		most_memory = size;
	return 0;
}

/*
 * Messages of the smallest elements there are, which grow most: N times
 * ELEMENT in a list of a batch, or in a list in each of 1,000 spans.
 */
static void put_smallest(struct span_buf *b, const char *before, size_t n,
			 const char *element, size_t len, const char *after,
			 size_t after_len)
{
	unsigned char count[] = {0xfc, 0, 0, 0};

	count[1] = (unsigned char)(0x80 | (n & 0x7f));
	count[2] = (unsigned char)(0x80 | (n >> 7 & 0x7f));
	count[3] = (unsigned char)(n >> 14);
	span_buf_puts(b, before);
	span_buf_put(b, count, sizeof(count));
	while (n--)
		span_buf_put(b, element, len);
	span_buf_put(b, after, after_len);
}

static void test_memory(void)
{
	/* A process "s", then the list of spans; a span but for its end. */
	static const char head[] = "\x1c\x18\x01s", *const spans = "\x19";
	static const char span[] = "\x16\0\x16\0\x16\0\x16\0\x18\0\x25\0\x16\0"
				   "\x16\0";
	static const struct {
		const char *name, *field, *element;
		size_t len, n;
	} table[] = {
		{"spans", NULL, NULL, 0, 60000},
		{"tags of no known type", "\x19", "\x18\0\x15\x12\0", 5, 1024},
		{"logs", "\x29", "\x16\0\x19\x0c\0", 5, 1024},
		{"logs of no time", "\x29", "\x16\1\x19\x0c\0", 5, 1024},
	};
	struct span_buf b = {0}, one = {0};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		size_t n = table[i].n;
		int rc;

		b.len = one.len = 0;
		span_buf_put(&one, span, sizeof(span) - 1);
		if (table[i].field) {
			put_smallest(&one, table[i].field, n, table[i].element,
				     table[i].len, "", 0);
			n = 190;
		}
		span_buf_putc(&one, 0);
		span_buf_put(&b, head, sizeof(head));
		put_smallest(&b, spans, n, one.p, one.len, "", 1);
		most_memory = 0;
		rc = span_decoder_message(decoder, SPAN_FORMAT_JAEGER_COMPACT,
					  b.p, b.len, see_memory, NULL, NULL);
		is_int(rc, (int)n, "smallest %s: decoded", table[i].name);
		ok(b.len <= SPAN__COLLECT_MAX && b.len > 900000 &&
			   most_memory <= 48 * b.len,
		   "in %zu KiB for %zu", most_memory >> 10, b.len >> 10);
	}
	span_buf_release(&b);
	span_buf_release(&one);
}

static void is_bounded(int format, const struct span_buf *b, const char *name)
{
	int rc;

	/* A decoder keeps memory for its next message. */
	span_decoder_close(&decoder);
	if (!ok(!span_decoder_open(&decoder, NULL, NULL), "open"))
		return;
	most_memory = 0;
	rc = span_decoder_message(decoder, format, b->p, b->len, see_memory,
				  NULL, NULL);
	ok(rc > 0 && b->len <= SPAN__COLLECT_MAX && most_memory <= 48 * b->len,
	   "%s, smallest %s: in %zu KiB for %zu", span_format_name(format),
	   name, most_memory >> 10, b->len >> 10);
}

/*
 * The same of Zipkin's JSON and protobuf: spans of nothing but ids, and in
 * spans the smallest elements of each list.
 */
static void test_zipkin_memory(void)
{
	static const struct {
		const char *name, *before, *element, *after;
		size_t n;
	} json[] = {
		{"spans", "", "", "", 0},
		{"tags", ",\"tags\":{\"\":\"\"", ",\"\":\"\"", "}", 1023},
		{"annotations", ",\"annotations\":[{}", ",{\"value\":\"x\"}",
		 "]", 1024},
		{"empty annotations", ",\"annotations\":[{}", ",{}", "]", 4096},
		{"binary annotations", ",\"binaryAnnotations\":[{}",
		 ",{\"key\":\"\"}", "]", 1024},
		{"addresses", ",\"binaryAnnotations\":[{}",
		 ",{\"key\":\"sa\",\"endpoint\":{}}", "]", 1024},
		{"escapes", ",\"name\":\"", "\\n", "\"", 60000},
	};
	static const struct {
		const char *name, *element;
		size_t len, n;
	} proto[] = {
		{"spans", "", 0, 0},
		{"tags", "\x5a\0", 2, 1024},
		{"annotations", "\x52\3\x12\1x", 5, 1024},
	};
	struct span_buf b = {0}, one = {0};

	for (size_t i = 0; i < sizeof(json) / sizeof(*json); i++) {
		b.len = 0;
		while (b.len < 1000000) {
			span_buf_puts(&b, b.len ? "," : "[");
			span_buf_puts(&b, "{\"traceId\":\"1\",\"id\":\"1\"");
			span_buf_puts(&b, json[i].before);
			for (size_t k = 0; k < json[i].n && b.len < 1000000;
			     k++)
				span_buf_puts(&b, json[i].element);
			span_buf_puts(&b, json[i].after);
			span_buf_putc(&b, '}');
		}
		span_buf_putc(&b, ']');
		is_bounded(SPAN_FORMAT_ZIPKIN_JSON, &b, json[i].name);
	}
	for (size_t i = 0; i < sizeof(proto) / sizeof(*proto); i++) {
		one.len = b.len = 0;
		span_buf_put(&one, "\x0a\x08yyyyyyyy\x1a\x08xxxxxxxx", 20);
		for (size_t k = 0; k < proto[i].n; k++)
			span_buf_put(&one, proto[i].element, proto[i].len);
		while (b.len < 1000000) {
			span__proto_put_bytes(
				&b, 1, (struct span_str){one.p, one.len});
		}
		is_bounded(SPAN_FORMAT_ZIPKIN_PROTO, &b, proto[i].name);
	}
	span_buf_release(&b);
	span_buf_release(&one);
}

/* N times a field of what is in INNER, with what comes before in B. */
static void put_fields(struct span_buf *b, unsigned id, const char *inner,
		       size_t len, size_t n)
{
	while (n--)
		span__proto_put_bytes(b, id, (struct span_str){inner, len});
}

/*
 * Spans in protobuf that consist of their ids and of the smallest fields of
 * one number, far more of them than a list takes.
 */
static void test_proto_memory(void)
{
	static const char otlp[] = "\x0a\x10tttttttttttttttt\x12\x08ssssssss";
	static const char link[] = "\x0a\x10tttttttttttttttt\x12\x08ssssssss"
				   "\x22\0\x22\0\x22\0\x22\0\x22\0\x22\0"
				   "\x22\0\x22\0\x22\0\x22\0\x22\0\x22\0";
	static const struct {
		const char *name, *inner;
		size_t len, n;
		int format;
		unsigned id;
	} table[] = {
		{"spans", "", 0, 0, SPAN_FORMAT_OTLP_PROTO, 1},
		{"attributes", "", 0, 5000, SPAN_FORMAT_OTLP_PROTO, 9},
		{"arrays",
		 "\x12\x16\x2a\x14\x0a\0\x0a\0\x0a\0\x0a\0\x0a\0"
		 "\x0a\0\x0a\0\x0a\0\x0a\0\x0a\0",
		 24, 5000, SPAN_FORMAT_OTLP_PROTO, 9},
		{"maps",
		 "\x12\x16\x32\x14\x0a\0\x0a\0\x0a\0\x0a\0\x0a\0"
		 "\x0a\0\x0a\0\x0a\0\x0a\0\x0a\0",
		 24, 5000, SPAN_FORMAT_OTLP_PROTO, 9},
		{"events", "", 0, 1024, SPAN_FORMAT_OTLP_PROTO, 11},
		{"attributes of events",
		 "\x1a\0\x1a\0\x1a\0\x1a\0\x1a\0\x1a\0\x1a\0\x1a\0", 16, 20000,
		 SPAN_FORMAT_OTLP_PROTO, 11},
		{"links", link, 28, 5000, SPAN_FORMAT_OTLP_PROTO, 13},
		{"attributes of links", link, sizeof(link) - 1, 5000,
		 SPAN_FORMAT_OTLP_PROTO, 13},
		{"spans", "", 0, 0, SPAN_FORMAT_JAEGER_PROTO, 1},
		{"tags", "", 0, 5000, SPAN_FORMAT_JAEGER_PROTO, 8},
		{"tags of no known type", "\x10\x63", 2, 5000,
		 SPAN_FORMAT_JAEGER_PROTO, 8},
		{"logs", "", 0, 1024, SPAN_FORMAT_JAEGER_PROTO, 9},
		{"fields of logs",
		 "\x12\0\x12\0\x12\0\x12\0\x12\0\x12\0\x12\0\x12\0", 16, 20000,
		 SPAN_FORMAT_JAEGER_PROTO, 9},
		{"odd fields of logs", "\x12\2\x10\x63\x12\2\x10\x63", 8, 20000,
		 SPAN_FORMAT_JAEGER_PROTO, 9},
		{"processes", "", 0, 1000, SPAN_FORMAT_JAEGER_PROTO, 10},
		{"tags of processes", "\x12\0\x12\0\x12\0\x12\0", 8, 1000,
		 SPAN_FORMAT_JAEGER_PROTO, 10},
		{"warnings", "", 0, 5000, SPAN_FORMAT_JAEGER_PROTO, 12},
	};
	struct span_buf b = {0}, one = {0}, owner = {0};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		bool is_otlp = table[i].format == SPAN_FORMAT_OTLP_PROTO;

		one.len = b.len = owner.len = 0;
		span_buf_put(&one, otlp, sizeof(otlp) - 1);
		put_fields(&one, table[i].id, table[i].inner, table[i].len,
			   table[i].n);
		while (owner.len + one.len < 900000)
			put_fields(&owner, is_otlp ? 2 : 1, one.p, one.len, 1);
		if (is_otlp) {
			put_fields(&b, 2, owner.p, owner.len, 1);
			owner.len = 0;
			put_fields(&owner, 1, b.p, b.len, 1);
			is_bounded(table[i].format, &owner, table[i].name);
		} else {
			put_fields(&b, 1, owner.p, owner.len, 1);
			is_bounded(table[i].format, &b, table[i].name);
		}
	}
	span_buf_release(&b);
	span_buf_release(&one);
	span_buf_release(&owner);
}

/* The same in texts: a span between BEFORE and AFTER, ELEMENTS in it. */
static void test_text_memory(void)
{
	static const char otlp_id[] =
		"{\"traceId\":\"00000000000000000000000000000001\","
		"\"spanId\":\"0000000000000001\"";
	static const char jaeger_id[] = "{\"traceID\":\"1\",\"spanID\":\"1\"";
	static const char line_id[] = "{\"trace_id\":\"1\",\"span_id\":\"1\"";
	static const char otlp_head[] =
		"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[";
	static const struct {
		const char *name;
		int format;
		const char *head, *span, *before, *element, *after, *comma,
			*tail;
		size_t n;
	} table[] = {
		{"spans", SPAN_FORMAT_OTLP_JSON, otlp_head, otlp_id, "", "",
		 "}", ",", "]}]}]}", 0},
		{"attributes", SPAN_FORMAT_OTLP_JSON, otlp_head, otlp_id,
		 ",\"attributes\":[{}", ",{}", "]}", ",", "]}]}]}", 5000},
		{"arrays", SPAN_FORMAT_OTLP_JSON, otlp_head, otlp_id,
		 ",\"attributes\":[{\"value\":{\"arrayValue\":{\"values\":[{}",
		 ",{}", "]}}}]}", ",", "]}]}]}", 50000},
		{"events", SPAN_FORMAT_OTLP_JSON, otlp_head, otlp_id,
		 ",\"events\":[{}", ",{}", "]}", ",", "]}]}]}", 1024},
		{"traces", SPAN_FORMAT_JAEGER_JSON, "{\"data\":[{\"spans\":[",
		 jaeger_id, "", "", "}", "]},{\"spans\":[", "]}]}", 0},
		{"spans", SPAN_FORMAT_JAEGER_JSON, "{\"spans\":[", jaeger_id,
		 "", "", "}", ",", "]}", 0},
		{"tags", SPAN_FORMAT_JAEGER_JSON, "{\"spans\":[", jaeger_id,
		 ",\"tags\":[{}", ",{\"key\":\"\"}", "]}", ",", "]}", 1024},
		{"logs", SPAN_FORMAT_JAEGER_JSON, "{\"spans\":[", jaeger_id,
		 ",\"logs\":[{}", ",{\"fields\":[]}", "]}", ",", "]}", 1024},
		{"processes", SPAN_FORMAT_JAEGER_JSON, "{\"spans\":[",
		 jaeger_id, "}],\"processes\":{\"\":{}", ",\"\":{}", "}", ",",
		 "}", 900000},
		{"warnings", SPAN_FORMAT_JAEGER_JSON, "{\"spans\":[", jaeger_id,
		 ",\"warnings\":[\"\"", ",\"\"", "]}", ",", "]}", 1024},
		{"spans", SPAN_FORMAT_JSONL, "", line_id, "", "", "}", "\n", "",
		 0},
		{"tags", SPAN_FORMAT_JSONL, "", line_id, ",\"tags\":{\"\":0",
		 ",\"\":0", "}}", "\n", "", 1024},
		{"lists", SPAN_FORMAT_JSONL, "", line_id, ",\"tags\":{\"\":[0",
		 ",0", "]}}", "\n", "", 900000},
		{"events", SPAN_FORMAT_JSONL, "", line_id, ",\"events\":[{}",
		 ",{}", "]}", "\n", "", 1024},
		{"references", SPAN_FORMAT_JSONL, "", line_id, ",\"refs\":[{}",
		 ",{}", "]}", "\n", "", 1024},
		{"lines", SPAN_FORMAT_CSV, "trace_id,span_id\n", "1,1", "", "",
		 "", "\n", "", 0},
		{"columns", SPAN_FORMAT_CSV, "trace_id,span_id,a\n", "1,1,", "",
		 "", "x", "\n", "", 0},
		{"tags", SPAN_FORMAT_CSV, "trace_id,span_id,tags\n", "1,1,",
		 "a", " a", "", "\n", "", 1024},
	};
	struct span_buf b = {0};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		b.len = 0;
		span_buf_puts(&b, table[i].head);
		for (size_t k = 0; b.len < 900000; k++) {
			if (k)
				span_buf_puts(&b, table[i].comma);
			span_buf_puts(&b, table[i].span);
			span_buf_puts(&b, table[i].before);
			for (size_t n = 0; n < table[i].n && b.len < 900000;
			     n++)
				span_buf_puts(&b, table[i].element);
			span_buf_puts(&b, table[i].after);
		}
		span_buf_puts(&b, table[i].tail);
		is_bounded(table[i].format, &b, table[i].name);
	}
	span_buf_release(&b);
}

int main(void)
{
	if (!ok(!span_decoder_open(&decoder, NULL, NULL), "open"))
		return done_testing();
	test_cut_text();
	test_cut_lists();
	test_long_span();
	test_long();
	test_memory();
	test_zipkin_memory();
	test_proto_memory();
	test_text_memory();
	span_decoder_close(&decoder);
	return done_testing();
}
