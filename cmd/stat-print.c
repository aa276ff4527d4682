/* SPDX-License-Identifier: Apache-2.0 */
#include "stat-print.h"

#include <string.h>

#include "base/banned.h"

void stat_put_uuid(struct span_buf *b, const uint8_t u[16])
{
	for (int i = 0; i < 16; i++)
		span_buf_printf(
			b, "%s%02x",
			i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", u[i]);
}

/* ---- For people ---- */

static void row(struct span_buf *b, const char *label)
{
	span_buf_printf(b, "%-10s", label);
}

static void put_range(struct span_buf *b, const char *label, uint64_t from,
		      uint64_t to)
{
	row(b, label);
	span_text_local_time(b, from, 3);
	span_buf_puts(b, " to ");
	span_text_local_time(b, to, 3);
	span_buf_putc(b, '\n');
}

static void put_each(struct span_buf *b, uint64_t bytes, uint64_t spans)
{
	if (spans)
		span_buf_printf(b, ", %.1f bytes a span",
				(double)bytes / (double)spans);
}

/* Of N files: "10 with 9,800,000 spans, 17.6 bytes a span". */
static void put_part(struct span_buf *b, const char *label, uint64_t n,
		     uint64_t spans, uint64_t bytes)
{
	row(b, label);
	span_text_count(b, n);
	span_buf_puts(b, " with ");
	store_put_n(b, spans, "span");
	put_each(b, bytes, spans);
}

static void put_files(struct span_buf *b, const struct stat_report *r)
{
	const struct span_store_stat *s = &r->s;

	row(b, "spans");
	if (s->n_spans) {
		span_text_count(b, s->n_spans);
		span_buf_puts(b, ", ");
		span_text_size(b, s->bytes);
		put_each(b, s->bytes, s->n_spans);
	} else {
		span_buf_puts(b, "none");
	}
	span_buf_putc(b, '\n');
	if (s->n_segments) {
		put_part(b, "segments", s->n_segments, s->sealed_spans,
			 s->sealed_bytes);
		span_buf_putc(b, '\n');
		row(b, "traces");
		span_text_count(b, s->n_traces);
		span_buf_puts(b, r->n_logs ? " in segments\n" : "\n");
	}
	if (r->n_logs) {
		put_part(b, "logs", r->n_logs, s->n_spans - s->sealed_spans,
			 s->bytes - s->sealed_bytes - s->draft_bytes);
		if (r->n_open)
			span_buf_printf(b, ", %llu open",
					(unsigned long long)r->n_open);
		if (s->n_drafts) {
			span_buf_puts(b, ", ");
			span_text_size(b, s->draft_bytes);
			span_buf_puts(b, " of drafts");
		}
		span_buf_putc(b, '\n');
	}
}

static void put_disk(struct span_buf *b, const struct stat_report *r)
{
	if (r->s.free_bytes == UINT64_MAX)
		return;
	row(b, "disk");
	span_text_size(b, r->s.free_bytes);
	span_buf_puts(b, " free");
	if (r->full_ns) {
		span_buf_puts(b, ", full in ");
		span_text_duration(b, r->full_ns);
	} else if (r->bytes_a_day > 0) {
		span_buf_puts(b, ", never full by the policy");
	}
	if (r->holds_ns) {
		span_buf_puts(b, ", room for ");
		span_text_duration(b, r->holds_ns);
	}
	span_buf_putc(b, '\n');
}

static void put_loss(struct span_buf *b, const struct span_store_stat *s)
{
	if (s->missing_frames) {
		row(b, "missing");
		store_put_n(b, s->missing_frames, "frame");
		span_buf_putc(b, '\n');
	}
	if (s->n_bad) {
		row(b, "damaged");
		store_put_n(b, s->n_bad, "file");
		span_buf_printf(b, " %s set aside\n",
				s->n_bad == 1 ? "was" : "were");
	}
}

void stat_put_table(struct span_buf *b, const struct stat_report *r)
{
	const struct span_store_stat *s = &r->s;

	row(b, "store");
	span_text_terminal(b, span_str(r->name));
	span_buf_putc(b, '\n');
	row(b, "uuid");
	stat_put_uuid(b, s->uuid);
	span_buf_putc(b, '\n');
	put_files(b, r);
	if (s->n_spans) {
		put_range(b, "times", s->min_start_ns, s->max_end_ns);
		put_range(b, "arrived", s->min_arrival_ns, s->max_arrival_ns);
	}
	if (r->bytes_a_day > 0) {
		row(b, "growth");
		span_text_size(b, (uint64_t)r->bytes_a_day);
		span_buf_puts(b, " a day\n");
	}
	put_disk(b, r);
	row(b, "policy");
	store_put_policy(b, &r->policy);
	span_buf_putc(b, '\n');
	put_loss(b, s);
}

/* "00000012.seg" is short; what was imported has its origin in its name. */
void stat_put_file(struct span_buf *b, const struct span_store_file *f)
{
	size_t at;

	span_buf_printf(b, "%-13s", f->name);
	at = b->len;
	span_text_count(b, f->n_spans);
	store_align_right(b, at, 13);
	span_buf_puts(b, " spans");
	at = b->len;
	span_text_size(b, f->bytes);
	store_align_right(b, at, 11);
	if (f->n_frames && strlen(f->name) <= 13) {
		span_buf_puts(b, "  ");
		span_text_local_time(b, f->min_arrival_ns, 0);
	}
	if (f->bad)
		span_buf_puts(b, "  set aside");
	span_buf_putc(b, '\n');
}

void stat_put_part(struct span_buf *b, const struct span_store_part *p,
		   uint64_t spans)
{
	struct span_buf name = {0};
	size_t at;

	span_buf_puts(&name, p->part);
	if (p->key.len) {
		span_buf_putc(&name, ' ');
		span_buf_str(&name, p->key);
	}
	b->failed |= name.failed;
	span_text_fit(b, (struct span_str){name.p, name.len}, 44, true);
	span_buf_release(&name);
	at = b->len;
	span_text_size(b, p->bytes);
	store_align_right(b, at, 12);
	span_buf_printf(b, "%11.2f",
			spans ? (double)p->bytes / (double)spans : 0.0);
	at = b->len;
	span_text_count(b, p->values);
	store_align_right(b, at, 13);
	span_buf_putc(b, '\n');
}
