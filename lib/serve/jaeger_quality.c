/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How good the traces of a service are, in the shape of Jaeger UI's page of
 * that name: questions about each span of the service in its newest traces,
 * with examples, and a score of each category.
 */
#include "serve/jaeger_quality.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <span/text.h>

#include "serve/answers.h"
#include "serve/jaeger.h"
#include "serve/jaeger_sample.h"
#include "serve/params.h"

#include "base/banned.h"

#define HOUR_NS (UINT64_C(3600) * 1000000000)
#define EXAMPLES 5u
#define CLIENTS 50u
#define VERDICTS 3u

/* Of one verdict on one question; of traces that come one after another. */
struct count {
	uint64_t n;
	struct {
		uint8_t trace_id[16], span_id[8];
	} examples[EXAMPLES];
	size_t n_examples;
};

/* A version of a library that sends spans. */
struct client {
	struct span_str version;
	struct count spans;
};

struct quality {
	struct span_str service;
	struct count counts[SPAN__SERVE_QUESTIONS][VERDICTS];
	struct client clients[CLIENTS];
	size_t n_clients;
	struct span_arena arena;
	uint64_t n_spans, n_traces;
	bool more; /* there are more traces than were looked at */
};

/* One span of a trace is example enough. */
static void count(struct count *c, const struct span *s)
{
	size_t last = c->n_examples;

	c->n++;
	if (last == EXAMPLES ||
	    (last && !memcmp(c->examples[last - 1].trace_id, s->trace_id, 16)))
		return;
	memcpy(c->examples[last].trace_id, s->trace_id, 16);
	memcpy(c->examples[last].span_id, s->span_id, 8);
	c->n_examples++;
}

/* "Go-2.30.0", or language and version of an SDK of OpenTelemetry. */
static void put_version(struct span_buf *b, const struct span_process *p)
{
	static const char *const keys[] = {"telemetry.sdk.language",
					   "telemetry.sdk.version"};
	const struct span_value *v =
		span_attr_get(&p->attrs, SPAN_STR("jaeger.version"));

	if (v)
		span_text_value(b, v);
	for (size_t i = 0; i < 2 && !v; i++) {
		const struct span_value *part =
			span_attr_get(&p->attrs, span_str(keys[i]));

		if (part && b->len)
			span_buf_putc(b, ' ');
		if (part)
			span_text_value(b, part);
	}
}

static int count_client(struct quality *q, const struct span *s)
{
	struct span_buf text = {0};
	struct span_str version;
	size_t i = 0;
	int rc = 0;

	put_version(&text, s->process);
	version = (struct span_str){text.p, text.len};
	while (i < q->n_clients &&
	       !span_str_equal(q->clients[i].version, version))
		i++;
	if (text.failed)
		rc = SPAN_E_NOMEM;
	else if (text.len && i == q->n_clients && i < CLIENTS) {
		if (!span_arena_str(&q->arena, version, &q->clients[i].version))
			rc = SPAN_E_NOMEM;
		q->n_clients++;
	}
	if (rc == 0 && text.len && i < CLIENTS)
		count(&q->clients[i].spans, s);
	span_buf_release(&text);
	return rc;
}

static int judge(struct quality *q, const struct span_trace *t,
		 struct span_error *err)
{
	int rc = 0;

	q->n_traces++;
	for (uint32_t i = 0; i < t->n && rc == 0; i++) {
		const struct span *s = &t->spans[i];

		if (!span_str_equal(s->process->service, q->service))
			continue;
		q->n_spans++;
		for (size_t k = 0; k < SPAN__SERVE_QUESTIONS; k++)
			count(&q->counts[k]
					[span__serve_questions[k].judge(t, i)],
			      s);
		rc = count_client(q, s);
	}
	return rc < 0 ? span_error_set(err, rc, "out of memory") : 0;
}

/* ---- The answer ---- */

static void put_examples(struct span_buf *b, const char *name,
			 const struct count *c)
{
	char text[SPAN_TRACE_ID_TEXT];

	span_buf_printf(b, ",\"%s\":[", name);
	for (size_t i = 0; i < c->n_examples; i++) {
		span_buf_printf(b, "%s{\"spanIDs\":[\"%s\"]", i ? "," : "",
				span_id_text(c->examples[i].span_id, text));
		span_buf_printf(
			b, ",\"traceID\":\"%s\"}",
			span_trace_id_text(c->examples[i].trace_id, text));
	}
	span_buf_putc(b, ']');
}

static void put_text(struct span_buf *b, const char *name, const char *text)
{
	span_buf_printf(b, ",\"%s\":", name);
	span_text_json(b, span_str(text));
}

static void put_metric(struct span_buf *b, const struct quality *q, size_t k)
{
	static const char *const counts[VERDICTS] = {
		"passCount", "failureCount", "exemptionCount"};
	static const char *const examples[VERDICTS] = {
		"passExamples", "failureExamples", "exemptionExamples"};
	const struct span__serve_question *m = &span__serve_questions[k];

	span_buf_puts(b, k ? ",{\"name\":" : "{\"name\":");
	span_text_json(b, span_str(m->name));
	put_text(b, "category", m->category);
	put_text(b, "description", m->description);
	put_text(b, "metricDocumentationLink", m->link);
	span_buf_puts(b, ",\"metricWeight\":");
	span_text_double(b, m->weight);
	for (size_t v = 0; v < VERDICTS; v++) {
		span_buf_printf(b, ",\"%s\":", counts[v]);
		span_text_uint(b, q->counts[k][v].n);
		put_examples(b, examples[v], &q->counts[k][v]);
	}
	span_buf_putc(b, '}');
}

