/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a splitter makes of a file: its pieces, each with its format and place,
 * and what is passed over. Read as one and byte by byte, it is the same.
 */
#include <span/split.h>

#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#include "base/banned.h"

/* "FORMAT@POS:TEXT\n" for a piece, "CODE@POS: WHY\n" for another result. */
static void list(struct span_splitter *s, struct span_buf *out)
{
	struct span_error err = {0};
	struct span_piece p;
	int rc;

	out->len = 0;
	while ((rc = span_splitter_next(s, &p, &err)) != 0) {
		if (rc > 0) {
			span_buf_printf(out,
					"%s@%d:", span_format_name(p.format),
					(int)p.pos);
			span_buf_str(out, p.data);
		} else {
			span_buf_printf(out, "%d@%d: %s", rc, (int)err.pos,
					err.msg);
		}
		span_buf_putc(out, '\n');
		if (rc == SPAN_E_IO || rc == SPAN_E_NOMEM)
			break;
	}
	span_buf_putc(out, 0);
}

static const char *split(const char *text, size_t len, int format, size_t max)
{
	static struct span_buf out;
	struct span_splitter_opts o = {.format = format, .max = max};
	struct span_splitter *s;

	if (span_splitter_open_mem(&s, text, len, &o, NULL) < 0)
		return NULL;
	list(s, &out);
	span_splitter_close(&s);
	return out.p;
}

/* Each read gives one byte: a child sends them one by one. */
static const char *split_slowly(const char *text, size_t len, int format,
				size_t max)
{
	static struct span_buf out;
	struct span_splitter_opts o = {.format = format, .max = max};
	struct span_splitter *s;
	int ends[2];
	pid_t child;

	o.head = (struct span_str){text, len < 3 ? len : 3};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) < 0)
		return NULL;
	child = fork();
	if (!child) {
		close(ends[0]);
		for (size_t i = o.head.len; i < len; i++)
			if (send(ends[1], text + i, 1, 0) != 1)
				_exit(1);
		_exit(0);
	}
	close(ends[1]);
	if (span_splitter_open(&s, ends[0], &o, NULL) < 0)
		return NULL;
	list(s, &out);
	span_splitter_close(&s);
	close(ends[0]);
	waitpid(child, NULL, 0);
	return out.p;
}

