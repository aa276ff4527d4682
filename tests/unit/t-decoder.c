/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of decoding: limits, times that do not fit, names that are not
 * there, lost spans, Zipkin's model made ours.
 */
#include "codec/decoder.h"
#include "codec/thrift_out.h"

#include "decode_help.h"
#include "span_dump.h"
#include "tap.h"

#include "base/banned.h"

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
	s.name = SPAN_STR("\xc3\xa9\n");
	encode(&b, &s);
	ok(strstr(decode(decoder, &b, &text) + 4, "\"\xc3\xa9\\n\" flags"),
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

/* Fields may come in any order, and more than once: the last one counts. */
static void test_order(bool compact)
{
	struct span_buf b = {0}, text = {0};
	struct span__thrift_out o = {&b, compact};
	int batch = 0, p = 0, s = 0, tag = 0;

	span__thrift_put_field(&o, &batch, 2, THRIFT_LIST);
	span__thrift_put_list(&o, THRIFT_STRUCT, 1);
	span__thrift_put_field(&o, &s, 10, THRIFT_LIST);
	span__thrift_put_list(&o, THRIFT_STRUCT, 1);
	span__thrift_put_field(&o, &tag, 6, THRIFT_I64);
	span__thrift_put_i64(&o, 41);
	span__thrift_put_field(&o, &tag, 6, THRIFT_I64);
	span__thrift_put_i64(&o, 42);
	span__thrift_put_field(&o, &tag, 2, THRIFT_I32);
	span__thrift_put_i32(&o, 3);
	span__thrift_put_field(&o, &tag, 1, THRIFT_STRING);
	span__thrift_put_string(&o, SPAN_STR("k"));
	span__thrift_put_stop(&o);
	for (int id = 9; id > 0; id--) {
		if (id == 6)
			continue;
		span__thrift_put_field(&o, &s, id,
				       id == 5	 ? THRIFT_STRING
				       : id == 7 ? THRIFT_I32
						 : THRIFT_I64);
		if (id == 5)
			span__thrift_put_string(&o, SPAN_STR("o"));
		else if (id == 7)
			span__thrift_put_i32(&o, 1);
		else
			span__thrift_put_i64(&o, id);
	}
	span__thrift_put_stop(&o);
	for (int i = 0; i < 2; i++) {
		p = 0;
		span__thrift_put_field(&o, &batch, 1, THRIFT_STRUCT);
		span__thrift_put_field(&o, &p, 1, THRIFT_STRING);
		span__thrift_put_string(&o, i ? SPAN_STR("last")
					      : SPAN_STR("first"));
		span__thrift_put_stop(&o);
	}
	span__thrift_put_stop(&o);
	is_str(decode(decoder, &b, &text),
	       "last 00000000000000020000000000000001/0000000000000003"
	       "<0000000000000004 \"o\" flags=1 8000+9000 (k=i:42)\n",
	       "fields in falling order, and repeated ones");
	span_buf_release(&b);
	span_buf_release(&text);
}

int main(void)
{
	if (!ok(!span_decoder_open(&decoder, NULL, NULL), "open"))
		return done_testing();
	test_names();
	test_times();
	test_callback();
	test_process_tags();
	test_encode_derived();
	test_parent();
	test_losses();
	test_order(true);
	test_order(false);
	span_decoder_close(&decoder);
	return done_testing();
}
