/* SPDX-License-Identifier: Apache-2.0 */
/* span-store stat for programs: JSON and CSV */
#include "stat-print.h"

#include "base/banned.h"

static void put_number(struct span_buf *b, const char *key, uint64_t n)
{
	span_buf_printf(b, ",\"%s\":%llu", key, (unsigned long long)n);
}

/* null for what is 0 because nobody knows it. */
static void put_known(struct span_buf *b, const char *key, uint64_t n,
		      bool known)
{
	if (known)
		put_number(b, key, n);
	else
		span_buf_printf(b, ",\"%s\":null", key);
}

/* null where there is no span that has a time. */
static void put_time(struct span_buf *b, const char *key, uint64_t ns, bool any)
{
	span_buf_printf(b, ",\"%s\":", key);
	if (!any) {
		span_buf_puts(b, "null");
		return;
	}
	span_buf_putc(b, '"');
	span_text_time(b, ns, 9);
	span_buf_putc(b, '"');
}

static void put_policy(struct span_buf *b, const struct span_store_policy *p)
{
	put_known(b, "maxAgeSeconds", p->max_age_ns / 1000000000u,
		  p->max_age_ns);
	put_known(b, "maxBytes", p->max_bytes, p->max_bytes);
	put_known(b, "minFree", p->min_free, p->min_free);
}

void stat_put_json(struct span_buf *b, const struct stat_report *r)
{
	const struct span_store_stat *s = &r->s;
	bool any = s->n_spans > 0;

	span_buf_puts(b, "{\"store\":");
	span_text_json(b, span_str(r->name));
	span_buf_puts(b, ",\"uuid\":\"");
	stat_put_uuid(b, s->uuid);
	span_buf_putc(b, '"');
	put_number(b, "spans", s->n_spans);
	put_number(b, "frames", s->n_frames);
	put_number(b, "bytes", s->bytes);
	put_number(b, "segments", s->n_segments);
	put_number(b, "sealedSpans", s->sealed_spans);
	put_number(b, "sealedBytes", s->sealed_bytes);
	put_number(b, "sealedTraces", s->n_traces);
	put_number(b, "closed", r->n_logs - r->n_open);
	put_number(b, "open", r->n_open);
	put_number(b, "setAside", s->n_bad);
	put_number(b, "missingFrames", s->missing_frames);
	put_time(b, "firstStart", s->min_start_ns, any);
	put_time(b, "lastEnd", s->max_end_ns, any);
	put_time(b, "firstArrival", s->min_arrival_ns, any);
	put_time(b, "lastArrival", s->max_arrival_ns, any);
	put_known(b, "bytesADay", (uint64_t)r->bytes_a_day, r->bytes_a_day > 0);
	put_known(b, "freeBytes", s->free_bytes, s->free_bytes != UINT64_MAX);
	put_known(b, "fullInSeconds", r->full_ns / 1000000000u, r->full_ns);
	put_known(b, "holdsSeconds", r->holds_ns / 1000000000u, r->holds_ns);
	put_policy(b, &r->policy);
}

void stat_put_json_file(struct span_buf *b, const struct span_store_file *f)
{
	const char *state = f->open	? "open"
			    : f->bad	? "setAside"
			    : f->sealed ? "sealed"
					: "closed";
	bool any = f->n_frames > 0;

	span_buf_printf(b, "{\"name\":\"%s\",\"state\":\"%s\"", f->name, state);
	put_number(b, "spans", f->n_spans);
	put_number(b, "frames", f->n_frames);
	put_number(b, "bytes", f->bytes);
	put_known(b, "traces", f->n_traces, f->sealed);
	put_number(b, "firstFrame", f->first_seq);
	put_number(b, "lastFrame", f->last_seq);
	put_time(b, "firstStart", f->min_start_ns, any);
	put_time(b, "lastEnd", f->max_end_ns, any);
	put_time(b, "firstArrival", f->min_arrival_ns, any);
	put_time(b, "lastArrival", f->max_arrival_ns, any);
	span_buf_putc(b, '}');
}

static void csv_time(struct span_buf *b, uint64_t ns, bool any)
{
	span_buf_putc(b, ',');
	if (any)
		span_text_time(b, ns, 9);
}

static void csv_number(struct span_buf *b, uint64_t n)
{
	span_buf_printf(b, ",%llu", (unsigned long long)n);
}

void stat_put_csv(struct span_buf *b, const struct stat_report *r)
{
	const struct span_store_stat *s = &r->s;

	span_buf_puts(b, "store,spans,bytes,segments,sealed_spans,sealed_bytes,"
			 "closed,open,set_aside,missing_frames,first_start,"
			 "last_end,first_arrival,last_arrival,bytes_a_day,"
			 "free_bytes\n");
	span_text_csv(b, span_str(r->name), true);
	csv_number(b, s->n_spans);
	csv_number(b, s->bytes);
	csv_number(b, s->n_segments);
	csv_number(b, s->sealed_spans);
	csv_number(b, s->sealed_bytes);
	csv_number(b, r->n_logs - r->n_open);
	csv_number(b, r->n_open);
	csv_number(b, s->n_bad);
	csv_number(b, s->missing_frames);
	csv_time(b, s->min_start_ns, s->n_spans > 0);
	csv_time(b, s->max_end_ns, s->n_spans > 0);
	csv_time(b, s->min_arrival_ns, s->n_spans > 0);
	csv_time(b, s->max_arrival_ns, s->n_spans > 0);
	span_buf_putc(b, ',');
	if (r->bytes_a_day > 0)
		span_text_uint(b, (uint64_t)r->bytes_a_day);
	span_buf_putc(b, ',');
	if (s->free_bytes != UINT64_MAX)
		span_text_uint(b, s->free_bytes);
	span_buf_putc(b, '\n');
}

void stat_put_json_part(struct span_buf *b, const struct span_store_part *p)
{
	span_buf_printf(b, "{\"part\":\"%s\",\"key\":", p->part);
	if (p->key.len)
		span_text_json(b, p->key);
	else
		span_buf_puts(b, "null");
	put_number(b, "bytes", p->bytes);
	put_number(b, "values", p->values);
	span_buf_putc(b, '}');
}

void stat_put_csv_part(struct span_buf *b, const struct span_store_part *p)
{
	span_text_csv(b, span_str(p->part), true);
	span_buf_putc(b, ',');
	if (p->key.len)
		span_text_csv(b, p->key, true);
	csv_number(b, p->bytes);
	csv_number(b, p->values);
	span_buf_putc(b, '\n');
}