static const struct {
	const char *name, *text;
	int format;
	size_t max;
	const char *want;
} table[] = {
	{"nothing", "", 0, 0, ""},
	{"no JSON is one piece", "\x82\x81 x", 0, 0, "auto@0:\x82\x81 x\n"},
	{"nor is what is asked for as something else", "{}",
	 SPAN_FORMAT_OTLP_PROTO, 0, "otlp-proto@0:{}\n"},
	{"too much of it", "abcdef", 0, 5, "-5@0: a message above 5 bytes\n"},
	{"lines", "{\"a\":1}\n{\"b\":\"]\\\"\"}\r\n\n {\"c\":[{}]}", 0, 0,
	 "auto@0:{\"a\":1}\nauto@8:{\"b\":\"]\\\"\"}\nauto@23:{\"c\":[{}]}\n"},
	{"values end to end, over many lines", "{\n\"a\":\n1\n}{\"b\":2}\x1e{}",
	 0, 0, "auto@0:{\n\"a\":\n1\n}\nauto@10:{\"b\":2}\nauto@18:{}\n"},
	{"a list at the top", " [{\"id\":1}, null,{\"id\":2}\n,3]", 0, 0,
	 "auto@2:{\"id\":1}\nauto@17:{\"id\":2}\nauto@27:3\n"},
	{"a byte order mark", "\xef\xbb\xbf[{}]", 0, 0, "auto@4:{}\n"},
	{"resourceSpans",
	 "{\"x\":{\"data\":[1]},\"resourceSpans\":[{\"a\":[]},{}],\"y\":\"]\"}"
	 "\n{\"resourceSpans\":[]}{\"resourceSpans\":[{}]}",
	 0, 0, "otlp-json@35:{\"a\":[]}\notlp-json@44:{}\notlp-json@95:{}\n"},
	{"data of Jaeger's",
	 "{\"total\":1,\"data\":[{\"spans\":[]},{}],\"errors\":null}", 0, 0,
	 "jaeger-json@19:{\"spans\":[]}\njaeger-json@32:{}\n"},
	{"data that is no list", "{\"data\":{\"data\":[]}}",
	 SPAN_FORMAT_JAEGER_JSON, 0,
	 "jaeger-json@0:{\"data\":{\"data\":[]}}\n"},
	{"data of somebody else's", "{\"data\":[{}]}", SPAN_FORMAT_ZIPKIN_JSON,
	 0, "zipkin-json@0:{\"data\":[{}]}\n"},
	{"a list of requests", "[{\"resourceSpans\":[{\"a\":1}]},{\"b\":1}]", 0,
	 0, "otlp-json@19:{\"a\":1}\nauto@29:{\"b\":1}\n"},
	{"a line that is cut in a text",
	 "{\"a\":1}\n{\"a\":\"x\n{\"a\":2}\n{\"b", 0, 0,
	 "auto@0:{\"a\":1}\n"
	 "-4@15: the JSON text is cut short by the line's end\n"
	 "auto@16:{\"a\":2}\n-3@27: the JSON text is cut short\n"},
	{"the first line is", "{\"a\":\"x\n{\"a\":2}\n", 0, 0,
	 "-4@7: the JSON text is cut short by the line's end\n"
	 "auto@8:{\"a\":2}\n"},
	{"the first line is cut behind a number", "{\"a\":1\n{\"a\":2}\n", 0, 0,
	 "-4@6: the JSON text is cut short by the line's end\n"
	 "auto@7:{\"a\":2}\n"},
	{"the first line is cut where a value may follow",
	 "{\"a\":[1,\n{\"a\":2}\n{\"a\":3}\n", 0, 0,
	 "-4@8: the JSON text is cut short by the line's end\n"
	 "auto@9:{\"a\":2}\nauto@17:{\"a\":3}\n"},
	{"and one line follows", "{\"a\":\n{\"a\":2}", 0, 0,
	 "-4@5: the JSON text is cut short by the line's end\n"
	 "auto@6:{\"a\":2}\n"},
	{"the first line is cut in an item",
	 "{\"data\":[{\"spans\":[{},\n{\"data\":[{}]}\n{\"data\":[{}]}\n", 0, 0,
	 "-4@22: the JSON text is cut short by the line's end\n"
	 "jaeger-json@32:{}\njaeger-json@46:{}\n"},
	{"the first line is cut between items",
	 "{\"data\":[{}\n{\"data\":[{}]}\n", 0, 0,
	 "jaeger-json@9:{}\n"
	 "-4@11: the JSON text is cut short by the line's end\n"
	 "jaeger-json@21:{}\n"},
	{"what is on lines of its own in a list is cut",
	 "{\"a\":[\n{\"b\":1},\n{\"b\":2},\n", 0, 0,
	 "-3@25: the JSON text is cut short\n"},
	{"a sequence of records",
	 "\x1e{\"a\":1}\n\x1e{\"b\":\n2}\n\x1e{\"c\":[\n\x1e{\"d\":]}\n"
	 "{}\n\x1e{\"e\":\"\x1e{\"f\":6}",
	 0, 0,
	 "auto@1:{\"a\":1}\nauto@10:{\"b\":\n2}\n"
	 "-4@27: the JSON text is cut short by the next record\n"
	 "-4@33: the JSON text is damaged\n"
	 "-4@46: the JSON text is cut short by the next record\n"
	 "auto@47:{\"f\":6}\n"},
	{"the result of a query",
	 "{\"result\":{\"x\":1,\"resourceSpans\":[{},{\"a\":1}]}}\n"
	 "{\"result\":{\"resource\":{}},\"y\":0}[{\"result\":{\"resourceSpans\""
	 ":[{}]}}]{\"result\":{\"result\":{}}}",
	 0, 0,
	 "otlp-json@34:{}\notlp-json@37:{\"a\":1}\n"
	 "auto@58:{\"resource\":{}}\notlp-json@109:{}\n"
	 "auto@125:{\"result\":{}}\n"},
	{"a result of somebody else's", "{\"result\":{\"data\":[]}}",
	 SPAN_FORMAT_JAEGER_JSON, 0,
	 "jaeger-json@0:{\"result\":{\"data\":[]}}\n"},
	{"lists in a list", "[[{\"id\":1},{}],[]]", 0, 0,
	 "auto@1:[{\"id\":1},{}]\nauto@15:[]\n"},
	{"nothing but space", " \n\r\n\t", 0, 0, ""},
	{"a message that begins with a line's end and a bracket", "\n{\n\x10\"",
	 0, 0, "auto@0:\n{\n\x10\"\n"},
	{"CSV with more than a few bytes of header",
	 "link_id,a column with a name that is longer than any other,"
	 "a second column with such a name,trace_id\n1,2,3,4\n",
	 0, 0,
	 "csv@0:link_id,a column with a name that is longer than any other,"
	 "a second column with such a name,trace_id\n1,2,3,4\n\n"},
	{"lines that are cut elsewhere",
	 "{\"a\":1}\n{\"resourceSpans\":[{\"b\":1},\n{\"c\":[\n{\"d\":4}x\n"
	 "{\"e\"\n{\"f\":[\n1\n{}\n{\n\"g\":1}",
	 0, 0,
	 "auto@0:{\"a\":1}\notlp-json@26:{\"b\":1}\n"
	 "-4@34: the JSON text is cut short by the line's end\n"
	 "-4@41: the JSON text is cut short by the line's end\n"
	 "auto@42:{\"d\":4}\n-4@49: no JSON value begins here\n"
	 "-4@55: the JSON text is cut short by the line's end\n"
	 "-4@62: the JSON text is cut short by the line's end\n"
	 "-4@63: no JSON value begins here\nauto@65:{}\n"
	 "auto@68:{\n\"g\":1}\n"},
	{"damage in a file that has no lines",
	 "{\n \"data\": [\n  {]},\n  {}\n ]\n}\n{\"a\":2}", 0, 0,
	 "-4@16: the JSON text is damaged\nauto@30:{\"a\":2}\n"},
	{"text behind JSON", "{}\nx", 0, 0,
	 "auto@0:{}\n-4@3: no JSON value begins here\n"},
	{"values too long",
	 "[{\"a\":\"0123456789\"},{},{\"b\":[0,1,2,3,4,5,6]}]"
	 "{\"a\":0,\"b\":0,\"c\":0}{\"0123456789\":\"0123456789\","
	 "\"data\":[{}]}",
	 0, 12,
	 "-5@1: a message above 12 bytes\nauto@20:{}\n"
	 "-5@23: a message above 12 bytes\n-5@45: a message above 12 bytes\n"
	 "jaeger-json@99:{}\n"},
	{"a name without an end", "{\"0123456789012345\n{}", 0, 12,
	 "-4@1: a name without an end\nauto@19:{}\n"},
	{"cut in a list", "[{},", 0, 0,
	 "auto@1:{}\n-3@4: the JSON text is cut short\n"},
	{"cut behind the items", "{\"data\":[{}", 0, 0,
	 "jaeger-json@9:{}\n-3@11: the JSON text is cut short\n"},
	{"brackets of the wrong kind", "{\"data\":[{}}", 0, 0,
	 "jaeger-json@9:{}\n-4@11: the JSON text is damaged\n"},
};

