/* SPDX-License-Identifier: Apache-2.0 */
/* Histograms for people: a bar for each bucket. */
#include "stats-out.h"

#include "base/banned.h"

#define BAR 24u

static void put_bar(struct span_buf *b, const struct stats_out *o, uint64_t n,
		    uint64_t top)
{
	size_t len = top ? (size_t)((double)n / (double)top * BAR + 0.5) : 0;

	if (n && !len)
		len = 1;
	span_buf_puts(b, len ? "  " : "");
	for (size_t i = 0; i < len; i++)
		span_buf_puts(b, o->look.ascii ? "#" : "█");
}

static void put_bucket(struct span_buf *b, const struct stats_out *o, size_t k,
		       uint64_t n, uint64_t top)
{
	const struct span_stats_opts *opts = span_stats_opts(o->st);
	struct span_buf text = {0};

	span_buf_puts(&text, k < opts->n_bounds ? "<= " : "> ");
	span_text_duration(&text, opts->bounds[k < opts->n_bounds ? k : k - 1]);
	span_buf_printf(b, "  %11.*s", (int)text.len, text.p);
	text.len = 0;
	stats_count_rounded(&text, n);
	span_buf_printf(b, "  %9.*s", (int)text.len, text.p);
	put_bar(b, o, n, top);
	span_buf_putc(b, '\n');
	b->failed |= text.failed;
	span_buf_release(&text);
}

void stats_histogram_put(struct span_buf *b, const struct stats_out *o,
			 const struct stats_group *g)
{
	size_t n = span_stats_opts(o->st)->n_bounds, first = n, last = 0;
	uint64_t counts[SPAN_STATS_BOUNDS + 1] = {0}, top = 0;

	for (size_t i = g->first; i < g->first + g->n; i++)
		for (size_t k = 0; k <= n; k++) {
			uint64_t more = span_stats_histogram(o->st, i)[k];

			counts[k] = counts[k] > UINT64_MAX - more
					    ? UINT64_MAX
					    : counts[k] + more;
		}
	for (size_t k = 0; k <= n; k++) {
		top = counts[k] > top ? counts[k] : top;
		if (counts[k])
			last = k;
		if (counts[k] && k < first)
			first = k;
	}
	span_buf_printf(b, "  %11s  %9s\n", "duration", "calls");
	for (size_t k = first; k <= last; k++)
		put_bucket(b, o, k, counts[k], top);
}
