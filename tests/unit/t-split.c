/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a splitter makes of a file: its pieces, each with its format and place,
 * and what is passed over. Read as one and byte by byte, it is the same.
 */
#include <span/split.h>

#include <sys/socket.h>
#include <sys/wait.h>
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

int main(void)
{
	test_table();
	return done_testing();
}
