/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jaeger's protobuf to spans and back: bytes that protoc made of
 * tests/data/jaeger-batch.txt, what is bad, and what is read where.
 */
#include "codec/proto_out.h"

#include "decode_help.h"
#include "random-span.h"

#include "base/banned.h"

static const char request[] =
	"0aca020acf010a10000000000000000000000000000000ab120800000000"
	"000000011a09474554202f63617274221e0a100000000000000000000000"
	"00000000ab1208000000000000000918012801320b0880e2cfaa0610959a"
	"ef3a3a040802100542130a097370616e2e6b696e641a0673657276657242"
	"070a01621001200142100a01691002288cfcffffffffffffff01420e0a01"
	"66100331000000000020524042090a017910043a0200ff420c0a056c6174"
	"657210091a01784a180a060881e2cfaa06120e0a056576656e741a057265"
	"7472790a5e0a0800000000000000ab120800000000000000021a0653454c"
	"45435432060880e2cfaa0652040a0264625a027031620a636c6f636b2073"
	"6b65776222612074696d6520646964206e6f742066697420616e64207761"
	"7320636c616d70656412160a0463617274120e0a0269701a0831302e302e"
	"302e31";

static const char spans[] =
	"cart(ip=s:10.0.0.1) 00000000000000ab/0000000000000001"
	"<0000000000000009 \"GET /cart\" flags=1 "
	"1700000000123456789+2000000005 server (span.kind=s:server b=b:true "
	"i=i:-500 f=d:72.5 y=y:00ff later=s:Unknown VType: 9) "
	"{1 00000000000000ab/0000000000000009} "
	"[1700000001000000000 event=s:retry]\n"
	"db 00000000000000ab/0000000000000002 \"SELECT\" flags=0 "
	"1700000000000000000+0 (@jaeger@warnings=a:[\"clock skew\"]) "
	"marks=2\n";

static unsigned digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void from_hex(struct span_buf *b, const char *hex)
{
	b->len = 0;
	for (; hex[0] && hex[1]; hex += 2)
		span_buf_putc(b, (char)(digit(hex[0]) << 4 | digit(hex[1])));
}

/* The text of the spans of a message, or of its error. */
static const char *read_bytes(int format, const struct span_buf *b)
{
	static struct span_buf text;
	struct span_error err = {0};
	const struct span_error *bad;
	int rc;

	text.len = 0;
	rc = span_decoder_message(decoder, format, b->p, b->len, to_text, &text,
				  &err);
	if (rc < 0)
		span_buf_printf(&text, "%d: %s at %zu", rc, err.msg,
				(size_t)err.pos);
	bad = span_decoder_bad_span(decoder);
	if (bad)
		span_buf_printf(&text, "bad: %s at %zu", bad->msg,
				(size_t)bad->pos);
	span_buf_putc(&text, 0);
	return text.p;
}

static void test_request(void)
{
	struct span_buf b = {0}, batch = {0};

	from_hex(&b, request);
	is_str(read_bytes(SPAN_FORMAT_AUTO, &b), spans, "a request");
	is_int(span_decoder_format(decoder), SPAN_FORMAT_JAEGER_PROTO,
	       "the format is found");
	span_buf_put(&batch, b.p + 3, b.len - 3);
	is_str(read_bytes(SPAN_FORMAT_AUTO, &batch), spans, "a batch alone");
	for (size_t len = b.len - 1; len > 60; len--) {
		struct span_buf part = {.p = b.p, .len = len};

		if (span_decoder_message(decoder, SPAN_FORMAT_AUTO, part.p,
					 part.len, NULL, NULL,
					 NULL) != SPAN_E_TRUNCATED)
			ok(false, "cut at %zu", len);
	}
	b.len = 0;
	is_str(read_bytes(SPAN_FORMAT_JAEGER_PROTO, &b), "", "nothing");
	span_buf_release(&b);
	span_buf_release(&batch);
}

#define IDS                                                                    \
	"0a080000000000000001"                                                 \
	"12080000000000000002"

static void test_bad(void)
{
	static const struct {
		const char *name, *hex, *want;
	} table[] = {
		{"a trace id of 5 bytes",
		 "0a130a110a05000000000112080000000000000002",
		 "bad: a trace id is not of 16 or 8 bytes at 4"},
		{"no span id", "0a0c0a0a0a080000000000000001",
		 "bad: a span id is not of 8 bytes at 4"},
		{"a reference without ids", "0a180a16" IDS "2200",
		 "bad: a reference has no valid ids at 26"},
		{"a field of no type", "0a180a16" IDS "0f00",
		 "-4: a field has an unknown wire type at 24"},
		{"a field longer than the span", "0a180a16" IDS "1a7f",
		 "-3: a field is longer than its message at 25"},
		{"a batch without spans", "0a0512030a0173", ""},
	};
	struct span_buf b = {0};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		from_hex(&b, table[i].hex);
		is_str(read_bytes(SPAN_FORMAT_JAEGER_PROTO, &b), table[i].want,
		       "%s", table[i].name);
	}
	span_buf_release(&b);
}

