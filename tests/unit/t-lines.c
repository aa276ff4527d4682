/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats of lines: what columns of CSV mean, what is a time, what is logfmt;
 * and that JSON lines are read as they were written.
 */
#include "codec/lines.h"

#include <span/split.h>

#include "decode_help.h"
#include "random-span.h"

#include "base/banned.h"

static void test_times(void)
{
	static const struct {
		const char *text;
		bool good;
		uint64_t ns;
	} table[] = {
		{"1970-01-01T00:00:00Z", true, 0},
		{"2026-11-22T10:00:00.000000001Z", true, 1795341600000000001},
		{"2026-11-22 12:00:00+02:00", true, 1795341600000000000},
		{"2026-11-22t09:59:59.5-0000", true, 1795341599500000000},
		{"2026-11-22T10:00:00", true, 1795341600000000000},
		{"2024-02-29T00:00:00Z", true, 1709164800000000000},
		{"2000-03-01T00:00:00Z", true, 951868800000000000},
		{"2554-07-21T23:34:33.709551615Z", true, UINT64_MAX},
		{"2554-07-21T23:34:33.709551616Z", false, 0},
		{"1969-12-31T23:59:59Z", false, 0},
		{"2026-13-01T00:00:00Z", false, 0},
		{"2026-11-31T00:00:00Z", false, 0},
		{"2026-11-22T24:00:00Z", false, 0},
		{"2026-11-22T10:00:00.Z", false, 0},
		{"2026-11-22T10:00:00Zx", false, 0},
		{"2026-11-22", false, 0},
		{"", false, 0},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		uint64_t ns = 0;

		is_int(span__time_read(span_str(table[i].text), &ns),
		       table[i].good, "a time: %s", table[i].text);
		if (table[i].good)
			is_uint(ns, table[i].ns, "which is right");
	}
}

static void test_logfmt(void)
{
	static const struct {
		const char *text, *want;
	} table[] = {
		{"a=b c=1  d=", "a|b c|1 d| "},
		{"\"a b\"=\"x\\\"\\n\\u00e9\\U0001f4a9\\x41\" e",
		 "a b|x\"\n\xc3\xa9\xf0\x9f\x92\xa9"
		 "A e|true "},
		{"a=b=c", "a|b=c "},
		{"a=\"b", "?"},
		{"a=\"b\\", "?"},
		{"a=\"\\q\"", "?"},
		{"a=\"\\u00g0\"", "?"},
		{"a=\"b\"c", "?"},
		{"a=1 b=\"x\"y", "a|1 ?"},
	};
	struct span_arena arena = {0};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct span_str s = span_str(table[i].text), key, value;
		struct span_buf b = {0};
		bool good;

		while ((good = span__logfmt_next(&arena, &s, &key, &value)) &&
		       key.len) {
			span_buf_str(&b, key);
			span_buf_putc(&b, '|');
			span_buf_str(&b, value);
			span_buf_putc(&b, ' ');
		}
		if (!good)
			span_buf_putc(&b, '?');
		is(b.p, b.len, table[i].want, table[i].text);
		span_buf_release(&b);
	}
	span_arena_release(&arena);
}