/* Percent: the mean of the questions that could be asked, by weight. */
static int score(const struct quality *q, const char *category)
{
	double sum = 0, weights = 0;

	for (size_t k = 0; k < SPAN__SERVE_QUESTIONS; k++) {
		const struct span__serve_question *m =
			&span__serve_questions[k];
		double pass = (double)q->counts[k][SPAN__SERVE_PASS].n;
		double fail = (double)q->counts[k][SPAN__SERVE_FAIL].n;

		if (strcmp(m->category, category) != 0 || pass + fail == 0)
			continue;
		sum += m->weight * pass / (pass + fail);
		weights += m->weight;
	}
	return weights > 0 ? (int)floor(100 * sum / weights + 1e-9) : 0;
}

static void put_score(struct span_buf *b, const struct quality *q,
		      const char *key, const char *label)
{
	span_buf_printf(b,
			"{\"key\":\"%s\",\"label\":\"%s\",\"max\":100,"
			"\"value\":%d}",
			key, label, score(q, key));
}

/* What the numbers are about, where that is not as one would think. */
static void put_banner(struct span_buf *b, const struct quality *q)
{
	if (q->n_spans && !q->more)
		return;
	span_buf_puts(b, ",\"bannerText\":{\"value\":");
	if (q->more)
		span_buf_printf(b,
				"\"Counted in the newest %llu traces of this "
				"service.\"",
				(unsigned long long)q->n_traces);
	else
		span_buf_puts(b, "\"This service has no spans in this time.\"");
	span_buf_puts(b, ",\"styling\":{}}");
}

static void put_clients(struct span_buf *b, const struct quality *q)
{
	for (size_t i = 0; i < q->n_clients; i++) {
		const struct client *c = &q->clients[i];

		span_buf_puts(b, i ? ",{\"version\":"
				   : ",\"clients\":[{\"version\":");
		span_text_json(b, c->version);
		span_buf_puts(b, ",\"minVersion\":\"\",\"count\":");
		span_text_uint(b, c->spans.n);
		put_examples(b, "examples", &c->spans);
		span_buf_putc(b, '}');
	}
	if (q->n_clients)
		span_buf_putc(b, ']');
}

static void put_quality(struct span_buf *b, const struct quality *q)
{
	span_buf_puts(b, "{\"traceQualityDocumentationLink\":");
	span_text_json(
		b,
		span_str(
			span__serve_questions[SPAN__SERVE_QUESTIONS - 1].link));
	put_banner(b, q);
	span_buf_puts(b, ",\"scores\":[");
	put_score(b, q, "coverage", "Instrumentation Coverage");
	span_buf_putc(b, ',');
	put_score(b, q, "quality", "Trace Quality");
	span_buf_puts(b, "],\"metrics\":[");
	for (size_t k = 0; k < SPAN__SERVE_QUESTIONS; k++)
		put_metric(b, q, k);
	span_buf_putc(b, ']');
	put_clients(b, q);
	span_buf_putc(b, '}');
}

/* ---- The request ---- */

static int gather(const struct span__serve *s,
		  const struct span__serve_request *r, struct quality *q,
		  int64_t hours, uint64_t limit, struct span_error *err)
{
	struct span__found sample = {0};
	uint64_t now = s->now(), most = now / HOUR_NS;
	uint64_t length =
		((uint64_t)hours < most ? (uint64_t)hours : most) * HOUR_NS;
	struct span_trace t;
	int rc = span__serve_sample_open(&sample, s, q->service, now - length,
					 now + 1, limit, err);

	while (rc >= 0 && !span__serve_gone(r) &&
	       (rc = span_search_next(sample.search, &t, NULL, err)) > 0)
		rc = judge(q, &t, err);
	if (rc >= 0)
		q->more = span_search_more(sample.search);
	span__found_close(&sample);
	return rc < 0 ? rc : 0;
}

static int read_hours(const struct span__serve_request *r, int64_t *hours,
		      struct span__serve_answer *a)
{
	struct span_str text = span__serve_value(r, "hours");
	struct span_error why = {0};
	int rc;

	*hours = 1;
	if (text.len && span__serve_int(text, hours, &why) < 0) {
		rc = span__serve_bad_param(a, "hours", &why);
		return rc < 0 ? rc : SPAN_E_INVALID;
	}
	if (*hours > 0)
		return 0;
	rc = span__serve_error(a, 400, "parameter 'hours' must be positive");
	return rc < 0 ? rc : SPAN_E_INVALID;
}

int span__serve_jaeger_quality(const struct span__serve *s,
			       const struct span__serve_request *r,
			       struct span__serve_answer *a,
			       struct span_error *err)
{
	struct span_str service = span__serve_value(r, "service");
	struct quality *q;
	uint64_t limit = 0;
	int64_t hours;
	int rc;

	if (!service.len)
		return span__serve_error(a, 400,
					 "parameter 'service' is required");
	rc = read_hours(r, &hours, a);
	if (rc == 0)
		rc = span__serve_sample_limit(s, r, &limit, a);
	if (rc < 0)
		return rc == SPAN_E_INVALID ? 0 : rc;
	q = calloc(1, sizeof(*q));
	if (!q)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	q->service = service;
	rc = gather(s, r, q, hours, limit, err);
	a->type = SPAN__SERVE_JSON;
	if (rc == 0)
		put_quality(&a->body, q);
	span_arena_release(&q->arena);
	free(q);
	return rc < 0 ? span__serve_sample_failed(a, rc, err) : 0;
}
