/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of decoding: limits, times that do not fit, names that are not
 * there, lost spans, Zipkin's model made ours.
 */
#include "codec/decoder.h"
#include "codec/thrift_out.h"

#include "span_dump.h"
#include "tap.h"

#include "base/banned.h"

static struct span_decoder *decoder;

static int to_text(void *arg, const struct span *s, struct span_error *err)
{
	(void)err;
	put_span(arg, s);
	return 0;
}

/* Decode B's message: the text of its spans, terminated. */
static char *decode(struct span_decoder *d, const struct span_buf *b,
		    struct span_buf *text)
{
	struct span_error err = {0};
	int rc;

	text->len = 0;
	rc = span_decoder_message(d, SPAN_FORMAT_AUTO, b->p, b->len, to_text,
				  text, &err);
	if (rc < 0)
		span_buf_printf(text, "%d: %s at %zu", rc, err.msg,
				(size_t)err.pos);
	span_buf_putc(text, 0);
	return text->p;
}

static struct span_attr attr_int(const char *key, int64_t i)
{
	return (struct span_attr){span_str(key), {.type = SPAN_INT, .i = i}};
}

static struct span_attr attr_text(const char *key, struct span_str s)
{
	return (struct span_attr){span_str(key),
				  {.type = SPAN_STRING, .str = s}};
}

/* A span of ours as a message, in both protocols in turn. */
static void encode(struct span_buf *b, const struct span *s)
{
	static int format = SPAN_FORMAT_JAEGER_COMPACT;

	b->len = 0;
	if (span_encode_jaeger(b, format, s, 1, 0, NULL) < 0)
		ok(false, "encode");
	format =
		SPAN_FORMAT_JAEGER_COMPACT + SPAN_FORMAT_JAEGER_BINARY - format;
}

static void test_names(void)
{
	struct span_process p = {.service = {"", 0}};
	struct span s = {.process = &p, .name = {"", 0}, .span_id = {7}};
	struct span_buf b = {0}, text = {0};

	encode(&b, &s);
	is_str(decode(decoder, &b, &text),
	       "empty-service-name 0000000000000000/0700000000000000 "
	       "\"empty-span-name\" flags=0 0+0 marks=4\n",
	       "empty names are filled in, zero ids are kept");
	p.service = SPAN_STR("a\0b");
	s.name = SPAN_STR("\xff\n");
	encode(&b, &s);
	ok(strstr(decode(decoder, &b, &text) + 4, "\"\xef\xbf\xbd\\n\" flags"),
	   "other names stay as they are");
	span_buf_release(&b);
	span_buf_release(&text);
}

/* Times are put as they come from the wire: microseconds that do not fit. */
static void put_times(struct span_buf *b, bool compact, int64_t start,
		      int64_t duration, int64_t log)
{
	struct span__thrift_out o = {b, compact};
	int args = 0, batch = 0, p = 0, s = 0, l = 0;

	b->len = 0;
	span__thrift_put_head(&o, SPAN_STR("emitBatch"));
	span__thrift_put_field(&o, &args, 1, THRIFT_STRUCT);
	span__thrift_put_field(&o, &batch, 1, THRIFT_STRUCT);
	span__thrift_put_field(&o, &p, 1, THRIFT_STRING);
	span__thrift_put_string(&o, SPAN_STR("s"));
	span__thrift_put_stop(&o);
	span__thrift_put_field(&o, &batch, 2, THRIFT_LIST);
	span__thrift_put_list(&o, THRIFT_STRUCT, 1);
	for (int id = 1; id <= 4; id++) {
		span__thrift_put_field(&o, &s, id, THRIFT_I64);
		span__thrift_put_i64(&o, 0);
	}
	span__thrift_put_field(&o, &s, 5, THRIFT_STRING);
	span__thrift_put_string(&o, SPAN_STR("o"));
	span__thrift_put_field(&o, &s, 7, THRIFT_I32);
	span__thrift_put_i32(&o, -1);
	span__thrift_put_field(&o, &s, 8, THRIFT_I64);
	span__thrift_put_i64(&o, start);
	span__thrift_put_field(&o, &s, 9, THRIFT_I64);
	span__thrift_put_i64(&o, duration);
	span__thrift_put_field(&o, &s, 11, THRIFT_LIST);
	span__thrift_put_list(&o, THRIFT_STRUCT, 1);
	span__thrift_put_field(&o, &l, 1, THRIFT_I64);
	span__thrift_put_i64(&o, log);
	span__thrift_put_field(&o, &l, 2, THRIFT_LIST);
	span__thrift_put_list(&o, THRIFT_STRUCT, 0);
	span__thrift_put_stop(&o);
	span__thrift_put_stop(&o);
	span__thrift_put_stop(&o);
	span__thrift_put_stop(&o);
}