static void put_time(struct span_buf *b, unsigned id, int64_t seconds,
		     int64_t nanos)
{
	size_t mark = span__proto_open(b, id);

	span__proto_put_varint(b, 1, (uint64_t)seconds);
	span__proto_put_varint(b, 2, (uint64_t)nanos);
	span__proto_close(b, mark);
}

static int encode_span(void *arg, const struct span *s, struct span_error *err)
{
	return span_encode_message(arg, SPAN_FORMAT_JAEGER_PROTO, s, 1, err);
}

static void test_times(void)
{
	static const struct {
		int64_t seconds, nanos;
		const char *want;
	} table[] = {
		{0, 999999999, "999999999+7 \n"},
		{18446744073, 709551615, "18446744073709551615+7 \n"},
		{18446744073, 709551616, "18446744073709551615+7 \n"},
		{18446744073, 709552000,
		 "18446744073709551615+7 "
		 "(spantools.original_start_us=i:18446744073709552) marks=2\n"},
		{-2, -500000000,
		 "0+7 (spantools.original_start_us=i:-2500000) marks=2\n"},
		{INT64_MAX, 0,
		 "18446744073709551615+7 "
		 "(spantools.original_start_us=i:9223372036854775807) "
		 "marks=2\n"},
		{INT64_MIN, -1,
		 "0+7 (spantools.original_start_us=i:-9223372036854775808) "
		 "marks=2\n"},
	};
	struct span_buf b = {0}, again = {0};
	char want[200];

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		size_t batch, span;
		const char *rest = strchr(table[i].want, ' ');

		b.len = again.len = 0;
		batch = span__proto_open(&b, 1);
		span = span__proto_open(&b, 1);
		span__proto_put_bytes(&b, 1, SPAN_STR("\0\0\0\0\0\0\0\1"));
		span__proto_put_bytes(&b, 2, SPAN_STR("\0\0\0\0\0\0\0\2"));
		span__proto_put_bytes(&b, 3, SPAN_STR("o"));
		put_time(&b, 6, table[i].seconds, table[i].nanos);
		put_time(&b, 7, 0, 7);
		span__proto_close(&b, span);
		span = span__proto_open(&b, 2);
		span__proto_put_bytes(&b, 1, SPAN_STR("s"));
		span__proto_close(&b, span);
		span__proto_close(&b, batch);
		snprintf(want, sizeof(want),
			 "s 0000000000000001/0000000000000002 \"o\" flags=0 "
			 "%.*s%s",
			 (int)(rest - table[i].want), table[i].want,
			 rest[1] == '\n' ? "\n" : rest);
		is_str(read_bytes(SPAN_FORMAT_AUTO, &b), want,
		       "%" PRId64 " s and %" PRId64 " ns", table[i].seconds,
		       table[i].nanos);
		is_int(span_decoder_message(decoder, SPAN_FORMAT_AUTO, b.p,
					    b.len, encode_span, &again, NULL),
		       1, "written again");
		is_str(read_bytes(SPAN_FORMAT_AUTO, &again), want,
		       "it is what it was");
	}
	span_buf_release(&b);
	span_buf_release(&again);
}

struct expect {
	const struct span *spans;
	size_t n, wrong;
};

/* A is B, with U+FFFD for what is not UTF-8; the reader cuts what is long. */
static bool same_key(struct span_str a, struct span_str b)
{
	struct span_buf want = {0};
	bool same;

	span__utf8_put(&want, b);
	if (want.len > SPAN_MAX_STRING && a.len > SPAN_MAX_STRING - 3)
		want.len = a.len;
	same = span_str_equal(a, (struct span_str){want.p, want.len});
	span_buf_release(&want);
	return same;
}

/* Arrays, maps and nulls become texts, texts that are not UTF-8 bytes. */
static bool same_tag(const struct span_attr *a, const struct span_attr *b)
{
	struct span_value want = b->value;

	if (want.type == SPAN_STRING && !span__utf8_valid(want.str))
		want.type = SPAN_BYTES;
	return same_key(a->key, b->key) &&
	       (want.type >= SPAN_ARRAY || want.type == SPAN_NULL ||
		span_value_equal(&a->value, &want));
}

static bool same_tags(const struct span_attrs *a, const struct span_attrs *b)
{
	/* Tags are added, before these and behind them. */
	if (b->n > SPAN_MAX_ATTRS - 8)
		return a->n == SPAN_MAX_ATTRS;
	if (a->n < b->n)
		return false;
	for (size_t i = 0, k = 0; i < b->n; i++, k++) {
		while (k < a->n && !same_tag(&a->v[k], &b->v[i]))
			k++;
		if (k == a->n)
			return false;
	}
	return true;
}