static void test_table(void)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		size_t len = strlen(table[i].text);

		is_str(split(table[i].text, len, table[i].format, table[i].max),
		       table[i].want, "%s", table[i].name);
		is_str(split_slowly(table[i].text, len, table[i].format,
				    table[i].max),
		       table[i].want, "byte by byte: %s", table[i].name);
	}
}

/* A name that comes in many reads is looked at once. */
static void test_long_name(void)
{
	enum { READS = 4000, PART = 4096 };
	static char part[PART];
	struct span_splitter *s = NULL;
	struct span_piece p;
	clock_t before = clock();
	int ends[2];
	pid_t child;

	memset(part, 'x', sizeof(part));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) < 0)
		return;
	child = fork();
	if (!child) {
		close(ends[0]);
		(void)!send(ends[1], "{\"", 2, 0);
		for (int i = 0; i < READS; i++)
			(void)!send(ends[1], part, sizeof(part), 0);
		(void)!send(ends[1], "\":1}", 4, 0);
		_exit(0);
	}
	close(ends[1]);
	if (!ok(!span_splitter_open(&s, ends[0], NULL, NULL), "open"))
		return;
	is_int(span_splitter_next(s, &p, NULL), 1, "a name of 16 MB");
	is_uint(p.data.len, READS * PART + 6, "is whole");
	ok((double)(clock() - before) / CLOCKS_PER_SEC < 4,
	   "and takes no time of its square");
	span_splitter_close(&s);
	close(ends[0]);
	waitpid(child, NULL, 0);
}

int main(void)
{
	test_long_name();
	test_table();
	return done_testing();
}