static int encode_span(void *arg, const struct span *s, struct span_error *err)
{
	return span_encode_jaeger(arg, SPAN_FORMAT_JAEGER_COMPACT, s, 1, 0,
				  err);
}

static void test_times(void)
{
	struct span_buf b = {0}, text = {0}, again = {0};

	put_times(&b, true, 18446744073709551, 18446744073709551, 1);
	is_str(decode(decoder, &b, &text),
	       "s 0000000000000000/0000000000000000 \"o\" flags=4294967295 "
	       "18446744073709551000+18446744073709551000 [1000]\n",
	       "the largest times that fit");
	put_times(&b, false, 18446744073709552, -5, INT64_MIN);
	is_str(decode(decoder, &b, &text),
	       "s 0000000000000000/0000000000000000 \"o\" flags=4294967295 "
	       "18446744073709551615+0 "
	       "(spantools.original_start_us=i:18446744073709552 "
	       "spantools.original_duration_us=i:-5) "
	       "[0 spantools.original_time_us=i:-9223372036854775808] "
	       "marks=2\n",
	       "times that do not fit are clamped, originals kept");
	put_times(&b, true, 18446744073709552, -5, INT64_MIN);
	is_int(span_decoder_message(decoder, 0, b.p, b.len, encode_span, &again,
				    NULL),
	       1, "a clamped span is encoded");
	is_mem(again.p, again.len, b.p, b.len, "and leaves as it came");
	span_buf_release(&b);
	span_buf_release(&again);
	span_buf_release(&text);
}

struct seen {
	size_t n, n_attrs, n_events, n_refs, n_process, n_fields;
	size_t text_len, bytes_len;
	uint16_t marks;
};

static int look(void *arg, const struct span *s, struct span_error *err)
{
	struct seen *seen = arg;

	(void)err;
	seen->n++;
	seen->n_attrs = s->attrs.n;
	seen->n_events = s->n_events;
	seen->n_refs = s->n_refs;
	seen->n_process = s->process->attrs.n;
	seen->n_fields = s->n_events ? s->events[0].attrs.n : 0;
	seen->marks = s->marks;
	for (size_t i = 0; i < s->attrs.n; i++) {
		if (s->attrs.v[i].value.type == SPAN_STRING)
			seen->text_len = s->attrs.v[i].value.str.len;
		if (s->attrs.v[i].value.type == SPAN_BYTES)
			seen->bytes_len = s->attrs.v[i].value.str.len;
	}
	return 0;
}

static void see(const struct span *s, struct seen *seen)
{
	struct span_buf b = {0};

	*seen = (struct seen){0};
	encode(&b, s);
	is_int(span_decoder_message(decoder, 0, b.p, b.len, look, seen, NULL),
	       1, "one span of %zu bytes", b.len);
	span_buf_release(&b);
}

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

static int refuse_second(void *arg, const struct span *s,
			 struct span_error *err)
{
	int *n = arg;

	(void)s;
	return ++*n == 2 ? span_error_set(err, SPAN_E_PIPE, "enough") : 0;
}

static void test_callback(void)
{
	struct span_process p = {.service = SPAN_STR("s")};
	struct span spans[3] = {
		{.process = &p}, {.process = &p}, {.process = &p}};
	struct span_error err = {0};
	struct span_buf b = {0};
	int n = 0;

	is_int(span_encode_jaeger(&b, 1, spans, 3, 0, NULL), 0, "three spans");
	is_int(span_decoder_message(decoder, 0, b.p, b.len, refuse_second, &n,
				    &err),
	       SPAN_E_PIPE, "what the callback returns is returned");
	is_int(n, 2, "and ends it");
	is_str(err.msg, "enough", "with its text");
	is_int(span_decoder_message(decoder, 0, b.p, b.len, NULL, NULL, &err),
	       3, "without a callback messages are only checked");
	is_int(span_encode_jaeger(&b, 1, spans, 0, 0, &err), SPAN_E_INVALID,
	       "a batch without spans is not encoded");
	is_int(span_encode_jaeger(&b, 3, spans, 1, 0, &err), SPAN_E_INVALID,
	       "nor one as Zipkin's");
	span_buf_release(&b);
}

