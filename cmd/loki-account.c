/* SPDX-License-Identifier: Apache-2.0 */
#include "loki-account.h"

#include "base/banned.h"

#define ENTRIES "trace_to_loki_entries_total"
#define HELP "Log entries by what became of them."

struct loki_account loki_account;

#define DROPPED loki_account.dropped

static const struct cmd_drop drops[] = {
	{"given up", &DROPPED[LOKI_GIVEN_UP]},
	{"refused", &DROPPED[LOKI_REFUSED]},
	{"too large", &DROPPED[LOKI_TOO_LARGE]},
	{"when stopped", &DROPPED[LOKI_STOPPED]},
	{NULL, NULL},
};

static const struct cmd_metric metrics[] = {
	{ENTRIES, "result=\"accepted\"", HELP, &loki_account.accepted, false},
	{ENTRIES, "result=\"rejected\"", HELP, &loki_account.rejected, false},
	{ENTRIES, "result=\"given_up\"", HELP, &DROPPED[LOKI_GIVEN_UP], false},
	{ENTRIES, "result=\"refused\"", HELP, &DROPPED[LOKI_REFUSED], false},
	{ENTRIES, "result=\"too_large\"", HELP, &DROPPED[LOKI_TOO_LARGE],
	 false},
	{ENTRIES, "result=\"stopped\"", HELP, &DROPPED[LOKI_STOPPED], false},
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

uint64_t loki_account_lost(void)
{
	return loki_account.rejected + cmd_drops(drops);
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
	cmd_drops_text(&b, drops);
	if (cmd_verbose)
		put_attempts(&b, since_ns);
	if (!b.failed && cmd_verbose)
		cmd_note("%.*s", (int)b.len, b.p);
	else if (!b.failed && loki_account_lost())
		cmd_warn("%.*s", (int)b.len, b.p);
	span_buf_release(&b);
}
