/* SPDX-License-Identifier: Apache-2.0 */
#include "loki-account.h"

#include "base/banned.h"

#define ENTRIES "trace_to_loki_entries_total"
#define HELP "Log entries by what became of them."

struct loki_account loki_account;

static const char *const drops[LOKI_DROPS] = {"given up", "refused",
					      "too large", "when stopped"};

static const struct cmd_metric metrics[] = {
	{ENTRIES, "result=\"accepted\"", HELP, &loki_account.accepted, false},
	{ENTRIES, "result=\"rejected\"", HELP, &loki_account.rejected, false},
	{ENTRIES, "result=\"given_up\"", HELP,
	 &loki_account.dropped[LOKI_GIVEN_UP], false},
	{ENTRIES, "result=\"refused\"", HELP,
	 &loki_account.dropped[LOKI_REFUSED], false},
	{ENTRIES, "result=\"too_large\"", HELP,
	 &loki_account.dropped[LOKI_TOO_LARGE], false},
	{ENTRIES, "result=\"stopped\"", HELP,
	 &loki_account.dropped[LOKI_STOPPED], false},
	{"trace_to_loki_retried_entries_total", "",
	 "Log entries that were sent again.", &loki_account.retried, false},
	{"trace_to_loki_requests_total", "", "Requests sent.",
	 &loki_account.requests, false},
	{"trace_to_loki_failed_requests_total", "",
	 "Requests sent that were not accepted.", &loki_account.failed, false},
	{"trace_to_loki_bytes_total", "", "Bytes of the requests sent.",
	 &loki_account.bytes, false},
	{NULL, NULL, NULL, NULL, false},
};

static uint64_t dropped(void)
{
	uint64_t n = 0;

	for (int i = 0; i < LOKI_DROPS; i++)
		n += loki_account.dropped[i];
	return n;
}

uint64_t loki_account_lost(void)
{
	return loki_account.rejected + dropped();
}

void loki_account_write(bool now)
{
	cmd_metrics_write(metrics, now);
}

static void put(struct span_buf *b, uint64_t n, const char *text)
{
	span_text_count(b, n);
	span_buf_puts(b, text);
}

/* "10 dropped (9 given up, 1 too large)" */
static void put_dropped(struct span_buf *b)
{
	const char *before = " (";

	put(b, dropped(), " dropped");
	for (int i = 0; i < LOKI_DROPS; i++) {
		if (!loki_account.dropped[i])
			continue;
		span_buf_puts(b, before);
		put(b, loki_account.dropped[i], " ");
		span_buf_puts(b, drops[i]);
		before = ", ";
	}
	if (*before == ',')
		span_buf_putc(b, ')');
}

/* "; 10 sent again; 2 requests (1.2 KiB), 1 failed; 0.1 s" */
static void put_attempts(struct span_buf *b, uint64_t since_ns)
{
	span_buf_puts(b, "; ");
	put(b, loki_account.retried, " sent again; ");
	put(b, loki_account.requests, " requests (");
	span_text_size(b, loki_account.bytes);
	span_buf_puts(b, "), ");
	put(b, loki_account.failed, " failed; ");
	span_buf_printf(b, "%.1f s",
			(double)(cmd_monotonic_ns() - since_ns) / 1e9);
}

void loki_account_report(uint64_t since_ns)
{
	struct span_buf b = {0};

	loki_account_write(true);
	put(&b, loki_account.entries, " entries: ");
	put(&b, loki_account.accepted, " accepted, ");
	put(&b, loki_account.rejected, " rejected, ");
	put_dropped(&b);
	if (cmd_verbose)
		put_attempts(&b, since_ns);
	if (!b.failed && cmd_verbose)
		cmd_note("%.*s", (int)b.len, b.p);
	else if (!b.failed && loki_account_lost())
		cmd_warn("%.*s", (int)b.len, b.p);
	span_buf_release(&b);
}
