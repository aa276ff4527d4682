/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jaeger's and Zipkin's Thrift: known messages byte for byte, hostile ones
 * with code and place, and what happens to values that do not fit.
 */
#include <span/span.h>

#include "span_dump.h"
#include "tap.h"
#include "vectors.h"

#include "base/banned.h"

static int to_text(void *arg, const struct span *s, struct span_error *err)
{
	(void)err;
	put_span(arg, s);
	return 0;
}

/* A copy of exactly its length, so that valgrind sees a read behind it. */
static int decode(struct span_decoder *d, int format, const void *p, size_t len,
		  struct span_buf *text, struct span_error *err)
{
	char *copy = malloc(len ? len : 1);
	int rc;

	if (len)
		memcpy(copy, p, len);
	text->len = 0;
	rc = span_decoder_message(d, format, copy, len, to_text, text, err);
	span_buf_putc(text, 0);
	free(copy);
	return rc;
}

#define A_SPAN                                                                 \
	"svc(ip=s:1.2.3.4) 99aabbccddeeff001122334455667788/"                  \
	"ffffffffffffffff<0000000000000002 \"op\" flags=1 "                    \
	"1485467191639875000+5000 (s=s:x d=d:72.5 b=b:true l=i:-123 "          \
	"y=y:00ff) {1 0000000000000005/0000000000000006} "                     \
	"[1485467191639875000 event=s:e]\n"
#define B_SPAN "s 0000000000000001/0000000000000002 \"o\" flags=1 1000+1000\n"
#define Z_SPAN                                                                 \
	"a(ip=i:16909060 port=i:65535) 0000000000000001/0000000000000002"      \
	"<0000000000000001 \"g\" flags=0 10000+5000 client "                   \
	"(span.kind=s:client)\n"

/* The head of A in old binary, and the places of its body. */
static void test_vectors(struct span_decoder *d)
{
	static const char old_head[] = "00000009656d697442617463680400000001";
	static const struct {
		const char *name, *hex, *want;
		int format;
	} table[] = {
		{"A compact", a_compact, A_SPAN, SPAN_FORMAT_JAEGER_COMPACT},
		{"A binary", a_strict, A_SPAN, SPAN_FORMAT_JAEGER_BINARY},
		{"B compact", b_compact, B_SPAN, SPAN_FORMAT_JAEGER_COMPACT},
		{"B binary", b_strict, B_SPAN, SPAN_FORMAT_JAEGER_BINARY},
		{"B body", b_body, B_SPAN, SPAN_FORMAT_JAEGER_BINARY},
		{"Z compact", z_compact, Z_SPAN, SPAN_FORMAT_ZIPKIN_COMPACT},
		{"Z body", z_body, Z_SPAN, SPAN_FORMAT_ZIPKIN_BINARY},
	};
	struct span_buf text = {0}, old = {0};
	unsigned char *p, *head;
	size_t len, head_len;

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		p = unhex(table[i].hex, &len);
		is_int(decode(d, SPAN_FORMAT_AUTO, p, len, &text, NULL), 1,
		       "%s: one span", table[i].name);
		is_str(text.p, table[i].want, "%s: every field", table[i].name);
		is_int(span_decoder_format(d), table[i].format,
		       "%s: found by its bytes", table[i].name);
		is_int(decode(d, table[i].format, p, len, &text, NULL), 1,
		       "%s: with its format given", table[i].name);
		for (size_t cut = 0; cut < len; cut++) {
			struct span_error err = {0};

			if (decode(d, table[i].format, p, cut, &text, &err) <
				    0 &&
			    text.len == 1 && err.pos <= cut)
				continue;
			ok(false, "%s cut at %zu", table[i].name, cut);
		}
		free(p);
	}
	p = unhex(a_strict, &len);
	head = unhex(old_head, &head_len);
	span_buf_put(&old, head, head_len);
	span_buf_put(&old, p + 21, len - 21);
	is_int(decode(d, SPAN_FORMAT_AUTO, old.p, old.len, &text, NULL), 1,
	       "A old binary: one span");
	is_str(text.p, A_SPAN, "A old binary: every field");
	is_int(decode(d, SPAN_FORMAT_AUTO, p + 24, len - 25, &text, NULL), 1,
	       "A body: one span");
	is_str(text.p, A_SPAN, "A body: every field");
	old.len = 0;
	span_buf_put(&old, p, len);
	span_buf_puts(&old, "trailing bytes");
	is_int(decode(d, SPAN_FORMAT_AUTO, old.p, old.len, &text, NULL), 1,
	       "bytes behind the message are ignored");
	free(head);
	free(p);
	span_buf_release(&old);
	span_buf_release(&text);
}

