/* SPDX-License-Identifier: Apache-2.0 */
/* The wire format of protobuf: every kind of field, and every error. */
#include "codec/proto.h"
#include "codec/proto_out.h"

#include "tap.h"

#include "base/banned.h"

#define BYTES(s) s, sizeof(s) - 1

/* "id:wire=value ..." of all fields, or "CODE: what at POS" behind them. */
static void dump(struct span_buf *b, const void *p, size_t len)
{
	struct span__proto_field f;
	struct span__cursor in;

	cursor_init(&in, p, len);
	b->len = 0;
	while (span__proto_next(&in, &f)) {
		span_buf_printf(b, "%" PRIu32 ":", f.id);
		if (f.wire == PROTO_LEN)
			span_buf_printf(b, "'%.*s' ", (int)f.bytes.len,
					f.bytes.p);
		else
			span_buf_printf(b, "%d=%" PRIu64 " ", (int)f.wire,
					f.number);
	}
	if (in.failed)
		span_buf_printf(b, "%d: %s at %zu", in.code, in.what, in.pos);
	span_buf_putc(b, '\0');
}

static const struct {
	const char *name, *bytes;
	size_t len;
	const char *want;
} cases[] = {
	{"nothing", BYTES(""), ""},
	{"a varint", BYTES("\x08\x96\x01"), "1:0=150 "},
	{"a varint of ten bytes",
	 BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
	 "1:0=18446744073709551615 "},
	{"a varint with zeros behind it", BYTES("\x08\x81\x80\x00"), "1:0=1 "},
	{"64 and 32 bits", BYTES("\x11\1\2\3\4\5\6\7\x08\x1d\1\0\0\0"),
	 "2:1=578437695752307201 3:5=1 "},
	{"bytes",
	 BYTES("\x12\x03"
	       "abc\x1a\0"),
	 "2:'abc' 3:'' "},
	{"the largest number of a field", BYTES("\xf8\xff\xff\xff\x0f\x05"),
	 "536870911:0=5 "},
	{"a group is passed over", BYTES("\x0b\x08\x01\x0c\x10\x02"), "2:0=2 "},
	{"groups in groups", BYTES("\x0b\x13\x14\x12\x01x\x0c\x10\x02"),
	 "2:0=2 "},
	{"a key is cut", BYTES("\x88"), "-3: the message is cut short at 1"},
	{"a varint is cut", BYTES("\x08\x01\x08\x80"),
	 "1:0=1 -3: the message is cut short at 4"},
	{"a varint is missing", BYTES("\x08"),
	 "-3: the message is cut short at 1"},
	{"a varint has 65 bits",
	 BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
	 "-4: a number is longer than 64 bits at 1"},
	{"a varint has eleven bytes",
	 BYTES("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
	 "-4: a number is longer than 64 bits at 1"},
	{"64 bits are cut", BYTES("\x11\1\2\3\4\5\6\7"),
	 "-3: the message is cut short at 8"},
	{"32 bits are cut", BYTES("\x1d\1\0\0"),
	 "-3: the message is cut short at 4"},
	{"a length beyond the end",
	 BYTES("\x08\x01\x12\x04"
	       "abc"),
	 "1:0=1 -3: a field is longer than its message at 3"},
	{"a length of 2^64 - 1",
	 BYTES("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
	 "-3: a field is longer than its message at 1"},
	{"the field 0", BYTES("\x00\x01"),
	 "-4: a field has an impossible number at 0"},
	{"a number above 2^29", BYTES("\x88\x80\x80\x80\x80\x01\x01"),
	 "-4: a field has an impossible number at 0"},
	{"wire type 6", BYTES("\x0e\x01"),
	 "-4: a field has an unknown wire type at 0"},
	{"wire type 7", BYTES("\x08\x01\x0f"),
	 "1:0=1 -4: a field has an unknown wire type at 2"},
	{"the end of no group", BYTES("\x0c"),
	 "-4: a field has an unknown wire type at 0"},
	{"the end of another group", BYTES("\x0b\x14"),
	 "-4: a field has an unknown wire type at 1"},
	{"a group is cut", BYTES("\x0b\x08\x01"),
	 "-3: the message is cut short at 3"},
};

static void test_fields(void)
{
	struct span_buf b = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		dump(&b, cases[i].bytes, cases[i].len);
		is_str(b.p, cases[i].want, "%s", cases[i].name);
	}
	span_buf_release(&b);
}

static void test_depth(void)
{
	struct span_buf in = {0}, b = {0};

	for (int depth = PROTO_MAX_DEPTH; depth <= PROTO_MAX_DEPTH + 1;
	     depth++) {
		bool fits = depth == PROTO_MAX_DEPTH;

		in.len = 0;
		for (int i = 0; i < depth; i++)
			span_buf_putc(&in, 0x0b);
		for (int i = 0; i < depth; i++)
			span_buf_putc(&in, 0x0c);
		dump(&b, in.p, in.len);
		is_str(b.p,
		       fits ? "" : "-4: a field has an unknown wire type at 64",
		       "%d groups in each other", depth);
	}
	span_buf_release(&in);
	span_buf_release(&b);
}

static void test_messages(void)
{
	static const char bytes[] = "\x0a\x04\x08\x01\x10\x02\x18\x03";
	static const char cut[] = "\x0a\x03\x08\x01\x10\x18\x03";
	const unsigned char *end;
	struct span__proto_field f, g;
	struct span__cursor in;
	int n = 0;

	cursor_init(&in, bytes, sizeof(bytes) - 1);
	ok(span__proto_next(&in, &f), "a message in a message");
	end = proto_enter(&in, &f);
	while (span__proto_next(&in, &g))
		n += (int)g.number;
	is_int(n, 3, "its fields, and no more");
	proto_leave(&in, end);
	ok(span__proto_next(&in, &g) && g.id == 3 && g.number == 3,
	   "then what follows it");
	cursor_init(&in, bytes, sizeof(bytes) - 1);
	ok(span__proto_next(&in, &f), "the same again");
	end = proto_enter(&in, &f);
	proto_leave(&in, end);
	ok(span__proto_next(&in, &g) && g.id == 3,
	   "what is not read is passed over");
	cursor_init(&in, cut, sizeof(cut) - 1);
	ok(span__proto_next(&in, &f), "a message whose last field is cut");
	end = proto_enter(&in, &f);
	ok(span__proto_next(&in, &g) && !span__proto_next(&in, &g),
	   "ends there");
	proto_leave(&in, end);
	ok(!span__proto_next(&in, &g) && in.failed && in.pos == 5,
	   "and so does all, at its end");
}

/* Messages of lengths around those that one more byte of length needs. */
static void test_out(void)
{
	static const size_t lens[] = {0, 1, 125, 126, 127, 16381, 16382, 70000};
	struct span_buf b = {0}, text = {0};

	for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
		struct span__proto_field f, g;
		struct span__cursor in;
		size_t outer, inner;

		b.len = text.len = 0;
		for (size_t k = 0; k < lens[i]; k++)
			span_buf_putc(&text, (char)('a' + k % 26));
		outer = span__proto_open(&b, 1);
		inner = span__proto_open(&b, 2);
		span__proto_opt_bytes(&b, 3,
				      (struct span_str){text.p, text.len});
		span__proto_close(&b, inner);
		span__proto_close(&b, outer);
		span__proto_put_varint(&b, 4, lens[i]);
		cursor_init(&in, b.p, b.len);
		ok(span__proto_next(&in, &f) && f.id == 1 &&
			   span__proto_next(&in, &g) && g.id == 4 &&
			   g.number == lens[i] && in.p == in.end,
		   "messages around %zu bytes are written", lens[i]);
		cursor_init(&in, f.bytes.p, f.bytes.len);
		ok(span__proto_next(&in, &f) && f.id == 2 && in.p == in.end,
		   "one in the other");
		cursor_init(&in, f.bytes.p, f.bytes.len);
		ok(lens[i] ? span__proto_next(&in, &g) && g.id == 3 &&
				     span_str_equal(g.bytes,
						    (struct span_str){text.p,
								      text.len})
			   : !f.bytes.len,
		   "with the bytes, or nothing for none");
	}
	span_buf_release(&b);
	span_buf_release(&text);
}

int main(void)
{
	test_fields();
	test_depth();
	test_messages();
	test_out();
	return done_testing();
}
