/* SPDX-License-Identifier: Apache-2.0 */
/* Jaeger's tags: as clients write them, and every other way. */
#include "codec/thrift_out.h"

#include "decode_help.h"

#include "base/banned.h"

struct field {
	int id;
	uint8_t type;
	int64_t n;
	const char *text;
};

#define KEY                                                                    \
	{                                                                      \
		1, THRIFT_STRING, 0, "k"                                       \
	}
#define TYPE(n)                                                                \
	{                                                                      \
		2, THRIFT_I32, (n), NULL                                       \
	}
#define TEXT(id, s)                                                            \
	{                                                                      \
		(id), THRIFT_STRING, 0, (s)                                    \
	}
#define LONG(id, n)                                                            \
	{                                                                      \
		(id), THRIFT_I64, (n), NULL                                    \
	}
#define DOUBLE(id, n)                                                          \
	{                                                                      \
		(id), THRIFT_DOUBLE, (n), NULL                                 \
	}
#define BOOL(id, n)                                                            \
	{                                                                      \
		(id), THRIFT_BOOL, (n), NULL                                   \
	}

static void put_field(struct span__thrift_out *o, int *last,
		      const struct field *f)
{
	if (f->type == THRIFT_BOOL) {
		span__thrift_put_bool(o, last, f->id, f->n);
		return;
	}
	span__thrift_put_field(o, last, f->id, f->type);
	if (f->type == THRIFT_STRING)
		span__thrift_put_string(o, span_str(f->text));
	else if (f->type == THRIFT_I32)
		span__thrift_put_i32(o, (int32_t)f->n);
	else if (f->type == THRIFT_I64)
		span__thrift_put_i64(o, f->n);
	else
		span__thrift_put_double(o, (double)f->n);
}

/* A batch of one span with one tag; at its end there is little behind it. */
static void put_message(struct span_buf *b, bool compact, const struct field *f,
			bool near_end)
{
	struct span__thrift_out o = {b, compact};
	int batch = 0, p = 0, s = 0, tag = 0;

	b->len = 0;
	span__thrift_put_field(&o, &batch, 1, THRIFT_STRUCT);
	span__thrift_put_field(&o, &p, 1, THRIFT_STRING);
	span__thrift_put_string(&o, SPAN_STR("s"));
	span__thrift_put_stop(&o);
	span__thrift_put_field(&o, &batch, 2, THRIFT_LIST);
	span__thrift_put_list(&o, THRIFT_STRUCT, 1);
	for (int id = 1; id <= 9; id++) {
		const struct field field = {id,
					    id == 5   ? THRIFT_STRING
					    : id == 7 ? THRIFT_I32
						      : THRIFT_I64,
					    1, "o"};

		if (id != 6)
			put_field(&o, &s, &field);
	}
	span__thrift_put_field(&o, &s, 10, THRIFT_LIST);
	span__thrift_put_list(&o, THRIFT_STRUCT, 1);
	for (size_t i = 0; i < 5 && f[i].id; i++)
		put_field(&o, &tag, &f[i]);
	span__thrift_put_stop(&o);
	span__thrift_put_stop(&o);
	span__thrift_put_stop(&o);
	if (!near_end)
		span_buf_puts(b, "what follows a message is ignored");
}

/* A tag as clients write it is read in one go; others are not taken for it. */
static void test_tags(bool compact)
{
	static char y[301];
	static const struct {
		struct field v[5];
		const char *want;
	} table[] = {
		{{KEY, TYPE(0), TEXT(3, "x")}, "(k=s:x)"},
		{{KEY, TYPE(0), TEXT(3, "")}, "(k=s:)"},
		{{KEY, TYPE(0), TEXT(3, y)}, NULL},
		{{KEY, TYPE(1), DOUBLE(4, 7)}, "(k=d:7)"},
		{{KEY, TYPE(2), BOOL(5, 1)}, "(k=b:true)"},
		{{KEY, TYPE(2), BOOL(5, 0)}, "(k=b:false)"},
		{{KEY, TYPE(3), LONG(6, 42)}, "(k=i:42)"},
		{{KEY, TYPE(3), LONG(6, INT64_MIN)},
		 "(k=i:-9223372036854775808)"},
		{{KEY, TYPE(4), TEXT(7, "x")}, "(k=y:78)"},
		{{TEXT(1, y), TYPE(3), LONG(6, -1)}, NULL},
		/* no value, one of another type, two, one of another field */
		{{KEY, TYPE(0)}, "(k=s:)"},
		{{KEY, TYPE(3)}, "(k=i:0)"},
		{{KEY, TYPE(1), LONG(6, 42)}, "(k=d:0)"},
		{{KEY, TYPE(0), TEXT(7, "x")}, "(k=s:)"},
		{{KEY, TYPE(0), TEXT(3, "x"), LONG(6, 42)}, "(k=s:x)"},
		{{KEY, TYPE(3), LONG(6, 42), TEXT(3, "x")}, "(k=i:42)"},
		{{KEY, TYPE(3), LONG(6, 42), LONG(6, 43)}, "(k=i:43)"},
		{{KEY, TYPE(2), BOOL(5, 1), BOOL(5, 0)}, "(k=b:false)"},
		{{KEY, TYPE(1), DOUBLE(4, 7), DOUBLE(4, 8)}, "(k=d:8)"},
		{{KEY, TYPE(3), LONG(5, 42)}, "(k=i:0)"},
		{{KEY, TYPE(3), LONG(4, 42)}, "(k=i:0)"},
		{{KEY, TYPE(0), TEXT(4, "x")}, "(k=s:)"},
		{{KEY, TYPE(2), LONG(5, 1)}, "(k=b:false)"},
		{{KEY, TYPE(1), LONG(4, 7)}, "(k=d:0)"},
		/* unknown fields, and another order */
		{{KEY, TYPE(0), TEXT(3, "x"), TEXT(99, "y")}, "(k=s:x)"},
		{{KEY, TYPE(3), LONG(6, 42), BOOL(99, 1)}, "(k=i:42)"},
		{{KEY, TEXT(20, "x"), TYPE(3), LONG(6, 42)}, "(k=i:42)"},
		{{TYPE(3), LONG(6, 42), KEY}, "(k=i:42)"},
		{{KEY, LONG(6, 42), TYPE(3)}, "(k=i:42)"},
		{{KEY, TYPE(3), LONG(6, 42), TEXT(1, "l")}, "(l=i:42)"},
		{{KEY, TYPE(3), LONG(6, 42), TYPE(2)}, "(k=b:false)"},
	};
	struct span_buf b = {0}, text = {0};

	memset(y, 'y', sizeof(y) - 1);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const char *want = table[i].want;

		for (int near_end = 0; near_end < 2; near_end++) {
			put_message(&b, compact, table[i].v, near_end);
			decode(decoder, &b, &text);
			ok(want ? strstr(text.p, want) != NULL
				: strstr(text.p, y) && strchr(text.p, '='),
			   "%s: tag %zu is %s", compact ? "compact" : "binary",
			   i, want ? want : "long");
		}
	}
	span_buf_release(&b);
	span_buf_release(&text);
}

int main(void)
{
	if (!ok(!span_decoder_open(&decoder, NULL, NULL), "open"))
		return done_testing();
	test_tags(true);
	test_tags(false);
	span_decoder_close(&decoder);
	return done_testing();
}
