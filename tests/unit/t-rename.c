/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that are not UTF-8, in each format: messages are written with names in
 * which a Q stands for the byte, which is put there afterwards.
 */
#include "decode_help.h"

#include "base/banned.h"

#define SERVICE "Qservice" /* and the name "Qname" */

static void spoil(struct span_buf *b, const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i + len <= b->len; i++)
		if (!memcmp(b->p + i, word, len))
			b->p[i] = '\xff';
}

static const char *decode_as(int format, const struct span_buf *b,
			     struct span_buf *text)
{
	struct span_error err = {0};

	text->len = 0;
	if (span_decoder_message(decoder, format, b->p, b->len, to_text, text,
				 &err) < 0)
		span_buf_puts(text, err.msg);
	span_buf_putc(text, 0);
	return text->p;
}

static struct span a_span(const struct span_process *p, const char *name)
{
	return (struct span){.trace_id = {[15] = 1},
			     .span_id = {[7] = 2},
			     .start_ns = 1000000,
			     .duration_ns = 5000,
			     .name = span_str(name),
			     .process = p};
}

/* What of it is there, and how often, whatever else the format has to say. */
static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

/* The names of three spans, of which one is good. */
static void test_received(int format)
{
	struct span_process bad = {.service = SPAN_STR(SERVICE)};
	struct span_process good = {.service = SPAN_STR("shop")};
	struct span v[3] = {a_span(&bad, "Qname"), a_span(&bad, "get"),
			    a_span(&good, "Qname")};
	const char *name = span_format_name(format), *text;
	struct span_buf b = {0}, out = {0};
	bool one_process = format <= SPAN_FORMAT_JAEGER_BINARY;
	int n = one_process ? 2 : 3;

	if (span_encode_message(&b, format, v, (size_t)n, NULL) < 0)
		ok(false, "%s: written", name);
	spoil(&b, "Qname");
	spoil(&b, SERVICE);
	text = decode_as(format, &b, &out);
	is_uint(count(text, " \"invalid-span-name\" "), (unsigned)n - 1,
		"%s: a name that is not UTF-8", name);
	is_uint(count(text, "invalid-span-name=y:"), (unsigned)n - 1,
		"%s: its bytes are a tag", name);
	is_uint(count(text, " \"get\" "), 1, "%s: another stays", name);
	is_uint(count(text, "InvalidServiceName 0") +
			count(text, "InvalidServiceName("),
		2, "%s: a service that is not UTF-8", name);
	is_uint(count(text, "InvalidServiceName=y:"), 2,
		"%s: its bytes are a tag of each span", name);
	is_uint(count(text, "marks=4\n"), (unsigned)n, "%s: they are marked",
		name);
	if (!ok(!strchr(text, '\xff'), "%s: all is UTF-8", name))
		diag("%s", text);
	span_buf_release(&b);
	span_buf_release(&out);
}

/* What nobody sends stays as it is. */
static void test_files(int format)
{
	struct span_process p = {.service = SPAN_STR(SERVICE)};
	struct span s = a_span(&p, "Qname");
	struct span_buf b = {0}, out = {0};

	if (span_encode_message(&b, format, &s, 1, NULL) < 0)
		ok(false, "%s: written", span_format_name(format));
	spoil(&b, "Qname");
	spoil(&b, SERVICE);
	ok(!strncmp(decode_as(format, &b, &out), "\xffservice ", 9) &&
		   strstr(out.p, "\"\xef\xbf\xbdname\"") &&
		   !strstr(out.p, "nvalid") && !strstr(out.p, "marks"),
	   "%s: names stay as they are", span_format_name(format));
	span_buf_release(&b);
	span_buf_release(&out);
}