struct again {
	struct span_buf out;
	int format;
	uint64_t seqno;
};

static int encode_again(void *arg, const struct span *s, struct span_error *err)
{
	struct again *a = arg;

	return span_encode_jaeger(&a->out, a->format, s, 1, a->seqno, err);
}

static void test_encode(struct span_decoder *d)
{
	/* AT: where the message's sequence number is; we write 0. */
	static const struct {
		const char *name, *hex;
		int format;
		uint64_t seqno;
		size_t at;
	} table[] = {
		{"A compact", a_compact, SPAN_FORMAT_JAEGER_COMPACT, 7, 2},
		{"A binary", a_strict, SPAN_FORMAT_JAEGER_BINARY, 7, 20},
		{"B compact", b_compact, SPAN_FORMAT_JAEGER_COMPACT, 0, 2},
		{"B binary", b_strict, SPAN_FORMAT_JAEGER_BINARY, 0, 20},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct again a = {.format = table[i].format,
				  .seqno = table[i].seqno};
		size_t len;
		unsigned char *p = unhex(table[i].hex, &len);
		int rc = span_decoder_message(d, a.format, p, len, encode_again,
					      &a, NULL);

		is_int(rc, 1, "%s: decoded to be encoded", table[i].name);
		p[table[i].at] = 0;
		is_mem(a.out.p, a.out.len, p, len, "%s: the same bytes",
		       table[i].name);
		free(p);
		span_buf_release(&a.out);
	}
}

#define HEAD_C "82810009656d69744261746368" /* compact emitBatch */
#define HEAD_Z "8281000f656d69745a69706b696e4261746368"
#define HEAD_B "8001000400000009656d6974426174636800000000"
/* Process "s", and a list of one span up to its flags. */
#define TO_SPAN "1c1c18017300191c"
#define TO_FLAGS                                                               \
	TO_SPAN "16021600160416001801"                                         \
		"6f2502"