static void test_process_tags(void)
{
	static struct span_attr many[SPAN_MAX_ATTRS];
	struct span_attr add[] = {attr_text("zone", SPAN_STR("b")),
				  attr_text("host", SPAN_STR("h"))};
	struct span_decoder_opts o = {.process_tags = add, .n_process_tags = 2};
	struct span_process p = {.service = SPAN_STR("s")};
	struct span s = {.process = &p, .name = SPAN_STR("o")};
	struct span_decoder *d = NULL;
	struct span_buf b = {0}, text = {0};
	struct seen seen = {0};

	if (!ok(!span_decoder_open(&d, &o, NULL), "open with process tags"))
		return;
	encode(&b, &s);
	ok(strstr(decode(d, &b, &text), "s(zone=s:b host=s:h) "),
	   "tags are added to a process without any");
	many[0] = attr_text("host", SPAN_STR("x"));
	p.attrs = (struct span_attrs){.v = many, .n = 1};
	encode(&b, &s);
	ok(strstr(decode(d, &b, &text), "s(host=s:x zone=s:b host=s:h) "),
	   "after its own, of the same name too");
	for (size_t i = 0; i < SPAN_MAX_ATTRS; i++)
		many[i] = attr_int("k", 1);
	p.attrs.n = SPAN_MAX_ATTRS;
	encode(&b, &s);
	is_int(span_decoder_message(d, 0, b.p, b.len, look, &seen, NULL), 1,
	       "a process with 1,024 tags");
	ok(seen.n_process == SPAN_MAX_ATTRS && seen.marks == SPAN_MARK_CUT,
	   "makes room for them");
	span_decoder_close(&d);
	span_buf_release(&b);
	span_buf_release(&text);
}

static void test_encode_derived(void)
{
	struct span_process p = {.service = SPAN_STR("s")};
	struct span_scope scope = {.name = SPAN_STR("lib"),
				   .version = SPAN_STR("2")};
	struct span_attr link[] = {
		attr_text("opentracing.ref_type", SPAN_STR("child_of"))};
	struct span_ref refs[] = {
		{.type = SPAN_REF_LINK, .span_id = {1}},
		{.type = SPAN_REF_LINK,
		 .span_id = {2},
		 .attrs = {.v = link, .n = 1}},
		{.type = 9, .span_id = {3}},
	};
	struct span_value parts[] = {{.type = SPAN_INT, .i = 1},
				     {.type = SPAN_BOOL, .b = true}};
	struct span_attr v[] = {
		{SPAN_STR("list"),
		 {.type = SPAN_ARRAY, .array = {.v = parts, .n = 2}}},
		{SPAN_STR("none"), {.type = SPAN_NULL}},
	};
	struct span_event e = {.time_ns = 1999, .name = SPAN_STR("retry")};
	struct span s = {
		.process = &p,
		.scope = &scope,
		.trace_id = {[15] = 1},
		.span_id = {[7] = 2},
		.parent_id = {[7] = 3},
		.name = SPAN_STR("o"),
		.kind = SPAN_KIND_CLIENT,
		.status = SPAN_STATUS_ERROR,
		.status_message = SPAN_STR("late"),
		.trace_state = SPAN_STR("a=b"),
		.attrs = {.v = v, .n = 2},
		.refs = refs,
		.n_refs = 3,
		.events = &e,
		.n_events = 1,
	};
	const char *want =
		"s 0000000000000001/0000000000000002<0000000000000003 \"o\" "
		"flags=0 0+0 client error:late (otel.scope.name=s:lib "
		"otel.scope.version=s:2 list=s:[1,true] none=s: "
		"span.kind=s:client otel.status_code=s:ERROR error=b:true "
		"otel.status_description=s:late w3c.tracestate=s:a=b) "
		"{1 0000000000000000/0100000000000000} "
		"{0 0000000000000000/0200000000000000} "
		"{9 0000000000000000/0300000000000000} "
		"[1000 event=s:retry]\n";
	struct span_buf b = {0}, text = {0}, again = {0};

	encode(&b, &s);
	is_str(decode(decoder, &b, &text), want,
	       "what Jaeger has no field for becomes a tag");
	b.len = 0;
	if (span_encode_jaeger(&b, 1, &s, 1, 0, NULL) < 0)
		ok(false, "encode");
	is_int(span_decoder_message(decoder, 0, b.p, b.len, encode_span, &again,
				    NULL),
	       1, "encoded again");
	is_mem(again.p, again.len, b.p, b.len, "nothing is written twice");
	span_buf_release(&b);
	span_buf_release(&again);
	span_buf_release(&text);
}

static void test_parent(void)
{
	struct span_process p = {.service = SPAN_STR("s")};
	struct span_ref refs[] = {
		{.type = SPAN_REF_CHILD_OF, .span_id = {[7] = 9}},
		{.type = SPAN_REF_FOLLOWS_FROM,
		 .trace_id = {[15] = 1},
		 .span_id = {[7] = 8}},
	};
	struct span s = {.process = &p,
			 .name = SPAN_STR("o"),
			 .trace_id = {[15] = 1},
			 .refs = refs,
			 .n_refs = 2};
	struct span_buf b = {0}, text = {0};

	encode(&b, &s);
	ok(strstr(decode(decoder, &b, &text),
		  "/0000000000000000<0000000000000008 "),
	   "a parent is found among the references of the trace");
	span_buf_release(&b);
	span_buf_release(&text);
}