static const char *read_text(int format, const char *p, size_t len)
{
	static struct span_buf text;
	struct span_error err = {0};
	const struct span_error *bad;
	int rc;

	text.len = 0;
	rc = span_decoder_message(decoder, format, p, len, to_text, &text,
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

#define HEAD "trace_id,span_id,service,name,start,duration\n"
#define SPAN "s 0000000000000001/0000000000000002 \"o\" flags=0 "

static void test_csv(void)
{
	static const struct {
		const char *name, *text, *want;
	} table[] = {
		{"times with units",
		 HEAD "1,2,s,o,2026-11-22T10:00:00Z,1.5ms\r\n"
		      "1,2,s,o,1795341600,2us\n1,2,s,o,1795341600000,3s\n"
		      "1,2,s,o,1795341600000000,4ns\n"
		      "1,2,s,o,1795341600000000000,0\n"
		      "1,2,s,o,1795341600.25,1m",
		 SPAN "1795341600000000000+1500000\n" SPAN
		      "1795341600000000000+2000\n" SPAN
		      "1795341600000000000+3000000000\n" SPAN
		      "1795341600000000000+4\n" SPAN
		      "1795341600000000000+0\n" SPAN
		      "1795341600250000000+60000000000\n"},
		{"other names, columns of tags, quotes",
		 "traceID,Span ID,operationName,Service Name,duration_us,"
		 "startMs,tag.a,process.host,http.method,status,kind,tags\n"
		 "1,2,\"o\",s,1.5,2,\"x,\"\"y\n\",h,GET,ERROR,server,"
		 "\"k=1 l=\"\"a b\"\"\"\n",
		 "s(host=s:h) 0000000000000001/0000000000000002 \"o\" flags=0 "
		 "2000000+1500 server error (a=s:x,\"y\n http.method=s:GET "
		 "k=s:1 l=s:a b)\n"},
		{"the exact start counts, a guard is taken away, an empty line",
		 "trace_id,span_id,start,start_ns,service,name,events\n\n"
		 "1,2,1970-01-01T00:00:01Z,7,s,'=o,3\n",
		 "s 0000000000000001/0000000000000002 \"=o\" flags=0 7+0\n"},
		{"fewer fields", HEAD "1,2,s\n1,2,s,o,,\n",
		 SPAN "0+0\nbad: fewer fields than the header at 45"},
		{"more fields", HEAD "1,2,s,o,,,\n1,2,s,o,,\n",
		 SPAN "0+0\nbad: more fields than the header at 45"},
		{"wrong quotes", HEAD "1,2,\"s\"x,o,,\n1,2,s,o,,\n",
		 SPAN "0+0\nbad: quotes that do not match at 45"},
		{"an open quote", HEAD "1,2,s,o,,\n1,2,\"s,o,,\n",
		 SPAN "0+0\nbad: quotes that do not match at 55"},
		{"no ids", HEAD "1,,s,o,,\n",
		 "bad: a span has no trace id or span id at 45"},
		{"an id that is none", HEAD "1,x,s,o,,\n",
		 "bad: a span id that is none at 45"},
		{"a start that is none", HEAD "1,2,s,o,soon,\n",
		 "bad: a start that is no time at 45"},
		{"no unit", HEAD "1,2,s,o,,5\n",
		 "bad: a duration without a number or a unit at 45"},
		{"a header of something else", "a,b\n1,2\n",
		 "-4: a header without a column trace_id at 0"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		is_str(read_text(SPAN_FORMAT_CSV, table[i].text,
				 strlen(table[i].text)),
		       table[i].want, "CSV: %s", table[i].name);
}

static void test_split_csv(void)
{
	static const char text[] = HEAD "1,2,\"a\nb\",o,,\n1,3,s,o,,\n1,x";
	struct span_splitter_opts o = {.format = SPAN_FORMAT_CSV};
	struct span_splitter *s;
	struct span_piece p;
	struct span_error err = {0};

	if (span_splitter_open_mem(&s, text, sizeof(text) - 1, &o, NULL) < 0)
		return;
	is_int(span_splitter_next(s, &p, &err), 1, "CSV: lines that are whole");
	is(p.data.p, p.data.len, HEAD "1,2,\"a\nb\",o,,\n1,3,s,o,,\n",
	   "come behind the header");
	is_uint(p.pos, 0, "in the place they have");
	is_int(span_splitter_next(s, &p, &err), 1, "and the last one");
	is(p.data.p, p.data.len, HEAD "1,x", "without its end");
	is_uint(p.pos, 24, "so that its header ends where it begins");
	is_int(span_splitter_next(s, &p, &err), 0, "that is all");
	span_splitter_close(&s);
	o.max = 60;
	if (span_splitter_open_mem(&s,
				   HEAD "1,\"2\n3,4,s,o,,\n"
					"5,6,s,o,,\n5,6,s,o,,\n7,8,s,o,,\n"
					"9,10,s,o,,\n11,12,s,o,,\n",
				   45 + 5 + 10 * 4 + 11 + 12, &o, NULL) < 0)
		return;
	is_int(span_splitter_next(s, &p, &err), SPAN_E_LIMIT,
	       "CSV: a quote that stays open");
	is_uint(err.pos, 45, "is where its line begins");
	is_int(span_splitter_next(s, &p, &err), 1, "it goes on behind");
	ok(p.data.len > 50 && !memcmp(p.data.p + 45, "3,4,s", 5),
	   "at the next line");
	span_splitter_close(&s);
}

static int write_line(void *arg, const struct span *s, struct span_error *err)
{
	(void)err;
	span_encode_jsonl(arg, s);
	return 0;
}

/*
 * Names that are empty are filled in; kinds are found in tags. Text that is no
 * UTF-8 was replaced, and is longer then.
 */
static bool is_settled(const struct span *s)
{
	struct span derived = *s;

	span_derive(&derived);
	return s->name.len && s->process->service.len &&
	       span_equal(&derived, s) && s->attrs.n < SPAN_MAX_ATTRS &&
	       s->process->attrs.n < SPAN_MAX_ATTRS;
}

static void test_jsonl(void)
{
	struct span_arena arena = {0};
	struct rnd r = {.state = 4, .arena = &arena};
	struct span_buf first = {0}, second = {0}, third = {0};
	struct span_process small = {.service = SPAN_STR("s")};
	size_t exact = 0, wrong = 0, unsettled = 0;

	for (int i = 0; i < 6000; i++) {
		struct span s = rnd_span(&r, rnd_process(&r));

		/* Half of them small: few texts, so that all are UTF-8. */
		if (i % 2) {
			s.attrs.n = s.attrs.n > 1;
			s.n_events = s.n_refs = 0;
			s.scope = NULL;
			s.process = &small;
		}
		first.len = second.len = third.len = 0;
		span_encode_jsonl(&first, &s);
		(void)!span_decoder_message(decoder, SPAN_FORMAT_AUTO, first.p,
					    first.len, write_line, &second,
					    NULL);
		(void)!span_decoder_message(decoder, SPAN_FORMAT_JSONL,
					    second.p, second.len, write_line,
					    &third, NULL);
		unsettled += !second.len || second.len != third.len ||
			     memcmp(second.p, third.p, third.len) != 0;
		if (is_settled(&s) && !first.failed &&
		    !memmem(first.p, first.len, "\xef\xbf\xbd", 3)) {
			exact++;
			wrong += first.len != second.len ||
				 memcmp(first.p, second.p, first.len) != 0;
		}
		span_arena_reset(&arena);
	}
	ok(exact > 20, "JSON lines: %zu spans that need nothing", exact);
	is_uint(wrong, 0, "come back as they were");
	is_uint(unsettled, 0, "the others change once");
	span_arena_release(&arena);
	span_buf_release(&first);
	span_buf_release(&second);
	span_buf_release(&third);
}

#define IDS                                                                    \
	"{\"trace_id\":\"1\",\"span_id\":\"2\",\"service\":\"s\","             \
	"\"name\":\"o\""

static void test_bad_jsonl(void)
{
	static const struct {
		const char *text, *want;
	} table[] = {
		{IDS "}{\"trace_id\":\"1\"}",
		 SPAN "0+0\nbad: a span has no trace_id or span_id at 55"},
		{IDS ",\"start\":\"1970-01-01T00:00:01Z\"}",
		 SPAN "1000000000+0\n"},
		{IDS ",\"start\":\"soon\"}",
		 "bad: a time is not of RFC 3339 at 63"},
		{IDS ",\"start_ns\":-1}",
		 "bad: a time is no number of nanoseconds at 66"},
		{IDS ",\"kind\":\"x\"}",
		 "bad: a kind or status is not known at 62"},
		{IDS ",\"flags\":4294967296}",
		 "bad: a count is no number of 32 bits at 63"},
		{IDS ",\"tags\":{\"b\":{\"$bytes\":\"!\"}}}",
		 "bad: $bytes is no base64 at 77"},
		{IDS ",\"refs\":[{\"type\":\"x\"}]}",
		 "bad: the type of a reference is not known at 71"},
		{IDS ",\"tags\":[]}", "-4: an object should be here at 62"},
		{IDS "} x", "-4: something follows the value at 56"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		is_str(read_text(SPAN_FORMAT_JSONL, table[i].text,
				 strlen(table[i].text)),
		       table[i].want, "JSON lines: %s", table[i].text);
}

int main(void)
{
	if (!ok(!span_decoder_open(&decoder, NULL, NULL), "open"))
		return done_testing();
	test_times();
	test_logfmt();
	test_csv();
	test_split_csv();
	test_jsonl();
	test_bad_jsonl();
	span_decoder_close(&decoder);
	return done_testing();
}
