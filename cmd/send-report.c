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
	{SPANS, "result=\"stopped\"", SPANS_HELP,
	 &SENT.dropped[SPAN__SEND_STOPPED], false},
	{SPANS, "result=\"spool_full\"", SPANS_HELP, &send_report.overflowed,
	 false},
	{"span_send_waiting_spans", "", "Spans in the spool.",
	 &send_report.waiting, true},
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

/* What a spool keeps is not lost when we stop. */
static uint64_t dropped_for(enum span__send_drop why)
{
	return why == SPAN__SEND_STOPPED && send_report.waiting
		       ? 0
		       : SENT.dropped[why];
}

static uint64_t dropped(void)
{
	uint64_t n = send_report.overflowed;

	for (size_t i = 0; i < SPAN__SEND_DROPS; i++)
		n += dropped_for((enum span__send_drop)i);
	return n;
}

uint64_t send_report_lost(void)
{
	return SENT.rejected + dropped() + send_report.waiting;
}

void send_report_look(struct span__sender *s, bool now)
{
	span__sender_counts(s, &SENT);
	cmd_metrics_write(metrics, now);
	cmd_progress(SENT.accepted, "spans accepted");
}

static void put_cause(struct span_buf *b, uint64_t n, const char *name,
		      const char **before)
{
	if (!n)
		return;
	span_buf_puts(b, *before);
	span_text_count(b, n);
	span_buf_printf(b, " %s", name);
	*before = ", ";
}

/* "100 dropped (90 given up, 10 too large)" */
static void put_dropped(struct span_buf *b)
{
	static const char *const names[SPAN__SEND_DROPS] = {
		[SPAN__SEND_GIVEN_UP] = "given up",
		[SPAN__SEND_TOO_LARGE] = "too large",
		[SPAN__SEND_STOPPED] = "when stopped",
	};
	const char *before = " (";

	span_text_count(b, dropped());
	span_buf_puts(b, " dropped");
	for (size_t i = 0; i < SPAN__SEND_DROPS; i++)
		put_cause(b, dropped_for((enum span__send_drop)i), names[i],
			  &before);
	put_cause(b, send_report.overflowed, "spool full", &before);
	if (*before == ',')
		span_buf_putc(b, ')');
}

/* ", 12 waiting in the spool" */
static void put_waiting(struct span_buf *b)
{
	if (!send_report.waiting)
		return;
	span_buf_puts(b, ", ");
	span_text_count(b, send_report.waiting);
	span_buf_puts(b, " waiting in the spool");
}

static void put(struct span_buf *b, uint64_t n, const char *text)
{
	span_text_count(b, n);
	span_buf_puts(b, text);
}

static void put_account(struct span_buf *b, uint64_t start_ns)
{
	put(b, send_report.read, " spans read, ");
	put(b, SENT.accepted, " accepted, ");
	put(b, SENT.rejected, " rejected, ");
	put_dropped(b);
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

void send_report_end(uint64_t start_ns)
{
	struct span_buf b = {0};

	cmd_progress_end();
	if (cmd_verbose) {
		put_account(&b, start_ns);
	} else if (send_report_lost()) {
		put(&b, SENT.rejected, " spans rejected, ");
		put_dropped(&b);
		put_waiting(&b);
		span_buf_puts(&b, ", of ");
		put(&b, send_report.read, " read");
	}
	if (b.len && !b.failed) {
		if (cmd_verbose)
			cmd_note("%.*s", (int)b.len, b.p);
		else
			cmd_warn("%.*s", (int)b.len, b.p);
	}
	span_buf_release(&b);
}