struct batch {
	const char *client;
	int64_t seqno, counts[3];
	bool stats;
	uint64_t lost; /* expected */
};

static void put_stats(struct span_buf *b, const struct batch *x)
{
	struct span__thrift_out o = {b, true};
	int batch = 0, p = 0, tag = 0, stats = 0;

	b->len = 0;
	span__thrift_put_field(&o, &batch, 1, THRIFT_STRUCT);
	span__thrift_put_field(&o, &p, 1, THRIFT_STRING);
	span__thrift_put_string(&o, SPAN_STR("s"));
	span__thrift_put_field(&o, &p, 2, THRIFT_LIST);
	span__thrift_put_list(&o, THRIFT_STRUCT, 1);
	span__thrift_put_field(&o, &tag, 1, THRIFT_STRING);
	span__thrift_put_string(&o, SPAN_STR("client-uuid"));
	span__thrift_put_field(&o, &tag, 2, THRIFT_I32);
	span__thrift_put_i32(&o, 0);
	span__thrift_put_field(&o, &tag, 3, THRIFT_STRING);
	span__thrift_put_string(&o, span_str(x->client));
	span__thrift_put_stop(&o);
	span__thrift_put_stop(&o);
	span__thrift_put_field(&o, &batch, 2, THRIFT_LIST);
	span__thrift_put_list(&o, THRIFT_STRUCT, 0);
	span__thrift_put_field(&o, &batch, 3, THRIFT_I64);
	span__thrift_put_i64(&o, x->seqno);
	if (x->stats) {
		span__thrift_put_field(&o, &batch, 4, THRIFT_STRUCT);
		for (int i = 0; i < 3; i++) {
			span__thrift_put_field(&o, &stats, i + 1, THRIFT_I64);
			span__thrift_put_i64(&o, x->counts[i]);
		}
		span__thrift_put_stop(&o);
	}
	span__thrift_put_stop(&o);
}

static void test_losses(void)
{
	static const struct batch table[] = {
		{"a", 1, {100, 0, 0}, true, 0},	 /* only the base */
		{"a", 2, {103, 1, 0}, true, 4},	 /* three and one more */
		{"a", 2, {200, 1, 0}, true, 4},	 /* not newer */
		{"b", 1, {1, 1, 1}, true, 4},	 /* another client */
		{"a", 3, {0, 0, 0}, false, 4},	 /* says nothing */
		{"a", 4, {103, 1, 6}, true, 10}, /* six more */
		{"a", 5, {0, 0, 0}, true, 10},	 /* began anew */
		{"a", 6, {2, 0, 0}, true, 12},	 /* two since */
	};
	struct span_decoder *d = NULL;
	struct span_buf b = {0};
	char name[32];

	if (!ok(!span_decoder_open(&d, NULL, NULL), "open"))
		return;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		put_stats(&b, &table[i]);
		if (span_decoder_message(d, 0, b.p, b.len, NULL, NULL, NULL) <
		    0)
			ok(false, "decode");
		is_uint(span_decoder_stats(d)->client_dropped, table[i].lost,
			"spans that clients lost, after batch %zu", i);
	}
	for (int i = 0; i < 1023; i++) {
		struct batch x = {name, 1, {0}, true, 0};

		snprintf(name, sizeof(name), "client %d", i);
		put_stats(&b, &x);
		if (span_decoder_message(d, 0, b.p, b.len, NULL, NULL, NULL) <
		    0)
			ok(false, "decode");
	}
	put_stats(&b, &(struct batch){"a", 7, {3, 0, 0}, true, 0});
	(void)!span_decoder_message(d, 0, b.p, b.len, NULL, NULL, NULL);
	is_uint(span_decoder_stats(d)->client_dropped, 13,
		"of 1,025 clients the one silent longest was forgotten, "
		"not this one");
	put_stats(&b, &(struct batch){"b", 2, {9, 9, 9}, true, 0});
	(void)!span_decoder_message(d, 0, b.p, b.len, NULL, NULL, NULL);
	is_uint(span_decoder_stats(d)->client_dropped, 13, "but that one");
	span_decoder_close(&d);
	span_buf_release(&b);
}

int main(void)
{
	if (!ok(!span_decoder_open(&decoder, NULL, NULL), "open"))
		return done_testing();
	test_names();
	test_times();
	test_cut_text();
	test_cut_lists();
	test_long();
	test_callback();
	test_process_tags();
	test_encode_derived();
	test_parent();
	test_losses();
	span_decoder_close(&decoder);
	return done_testing();
}
