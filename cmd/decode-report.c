/* SPDX-License-Identifier: Apache-2.0 */
#include "decode-report.h"

#include <string.h>

#include <span/text.h>

#include "base/banned.h"

/* Reasons that are told apart; a name in one comes from the wire. */
#define MAX_CAUSES 32u

struct cause {
	char text[160];
	uint64_t n;
};

struct decode_report decode_report;

static struct cause causes[MAX_CAUSES];
static size_t n_causes;
static uint64_t other; /* of further reasons */

const struct cmd_metric decode_metrics[] = {
	{"span_decode_messages_total", "", "messages read",
	 &decode_report.messages, false},
	{"span_decode_bytes_total", "", "bytes of messages read",
	 &decode_report.bytes, false},
	{"span_decode_bad_messages_total", "", "messages that were bad",
	 &decode_report.bad_messages, false},
	{"span_decode_spans_total", "", "spans written", &decode_report.spans,
	 false},
	{"span_decode_bad_spans_total", "cause=\"message\"",
	 "spans that were bad", &decode_report.stats.bad_spans, false},
	{"span_decode_bad_spans_total", "cause=\"stream\"",
	 "spans that were bad", &decode_report.refused, false},
	{"span_decode_marked_spans_total", "mark=\"cut\"",
	 "spans that were changed", &decode_report.stats.cut, false},
	{"span_decode_marked_spans_total", "mark=\"clamped\"",
	 "spans that were changed", &decode_report.stats.clamped, false},
	{"span_decode_marked_spans_total", "mark=\"renamed\"",
	 "spans that were changed", &decode_report.stats.renamed, false},
	{"span_decode_client_dropped_spans_total", "",
	 "spans that clients say they lost",
	 &decode_report.stats.client_dropped, false},
	{"span_decode_skipped_bytes_total", "",
	 "bytes of damaged input passed over", &decode_report.skipped, false},
	{NULL, NULL, NULL, NULL, false},
};

/* "FILE: payload at byte 120 from PEER", or "FILE". */
static const char *place(void)
{
	static char text[400];
	const struct span_payload *p = decode_report.payload;

	if (!p)
		snprintf(text, sizeof(text), "%s", decode_report.name);
	else
		snprintf(text, sizeof(text), "%s: payload at byte %llu%s%.*s%s",
			 decode_report.name,
			 (unsigned long long)decode_report.pos,
			 p->peer.len ? " from " : "",
			 (int)span_text_cut(p->peer, 64),
			 p->peer.len ? p->peer.p : "",
			 p->truncated ? ", cut by the capture" : "");
	return text;
}

/* Count a cause; true when it is the first time. */
static bool is_news(const char *text)
{
	struct cause *c = causes;

	for (size_t i = 0; i < n_causes; i++, c++) {
		if (!strcmp(c->text, text)) {
			c->n++;
			return false;
		}
	}
	if (n_causes == MAX_CAUSES)
		return !other++;
	snprintf(c->text, sizeof(c->text), "%s", text);
	c->n = 1;
	n_causes++;
	return true;
}

void decode_report_stats(const struct span_decode_stats *stats)
{
	struct decode_report *r = &decode_report;

	r->stats = *stats;
	r->messages = stats->messages + r->passed_over;
	r->bad_messages = stats->bad_messages + r->passed_over;
}

/* In a payload, or in the file. */
static uint64_t offset(const struct span_error *why)
{
	return decode_report.payload ? why->pos : decode_report.pos + why->pos;
}

void decode_report_message(const struct span_error *why)
{
	if (is_news(why->msg) || cmd_verbose)
		cmd_warn("%s: %s at byte %llu", place(), why->msg,
			 (unsigned long long)offset(why));
}

void decode_report_span(const struct span_error *why)
{
	if (is_news(why->msg) || cmd_verbose)
		cmd_warn("%s: %s", place(), why->msg);
}

void decode_report_skipped(const struct span_error *why)
{
	if (why && (is_news(why->msg) || cmd_verbose))
		cmd_warn("%s: a span is skipped: %s at byte %llu", place(),
			 why->msg, (unsigned long long)offset(why));
}

void decode_report_totals(void)
{
	for (size_t i = 0; i < n_causes; i++) {
		if (causes[i].n > 1)
			cmd_warn("%llu times: %s",
				 (unsigned long long)causes[i].n,
				 causes[i].text);
	}
	if (other)
		cmd_warn("%llu times: other reasons",
			 (unsigned long long)other);
	if (decode_report.skipped)
		cmd_warn("damage: %llu bytes skipped in %llu places",
			 (unsigned long long)decode_report.skipped,
			 (unsigned long long)decode_report.places);
	if (decode_report.stats.client_dropped)
		cmd_warn(
			"clients say that they lost %llu spans",
			(unsigned long long)decode_report.stats.client_dropped);
}

/* ", 3 cut", or nothing for 0. */
static void put_count(struct span_buf *b, const char *before, uint64_t n,
		      const char *what)
{
	if (n)
		span_buf_printf(b, "%s%llu %s", before, (unsigned long long)n,
				what);
}

void decode_report_counts(uint64_t start_ns)
{
	const struct span_decode_stats *s = &decode_report.stats;
	struct span_buf b = {0};

	if (!cmd_verbose)
		return;
	span_buf_printf(&b, "%llu messages in (%llu bytes), %llu bad; ",
			(unsigned long long)decode_report.messages,
			(unsigned long long)decode_report.bytes,
			(unsigned long long)decode_report.bad_messages);
	span_buf_printf(
		&b, "%llu spans out, %llu bad",
		(unsigned long long)decode_report.spans,
		(unsigned long long)(s->bad_spans + decode_report.refused));
	put_count(&b, ", ", s->cut, "cut");
	put_count(&b, ", ", s->clamped, "clamped");
	put_count(&b, ", ", s->renamed, "renamed");
	put_count(&b, "; ", s->client_dropped, "lost by clients");
	put_count(&b, "; ", decode_report.skipped, "bytes skipped");
	cmd_note("%.*s; %.3f s", (int)b.len, b.p,
		 (double)(cmd_monotonic_ns() - start_ns) / 1e9);
	span_buf_release(&b);
}