static void test_bytes(void)
{
	struct span_process p = {.service = SPAN_STR("\xc0\xaf")};
	struct span_attr a = attr_int("n", 7);
	struct span s = a_span(&p, "\xed\xa0\x80 get");
	struct span_buf b = {0}, text = {0};

	s.attrs = (struct span_attrs){.v = &a, .n = 1};
	encode(&b, &s);
	is_str(decode(decoder, &b, &text),
	       "InvalidServiceName 0000000000000001/0000000000000002 "
	       "\"invalid-span-name\" flags=0 1000000+5000 (n=i:7 "
	       "invalid-span-name=y:eda08020676574 "
	       "InvalidServiceName=y:c0af) marks=4\n",
	       "the tags come behind the others");
	s.name = SPAN_STR("caf\xc3");
	p.service = SPAN_STR("shop");
	encode(&b, &s);
	is_str(decode(decoder, &b, &text),
	       "shop 0000000000000001/0000000000000002 "
	       "\"invalid-span-name\" flags=0 1000000+5000 (n=i:7 "
	       "invalid-span-name=y:636166c3) marks=4\n",
	       "a name that ends within a character");
	s.name = SPAN_STR("caf\xc3\xa9 \xf0\x9f\x8d\xb5");
	encode(&b, &s);
	is_str(decode(decoder, &b, &text),
	       "shop 0000000000000001/0000000000000002 "
	       "\"caf\xc3\xa9 \xf0\x9f\x8d\xb5\" flags=0 1000000+5000 "
	       "(n=i:7)\n",
	       "what is UTF-8 stays");
	span_buf_release(&b);
	span_buf_release(&text);
}

static int encode_again(void *arg, const struct span *s, struct span_error *err)
{
	return span_encode_message(arg, SPAN_FORMAT_JAEGER_BINARY, s, 1, err);
}

/* The original of a time that does not fit stays last, where encoders look. */
static void test_originals(void)
{
	struct span_process p = {.service = SPAN_STR("shop")};
	struct span s = a_span(&p, "\xff");
	struct span_attr a = attr_int("spantools.original_duration_us", -5);
	struct span_buf b = {0}, again = {0}, text = {0};

	s.attrs = (struct span_attrs){.v = &a, .n = 1};
	s.duration_ns = 0;
	s.marks = SPAN_MARK_CLAMPED;
	encode(&b, &s);
	is_str(decode(decoder, &b, &text),
	       "shop 0000000000000001/0000000000000002 "
	       "\"invalid-span-name\" flags=0 1000000+0 "
	       "(invalid-span-name=y:ff "
	       "spantools.original_duration_us=i:-5) marks=6\n",
	       "the original of a time stays last");
	is_int(span_decoder_message(decoder, SPAN_FORMAT_AUTO, b.p, b.len,
				    encode_again, &again, NULL),
	       1, "it is written");
	ok(strstr(decode(decoder, &again, &text),
		  "(invalid-span-name=y:ff spantools.original_duration_us"),
	   "and leaves as it came");
	span_buf_release(&b);
	span_buf_release(&again);
	span_buf_release(&text);
}

/* A span that has all the tags that one may have loses its last ones. */
static void test_full(void)
{
	static struct span_attr v[SPAN_MAX_ATTRS];
	struct span_process p = {.service = SPAN_STR("\xfe")};
	struct span s = a_span(&p, "\xff");
	struct span_buf b = {0}, text = {0};
	const char *end;

	for (size_t i = 0; i < SPAN_MAX_ATTRS; i++)
		v[i] = attr_int(i < SPAN_MAX_ATTRS - 2 ? "t" : "gone", 1);
	s.attrs = (struct span_attrs){.v = v, .n = SPAN_MAX_ATTRS};
	encode(&b, &s);
	end = decode(decoder, &b, &text);
	is_uint(count(end, " t=i:1") + count(end, "(t=i:1"), SPAN_MAX_ATTRS - 2,
		"of 1,024 tags two have no room");
	ok(strstr(end, " invalid-span-name=y:ff InvalidServiceName=y:fe) "
		       "marks=5\n") &&
		   !strstr(end, "gone"),
	   "and the span is marked");
	span_buf_release(&b);
	span_buf_release(&text);
}

int main(void)
{
	if (span_decoder_open(&decoder, NULL, NULL) < 0)
		return 1;
	for (int f = SPAN_FORMAT_JAEGER_COMPACT; f <= SPAN_FORMAT_JAEGER_PROTO;
	     f++)
		test_received(f);
	for (int f = SPAN_FORMAT_JAEGER_JSON; f < SPAN_FORMATS; f++)
		test_files(f);
	test_bytes();
	test_originals();
	test_full();
	span_decoder_close(&decoder);
	return done_testing();
}
