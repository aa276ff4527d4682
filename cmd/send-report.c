/* SPDX-License-Identifier: Apache-2.0 */
#include "send-report.h"

#include "base/banned.h"

struct send_report send_report;

#define SENT send_report.sent
#define SPANS "span_send_spans_total"
#define SPANS_HELP "Spans by what became of them."

static const struct cmd_metric metrics[] = {
	{"span_send_read_spans_total", "", "Spans read.", &send_report.read,
	 false},
	{SPANS, "result=\"accepted\"", SPANS_HELP, &SENT.accepted, false},
	{SPANS, "result=\"rejected\"", SPANS_HELP, &SENT.rejected, false},
	{SPANS, "result=\"given_up\"", SPANS_HELP,
	 &SENT.dropped[SPAN__SEND_GIVEN_UP], false},
	{SPANS, "result=\"too_large\"", SPANS_HELP,
	 &SENT.dropped[SPAN__SEND_TOO_LARGE], false},
	{SPANS, "result=\"stopped\"", SPANS_HELP, &send_report.stopped, false},
	{SPANS, "result=\"spool_full\"", SPANS_HELP, &send_report.spool.dropped,
	 false},
	{"span_send_found_spans_total", "",
	 "Spans that waited in the spool at the start.",
	 &send_report.spool.found, false},
	{"span_send_waiting_spans", "", "Spans in the spool.",
	 &send_report.spool.waiting, true},
	{"span_send_retried_spans_total", "", "Spans that were sent again.",
	 &SENT.retried, false},
	{"span_send_messages_total", "", "Messages sent.", &SENT.messages,
	 false},
	{"span_send_failed_messages_total", "",
	 "Messages sent that were not accepted.", &SENT.failed, false},
	{"span_send_bytes_total", "", "Bytes of the messages sent.",
	 &SENT.bytes, false},
	{NULL, NULL, NULL, NULL, false},
};

static const struct cmd_drop drops[] = {
	{"given up", &SENT.dropped[SPAN__SEND_GIVEN_UP]},
	{"too large", &SENT.dropped[SPAN__SEND_TOO_LARGE]},
	{"when stopped", &send_report.stopped},
	{"spool full", &send_report.spool.dropped},
	{NULL, NULL},
};

uint64_t send_report_lost(void)
{
	return SENT.rejected + cmd_drops(drops) + send_report.spool.waiting;
}

void send_report_look(struct span__sender *s)
{
	span__sender_counts(s, &SENT);
	send_report.stopped = SENT.dropped[SPAN__SEND_STOPPED];
	cmd_metrics_write(metrics, false);
	cmd_progress(SENT.accepted, "spans accepted");
}

static void put(struct span_buf *b, uint64_t n, const char *text)
{
	span_text_count(b, n);
	span_buf_puts(b, text);
}

/* ", 12 waiting in the spool" */
static void put_waiting(struct span_buf *b)
{
	if (!send_report.spool.waiting)
		return;
	span_buf_puts(b, ", ");
	put(b, send_report.spool.waiting, " waiting in the spool");
}

/* "1,000 spans read, 12 found in the spool, " */
static void put_sources(struct span_buf *b)
{
	put(b, send_report.read, " spans read, ");
	if (send_report.spool.found)
		put(b, send_report.spool.found, " found in the spool, ");
}

static void put_account(struct span_buf *b, uint64_t start_ns)
{
	put_sources(b);
	put(b, SENT.accepted, " accepted, ");
	put(b, SENT.rejected, " rejected, ");
	cmd_drops_text(b, drops);
	put_waiting(b);
	span_buf_puts(b, "; ");
	put(b, SENT.retried, " sent again; ");
	put(b, SENT.messages, " messages (");
	span_text_size(b, SENT.bytes);
	span_buf_puts(b, "), ");
	put(b, SENT.failed, " failed; ");
	span_buf_printf(b, "%.1f s",
			(double)(cmd_monotonic_ns() - start_ns) / 1e9);
}

/* Of the whole account; only what is left at the end is missing in it. */
static uint64_t missing(void)
{
	uint64_t all = send_report.read + send_report.spool.found;
	uint64_t known = SENT.accepted + send_report_lost();

	return all > known ? all - known : 0;
}

void send_report_end(struct span__sender *s, uint64_t start_ns)
{
	struct span_buf b = {0};

	send_report_look(s);
	send_report.stopped += missing();
	cmd_metrics_write(metrics, true);
	cmd_progress_end();
	if (cmd_verbose) {
		put_account(&b, start_ns);
	} else if (send_report_lost()) {
		put(&b, SENT.rejected, " spans rejected, ");
		cmd_drops_text(&b, drops);
		put_waiting(&b);
		span_buf_puts(&b, ", of ");
		put(&b, send_report.read + send_report.spool.found, " in all");
	}
	if (b.len && !b.failed) {
		if (cmd_verbose)
			cmd_note("%.*s", (int)b.len, b.p);
		else
			cmd_warn("%.*s", (int)b.len, b.p);
	}
	span_buf_release(&b);
}