static int compare(void *arg, const struct span *s, struct span_error *err)
{
	struct expect *x = arg;
	const struct span *want = &x->spans[x->n++];

	(void)err;
	x->wrong += memcmp(s->trace_id, want->trace_id, 16) ||
		    memcmp(s->span_id, want->span_id, 8) ||
		    s->start_ns != want->start_ns ||
		    s->duration_ns != want->duration_ns ||
		    s->flags != (want->scope ? want->flags & 1 : want->flags) ||
		    s->n_events != want->n_events || s->n_refs < want->n_refs ||
		    (want->name.len && !span_str_equal(s->name, want->name)) ||
		    (want->process->service.len &&
		     !span_str_equal(s->process->service,
				     want->process->service)) ||
		    !same_tags(&s->process->attrs, &want->process->attrs) ||
		    !same_tags(&s->attrs, &want->attrs);
	return 0;
}

/* Spans of three processes, and what is read back of them. */
static void test_round_trip(void)
{
	struct span_arena arena = {0};
	struct rnd r = {.state = 9, .arena = &arena};
	struct span_buf b = {0}, second = {0}, third = {0};
	size_t wrong = 0, unsettled = 0;

	for (int i = 0; i < 400; i++) {
		const struct span_process *p = rnd_process(&r);
		struct expect x = {0};
		struct span v[3];

		for (int k = 0; k < 3; k++)
			v[k] = rnd_span(&r, k == 1 ? p : rnd_process(&r));
		for (int k = 0; k < 3; k++)
			rnd_valid_names(&v[k]);
		b.len = second.len = third.len = 0;
		x.spans = v;
		if (span_encode_message(&b, SPAN_FORMAT_JAEGER_PROTO, v, 3,
					NULL) < 0 ||
		    span_decoder_message(decoder, SPAN_FORMAT_JAEGER_PROTO, b.p,
					 b.len, compare, &x, NULL) != 3)
			wrong++;
		wrong += x.wrong;
		(void)!span_decoder_message(decoder, SPAN_FORMAT_JAEGER_PROTO,
					    b.p, b.len, encode_span, &second,
					    NULL);
		(void)!span_decoder_message(decoder, SPAN_FORMAT_JAEGER_PROTO,
					    second.p, second.len, encode_span,
					    &third, NULL);
		unsettled += second.len != third.len || !second.len ||
			     memcmp(second.p, third.p, second.len) != 0;
		span_arena_reset(&arena);
	}
	is_uint(wrong, 0, "400 times three random spans come back");
	is_uint(unsettled, 0, "and do not change any more");
	span_arena_release(&arena);
	span_buf_release(&b);
	span_buf_release(&second);
	span_buf_release(&third);
}

static size_t most;

static int see_memory(void *arg, const struct span *s, struct span_error *err)
{
	size_t size = span_arena_size(&decoder->arena) +
		      span_arena_size(&decoder->keep);

	(void)arg;
	(void)s;
	(void)err;
	if (size > most)
		most = size;
	return 0;
}

/* The smallest tags, logs and spans there are. */
static void test_memory(void)
{
	static const unsigned fields[] = {8, 9, 12};
	struct span_buf b = {0};

	span_decoder_close(&decoder);
	if (span_decoder_open(&decoder, NULL, NULL) < 0)
		return;
	for (size_t i = 0; i < 3; i++) {
		size_t span, batch;

		b.len = 0;
		batch = span__proto_open(&b, 1);
		while (b.len < 900000) {
			span = span__proto_open(&b, 1);
			span__proto_put_bytes(&b, 1,
					      SPAN_STR("\0\0\0\0\0\0\0\1"));
			span__proto_put_bytes(&b, 2,
					      SPAN_STR("\0\0\0\0\0\0\0\2"));
			for (int k = 0; k < 1024; k++)
				span__proto_put_bytes(&b, fields[i],
						      SPAN_STR(""));
			span__proto_close(&b, span);
		}
		span__proto_close(&b, batch);
		most = 0;
		ok(span_decoder_message(decoder, SPAN_FORMAT_JAEGER_PROTO, b.p,
					b.len, see_memory, NULL, NULL) > 400,
		   "many of the smallest, field %u", fields[i]);
		ok(most <= 48 * b.len, "in %zu KiB for %zu", most >> 10,
		   b.len >> 10);
	}
	span_buf_release(&b);
}

int main(void)
{
	if (!ok(!span_decoder_open(&decoder, NULL, NULL), "open"))
		return done_testing();
	test_request();
	test_bad();
	test_times();
	test_round_trip();
	test_memory();
	span_decoder_close(&decoder);
	return done_testing();
}
