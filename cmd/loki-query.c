/* SPDX-License-Identifier: Apache-2.0 */
#include "loki-query.h"

#include <span/log.h>

#include <stdlib.h>

#include "cmd_json.h"
#include "cmd_source.h"
#include "loki-http.h"
#include "loki-labels.h"

#include "base/banned.h"

#define RANGE_PATH "/loki/api/v1/query_range"
#define DAY_NS (86400 * UINT64_C(1000000000))
#define LIMIT 5000u /* that Loki gives, unless told otherwise */

/* An id of 64 bits may be logged with as many zeros before it. */
static void put_condition(struct span_buf *b, const char *text)
{
	bool half = text[16] == '\0';

	span_buf_printf(b, "trace_id%s\"%s%s\"", half ? "=~" : "=",
			half ? "(0{16})?" : "", text);
}

static void put_selector(struct span_buf *b)
{
	span_buf_printf(b, "{%s=~\".+\"} | ", loki_labels_service());
}

void loki_query_put(struct span_buf *b, const uint8_t id[16],
		    const char *parser)
{
	char text[SPAN_TRACE_ID_TEXT];

	put_selector(b);
	span_buf_printf(b, "%s | ", parser);
	put_condition(b, span_trace_id_text(id, text));
}

/*
 * Who logs the id in the line, and who has it in structured metadata: both, in
 * one query, as a line filter alone would not find the latter.
 */
static void put_fetch_query(struct span_buf *b, const uint8_t id[16])
{
	char text[SPAN_TRACE_ID_TEXT];

	span_trace_id_text(id, text);
	put_selector(b);
	span_buf_printf(b,
			"label_format in_line=`{{ contains \"%s\" __line__ }}`"
			" | in_line=\"true\" or ",
			text);
	put_condition(b, text);
}

/* ---- The answer ---- */

struct line {
	uint64_t time_ns, number;
	size_t at, len; /* of its JSON */
};

static struct {
	struct span_buf lines, text;
} found;

static int put_entry(void *arg, const struct span_log_entry *e,
		     struct span_error *err)
{
	struct cmd_json j = {.b = &found.text};
	struct line line = {.time_ns = e->time_ns,
			    .number = found.lines.len,
			    .at = found.text.len};

	(void)arg;
	cmd_json_open(&j, NULL, '{');
	cmd_json_time(&j, "timestamp", e->time_ns);
	cmd_json_open(&j, "labels", '{');
	for (size_t i = 0; i < e->n_labels; i++) {
		if (span_str_equal(e->labels[i].key, SPAN_STR("in_line")))
			continue;
		cmd_json_name(&j, e->labels[i].key);
		cmd_json_text(&j, NULL, e->labels[i].value.str);
	}
	cmd_json_close(&j, '}');
	cmd_json_text(&j, "line", e->line);
	cmd_json_close(&j, '}');
	span_buf_putc(&found.text, '\n');
	line.len = found.text.len - line.at;
	span_buf_put(&found.lines, &line, sizeof(line));
	if (found.text.failed || found.lines.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static int put_sorted(struct span_buf *out)
{
	struct line *line = (struct line *)(void *)found.lines.p;
	size_t n = found.lines.len / sizeof(*line);

	if (n)
		qsort(line, n, sizeof(*line), compare);
	for (size_t i = 0; i < n; i++)
		span_buf_put(out, found.text.p + line[i].at, line[i].len);
	return (int)n;
}

/* ---- The question ---- */

static void put_escaped(struct span_buf *b, struct span_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool plain = (c >= '0' && c <= '9') ||
			     ((c | 32) >= 'a' && (c | 32) <= 'z');

		if (plain)
			span_buf_putc(b, (char)c);
		else
			span_buf_printf(b, "%%%02X", c);
	}
}

static void put_question(struct span_buf *b, const uint8_t id[16])
{
	struct span_buf query = {0};
	uint64_t since, until, now = cmd_now_ns();

	cmd_source_time(&since, &until);
	if (!until)
		until = now + 1;
	if (!since)
		since = until > DAY_NS ? until - DAY_NS : 1;
	put_fetch_query(&query, id);
	b->len = 0;
	span_buf_printf(
		b,
		"direction=forward&limit=%u&start=%llu&end=%llu&query=", LIMIT,
		(unsigned long long)since, (unsigned long long)until);
	put_escaped(b, (struct span_str){query.p, query.len});
	b->failed |= query.failed;
	span_buf_release(&query);
}

static int read_answer(const char *url, const struct span__reply *r,
		       struct span_error *err)
{
	size_t before = found.lines.len;
	int rc;

	if (r->cut)
		return span_error_set(err, SPAN_E_PEER,
				      "%s: the answer is too long: ask for a "
				      "shorter time",
				      url);
	rc = span_log_loki(r->body, put_entry, NULL, err);
	if (rc == SPAN_E_CORRUPT) {
		struct span_error why = *err;

		rc = span_error_set(err, SPAN_E_PEER, "%s: %s", url, why.msg);
	}
	if (rc >= 0 &&
	    (found.lines.len - before) / sizeof(struct line) >= LIMIT)
		cmd_warn("%s: the first %u lines of a trace: there may be more",
			 url, LIMIT);
	return rc;
}

static int ask(struct loki_http *h, const char *url, const uint8_t id[16],
	       struct span_error *err)
{
	struct span_buf question = {0};
	struct span__reply r;
	int rc;

	put_question(&question, id);
	if (question.failed)
		rc = span_error_set(err, SPAN_E_NOMEM, "memory is out");
	else
		rc = loki_http_do(h,
				  (struct span_str){question.p, question.len},
				  &r, err);
	if (rc == SPAN__OUTCOME_ACCEPTED)
		rc = read_answer(url, &r, err);
	else if (rc >= 0)
		rc = span_error_set(err, SPAN_E_PEER, "%s: %s", url, r.cause);
	span_buf_release(&question);
	return rc;
}

int loki_query_fetch(const char *url, const uint8_t (*ids)[16], size_t n,
		     struct span_buf *out, struct span_error *err)
{
	struct loki_http *h = NULL;
	int rc = loki_http_open(&h, url, RANGE_PATH, true, err);

	for (size_t i = 0; i < n && rc >= 0; i++)
		rc = ask(h, url, ids[i], err);
	if (rc >= 0)
		rc = put_sorted(out);
	loki_http_close(&h);
	span_buf_release(&found.lines);
	span_buf_release(&found.text);
	return rc;
}