static void test_hostile(struct span_decoder *d)
{
	static const struct {
		const char *name, *hex;
		int format, code;
		uint64_t pos;
		const char *msg;
	} table[] = {
		{"text", "68656c6c6f", 0, SPAN_E_CORRUPT, 0, "no known format"},
		{"gzip", "1f8b0800", 0, SPAN_E_CORRUPT, 0,
		 "gzip data where a message should be"},
		{"a head alone", HEAD_C, 0, SPAN_E_TRUNCATED, 13,
		 "the message is cut short"},
		{"no batch", HEAD_C "00", 0, SPAN_E_CORRUPT, 14,
		 "the message has no batch"},
		{"no list", HEAD_Z "00", 0, SPAN_E_CORRUPT, 20,
		 "the message has no list of spans"},
		{"another method", "82210003666f6f00", 0, SPAN_E_CORRUPT, 4,
		 "unknown method 'foo'"},
		{"a method's name as a weapon", "822100041b5b324a00", 0,
		 SPAN_E_CORRUPT, 4, "unknown method '?[2J'"},
		{"a later compact version", "822209656d69744261746368",
		 SPAN_FORMAT_JAEGER_COMPACT, SPAN_E_CORRUPT, 0,
		 "not a compact Thrift message"},
		{"a later binary version", "80020004000000006666", 2,
		 SPAN_E_CORRUPT, 0, "not a binary Thrift message"},
		{"a name longer than the message", "82810005656d", 0,
		 SPAN_E_TRUNCATED, 6, "the message is cut short"},
		{"a negative name", "80010004ffffffff", 0, SPAN_E_CORRUPT, 4,
		 "a string has a negative length"},
		{"empty batch", HEAD_C "1c0000", 0, SPAN_E_CORRUPT, 15,
		 "the batch has no process"},
		{"no spans", HEAD_C "1c1c180173000000", 0, SPAN_E_CORRUPT, 20,
		 "the batch has no spans"},
		{"no service", HEAD_C "1c1c00190c0000", 0, SPAN_E_CORRUPT, 16,
		 "a process has no serviceName"},
		{"no flags",
		 HEAD_C TO_SPAN "160216001604160018016f36021602000000", 0,
		 SPAN_E_CORRUPT, 37, "a span has no flags"},
		{"a duration of another type", HEAD_C TO_FLAGS "16021502000000",
		 0, SPAN_E_CORRUPT, 39, "a span has no duration"},
		{"a tag without key",
		 HEAD_C TO_FLAGS "16021602191c2500000000000000", 0,
		 SPAN_E_CORRUPT, 43, "a tag has no key"},
		{"a tag without type",
		 HEAD_C TO_FLAGS "16021602191c18016b00000000", 0,
		 SPAN_E_CORRUPT, 44, "a tag has no type"},
		{"more spans than bytes", HEAD_C "1c1c18017300199c16", 0,
		 SPAN_E_TRUNCATED, 20, "a list is longer than the message"},
		{"two thousand million spans",
		 HEAD_C "1c1c1801730019fcffffffff07", 0, SPAN_E_TRUNCATED, 20,
		 "a list is longer than the message"},
		{"a negative count, binary",
		 HEAD_B "0c00010c00010b00010000000173000f00020cffffffff", 0,
		 SPAN_E_CORRUPT, 39, "a list has a negative length"},
		{"spans that are numbers", HEAD_C "1c1c18017300192602020000", 0,
		 SPAN_E_CORRUPT, 20, "a list has elements of another type"},
		{"a number without end",
		 HEAD_C "1c1c1801730036ffffffffffffffffffff0100", 0,
		 SPAN_E_CORRUPT, 20, "a number has too many digits"},
		{"a number above 64 bits",
		 HEAD_C "1c1c1801730036ffffffffffffffffff0200", 0,
		 SPAN_E_CORRUPT, 20, "a number has too many digits"},
		{"a number above 32 bits", HEAD_C "1c45ffffffff1f00", 0,
		 SPAN_E_CORRUPT, 15, "a number has too many digits"},
		{"a field number above 16 bits", HEAD_C "1c0580800400", 0,
		 SPAN_E_CORRUPT, 15, "a number has too many digits"},
		{"a step beyond field 32767", HEAD_C "1c05feff03001500", 0,
		 SPAN_E_CORRUPT, 19, "a field has a number above 32767"},
		{"a field of no type", HEAD_C "1c4e00", 0, SPAN_E_CORRUPT, 15,
		 "a field has an unknown type"},
		{"a list of nothing", HEAD_C "1cf9f0ffffff070000", 0,
		 SPAN_E_TRUNCATED, 15, "a list is longer than the message"},
		{"a list of no type", HEAD_C "1cf9300000000000", 0,
		 SPAN_E_CORRUPT, 16, "a field has an unknown type"},
		{"a map longer than the message", HEAD_C "1cfbffff0388", 0,
		 SPAN_E_TRUNCATED, 15, "a list is longer than the message"},
	};
	struct span_buf text = {0};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct span_error err = {0};
		size_t len;
		unsigned char *p = unhex(table[i].hex, &len);
		int rc = decode(d, table[i].format, p, len, &text, &err);

		is_int(rc, table[i].code, "%s: code", table[i].name);
		is_uint(err.pos, table[i].pos, "%s: place", table[i].name);
		is_str(err.msg, table[i].msg, "%s: reason", table[i].name);
		is_str(text.p, "", "%s: nothing handed out", table[i].name);
		free(p);
	}
	span_buf_release(&text);
}

int main(void)
{
	struct span_decoder *d = NULL;

	if (!ok(!span_decoder_open(&d, NULL, NULL), "open"))
		return done_testing();
	test_vectors(d);
	test_encode(d);
	test_hostile(d);
	span_decoder_close(&d);
	return done_testing();
}
